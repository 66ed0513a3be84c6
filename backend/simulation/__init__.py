"""The demo fleet and recorded traces, which speak to the public API as phones do."""
