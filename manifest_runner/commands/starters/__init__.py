"""What ``init`` writes."""
