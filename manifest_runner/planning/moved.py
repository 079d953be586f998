"""Former names of items according to the manifest's ``moved``, and the faults of its entries. Pure.

A name is a userReference, or a pattern with ``{name}`` parts that match any text.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from manifest_runner.manifest.document import PART, Move

MAX_FORMER = 1_000  # patterns that match each other's results would give more and more names


class MoveFault(NamedTuple):
    """A finding about the entry at an index: an error or a warning."""

    entry: int
    message: str
    is_error: bool = True


class Renames:
    """The former names that an item may have, the latest first. Follows chains of moves."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._literal: dict[str, list[Move]] = {}
        self._patterns: dict[str, list[Move]] = {}  # by what their new names start with
        for move in moves:
            if _is_pattern(move):
                self._patterns.setdefault(_start_of(move.new), []).append(move)
            else:
                self._literal.setdefault(move.new, []).append(move)
        self._lengths = sorted(set(map(len, self._patterns)))

    def __bool__(self) -> bool:
        return bool(self._literal or self._patterns)

    def former(self, reference: str) -> list[str]:
        """Every name that the item may have had."""
        return list(self.ways(reference))[1:]

    def ways(self, reference: str) -> dict[str, tuple[Move, ...]]:
        """The moves from each name that the item may have had to its present one, which is the first.

        On the way to each, a move is followed only once: one that shortens names, such as ``{s}-wgs`` to ``{s}``, also
        matches its own old names.
        """
        found: dict[str, tuple[Move, ...]] = {reference: ()}
        names = [reference]
        for name in names:
            for move, old in self.steps(name):
                if move not in found[name] and old not in found and len(names) <= MAX_FORMER:
                    found[old] = (*found[name], move)
                    names.append(old)
        return found

    def steps(self, reference: str) -> Iterator[tuple[Move, str]]:
        """Each move that ends at this name, with the name that it starts from."""
        for move in self._literal.get(reference, ()):
            yield move, move.old
        likely = [move for length in self._lengths for move in self._patterns.get(reference[:length], ())]
        for move in sorted(likely, key=lambda move: move.entry):
            if (parts := _matched(move.new, reference)) is not None:
                yield move, _filled(move.old, parts)


def move_faults(moves: Iterable[Move], references: Collection[str]) -> Iterator[MoveFault]:
    """The faults of the moves, given all userReferences of the manifest."""
    moves = tuple(moves)
    yield from _clashes(moves)
    yield from _cycles(moves)
    renames = Renames(moves)
    chained = {move.old for move in moves}
    used: set[int] = set()
    ordered = dict.fromkeys(sorted(references)) if renames else {}  # the same fault is found every time
    listed = list(ordered)
    for reference in ordered:
        steps = list(renames.steps(reference))
        used.update(move.entry for move, _ in steps)
        if len({old for _, old in steps}) > 1 and len({move.new for move, _ in steps}) > 1:
            olds = " and ".join(f'"{old}"' for _, old in steps[:2])
            yield MoveFault(steps[1][0].entry, f'"{reference}" has two former names, {olds}; keep one of them')
    if any(move.entry not in used and move.new not in chained for move in moves):  # by other words for the same names
        used.update(move.entry for each in listed for way in renames.ways(each).values() for move in way)
    for move in moves:
        if (kept := _still_there(move, listed, ordered, renames)) is not None:
            yield MoveFault(move.entry, f'"{kept}" is still in the manifest, so it was not renamed to "{move.new}"')
        elif move.entry not in used and move.new not in chained:
            yield MoveFault(move.entry, f'no item is named "{move.new}"; the entry does nothing', is_error=False)


def _clashes(moves: Iterable[Move]) -> Iterator[MoveFault]:
    new: dict[str, Move] = {}
    old: dict[str, Move] = {}
    for move in moves:
        if move.new in new:
            olds = f'"{new[move.new].old}" and "{move.old}"'
            yield MoveFault(move.entry, f'"{move.new}" has two former names, {olds}; keep one of them')
        elif move.old in old:
            news = f'"{old[move.old].new}" and "{move.new}"'
            yield MoveFault(move.entry, f'"{move.old}" has two new names, {news}; keep one of them')
        new.setdefault(move.new, move)
        old.setdefault(move.old, move)


def _cycles(moves: Iterable[Move]) -> Iterator[MoveFault]:
    """The last entry of each cycle of names; patterns count as names."""
    later: dict[str, str] = {}  # a name that each name has later, at last the latest one
    for move in moves:
        if _latest(move.new, later) == move.old or move.new == move.old:
            yield MoveFault(move.entry, f'"{move.old}" would be renamed to itself; remove one entry of the cycle')
        else:
            later.setdefault(move.old, move.new)


def _latest(name: str, later: dict[str, str]) -> str:
    """The end of a chain of names. Shortens the way for the next time, as chains can be long."""
    passed = []
    while name in later:
        passed.append(name)
        name = later[name]
    later.update(dict.fromkeys(passed, name))
    return name


def _still_there(move: Move, ordered: Sequence[str], references: Collection[str], renames: Renames) -> str | None:
    """An item that still has the old name; for a pattern, one that matches it and does not have a new name already."""
    if not _is_pattern(move):
        return move.old if move.old in references else None
    start = _start_of(move.old)
    after = map(ordered.__getitem__, range(bisect_left(ordered, start), len(ordered)))
    likely = itertools.takewhile(lambda each: each.startswith(start), after)
    return next((each for each in likely if _is_old(move, each, references, renames)), None)


def _is_old(move: Move, reference: str, references: Collection[str], renames: Renames) -> bool:
    """Whether an item has an old name and not a new one, as far as the patterns or the other items show."""
    if (parts := _matched(move.old, reference)) is None:
        return False
    new = _filled(move.new, parts)
    if _is_wider(move.new, move.old) or (new != reference and new in references):
        return True
    names = (reference, *renames.former(reference))
    return not any(_matched(move.new, name) is not None for name in names)


def _is_wider(pattern: str, other: str) -> bool:
    """Whether a pattern matches everything that the other one matches, and more: ``{s}`` and ``{s}-wgs``."""
    return _matched(pattern, other) is not None and _matched(other, pattern) is None


def _is_pattern(move: Move) -> bool:
    return PART.search(move.new) is not None


def _start_of(pattern: str) -> str:
    """The text before the first part of a pattern."""
    return PART.split(pattern, maxsplit=1)[0]


def _matched(pattern: str, text: str) -> dict[str, str] | None:
    """The text of each part, if the pattern matches all of ``text``."""
    end, compiled = _compiled(pattern)
    found = compiled.fullmatch(text) if text.endswith(end) else None
    return None if found is None else found.groupdict()


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    return PART.sub(lambda part: parts[part.group(1)], pattern)


@cache  # a manifest with more patterns than places would compile each of them for each item
def _compiled(pattern: str) -> tuple[str, re.Pattern[str]]:
    """The text after the last part of a pattern, and the pattern as a regular expression."""
    seen: set[str] = set()
    pieces = []
    for index, piece in enumerate(PART.split(pattern)):
        if index % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in seen:
            pieces.append(f"(?P={piece})")
        else:
            seen.add(piece)
            pieces.append(f"(?P<{piece}>.+)")
    return PART.split(pattern)[-1], re.compile("".join(pieces), re.DOTALL)
