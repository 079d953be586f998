"""What the functions for programs return: the keys of ``--json`` as attributes, under their names there."""

from __future__ import annotations

from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True):
    """A row of a samplesheet."""

    file: str
    line: int


class Finding(msgspec.Struct, frozen=True):
    """A warning, or information, about a manifest. ``code`` is explained in docs/errors.md."""

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    row: Row | None = None


class PlanResult(msgspec.Struct, frozen=True):
    """What a run would do: userReferences by what becomes of them."""

    new: list[str]
    changed: list[str]
    unchanged: list[str]
    failed: list[str]
    removed: list[str]
    pending: list[str]
    unresolved: int
    batches: int


class RunResult(msgspec.Struct, frozen=True):
    """What a run did: the plan that it followed, how many items were created, where the lockfile is.

    Items that failed do not raise: they are in ``failed``, and counted in ``createdFailed``.
    """

    new: list[str]
    changed: list[str]
    unchanged: list[str]
    failed: list[str]
    removed: list[str]
    pending: list[str]
    unresolved: int
    batches: int
    created: int
    createdFailed: int
    lockfile: str


class StatusResult(msgspec.Struct, frozen=True):
    """The lockfile: ``items`` by userReference and ``batches`` by id, as it has them (docs/lockfile)."""

    lockVersion: int
    name: str
    project: str
    server: str
    batches: dict[str, dict[str, Any]]
    items: dict[str, dict[str, Any]]
