"""Pure functions from vars to components, and wrapped React parts."""
