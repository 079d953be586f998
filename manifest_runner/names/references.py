"""Texts in place of ids: an id, a path in the project, data of another project, or a fault. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from manifest_runner.model import Name
from manifest_runner.text import shown
from manifest_runner.values import is_uuid

SCHEME = "icav2://"
# The start of an id of data; the rest is opaque.
ID_STARTS = ("fil.", "fol.", "urn:")
# What `init` writes where somebody has to fill in an id.
_PLACEHOLDER = re.compile(r"(fil\.|fol\.)?(0{32}|0{8}-0{4}-0{4}-0{4}-0{12})")
_FILL_IN = "is the placeholder that `init` wrote; replace it with"
_URL = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
_SEVERAL = r"([;,|])\s*(?:(?:fil|fol)\.|urn:|icav2://|/|$)"
_WRITE = 'write a data id ("fil.…" or "fol.…"), a URN, a path ("/folder/file") or "icav2://PROJECT/path"'


class PathInProject(NamedTuple):
    """Data by path. ``project`` is an id or a name, None for the run's own project."""

    project: str | None
    path: str


def is_pipeline_id(text: str) -> bool:
    """Whether a text can be a ``pipelineId``: a UUID or a URN."""
    return is_uuid(text) or (text.startswith("urn:") and len(text) > len("urn:"))


def is_placeholder(text: str) -> bool:
    """Whether an id consists of zeros, which `init` writes and nothing has."""
    return _PLACEHOLDER.fullmatch(text) is not None


def is_data_name(text: str) -> bool:
    """Whether a text is a path or a URI, which the names file turns into an id."""
    return text.startswith(("/", SCHEME))


def data_fault(text: str) -> str:
    """The fault of a text where an id of data belongs, and what to write instead; empty if there is none."""
    if text.startswith(ID_STARTS):
        return f"{shown(text)} {_FILL_IN} your data's id or path" if is_placeholder(text) else _id_fault(text)
    if text.startswith("/"):
        return "" if text.strip("/") else f"{_found(text)}, the root of the project, which has no id; {_WRITE}"
    if text.startswith(SCHEME):
        return _uri_fault(text)
    return f"{_found(text)}{_what_it_is(text)}; {_WRITE}"


def pipeline_id_fault(text: str) -> str:
    """The fault of a ``pipelineId``; empty if there is none."""
    if is_placeholder(text):
        return f"{shown(text)} {_FILL_IN} your pipeline's id"
    if is_pipeline_id(text):
        return ""
    return f'expected a UUID or a URN, found {shown(text)}; to name a pipeline by its code, write "pipeline" instead'


def parse_data_name(text: str) -> PathInProject:
    """A text without a `data_fault`. What follows the project is literal: ``#``, ``?``, ``+`` and ``%``.

    Only the name of a project may be percent-encoded, since it can hold a slash.
    """
    if not text.startswith(SCHEME):
        return PathInProject(None, text)
    project, _, path = text.removeprefix(SCHEME).partition("/")
    return PathInProject(unquote(project), "/" + path)


def needed_projects(names: Iterable[Name]) -> set[Name]:
    """The projects that URIs among these names give by name: they must be looked up first."""
    projects = (parse_data_name(name.key).project for name in names if name.kind == "data")
    return {Name("projects", each) for each in projects if each is not None and not is_uuid(each)}


def _found(text: str) -> str:
    return f"expected data, found {shown(text)}"


def holds_several(text: str) -> str:
    """How to make a list of a text that holds several ids or paths; empty if it holds one."""
    match = re.search(_SEVERAL, text)
    return f"; it holds several: `| split('{match[1]}')` makes a list of them" if match else ""


def _id_fault(text: str) -> str:
    if not text.startswith("urn:") and (several := holds_several(text)):
        return _found(text) + several
    if len(text) == len(ID_STARTS[0]) or text != text.strip() or any(map(str.isspace, text)):
        return f"{_found(text)}, which is not a complete id; {_WRITE}"
    return ""


def _uri_fault(text: str) -> str:
    project, _, path = text.removeprefix(SCHEME).partition("/")
    if not project.strip():
        return f'{_found(text)}, which names no project; write "icav2://PROJECT/path" with its id or name'
    if not path.strip("/"):
        return f'{_found(text)}, which has no path; write "icav2://PROJECT/path" with the path of a file or folder'
    return ""


def _what_it_is(text: str) -> str:
    """Words for the texts that people put where data belongs."""
    stripped = text.strip()
    if not stripped:
        return ", which is blank; fill it in, or use null to leave the input out"
    if stripped != text and not data_fault(stripped):
        return ", which has whitespace around it"
    if stripped.startswith("<") and stripped.endswith(">"):
        return ", a placeholder that has not been filled in"
    if stripped in _EXCEL_ERRORS:
        return ", a spreadsheet error"
    if stripped[0] in "[{":
        return ", which looks like JSON text: `| from_json` makes a list of it"
    if url := re.match(_URL, stripped):
        return _words_for_url(url[1].lower())
    if stripped[:4].lower() in ID_STARTS:
        return ", whose start must be in lower case"
    return ", a path that does not start with a slash" if "/" in stripped else ", which is not an id"


def _words_for_url(scheme: str) -> str:
    if scheme in ("s3", "http", "https"):
        return f", a URL: data at {scheme}:// is not in ICA; upload it, or give it as `externalData`"
    if scheme == "icav2":
        return ", whose scheme must be in lower case"
    return f", a URL: {scheme}:// is not data in ICA; upload the data first"
