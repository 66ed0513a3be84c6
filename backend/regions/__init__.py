"""Countries, cities, hubs and geofences: where things are and which rules hold there."""
