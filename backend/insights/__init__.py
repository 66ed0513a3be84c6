"""What the fleet's facts add up to, for those who watch."""
