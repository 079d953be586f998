"""Lockfiles for the tests of views."""

from report_lockfiles import empty, every_state, evil

__all__ = ["empty", "every_state", "evil"]
