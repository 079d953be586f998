"""Why a name stands for nothing, or cannot be used. Pure."""

from __future__ import annotations

from typing import NamedTuple


class LookupFailure(NamedTuple):
    """The code of the finding, and its words."""

    code: str
    message: str
