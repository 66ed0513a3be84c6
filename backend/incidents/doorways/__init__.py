"""The formats in which monitoring systems tell of alerts, each read into the same few facts."""
