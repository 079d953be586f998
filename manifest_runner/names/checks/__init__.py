"""Check items against what pipelines declare, and against the data."""
