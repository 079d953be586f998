"""The failed items of a manifest, each with its reason and the places that it came from."""

from __future__ import annotations

import msgspec

from manifest_runner.commands.session import Session
from manifest_runner.diagnostics.finding import Place
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.plan import Plan


class Failure(msgspec.Struct, frozen=True):
    """A failed item: the API's reason, and its places in the manifest and the samplesheet."""

    user_reference: str
    message: str
    place: Place
    row: Place | None


def failed_items(session: Session, plan: Plan, *, finished: bool) -> list[Failure]:
    """Items of the plan that failed, new or old; their analyses count only where the run waited for them."""
    failed = {
        reference: _reason(item)
        for reference, item in session.lockfile.items.items()
        if reference in plan.references and (item.creation_failed or (finished and item.analysis_failed))
    }
    if not failed:
        return []
    expansion = session.loaded.expansion
    places = {item.user_reference: expansion.place(item) for item in expansion.named(failed.keys())}
    return [Failure(name, failed[name], *places[name]) for name in places]


def _reason(item: LockedItem) -> str:
    if not item.creation_failed and item.analysis is not None:
        return f"its analysis ended as {item.analysis.status}"
    return item.message or "the API gives no reason"
