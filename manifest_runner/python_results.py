"""The results of the functions for programs: the keys of ``--json`` as attributes of the same names."""

from __future__ import annotations

from typing import Any

import msgspec


class RowResult(msgspec.Struct, frozen=True):
    """The row that a finding is about: the path of the samplesheet, and its line there, counted from 1."""

    file: str
    line: int


class FindingResult(msgspec.Struct, frozen=True):
    """A warning, or information, about a manifest. ``code`` is explained in docs/errors.md."""

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    row: RowResult | None = None


class PlanResult(msgspec.Struct, frozen=True):
    """What a run would do: userReferences by what would happen to them; ``launches`` are those that it would launch."""

    new: list[str]
    changed: list[str]
    unchanged: list[str]
    failed: list[str]
    removed: list[str]
    pending: list[str]
    renamed: dict[str, str]
    waiting: list[str]
    unresolved: int
    batches: int
    launches: list[str]
    approvalNeeded: bool
    changes: dict[str, list[dict[str, Any]]]
    planDigest: str


class RunResult(PlanResult, frozen=True):
    """What a run did: the plan that it followed, the number of items created, and the path of the lockfile.

    Items that failed do not raise: they are counted in ``createdFailed`` and ``failedAnalyses``.
    """

    created: int
    createdFailed: int
    succeeded: int
    failedAnalyses: int
    doubles: list[dict[str, Any]]
    seconds: float
    lockfile: str


class AnalysisResult(msgspec.Struct, frozen=True):
    """An analysis as it was last seen. Times are RFC 3339 text."""

    id: str
    reference: str | None
    status: str | None
    startDate: str | None = None
    endDate: str | None = None


class ItemResult(msgspec.Struct, frozen=True):
    """The latest launch of an item; ``earlier`` are the ones it replaced. Unknown values are None."""

    userReference: str
    kind: str
    pipeline: str | None
    state: str
    status: str | None
    message: str | None
    attempt: int
    revision: str
    batchId: str | None
    itemId: str | None
    durationSeconds: float | None
    link: str | None
    analysis: AnalysisResult | None
    adopted: bool
    removed: bool
    accepted: bool
    renamedFrom: str | None
    outputs: dict[str, list[dict[str, Any]]]
    price: dict[str, Any] | None
    failure: dict[str, Any] | None
    earlier: list[dict[str, Any]]


class StatusResult(msgspec.Struct, frozen=True):
    """The state of each launched item, failed ones first. ``totals`` has their counts, also by state."""

    reportVersion: int
    manifest: str
    generatedAt: str
    dataAsOf: str | None
    name: str
    project: str
    server: str
    totals: dict[str, Any]
    batches: list[dict[str, Any]]
    items: list[ItemResult]


class ItemOutputs(msgspec.Struct, frozen=True):
    """The outputs of one analysis: by code, its files and folders, each with ``dataId``, ``name`` and ``type``."""

    userReference: str
    kind: str
    analysisId: str | None
    analysisReference: str | None
    outputs: dict[str, list[dict[str, Any]]]


class MissingFile(msgspec.Struct, frozen=True):
    """A file that could not be fetched, and why."""

    path: str
    reason: str


class Download(msgspec.Struct, frozen=True):
    """The number of files fetched to ``folder``, the number that already existed, and the missing ones."""

    folder: str
    fetched: int
    present: int
    missing: list[MissingFile]


class OutputsResult(msgspec.Struct, frozen=True):
    """The succeeded items with their outputs, and the userReferences of the others."""

    items: list[ItemOutputs]
    unfinished: list[str]
    lockfile: str
    download: Download | None = None
