"""The lists and mappings of a YAML text while they are filled, and the merges into mappings."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from manifest_runner.manifest.yaml_anchors import Anchors
from manifest_runner.manifest.yaml_report import Report, shorten
from manifest_runner.values import MAX_DEPTH

MAX_NODES = 1_000_000

_NO_MERGE = "<< takes a mapping or a list of mappings"
_NOT_KEPT = array("I")  # the offsets in every container where places are not kept; stays empty
_DROPPED = "(dropped)"  # the key of a value that is read but not kept; compared by identity


class _Frame:
    """A container that is being filled. ``weight`` is the number of values in a walk through it."""

    __slots__ = ("anchor", "is_mapping", "key", "marks", "merges", "value", "weight")

    def __init__(self, value: Any, anchor: str | None, marks: array[int]) -> None:
        self.value = value
        self.is_mapping = value.__class__ is dict
        self.anchor = anchor
        self.key: str | None = None  # None while a mapping awaits a key
        self.merges: list[Any] | None = None  # the sources of "<<", once that key was met
        self.weight = 1
        # Offsets, as compact as can be: of each key and its value in turn, or of each element.
        self.marks = marks


class Tree:
    """The values of a text. ``frame`` is the open container; ``marks`` are those of each container by its id."""

    def __init__(self, text: str, report: Report, anchors: Anchors, *, keep_places: bool) -> None:
        self._text = text
        self._report = report
        self._anchors = anchors
        self._stack: list[_Frame] = []
        self._keys: dict[str, str] = {}
        self.nodes = 0
        # The document keeps the containers alive.
        self.marks: dict[int, array[int]] | None = {} if keep_places else None
        self.document = _Frame([], None, self._new_marks())
        self.frame = self.document

    def add(self, value: Any, weight: int, at: int) -> None:
        """Put a value into the open container."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._report.stop("MR111", f"more than {MAX_NODES:,} values; put the rows into a csv file", at)
        frame = self.frame
        frame.weight += weight
        if not frame.is_mapping:
            frame.value.append(value)
        elif frame.key is None:
            from manifest_runner.manifest.yaml_messages import bare_template_hint  # which compiles patterns

            hint = bare_template_hint(self._text, at)
            self._report.stop("MR110", f"a key must be text, not a list or a mapping{hint}", at)
        elif frame.key is _DROPPED:
            frame.key = None
            return
        elif frame.key == "<<" and frame.merges == []:
            _take_merge(frame, value, at, self._report)
            return
        else:
            frame.value[frame.key] = value
            frame.key = None
        if self.marks is not None:
            frame.marks.append(at)

    def take_key(self, text: str, at: int) -> None:
        """The key of the value that follows."""
        frame = self.frame
        if text in frame.value:
            first = self._first_use(text)
            self._report.add("MR109", f'duplicate key "{shorten(text)}"{first}', at, is_harmless=True)
            frame.key = _DROPPED
            return
        frame.key = self._keys.setdefault(text, text)
        if self.marks is not None:
            frame.marks.append(at)

    def _first_use(self, key: str) -> str:
        """Where a key of the open mapping is, for a message."""
        if self.marks is None:
            return ""
        number = list(self.frame.value).index(key)
        return f"; first used at {self._report.place(self.frame.marks[2 * number]).brief()}"

    def take_merge_key(self, at: int) -> None:
        """The key ``<<``, whose value is merged into the mapping at its end."""
        frame = self.frame
        if frame.merges is not None:
            self._report.add("MR109", 'duplicate key "<<"; one merge can take a list', at)
        frame.merges = frame.merges or []
        frame.key = "<<"

    def open(self, value: Any, anchor: str | None, at: int) -> None:
        """Begin a list or a mapping."""
        if len(self._stack) >= MAX_DEPTH:
            self._report.stop("MR111", f"nested more than {MAX_DEPTH} levels deep", at)
        self.add(value, 0, at)
        if anchor is not None:
            self._anchors.define(anchor, value, 0, at)
        self._stack.append(self.frame)
        self.frame = _Frame(value, anchor, self._new_marks())
        if self.marks is not None:
            self.marks[id(value)] = self.frame.marks

    def _new_marks(self) -> array[int]:
        return _NOT_KEPT if self.marks is None else array("I")

    def close(self, at: int) -> None:
        """End the open container."""
        frame = self.frame
        if frame.merges:
            _apply_merges(frame, self.marks, self._report, lambda count: self._anchors.spend(count, at, self.nodes))
        if frame.anchor is not None:
            self._anchors.close(frame.anchor, frame.value, frame.weight)
        self.frame = self._stack.pop()
        self.frame.weight += frame.weight


def _take_merge(frame: _Frame, value: Any, at: int, report: Report) -> None:
    """The value of "<<", which the events that follow fill."""
    frame.key = None
    if isinstance(value, (dict, list)):
        frame.merges = [(value if isinstance(value, list) else [value], at)]
    else:
        report.add("MR113", _NO_MERGE, at)


def _apply_merges(
    frame: _Frame, marks: dict[int, array[int]] | None, report: Report, spend: Callable[[int], None]
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


def _sources(frame: _Frame, report: Report) -> Iterator[dict[str, Any]]:
    for sources, at in frame.merges or ():
        for source in sources:
            if isinstance(source, dict):
                yield source
            else:
                report.add("MR113", _NO_MERGE, at)
