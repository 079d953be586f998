"""Anchors and aliases of a YAML text, and the limit that keeps aliases from expanding without end."""

from __future__ import annotations

from typing import Any

from manifest_runner.manifest.yaml_report import Report, shorten

MAX_EXPANDED = 1_000_000


class Anchors:
    """The value of each anchor, and the number of values in a walk through it.

    ``aliased`` are the offsets of the values that aliases refer to.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: dict[str, tuple[Any, int]] = {}
        self._places: dict[str, int] = {}
        self._expanded = 0
        self.aliased: set[int] = set()

    def define(self, name: str, value: Any, weight: int, at: int) -> None:
        """A weight of 0 means that the value is still open."""
        self._known[name] = (value, weight)
        self._places[name] = at

    def close(self, name: str, value: Any, weight: int) -> None:
        """The container of an anchor is complete."""
        self._known[name] = (value, weight)

    def take(self, name: str, at: int, nodes: int) -> tuple[Any, int]:
        """The value of an alias at an offset, and its weight. Raises Stopped if there is none."""
        if name not in self._known:
            words = f'*{shorten(name)} has no matching anchor above it; quote it if "*" is meant as text'
            self._report.stop("MR112", words, at)
        value, weight = self._known[name]
        if weight == 0:
            self._report.stop("MR112", f"*{shorten(name)} is inside its own anchor", at)
        self.spend(weight, at, nodes)
        self.aliased.add(self._places[name])
        return value, weight

    def spend(self, weight: int, at: int, nodes: int) -> None:
        """Count what a walk through the data meets again: aliases and merges share one value.

        ``nodes`` is the number of values so far; as many may be met again. Raises Stopped if there are more.
        """
        self._expanded += weight
        if self._expanded > MAX_EXPANDED + nodes:
            self._report.stop("MR111", "the aliases expand to too many values", at)
