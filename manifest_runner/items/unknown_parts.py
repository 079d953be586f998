"""The rest of an item without its faulty parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.model import NO_ROW, DataPath, RowId


class Unknown:
    """Places in an analysis whose values are unknown."""

    def __init__(self, paths: Iterable[DataPath]) -> None:
        self._paths = frozenset(paths)
        self._holders = frozenset(path[:length] for path in self._paths for length in range(len(path)))

    def touches(self, path: DataPath) -> bool:
        """Whether a place is one of them, contains one or is inside one."""
        return path in self._holders or any(path[:length] in self._paths for length in range(len(path) + 1))


class Part(msgspec.Struct, frozen=True):
    """The rest of an item without its ``unknown`` places.

    ``rendered`` has the manifest's names, ``request`` the API's keys.
    """

    rendered: dict[str, Any]
    request: dict[str, Any]
    unknown: tuple[Unknown, ...]
    row: RowId = NO_ROW

    def is_unknown(self, path: DataPath) -> bool:
        """Whether a place is unknown, contains an unknown one or is inside one."""
        return any(each.touches(path) for each in self.unknown)


def slot_paths(value: Any) -> Iterator[DataPath]:
    """The places of the templates in an analysis."""
    if isinstance(value, TemplateSlot):
        yield value.path
    elif isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from slot_paths(each)
