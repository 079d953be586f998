"""Names looked up on the server, with few requests."""
