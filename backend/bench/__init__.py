"""Measurements behind `waypost bench`."""
