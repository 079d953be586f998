"""YAML text as plain values, and the place of each for messages.

PyYAML's own composer is not used: its resolver is YAML 1.1's, it drops duplicate keys silently, it costs several
times the memory, and its recursion lets an attacker exhaust the stack. This one reads libyaml's events.
"""

from __future__ import annotations

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
from manifest_runner.manifest.yaml_tree import Tree


class Builder:
    """Reads one text once. Aliases share their value; nothing here recurses."""

    def __init__(self, file: str, text: str, *, keep_places: bool = False, binary: bool = False) -> None:
        self._text = text
        self._binary = binary
        self._lines = Lines(file, text)
        self._report = Report(self._lines)
        self._anchors = Anchors(self._report)
        self._tree = Tree(text, self._report, self._anchors, keep_places=keep_places)

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
        return None if self.is_empty else self._tree.document.value[0]

    def places(self) -> Places:
        """The place of each value; only for a builder that was made with ``keep_places``."""
        document, marks = self._tree.document, self._tree.marks
        assert marks is not None
        return Places(self._lines, document.value[0], document.marks[0], marks, self._anchors.aliased)

    @property
    def is_empty(self) -> bool:
        return not self._tree.document.value

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
        frame, text = self._tree.frame, event.value
        if frame.is_mapping and frame.key is None:
            self._key(event, text)
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
        self._tree.add(value, weight, event.start_mark.index)

    def _key(self, event: Any, text: str) -> None:
        at = event.start_mark.index
        plain = not event.style and event.tag is None
        if plain and text == "<<":
            self._tree.take_merge_key(at)
            return
        if plain and text in WORDS and WORDS[text] is None:
            self._report.add("MR110", "a key is missing here; quote it if it is meant as text", at)
        if event.tag is not None and event.tag not in ("!", TAG + "str"):
            refuse_tag(event, self._report)
        if event.anchor is not None:
            self._anchors.define(event.anchor, text, 1, at)
        self._tree.take_key(text, at)

    def _open_mapping(self, event: Any) -> None:
        self._open({}, event, TAG + "map")

    def _open_list(self, event: Any) -> None:
        self._open([], event, TAG + "seq")

    def _open(self, value: Any, event: Any, tag: str) -> None:
        if event.tag is not None and event.tag not in ("!", tag):
            refuse_tag(event, self._report)
        self._tree.open(value, event.anchor, event.start_mark.index)

    def _close(self, event: Any) -> None:
        self._tree.close(event.start_mark.index)

    def _alias(self, event: Any) -> None:
        at, frame = event.start_mark.index, self._tree.frame
        value, weight = self._anchors.take(event.anchor, at, self._tree.nodes)
        if not frame.is_mapping or frame.key is not None:
            self._tree.add(value, weight, at)
        elif isinstance(value, str):
            self._tree.take_key(value, at)
        else:
            self._report.stop("MR110", f"a key must be text, and *{shorten(event.anchor)} is not", at)
