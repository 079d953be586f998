"""The lockfiles that views are tried with."""

from report_lockfiles import empty, every_state, evil

__all__ = ["empty", "every_state", "evil"]
