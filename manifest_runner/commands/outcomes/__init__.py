"""Results of analyses, fetched once and recorded."""
