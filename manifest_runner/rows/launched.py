"""Rows from another manifest: its items that succeeded, according to its lockfile alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.lockfile.launches import EMPTY, End, LaunchedItem, read_launches
from manifest_runner.lockfile.workspace import TRIAL_FOLDER
from manifest_runner.rows.base import IdentifiedRow, Report, Rows
from manifest_runner.rows.raw_lockfile import RawLockfile
from manifest_runner.text import few_of

KEYS = ("userReference", "kind", "analysisId", "analysisReference", "outputs")
_SUCCEEDED = frozenset({End.RECORDED, End.UNRECORDED})
_OTHERS: dict[int, str] = {End.FAILED: "failed", End.OPEN: "not ended"}


def launched_rows(lockfile: RawLockfile, manifest: str, at: Place) -> Rows:
    """The items of a manifest's lockfile that succeeded, in order of their userReferences.

    ``manifest`` is its name in messages, ``at`` the place that names it. Raises BadState if the lockfile is damaged.
    """
    launches = read_launches(lockfile.content or EMPTY, lockfile.label)
    trial = " --emulator" if Path(lockfile.label).parent.name == TRIAL_FOLDER else ""
    unknown: list[str] = []
    if End.UNRECORDED in launches.ends:  # looked at first, since reading the names decodes the items
        unknown = [name for (name, _), end in zip(launches, launches.ends, strict=True) if end == End.UNRECORDED]
    others = Counter(_OTHERS[end] for end in launches.ends if end in _OTHERS)
    found = sum(end in _SUCCEEDED for end in launches.ends)

    def read(_report: Report) -> Iterator[IdentifiedRow]:
        for index, ((name, item), end) in enumerate(zip(launches, launches.ends, strict=True)):
            if end in _SUCCEEDED:
                yield index, _row(name, item)

    return Rows(
        None,
        read,
        lambda row: Place(lockfile.label, launches.line(row)) if isinstance(row, int) else None,
        keys=KEYS,
        notes=tuple(_notes(manifest, at, found, others)),
        lacks=tuple(("outputs", fault) for fault in _unknown_outputs(manifest, trial, at, unknown)),
        is_text=_is_text,
    )


def _is_text(key: str, path: Sequence[str | int]) -> bool:
    """Whether a value such as ``outputs.vcf[0].dataId`` is text; the reference of an analysis can be null."""
    if key == "outputs":
        return len(path) == 3 and path[2] in ("dataId", "name", "type")
    return not path and key in ("userReference", "kind", "analysisId")


def _row(name: str, item: LaunchedItem) -> dict[str, Any]:
    analysis = item.analysis
    assert analysis is not None
    row: dict[str, Any] = {
        "userReference": name,
        "kind": item.kind,
        "analysisId": analysis.id,
        "analysisReference": analysis.reference,
    }
    if item.outputs is not None:
        row["outputs"] = item.outputs
    return row


# -- notes on the source


def _notes(manifest: str, at: Place, rows: int, others: Counter[str]) -> Iterator[Finding]:
    total = rows + others.total()
    if not total:
        yield Finding(at, "MR610", f"{manifest} has launched nothing yet, so there are no rows", severity="info")
    elif others:
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(others.items()))
        message = f"{others.total():,} of {total:,} items of {manifest} are not rows ({ends})"
        yield Finding(at, "MR610", message, severity="info")


def _unknown_outputs(manifest: str, trial: str, at: Place, unknown: Sequence[str]) -> Iterator[Finding]:
    """``unknown`` are the userReferences of the items whose outputs are not recorded."""
    if unknown:
        items = "one item" if len(unknown) == 1 else f"{len(unknown):,} items"
        message = (
            f"the outputs of {items} of {manifest} are not recorded yet ({few_of(unknown)}); "
            f"run: manifest-runner outputs {manifest}{trial}"
        )
        yield Finding(at, "MR316", message)
