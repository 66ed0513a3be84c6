"""The ways to a person: pushes, the message gateway, mail, and the demo's sandbox."""
