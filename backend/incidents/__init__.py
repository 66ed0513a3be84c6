"""Alerts become incidents here; incidents show whom they hurt and can be acted on."""
