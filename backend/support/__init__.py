"""Support: tickets and their queue, the one search, and an order's case with what can be done."""
