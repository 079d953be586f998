"""Stores for state: local files, object stores, git refs."""
