"""Checks of items: faults, and warnings."""
