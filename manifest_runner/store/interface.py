"""The interface of a store: five operations, two of which write only if nobody else has written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A value as it was read. ``version`` changes with each write and means nothing outside its store."""

    content: bytes
    version: str


class Conflict(Exception):
    """Somebody else wrote first: the value exists already, or is not the one that was read."""


class Unchanged(Exception):
    """The value is still the version that the caller has."""


class Store(Protocol):
    """Small values by name; names are relative and their parts are separated by ``/``.

    Every operation raises a RunnerError in plain words if the store cannot be reached, refuses, or is misused. A
    conflict may come from an earlier try of ours that was executed without an answer. So a store that repeats writes by
    itself reads the value after a conflict, and if it is what was to be written, the write counts as done. For this
    reason a value must say who wrote it, if two writers must not share it.
    """

    def where(self, name: str) -> str:
        """The full address of a value, for messages; never with a credential."""
        ...

    def get(self, name: str, *, unless: str | None = None) -> Stored | None:
        """The value; None only if it certainly does not exist. Raises Unchanged if its version is still ``unless``."""
        ...

    def create(self, name: str, content: bytes) -> str:
        """Write a value that must not exist yet; returns its version. Raises Conflict."""
        ...

    def replace(self, name: str, content: bytes, version: str) -> str:
        """Overwrite the version that was read; returns the new one. Raises Conflict, also if the value is gone."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove values; it is not an error if one is already gone."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names in this folder, which ends with ``/``, sorted."""
        ...

    def probe(self, name: str, content: bytes) -> None:
        """Test with a value that was just created with this content whether the store ignores conditions.

        Raises BadState if it does, and then the value is gone.
        """
        ...
