"""Where every driver is and was."""
