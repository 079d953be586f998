"""YAML text as plain values, and the place of each for messages.

PyYAML's own composer is not used: its resolver is YAML 1.1's, it drops duplicate keys silently, it costs several
times the memory, and its recursion gives an attacker the stack. This one is fed with libyaml's events.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.manifest.yaml_anchors import Anchors
from manifest_runner.manifest.yaml_events import events_of
from manifest_runner.manifest.yaml_frame import Frame, apply_merges, take_merge
from manifest_runner.manifest.yaml_messages import bare_template_hint
from manifest_runner.manifest.yaml_places import Lines, Places
from manifest_runner.manifest.yaml_report import Report, Stopped, shorten
from manifest_runner.manifest.yaml_scalars import (
    MAY_BE_SPECIAL,
    TAG,
    WORDS,
    refuse_tag,
    tagged_value,
    untagged_value,
)

MAX_NODES = 1_000_000
MAX_DEPTH = 100

_DROPPED = "(dropped)"  # the key of what is read and not kept, compared by identity


class Builder:
    """Reads one text once. Values are shared where aliases say so; nothing here recurses."""

    def __init__(self, file: str, text: str, *, keep_places: bool = False, binary: bool = False) -> None:
        self._text = text
        self._binary = binary
        self._lines = Lines(file, text)
        self._report = Report(self._lines)
        self._anchors = Anchors(self._report)
        self._document = Frame([], None)
        self._frame = self._document
        self._stack: list[Frame] = []
        self._keys: dict[str, str] = {}
        self._nodes = 0
        # A container's marks by its id; the document keeps the containers alive.
        self._marks: dict[int, array[int]] | None = {} if keep_places else None

    @property
    def findings(self) -> list[Finding]:
        """The faults that leave the rest readable."""
        return self._report.findings

    def build(self) -> Any:
        """The document, or None of an empty text (see ``is_empty``).

        Raises InvalidManifest with each fault; those that leave the rest readable are in ``findings`` only.
        """
        with suppress(Stopped):
            self._read()
        if not self._report.is_readable:
            raise InvalidManifest(self.findings)
        return None if self.is_empty else self._document.value[0]

    def places(self) -> Places:
        """Where each value lies; only for a builder that was made with ``keep_places``."""
        assert self._marks is not None
        return Places(self._lines, self._document.value[0], self._document.marks[0], self._marks, self._anchors.aliased)

    @property
    def is_empty(self) -> bool:
        return not self._document.value

    # -- events

    def _read(self) -> None:
        takers: dict[Any, Callable[[Any], None]] = {
            MappingStartEvent: self._open_mapping,
            SequenceStartEvent: self._open_list,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._open_document,
        }
        scalar = self._scalar
        for event in events_of(self._text, self._report):
            kind = event.__class__
            if kind is ScalarEvent:
                scalar(event)
            elif kind in takers:
                takers[kind](event)

    def _open_document(self, event: Any) -> None:
        if not self.is_empty:
            self._report.stop(
                "MR106", "a second document starts here; the file must contain only one", event.start_mark.index
            )

    def _scalar(self, event: Any) -> None:
        frame = self._frame
        text: str = event.value
        if frame.is_mapping and frame.key is None:
            self._key(frame, event, text)
            return
        value: Any
        if event.tag is not None:
            value = tagged_value(event, text, self._report, binary=self._binary)
        elif event.style or not event.implicit[0] or (text and text[0] not in MAY_BE_SPECIAL):
            value = text
        else:
            value = untagged_value(event, text, self._report)
        weight = 1 + len(text) // 100
        if event.anchor is not None:
            self._anchors.define(event.anchor, value, weight, event.start_mark.index)
        self._add(value, weight, event.start_mark.index)

    def _key(self, frame: Frame, event: Any, text: str) -> None:
        at = event.start_mark.index
        plain = not event.style and event.tag is None
        if plain and text == "<<":
            if frame.merges is not None:
                self._report.add("MR109", 'duplicate key "<<"; one merge can take a list', at)
            frame.merges = frame.merges or []
            frame.key = text
            return
        if plain and text in WORDS and WORDS[text] is None:
            self._report.add("MR110", "a key is missing here; quote it if it is meant as text", at)
        if event.tag is not None and event.tag not in ("!", TAG + "str"):
            refuse_tag(event, self._report)
        if event.anchor is not None:
            self._anchors.define(event.anchor, text, 1, at)
        self._take_key(frame, text, at)

    def _take_key(self, frame: Frame, text: str, at: int) -> None:
        if text in frame.value:
            self._report.add("MR109", f'duplicate key "{shorten(text)}"', at, is_harmless=True)
            frame.key = _DROPPED
            return
        frame.key = self._keys.setdefault(text, text)
        if self._marks is not None:
            frame.marks.append(at)

    # -- containers

    def _add(self, value: Any, weight: int, at: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._report.stop("MR111", f"more than {MAX_NODES:,} values; put the rows into a csv file", at)
        frame = self._frame
        frame.weight += weight
        if not frame.is_mapping:
            frame.value.append(value)
        elif frame.key is None:
            hint = bare_template_hint(self._text, at)
            self._report.stop("MR110", f"a key must be text, not a list or a mapping{hint}", at)
        elif frame.key is _DROPPED:
            frame.key = None
            return
        elif frame.key == "<<" and frame.merges == []:
            take_merge(frame, value, at, self._report)
            return
        else:
            frame.value[frame.key] = value
            frame.key = None
        if self._marks is not None:
            frame.marks.append(at)

    def _open_mapping(self, event: Any) -> None:
        self._open({}, event, TAG + "map")

    def _open_list(self, event: Any) -> None:
        self._open([], event, TAG + "seq")

    def _open(self, value: Any, event: Any, tag: str) -> None:
        at = event.start_mark.index
        if event.tag is not None and event.tag not in ("!", tag):
            refuse_tag(event, self._report)
        if len(self._stack) >= MAX_DEPTH:
            self._report.stop("MR111", f"nested more than {MAX_DEPTH} levels deep", at)
        self._add(value, 0, at)
        if event.anchor is not None:
            self._anchors.define(event.anchor, value, 0, at)
        self._stack.append(self._frame)
        self._frame = Frame(value, event.anchor)
        if self._marks is not None:
            self._marks[id(value)] = self._frame.marks

    def _close(self, event: Any) -> None:
        frame = self._frame
        if frame.merges:
            at = event.start_mark.index
            apply_merges(frame, self._marks, self._report, lambda count: self._anchors.spend(count, at, self._nodes))
        if frame.anchor is not None:
            self._anchors.close(frame.anchor, frame.value, frame.weight)
        self._frame = self._stack.pop()
        self._frame.weight += frame.weight

    def _alias(self, event: Any) -> None:
        at, frame = event.start_mark.index, self._frame
        value, weight = self._anchors.take(event.anchor, at, self._nodes)
        if not frame.is_mapping or frame.key is not None:
            self._add(value, weight, at)
        elif isinstance(value, str):
            self._take_key(frame, value, at)
        else:
            self._report.stop("MR110", f"a key must be text, and *{shorten(event.anchor)} is not", at)
