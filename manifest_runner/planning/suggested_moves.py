"""The `moved` that keeps the launches of renamed items, as text for the manifest. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile

from manifest_runner.manifest.document import Move
from manifest_runner.planning.moved import Renames, move_faults

_SHOWN = 20
_PART = "{name}"
# Where a person would cut a name: "S1-wgs" begins with a sample, not with an "S" that all samples share.
_LAST_WORD, _FIRST_WORD = re.compile(r"[A-Za-z0-9]*$"), re.compile(r"^[A-Za-z0-9]*")


def moves_to_add(guarded: Mapping[str, str], references: Collection[str]) -> str:
    """The `moved` of a manifest that keeps the launches of removed items for new ones that equal them.

    ``guarded`` has the old names by new ones, ``references`` are all names in the manifest. More entries than anybody
    would write are one pattern, if one fits.
    """
    if len(guarded) > _SHOWN and (pattern := _pattern(guarded, references)):
        return f"`moved: [{_entry(*pattern)}]`"
    entries = [_entry(old, new) for new, old in list(guarded.items())[:_SHOWN]]
    more = f" and {len(guarded) - _SHOWN:,} more" if len(guarded) > _SHOWN else ""
    return f"`moved: [{', '.join(entries)}]`{more}"


def _entry(old: str, new: str) -> str:
    return f"{{from: {_quoted(old)}, to: {_quoted(new)}}}"


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _pattern(guarded: Mapping[str, str], references: Collection[str]) -> tuple[str, str] | None:
    """Two patterns that rename exactly as ``guarded`` does and have no fault in this manifest, the shortest first."""
    new, old = _shared(list(guarded)), _shared(list(guarded.values()))
    for source, target in ((_at_words(*old), _at_words(*new)), (_PART.join(old), _PART.join(new))):
        move = Move(source, target, 0)
        if _renames_all(move, guarded) and not any(fault.is_error for fault in move_faults([move], references)):
            return source, target
    return None


def _renames_all(move: Move, guarded: Mapping[str, str]) -> bool:
    renames = Renames([move])
    return all([was for _, was in renames.steps(new)] == [old] for new, old in guarded.items())


def _shared(names: Sequence[str]) -> tuple[str, str]:
    """What all names begin and end with; at least one character of each name is between."""
    before = _beginning(names)[: min(map(len, names)) - 1]
    return before, _beginning([name[len(before) + 1 :][::-1] for name in names])[::-1]


def _beginning(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(character for character, _ in same)


def _at_words(before: str, after: str) -> str:
    return f"{_LAST_WORD.sub('', before)}{_PART}{_FIRST_WORD.sub('', after)}"
