"""Stored values as the API shows them."""
