"""A fault that a request has in its names, its data, or compared with its pipeline. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple


class RequestFault(NamedTuple):
    """A fault of a request. ``path`` leads to it in the API's shape; similar faults have the same ``group``."""

    path: tuple[str | int, ...]
    code: str
    message: str
    at_key: bool = False
    group: Hashable = None
