"""The parts every context stands on; it knows none of them."""
