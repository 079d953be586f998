"""One run at a time, wherever it runs."""
