"""The mappings that templates see, and the messages for names that they lack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from manifest_runner.diagnostics.finding import Place
from manifest_runner.near_miss import near_miss, nearest
from manifest_runner.templates.model import PLACEHOLDER, TemplateFault

ROOTS = ("row", "rows", "index", "source", "vars", "tables", "env", "project", "name")

_NULLS = frozenset({"null", "nil", "NULL", "Null"})
_MAX_NAMES = 6
_MAX_NAME = 40
# Where names are known that are not known everywhere.
_ONLY = {
    "rows": "where forEach has groupBy, and not in where",
    "source": "where the rows come from files",
    "tables": "in analyses, not in vars",
}


class Refusal(NamedTuple):
    """Why a name may not be read: a code, the message, and the cell at fault, if it is one."""

    code: str
    message: str
    place: Place | None = None


class Scope(dict[str, Any]):
    """One of the mappings that templates see.

    ``lacks`` is the message for a missing name, with ``{}`` in its place; ``others`` has messages for certain names.
    ``refused`` are names that no template may read, not even with a default: their value is wrong, not missing.
    """

    def __init__(
        self,
        values: Any,
        lacks: str,
        others: Mapping[str, str] = MappingProxyType({}),
        *,
        refused: Mapping[str, Refusal] = MappingProxyType({}),
    ) -> None:
        super().__init__(values)
        self.lacks = lacks
        self.others = others
        self.refused = refused

    def refuse(self, name: object) -> None:
        """Raise TemplateFault if no template may read this name."""
        if name in self.refused:
            refusal = self.refused[str(name)]
            raise TemplateFault(refusal.code, refusal.message, place=refusal.place)

    def missing(self, name: str) -> str:
        """The message for a template that asks for a missing ``name``."""
        return self.others.get(name) or self.lacks.format(name) + (_near_key(name, self) or _there_are(self))


class RowScope(Scope):
    """One of the rows of a group or of a table. It is charged as one value, whatever its size."""


class LookupTable:
    """A table as templates see it: only for looking up rows (see rows/tables.py)."""

    __iter__ = None

    def __contains__(self, key: object) -> bool:
        raise TypeError

    def __getitem__(self, key: object) -> Any:
        raise KeyError(key)

    def missing(self, key: object) -> str:
        """The message for a missing key."""
        return f"there is no row {key}"


def root_missing(name: str, roots: Sequence[str] = ROOTS) -> str:
    """The message for a name that does not exist in templates, or not in this place."""
    if roots != ROOTS:
        return f'"{name}" is not defined' + (near_miss(name, roots) or f"; known: {', '.join(roots)}")
    if name in ROOTS:
        return f'"{name}" is known only {_ONLY.get(name, "where there is a row")}'
    if name == PLACEHOLDER:
        return "this is the placeholder that `init` wrote; replace it with a value or a template"
    if name in _NULLS:
        return f'"{name}" is not defined; write "none"'
    return f'"{name}" is not defined' + (near_miss(name, ROOTS) or f"; templates know {', '.join(ROOTS)}")


def _near_key(name: str, known: Iterable[str]) -> str:
    """The nearest of the keys, with the notation for one that takes brackets."""
    near = nearest(name, known)
    if near is None:
        return ""
    if near == name:  # a number after a dot is an index
        return f"; write it as [{near!r}]"
    words = f'; did you mean "{near}"?'
    return words if near.isidentifier() else f"{words} Read it as [{near!r}]"


def _there_are(known: Iterable[str]) -> str:
    names = [f'"{name[:_MAX_NAME]}"' for name in islice(known, _MAX_NAMES + 1)]
    if len(names) > _MAX_NAMES:
        names[-1] = "…"
    return f"; known: {', '.join(names)}" if names else ""
