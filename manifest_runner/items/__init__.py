"""Rows and templates make checked requests."""
