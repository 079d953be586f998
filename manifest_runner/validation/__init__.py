"""JSON Schema in plain words."""
