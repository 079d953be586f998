"""Read rows from samplesheets and other sources."""
