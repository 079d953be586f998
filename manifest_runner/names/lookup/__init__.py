"""Look up names on the server with few requests."""
