"""Where state lies: local files, object stores, git refs."""
