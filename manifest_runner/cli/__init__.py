"""Parse, print, exit."""
