"""What came of analyses, asked for and kept."""
