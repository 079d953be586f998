"""Requests to the server: sessions, credentials, retries, and the meaning of each failure."""
