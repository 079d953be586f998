"""Checks of items beyond the API's rules: what they repeat or share, what is empty, and the rest of a faulty one."""
