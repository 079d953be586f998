"""The reason why a name cannot be resolved or used. Pure."""

from __future__ import annotations

from typing import NamedTuple

from manifest_runner.text import shown

# Answers of a server that does not show something to this credential, or does not have a call.
HIDDEN = frozenset({403, 404, 405})


class LookupFailure(NamedTuple):
    """The code and the message of a finding."""

    code: str
    message: str


def not_pinned(key: str) -> LookupFailure:
    """A name that has no entry in the names file, although only that is asked."""
    return LookupFailure("MR711", f"{shown(key)} is not in the names file; `manifest-runner resolve` looks it up")
