"""``validate``: the checks alone."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.target import load_target, report_moves
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.model import Name
from manifest_runner.text import counted


class Valid(msgspec.Struct, frozen=True):
    """A valid manifest: its items, the rows that were read, how many of them ``where`` left out, and the warnings."""

    items: int
    rows: int
    left_out: int
    findings: list[Finding]


def validate(path: Path, target: Target, context: Context, *, strict: bool = False) -> Valid:
    """Check a manifest and every item it renders to.

    Raises InvalidManifest with everything that is wrong, warnings included; ``strict`` treats those as errors.
    """
    loaded = load_target(path, target, context, report_unresolved=strict)
    references, unresolved = set[str](), set[Name]()
    for item in loaded.stream.items():
        references.add(item.user_reference)
        unresolved.update(item.unresolved)
    report_moves(loaded, references)
    loaded.raise_errors(strict=strict)
    if unresolved:
        are = counted(len(unresolved), "name has", "names have")
        words = f"{are} not been looked up yet; `manifest-runner resolve` or a run does that"
        loaded.findings.add(Finding(Place(loaded.document.source.file, 1), "MR711", words, "info"))
    stream = loaded.stream
    return Valid(len(references), stream.rows_read, stream.rows_left_out, loaded.findings.all())
