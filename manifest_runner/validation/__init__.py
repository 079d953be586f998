"""Check data against JSON Schemas, with messages in plain words."""
