"""Facts about a template, without Jinja: the names it uses, and why it fails."""

from __future__ import annotations

from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Place

# `init` writes a template of this name where a value is still to be filled in; no template knows the name.
PLACEHOLDER = "REPLACE_ME"


class TemplateFault(Exception):
    """A template cannot be parsed or rendered. ``code`` is that of the finding; the message is for the author.

    ``template`` is the one that cannot be rendered; ``place`` is a cell, if that and not the template is at fault.
    """

    def __init__(self, code: str, message: str, template: Any = None, place: Place | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.template = template
        self.place = place


class Lookup(msgspec.Struct, frozen=True):
    """A bare name or one step into one, such as ``row.sample`` or ``vars.reference``; filters with plain arguments.

    ``path`` are further steps, as in ``row.outputs.vcf[0].dataId``.
    """

    root: str
    key: str | None
    filters: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    path: tuple[str | int, ...] = ()


class TableLookup(msgspec.Struct, frozen=True):
    """``tables.lanes[row.sample]``; with several columns in its key, ``tables.lanes[row.sample, row.lane]``."""

    table: str
    keys: tuple[Lookup | str, ...]


class Query(msgspec.Struct, frozen=True):
    """One column of some rows: of those of a group (``of`` is None), or of those that a table has for a key.

    ``is_list`` for a list of cells, as in ``rows | map(attribute='fastq')``; otherwise one row's cell.
    """

    of: TableLookup | None
    column: str
    is_list: bool
    filters: tuple[tuple[str, tuple[Any, ...]], ...] = ()


class UsedNames(msgspec.Struct, frozen=True):
    """The ``columns`` and ``vars`` that a template uses, by name; the flags are set if it may use all of them.

    ``roots`` are all names that it uses, such as ``index``; ``tables`` are those in which it looks up rows.
    """

    columns: frozenset[str]
    vars: frozenset[str]
    whole_row: bool
    whole_vars: bool
    roots: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()


def has_delimiters(text: str) -> bool:
    """Whether Jinja would change the string at all."""
    return "{" in text and ("{{" in text or "{%" in text or "{#" in text)
