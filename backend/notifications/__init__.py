"""What Waypost tells the outside: webhooks to marketplaces, messages to people."""
