"""Templates: sandboxed Jinja2."""
