"""What a place for state must do: five operations, two of which only write what nobody else has written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A value as it was read. ``version`` changes with each write and means nothing outside its store."""

    content: bytes
    version: str


class Conflict(Exception):
    """Somebody else wrote first: the value exists already, or is not the one that was read."""


class Store(Protocol):
    """Small values by name; names are relative and their parts are separated by ``/``.

    Every operation raises a RunnerError in plain words where the store is out of reach, refuses, or is misused. A
    conflict may stand for a first try of ours that was executed without an answer: an engine that repeats a write by
    itself looks, and what is found there as it was to be written counts as done. So a value that two writers must not
    share has to say whose it is.
    """

    def where(self, name: str) -> str:
        """The full address of a value, for messages; never with a credential."""
        ...

    def get(self, name: str) -> Stored | None:
        """The value, or None if there is none for certain."""
        ...

    def create(self, name: str, content: bytes) -> str:
        """Write a value that must not exist yet; its version. Raises Conflict."""
        ...

    def replace(self, name: str, content: bytes, version: str) -> str:
        """Write over the version that was read; the new version. Raises Conflict, also if it is gone."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove values; it is not an error if one is already gone."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names in this folder, which ends with ``/``, sorted."""
        ...

    def probe(self, name: str, content: bytes) -> None:
        """Refuse a store that ignores conditions, by a value that was just created with this content.

        Raises BadState, and then the value is gone.
        """
        ...
