"""The report as a page for browsers."""
