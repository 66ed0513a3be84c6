"""Tests of the console's edge and states."""
