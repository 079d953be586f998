"""What is wrong with items, or may be."""
