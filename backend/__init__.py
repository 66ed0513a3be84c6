"""The dispatch, tracking and payments backend of Waypost."""
