"""How requests reach the server: the session, credentials, retries, and what each failure means."""
