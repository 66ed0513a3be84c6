"""Who calls, what they may do where, and the record of what they did."""
