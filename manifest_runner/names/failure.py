"""The reason why a name cannot be resolved or used. Pure."""

from __future__ import annotations

from typing import NamedTuple


class LookupFailure(NamedTuple):
    """The code and the message of a finding."""

    code: str
    message: str
