"""The console: what people see of Waypost in a browser."""
