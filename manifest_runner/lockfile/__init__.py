"""The lockfile: a record of what was launched."""
