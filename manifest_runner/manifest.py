"""YAML files as plain values, and the place of each value for messages. The only module that imports yaml.

The scalars are those of DESIGN's reading of YAML 1.2's core schema: null and booleans as there, numbers only
where the text is a JSON number (RFC 8259), everything else a string. PyYAML's own composer is not used: its
resolver is YAML 1.1's, it drops duplicate keys silently, and it costs seven times the memory.

Places are not kept while reading, since most files are right: ``YamlFile.place`` reads the text once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from manifest_runner.errors import InvalidManifest, UsageProblem
from manifest_runner.model import Finding, Place, SpelledFloat, SpelledInt

MAX_BYTES = 64 * 2**20
MAX_NODES = 3_000_000
MAX_EXPANDED = 1_000_000
MAX_DEPTH = 100
MAX_DIGITS = 1000

Path_ = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAY_BE_SPECIAL = frozenset("-+.0123456789~nNtTfF")
_TAG = "tag:yaml.org,2002:"
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Binary:
    """A ``!!binary`` value, which only the icav2 CLI's own config file may hold."""


@dataclass(frozen=True)
class YamlFile:
    """A YAML file that has been read: ``data`` is made of dict, list, str, int, float, bool and None."""

    file: str
    text: str = field(repr=False)
    data: Any = field(repr=False)

    def place(self, path: Sequence[str | int], *, at_key: bool = False) -> Place:
        """The place of the value at ``path``, or of its key; of its nearest ancestor where there is no such value."""
        return self.places([(tuple(path), at_key)])[0]

    def places(self, wanted: Sequence[tuple[Path_, bool]]) -> list[Place]:
        """Many places for one more read of the text."""
        builder = _Builder(self.file, keep_places=True)
        data = builder.build(self.text)
        return [builder.find(data, path, at_key=at_key) for path, at_key in wanted]


def read_manifest(path: Path) -> YamlFile:
    """Read a manifest. Raises UsageProblem where there is no such file, InvalidManifest where it is not YAML."""
    if not path.exists():
        raise UsageProblem(f"{path}: there is no such manifest; `manifest-runner init` writes a starter")
    return read_yaml(path, str(path))


def read_mapping(path: Path, *, binary: bool = False) -> dict[str, Any]:
    """A settings file as a mapping; an empty file is an empty one."""
    data = read_yaml(path, str(path), binary=binary, empty=True).data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidManifest([Finding(Place(str(path), 1), "MR105", "expected a mapping at the top")])
    return data


def read_yaml(path: Path, label: str, *, binary: bool = False, empty: bool = False) -> YamlFile:
    """Read one YAML document; ``label`` is the file's name in messages. Raises InvalidManifest with each fault."""
    text = _read_text(path, label)
    builder = _Builder(label, binary=binary)
    data = builder.build(text)
    if builder.empty and not empty:
        raise InvalidManifest([Finding(Place(label, 1), "MR104", "the file is empty; it must hold a document")])
    return YamlFile(label, text, data)


def read_bytes(path: Path, label: str, limit: int, hint: str = "") -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Raises InvalidManifest that says what is in the way."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
            raise InvalidManifest([Finding(Place(label, 1), "MR101", f"cannot be read: it {what}")])
        if path.stat().st_size > limit:
            raise InvalidManifest(
                [Finding(Place(label, 1), "MR101", f"larger than {limit // 2**20} MiB{hint}")],
            )
        return path.read_bytes()
    except OSError as e:
        reason = e.strerror or type(e).__name__
        raise InvalidManifest([Finding(Place(label, 1), "MR101", f"cannot be read: {reason}")]) from e


def decode_utf8(raw: bytes, label: str) -> str:
    """UTF-8 with or without BOM; anything else is an error that names the first bad line."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        column = e.start - raw.rfind(b"\n", 0, e.start)
        message = f"not UTF-8 (byte 0x{raw[e.start]:02x}); save the file as UTF-8"
        raise InvalidManifest([Finding(Place(label, line, column), "MR102", message)]) from e


def _read_text(path: Path, label: str) -> str:
    hint = "; put the rows into a samplesheet (`forEach`), which is streamed"
    return decode_utf8(read_bytes(path, label, MAX_BYTES, hint), label)


_MERGE = object()


@dataclass(frozen=True, slots=True)
class _KeyOf:
    """Under which a mapping's marks hold the place of a key; the plain key holds its value's."""

    key: str


class _Stop(Exception):
    """Nothing more can be learned from this file."""


class _Frame:
    """A container being filled: its value, the key that waits for a value, and what it weighs."""

    __slots__ = ("anchor", "key", "marks", "merges", "value", "weight")

    def __init__(self, value: Any, anchor: str | None, marks: dict[Any, Any] | None) -> None:
        self.value = value
        self.anchor = anchor
        self.marks = marks
        self.key: Any = None  # a string, _MERGE, or None while a key (or a list's next value) is awaited
        self.merges: list[Any] | None = None
        self.weight = 1


class _Builder:
    """Turns libyaml's events into values, without recursion, so that no input can exhaust the stack."""

    def __init__(self, file: str, *, keep_places: bool = False, binary: bool = False) -> None:
        self.file = file
        self.empty = True
        self.findings: list[Finding] = []
        self._binary = binary
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._text = ""
        self._nodes = 0
        self._expanded = 0
        self._root: Any = None
        self._root_mark = (0, 0)
        self._keys: dict[str, str] = {}
        # id of a container → its keys' places and its values' places; the containers live as long as the builder.
        self._marks: dict[int, dict[Any, Any]] | None = {} if keep_places else None
        self._alive: list[Any] = []

    # -- reading

    def build(self, text: str) -> Any:
        self._text = text
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            pass
        if self.findings:
            raise InvalidManifest(self.findings)
        return self._root

    def _events(self, text: str) -> Iterator[Event]:
        try:
            parser = _Parser(text)
            while True:
                event = parser.get_event()
                if event.__class__ is StreamEndEvent:
                    return
                yield event
        except yaml.MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            words = ": ".join(part for part in (e.context, e.problem) if part)
            self._stop("MR103", f"not valid YAML: {words}{_hint(text, mark)}", mark)
        except yaml.reader.ReaderError as e:
            before = text[: e.position] if isinstance(e.position, int) else ""
            line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
            what = f"U+{e.character:04X}" if isinstance(e.character, int) else "a character"
            self._stop_at("MR103", f"not valid YAML: {what} is not allowed in it", line, column)

    def _take(self, event: Event) -> None:
        kind = event.__class__
        if kind is ScalarEvent:
            self._scalar(event)
        elif kind is MappingStartEvent:
            self._open({}, event)
        elif kind is SequenceStartEvent:
            self._open([], event)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close(event)
        elif kind is AliasEvent:
            self._alias(event)
        elif kind is DocumentStartEvent and not self.empty:
            self._stop("MR106", "a second document starts here; a manifest is one document", event.start_mark)

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        tag: str | None = event.tag
        stack = self._stack
        if stack and stack[-1].key is None and stack[-1].value.__class__ is dict:
            self._take_key(event, text)
            return
        value: Any
        if tag is not None and tag != "!":
            value = self._tagged(event, text, tag)
        elif event.style or not event.implicit[0] or (text and text[0] not in _MAY_BE_SPECIAL):
            value = text
        else:
            value = self._plain(event, text)
        self._add(value, 1 + len(text) // 100, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1 + len(text) // 100)

    def _plain(self, event: Any, text: str) -> Any:
        """The value of an unquoted scalar (YAML 1.2.2, section 10.3.2, less its octal, hex and loose floats)."""
        if text in _WORDS:
            return _WORDS[text]
        match = _NUMBER.fullmatch(text)
        if match is None:
            if _NOT_FINITE.fullmatch(text):
                self._report("MR107", f"{text} has no place in JSON; quote it if it is meant as text", event.start_mark)
            return text
        if len(text) > MAX_DIGITS:
            self._report(
                "MR107",
                f"a number of {len(text)} characters; quote it if it is meant as text",
                event.start_mark,
            )
            return text
        return spelled_number(text, whole=match.group(1) is None and match.group(2) is None)

    def _tagged(self, event: Any, text: str, tag: str) -> Any:
        if tag == _TAG + "str":
            return text
        if tag == _TAG + "binary" and self._binary:
            return Binary()
        wanted: Any = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}.get(tag.removeprefix(_TAG))
        value = self._plain(event, text)
        if wanted is None:
            self._report(
                "MR108",
                f"the tag {_short_tag(tag)} is not supported; only plain data is read",
                event.start_mark,
            )
        elif not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            self._report("MR108", f"{text!r} is not a {_short_tag(tag)}", event.start_mark)
        return value

    def _take_key(self, event: Any, text: str) -> None:
        frame = self._stack[-1]
        if text == "<<" and not event.style and event.tag is None:
            if frame.merges is not None:
                self._report("MR109", 'duplicate key "<<"; one merge can take a list', event.start_mark)
            frame.merges = frame.merges or []
            frame.key = _MERGE
            return
        if not event.style and event.tag is None and text in _WORDS and _WORDS[text] is None:
            self._report("MR110", "a key is missing here; quote it if it is meant as text", event.start_mark)
        if text in frame.value:
            self._report("MR109", f'duplicate key "{_shorten(text)}"', event.start_mark)
        frame.key = self._keys.setdefault(text, text)
        if frame.marks is not None:
            frame.marks[_KeyOf(text)] = _position(event)

    # -- building

    def _add(self, value: Any, weight: int, event: Any) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop("MR111", f"more than {MAX_NODES:,} values; put the rows into a samplesheet", event.start_mark)
        if not self._stack:
            self._root, self.empty, self._root_mark = value, False, _position(event)
            return
        frame = self._stack[-1]
        frame.weight += weight
        key = frame.key
        if key is None:
            if frame.value.__class__ is dict:
                hint = _hint(self._text, event.start_mark)
                self._stop("MR110", f"a key must be text, not a list or a mapping{hint}", event.start_mark)
            key = len(frame.value)
            frame.value.append(value)
        elif key is _MERGE:
            self._merge(frame, value, event)
            frame.key = None
            return
        else:
            frame.value[key] = value
            frame.key = None
        if frame.marks is not None:
            frame.marks[key] = _position(event)

    def _open(self, value: Any, event: Any) -> None:
        if event.tag is not None and event.tag not in ("!", _TAG + "map", _TAG + "seq"):
            self._report(
                "MR108",
                f"the tag {_short_tag(event.tag)} is not supported; only plain data is read",
                event.start_mark,
            )
        if len(self._stack) >= MAX_DEPTH:
            self._stop("MR111", f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        marks: dict[Any, Any] | None = None
        if self._marks is not None:
            marks = self._marks[id(value)] = {}
            self._alive.append(value)
        self._add(value, 0, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 0)
        self._stack.append(_Frame(value, event.anchor, marks))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        if frame.merges:
            self._apply_merges(frame, event)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, frame.weight)
        if self._stack:
            self._stack[-1].weight += frame.weight

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._stop("MR112", f"the alias *{event.anchor} stands for no anchor above it", event.start_mark)
        value, weight = self._anchors[event.anchor]
        if weight == 0:
            self._stop("MR112", f"the alias *{event.anchor} stands inside its own anchor", event.start_mark)
        self._spend(weight, event)
        if self._stack and self._stack[-1].key is None and self._stack[-1].value.__class__ is dict:
            if not isinstance(value, str):
                self._stop("MR110", "a key must be text", event.start_mark)
            self._stack[-1].key = value
        else:
            self._add(value, weight, event)

    def _spend(self, weight: int, event: Any) -> None:
        """Aliases and merges share what they name, but whoever walks the values meets it every time."""
        self._expanded += weight
        if self._expanded > MAX_EXPANDED:
            self._stop("MR111", f"aliases expand to more than {MAX_EXPANDED:,} values", event.start_mark)

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        assert frame.merges is not None
        if isinstance(value, list):
            frame.merges.append(value)  # filled by the events that follow
        elif isinstance(value, dict):
            frame.merges.append([value])
        if not all(isinstance(source, dict) for source in sources):
            self._report("MR113", "<< takes a mapping or a list of mappings", event.start_mark)

    def _apply_merges(self, frame: _Frame, event: Any) -> None:
        """Keys of the mapping win over merged ones, an earlier source over a later one (yaml.org/type/merge)."""
        for source in (each for sources in frame.merges or () for each in sources):
            if not isinstance(source, dict):
                self._report("MR113", "<< takes a mapping or a list of mappings", event.start_mark)
                continue
            self._spend(len(source), event)
            for key, value in source.items():
                if key not in frame.value:
                    frame.value[key] = value
                    self._copy_marks(frame, source, key)

    def _copy_marks(self, frame: _Frame, source: Any, key: str) -> None:
        if self._marks is not None and frame.marks is not None:
            theirs = self._marks[id(source)]
            frame.marks[key], frame.marks[_KeyOf(key)] = theirs[key], theirs[_KeyOf(key)]

    # -- places and faults

    def find(self, data: Any, path: Path_, *, at_key: bool) -> Place:
        assert self._marks is not None
        mark = self._root_mark
        for depth, step in enumerate(path):
            marks = self._marks.get(id(data), {})
            if step not in marks:
                break
            key = _KeyOf(str(step))
            mark = marks[key] if at_key and depth == len(path) - 1 and key in marks else marks[step]
            data = data[step]
        return Place(self.file, mark[0] + 1, mark[1] + 1)

    def _report(self, code: str, message: str, mark: Any) -> None:
        self.findings.append(Finding(_place(self.file, mark), code, message))
        if len(self.findings) >= 100:
            raise _Stop

    def _stop(self, code: str, message: str, mark: Any) -> NoReturn:
        self._report(code, message, mark)
        raise _Stop

    def _stop_at(self, code: str, message: str, line: int, column: int) -> NoReturn:
        self.findings.append(Finding(Place(self.file, line + 1, column + 1), code, message))
        raise _Stop


def spelled_number(text: str, *, whole: bool) -> int | float:
    """A JSON number (RFC 8259) as a value whose ``str()`` is its spelling in the file."""
    if not whole:
        return SpelledFloat(text)
    value = int(text)
    return value if str(value) == text else SpelledInt(text)


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _place(file: str, mark: Any) -> Place:
    return Place(file, 1) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _hint(text: str, mark: Any) -> str:
    """The commonest slips, in words that libyaml does not find."""
    if mark is None:
        return ""
    line = next(iter(text.splitlines()[mark.line : mark.line + 1]), "")
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "; indent with spaces, not tabs"
    if re.search(r":\s+[{]{2}|:\s+[{]%|^\s*-\s+[{]{2}", line):
        return '; quote a template: "{{ … }}"'
    return ""
