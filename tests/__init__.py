"""The tests of Waypost."""
