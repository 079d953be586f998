"""The output of each command, as lines and as JSON. Nothing here prints."""
