"""A plan: what a run would do, as a value. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from manifest_runner.lockfile.model import LockedItem
from manifest_runner.model import Kind, Name
from manifest_runner.planning.diff import Change
from manifest_runner.planning.identity import plan_digest

State = Literal["new", "changed", "unchanged", "failed", "pending"]


class SpoolPlace(NamedTuple):
    """The position of a request in a spool, in bytes."""

    offset: int
    length: int


# A handle to the bytes of a request: their position, or the bytes themselves.
Handle = SpoolPlace | bytes


class Launch(NamedTuple):
    """One item that is to be created. ``request`` is a handle to its bytes, None if the plan is only shown."""

    user_reference: str
    kind: Kind
    revision: str
    attempt: int
    digest: str
    request: Handle | None


class Plan(msgspec.Struct):
    """The userReferences of a manifest by what would happen to them; what is ``due`` and its ``launches``.

    ``new`` are those that a plain run launches: unknown to the lockfile, with a raised revision, or changed after their
    creation failed, when nothing would be paid for twice; an item that equals an earlier launch that did not fail is
    ``changed``. ``again`` are the new ones that a raised revision launches once more. ``unapproved`` are the changed
    ones that need approval. ``fixed`` are the failed ones whose request has changed. ``changes`` has the fields that
    differ in changed and fixed items, or None if the lockfile does not have the request that was launched.
    ``beyond_limit`` counts what would be due without --limit.

    ``renamed`` has the old names of renamed items by the new ones, ``moved`` their launches under the new names, and
    ``guarded``, like ``renamed``, new items that differ from removed ones only in the name. ``present`` has the present
    digests of changed and failed items, ``not_ended`` counts launches that had not ended when ICA was last asked.
    ``unresolved`` are the names that must be looked up before what is due, or waits for approval, can be launched;
    without those in ``undecided`` it is not known what changed items are now. ``names`` has the manifest's names by id,
    for those who read the changes.
    """

    new: list[str] = msgspec.field(default_factory=list)
    changed: list[str] = msgspec.field(default_factory=list)
    unchanged: list[str] = msgspec.field(default_factory=list)
    failed: list[str] = msgspec.field(default_factory=list)
    removed: list[str] = msgspec.field(default_factory=list)
    pending: list[str] = msgspec.field(default_factory=list)
    unapproved: list[str] = msgspec.field(default_factory=list)
    fixed: list[str] = msgspec.field(default_factory=list)
    again: list[str] = msgspec.field(default_factory=list)
    beyond_limit: int = 0
    due: list[str] = msgspec.field(default_factory=list)
    launches: list[Launch] = msgspec.field(default_factory=list)
    references: set[str] = msgspec.field(default_factory=set)
    changes: dict[str, list[Change] | None] = msgspec.field(default_factory=dict)
    unresolved: set[Name] = msgspec.field(default_factory=set)
    undecided: set[Name] = msgspec.field(default_factory=set)
    renamed: dict[str, str] = msgspec.field(default_factory=dict)
    moved: dict[str, LockedItem] = msgspec.field(default_factory=dict)
    guarded: dict[str, str] = msgspec.field(default_factory=dict)
    present: dict[str, str] = msgspec.field(default_factory=dict)
    names: dict[str, str] = msgspec.field(default_factory=dict)
    not_ended: int = 0

    @property
    def digest(self) -> str:
        """All launches as one hash; empty if the plan was made without them."""
        return plan_digest(launch.digest for launch in self.launches) if self.launches or not self.due else ""

    @property
    def is_covered(self) -> bool:
        """Whether the lockfile has a launch of every item as it is now."""
        return not (self.new or self.changed or self.fixed or self.pending or self.beyond_limit)
