"""Sandboxed Jinja2."""
