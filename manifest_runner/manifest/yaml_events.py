"""The events of a YAML text, from libyaml; its errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import StreamEndEvent

from manifest_runner.manifest.yaml_report import Report

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def events_of(text: str, report: Report) -> Iterator[Any]:
    """The events up to the end. Raises Stopped, after a fault is reported, for what is not YAML."""
    try:
        get_event = _Parser(text).get_event
        while (event := get_event()).__class__ is not StreamEndEvent:
            yield event
    except yaml.MarkedYAMLError as e:
        from manifest_runner.manifest.yaml_messages import Complaint, explained  # which compiles patterns

        marks = [None if mark is None else mark.index for mark in (e.context_mark, e.problem_mark)]
        at, words = explained(Complaint(e.context or "", marks[0], e.problem or "", marks[1]), text)
        report.stop("MR103", f"not valid YAML: {words}", at)
    except yaml.reader.ReaderError as e:
        _refuse_character(text, report)
        report.stop("MR103", f"not valid YAML: {e.reason}", 0)


def _refuse_character(text: str, report: Report) -> None:
    """Search for the character, since libyaml gives an offset in bytes, or none."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found:
        what = "a NUL" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
        report.stop("MR103", f"not valid YAML: {what} is not allowed in YAML", found.start())
