"""A list or a mapping of a YAML text while it is filled, and the merges into a mapping."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from manifest_runner.manifest.yaml_report import Report

_NO_MERGE = "<< takes a mapping or a list of mappings"


class Frame:
    """A container being filled. ``weight`` counts the values that a walk through it meets."""

    __slots__ = ("anchor", "is_mapping", "key", "marks", "merges", "value", "weight")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.is_mapping = value.__class__ is dict
        self.anchor = anchor
        self.key: str | None = None  # None while a mapping awaits a key
        self.merges: list[Any] | None = None  # the sources of "<<", once that key was met
        self.weight = 1
        # Offsets, as compact as can be: of each key and its value in turn, or of each element.
        self.marks = array("I")


def take_merge(frame: Frame, value: Any, at: int, report: Report) -> None:
    """The value of "<<", which the events that follow fill."""
    frame.key = None
    if isinstance(value, (dict, list)):
        frame.merges = [(value if isinstance(value, list) else [value], at)]
    else:
        report.add("MR113", _NO_MERGE, at)


def apply_merges(
    frame: Frame, marks: dict[int, array[int]] | None, report: Report, spend: Callable[[int], None]
) -> None:
    """Keys of the mapping win over merged ones, an earlier source over a later one (yaml.org/type/merge).

    ``marks`` are those of each container by its id, ``spend`` is charged for what each source adds.
    """
    for source in _sources(frame, report):
        spend(len(source))
        for number, (key, value) in enumerate(source.items()):
            if key not in frame.value:
                frame.value[key] = value
                if marks is not None:
                    frame.marks.extend(marks[id(source)][2 * number : 2 * number + 2])


def _sources(frame: Frame, report: Report) -> Iterator[dict[str, Any]]:
    for sources, at in frame.merges or ():
        for source in sources:
            if isinstance(source, dict):
                yield source
            else:
                report.add("MR113", _NO_MERGE, at)
