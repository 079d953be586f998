"""Launching, exactly once."""
