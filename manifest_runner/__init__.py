"""Launch analyses on Illumina Connected Analytics from a manifest, each exactly once.

The commands are functions, too: ``from manifest_runner import validate, plan, run, status, outputs``. See
docs/python.md.
"""

from __future__ import annotations

from manifest_runner.version import __version__ as __version__

# Type checkers know this name; importing it from typing takes as long as starting Python.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from manifest_runner.python_api import outputs, plan, run, status, validate

__all__ = ["outputs", "plan", "run", "status", "validate"]


def __getattr__(name: str) -> Any:
    """Import the functions when they are first used, since the command line does not need them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("manifest_runner.python_api"), name)
