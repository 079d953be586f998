"""YAML text as plain values, and the place of each for messages. The only module that imports yaml.

PyYAML's own composer is not used: its resolver is YAML 1.1's, it drops duplicate keys silently, it costs several
times the memory, and its recursion gives an attacker the stack. This one is fed with libyaml's events.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.manifest.yaml_messages import Complaint, bare_template_hint, explained
from manifest_runner.manifest.yaml_places import Lines, Places
from manifest_runner.manifest.yaml_scalars import MAY_BE_SPECIAL, WORDS, plain_value
from manifest_runner.values import NotANumber

MAX_NODES = 1_000_000
MAX_EXPANDED = 1_000_000
MAX_DEPTH = 100
MAX_FINDINGS = 100

_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, type | tuple[type, ...]] = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Binary:
    """Stands for a ``!!binary`` value, which only the icav2 CLI's own config file may hold."""


_DROPPED = "(dropped)"  # the key of what is read and not kept, compared by identity


class _Stop(Exception):
    """Nothing more can be learned from this text."""


class _Frame:
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


class Builder:
    """Reads one text once. Values are shared where aliases say so; nothing here recurses."""

    def __init__(self, file: str, text: str, *, keep_places: bool = False, binary: bool = False) -> None:
        self._text = text
        self._binary = binary
        self.findings: list[Finding] = []
        self.is_readable = True
        self._document = _Frame([], None)
        self._frame = self._document
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._keys: dict[str, str] = {}
        self._nodes = 0
        self._expanded = 0
        # A container's marks by its id; the document keeps the containers alive.
        self._marks: dict[int, array[int]] | None = {} if keep_places else None
        self._lines = Lines(file, text)
        self._anchored_at: dict[str, int] = {}
        self._aliased: set[int] = set()  # offsets of what aliases stand for

    def build(self) -> Any:
        """The document, or None of an empty text (see ``is_empty``).

        Raises InvalidManifest with each fault; those that leave the rest readable are in ``findings`` only.
        """
        with suppress(_Stop):
            self._read()
        if not self.is_readable:
            raise InvalidManifest(self.findings)
        return None if self.is_empty else self._document.value[0]

    def places(self) -> Places:
        """Where each value lies; only for a builder that was made with ``keep_places``."""
        assert self._marks is not None
        return Places(self._lines, self._document.value[0], self._document.marks[0], self._marks, self._aliased)

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
        for event in self._events():
            kind = event.__class__
            if kind is ScalarEvent:
                scalar(event)
            elif kind in takers:
                takers[kind](event)

    def _events(self) -> Iterator[Any]:
        try:
            get_event = _Parser(self._text).get_event
            while (event := get_event()).__class__ is not StreamEndEvent:
                yield event
        except yaml.MarkedYAMLError as e:
            marks = [None if mark is None else mark.index for mark in (e.context_mark, e.problem_mark)]
            at, words = explained(Complaint(e.context or "", marks[0], e.problem or "", marks[1]), self._text)
            self._stop("MR103", f"not valid YAML: {words}", at)
        except yaml.reader.ReaderError as e:
            self._refuse_character()
            self._stop("MR103", f"not valid YAML: {e.reason}", 0)

    def _refuse_character(self) -> None:
        """libyaml gives an offset in bytes, or none; a search is as good."""
        found = yaml.reader.Reader.NON_PRINTABLE.search(self._text)
        if found:
            what = "a NUL" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
            self._stop("MR103", f"not valid YAML: {what} is not allowed in YAML", found.start())

    def _open_document(self, event: Any) -> None:
        if not self.is_empty:
            self._stop("MR106", "a second document starts here; the file must contain only one", event.start_mark.index)

    def _scalar(self, event: Any) -> None:
        frame = self._frame
        text: str = event.value
        if frame.is_mapping and frame.key is None:
            self._key(frame, event, text)
            return
        value: Any
        if event.tag is not None:
            value = self._tagged(event, text)
        elif event.style or not event.implicit[0] or (text and text[0] not in MAY_BE_SPECIAL):
            value = text
        else:
            value = self._plain(event, text)
        weight = 1 + len(text) // 100
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, weight)
            self._anchored_at[event.anchor] = event.start_mark.index
        self._add(value, weight, event.start_mark.index)

    def _plain(self, event: Any, text: str) -> Any:
        try:
            return plain_value(text)
        except NotANumber as e:
            message = f"{e}; quote it if it is meant as text"
            self._report("MR107", message, event.start_mark.index, is_harmless=True)
            return text

    def _tagged(self, event: Any, text: str) -> Any:
        name = event.tag.removeprefix(_TAG)
        if event.tag in ("!", _TAG + "str"):
            return text
        if event.tag == _TAG + "binary" and self._binary:
            return Binary()
        if name == event.tag or name not in _TYPES:
            self._refuse_tag(event)
            return text
        value = self._plain(event, text)
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and name != "bool"):
            self._report("MR108", f'"{_shorten(text)}" is not a !!{name}', event.start_mark.index)
        return value

    def _refuse_tag(self, event: Any) -> None:
        tag = "!!" + event.tag.removeprefix(_TAG) if event.tag.startswith(_TAG) else event.tag
        message = f"the tag {_shorten(tag)} is not supported: only plain data is read"
        self._report("MR108", message, event.start_mark.index)

    def _key(self, frame: _Frame, event: Any, text: str) -> None:
        at = event.start_mark.index
        plain = not event.style and event.tag is None
        if plain and text == "<<":
            if frame.merges is not None:
                self._report("MR109", 'duplicate key "<<"; one merge can take a list', at)
            frame.merges = frame.merges or []
            frame.key = text
            return
        if plain and text in WORDS and WORDS[text] is None:
            self._report("MR110", "a key is missing here; quote it if it is meant as text", at)
        if event.tag is not None and event.tag not in ("!", _TAG + "str"):
            self._refuse_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (text, 1)
            self._anchored_at[event.anchor] = at
        self._take_key(frame, text, at)

    def _take_key(self, frame: _Frame, text: str, at: int) -> None:
        if text in frame.value:
            self._report("MR109", f'duplicate key "{_shorten(text)}"', at, is_harmless=True)
            frame.key = _DROPPED
            return
        frame.key = self._keys.setdefault(text, text)
        if self._marks is not None:
            frame.marks.append(at)

    # -- containers

    def _add(self, value: Any, weight: int, at: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop("MR111", f"more than {MAX_NODES:,} values; put the rows into a csv file", at)
        frame = self._frame
        frame.weight += weight
        if not frame.is_mapping:
            frame.value.append(value)
        elif frame.key is None:
            hint = bare_template_hint(self._text, at)
            self._stop("MR110", f"a key must be text, not a list or a mapping{hint}", at)
        elif frame.key is _DROPPED:
            frame.key = None
            return
        elif frame.key == "<<" and frame.merges == []:
            self._take_merge(frame, value, at)
            return
        else:
            frame.value[frame.key] = value
            frame.key = None
        if self._marks is not None:
            frame.marks.append(at)

    def _open_mapping(self, event: Any) -> None:
        self._open({}, event, _TAG + "map")

    def _open_list(self, event: Any) -> None:
        self._open([], event, _TAG + "seq")

    def _open(self, value: Any, event: Any, tag: str) -> None:
        at = event.start_mark.index
        if event.tag is not None and event.tag not in ("!", tag):
            self._refuse_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._stop("MR111", f"nested more than {MAX_DEPTH} levels deep", at)
        self._add(value, 0, at)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 0)  # a weight of 0 means that it is still open
            self._anchored_at[event.anchor] = at
        self._stack.append(self._frame)
        self._frame = _Frame(value, event.anchor)
        if self._marks is not None:
            self._marks[id(value)] = self._frame.marks

    def _close(self, event: Any) -> None:
        frame = self._frame
        if frame.merges:
            self._apply_merges(frame, event.start_mark.index)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, frame.weight)
        self._frame = self._stack.pop()
        self._frame.weight += frame.weight

    # -- aliases and merges

    def _alias(self, event: Any) -> None:
        at, name = event.start_mark.index, _shorten(event.anchor)
        if event.anchor not in self._anchors:
            self._stop("MR112", f'*{name} has no matching anchor above it; quote it if "*" is meant as text', at)
        value, weight = self._anchors[event.anchor]
        if weight == 0:
            self._stop("MR112", f"*{name} is inside its own anchor", at)
        self._spend(weight, at)
        self._aliased.add(self._anchored_at[event.anchor])
        frame = self._frame
        if not frame.is_mapping or frame.key is not None:
            self._add(value, weight, at)
        elif isinstance(value, str):
            self._take_key(frame, value, at)
        else:
            self._stop("MR110", f"a key must be text, and *{name} is not", at)

    def _spend(self, weight: int, at: int) -> None:
        """Aliases and merges share what they name, but whoever walks the values meets it every time."""
        self._expanded += weight
        if self._expanded > MAX_EXPANDED + self._nodes:
            self._stop("MR111", "the aliases expand to too many values", at)

    def _take_merge(self, frame: _Frame, value: Any, at: int) -> None:
        frame.key = None
        if isinstance(value, (dict, list)):
            frame.merges = [(value if isinstance(value, list) else [value], at)]  # filled by the events that follow
        else:
            self._report("MR113", "<< takes a mapping or a list of mappings", at)

    def _apply_merges(self, frame: _Frame, end: int) -> None:
        """Keys of the mapping win over merged ones, an earlier source over a later one (yaml.org/type/merge)."""
        for sources, at in frame.merges or ():
            for source in sources:
                if not isinstance(source, dict):
                    self._report("MR113", "<< takes a mapping or a list of mappings", at)
                    continue
                self._spend(len(source), end)
                for number, (key, value) in enumerate(source.items()):
                    if key not in frame.value:
                        frame.value[key] = value
                        self._copy_marks(frame, source, number)

    def _copy_marks(self, frame: _Frame, source: Any, number: int) -> None:
        if self._marks is not None:
            frame.marks.extend(self._marks[id(source)][2 * number : 2 * number + 2])

    # -- faults

    def _report(self, code: str, message: str, at: int, *, is_harmless: bool = False) -> None:
        """``is_harmless`` where the rest of the file means what it says all the same."""
        self.findings.append(Finding(self._lines.place(at), code, message))
        self.is_readable = self.is_readable and is_harmless
        if len(self.findings) >= MAX_FINDINGS:
            self.is_readable = False
            raise _Stop

    def _stop(self, code: str, message: str, at: int) -> NoReturn:
        self._report(code, message, at)
        raise _Stop


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
