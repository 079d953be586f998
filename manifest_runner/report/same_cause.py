"""Find failures with the same cause by what they have in common."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# What differs between two failures that have the same cause: ids, among them Nextflow's of a task ([3a/5f2c1d], or its
# folder), addresses in memory and hexadecimal digits in general, then all other numbers.
_PARTICULARS = re.compile(
    r"\b[0-9a-f]{2}/[0-9a-f]{6,30}\b"
    r"|\b0[xX][0-9a-fA-F]+\b"
    r"|\b[0-9a-fA-F]{8}[0-9a-fA-F-]*\b"
    r"|\b(?=[a-fA-F]*\d)[0-9a-fA-F]+\b"
    r"|\d+"
)
_SEPARATOR = re.compile(r"[-_/ ]")
_SHORTEST_NAME = 3


def blanked(text: str, reference: str) -> str:
    """The text with "…" for ids, numbers and the item's own name: the same for failures that have the same cause."""
    return _PARTICULARS.sub("…", nameless(text, reference))


def nameless(text: str, reference: str) -> str:
    """The text with "…" for the item's own name, which Nextflow adds to the name of a step: ``ALIGN (NA12878)``."""
    for name in _names(reference):
        text = text.replace(name, "…")
    return text


def _names(reference: str) -> list[str]:
    """What a program may call the item: its userReference, or what that begins or ends with, such as the sample."""
    cuts = [found.start() for found in _SEPARATOR.finditer(reference)]
    names = {reference, *(reference[:cut] for cut in cuts), *(reference[cut + 1 :] for cut in cuts)}
    return sorted((name for name in names if len(name) >= _SHORTEST_NAME), key=lambda name: (-len(name), name))


def largest_first(failures: Iterable[tuple[K, V]]) -> list[tuple[K, list[V]]]:
    """Groups of failures with equal keys, the largest first; groups of one size by their first failure."""
    groups: dict[K, list[V]] = {}
    for key, failure in failures:
        groups.setdefault(key, []).append(failure)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def common(values: Iterable[V], alike: V) -> V:
    """The value that all have, or else what they have in common."""
    different = set(values)
    return different.pop() if len(different) == 1 else alike
