"""Items: rows and templates become checked requests."""
