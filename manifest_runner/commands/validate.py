"""``validate``: the checks alone."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.commands.context import Context
from manifest_runner.commands.options import Target
from manifest_runner.commands.target import load_target, report_moves
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.model import Name


def validate(path: Path, target: Target, context: Context, *, strict: bool = False) -> tuple[int, list[Finding]]:
    """The number of items that a valid manifest gives, and the warnings.

    Raises InvalidManifest with everything that is wrong, warnings included; ``strict`` treats those as errors.
    """
    loaded = load_target(path, target, context, report_unresolved=strict)
    references, unresolved = set[str](), set[Name]()
    for item in loaded.expansion.items():
        references.add(item.user_reference)
        unresolved.update(item.unresolved)
    report_moves(loaded, references)
    loaded.raise_errors(strict=strict)
    if unresolved:
        words = f"names not looked up yet: {len(unresolved):,}; `manifest-runner resolve` or a run looks them up"
        loaded.findings.add(Finding(Place(loaded.document.source.file, 1), "MR711", words, "info"))
    return len(references), loaded.findings.all()
