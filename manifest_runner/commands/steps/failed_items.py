"""The failed items of a manifest, each with its reason and its places in the manifest and samplesheet."""

from __future__ import annotations

import msgspec

from manifest_runner.commands.setup.session import Session
from manifest_runner.diagnostics.finding import Place
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.plan import Plan
from manifest_runner.report.rows import unexplained
from manifest_runner.report.states import state_of
from manifest_runner.text import plain_text


class FailedItem(msgspec.Struct, frozen=True):
    """A failed item: the API's reason, and its places in the manifest and the samplesheet."""

    user_reference: str
    message: str
    place: Place
    row: Place | None


def failed_items(session: Session, plan: Plan, choices: Choices) -> list[FailedItem]:
    """The manifest's items that are known to have failed, now or earlier, except accepted ones."""
    failed = {
        reference: _reason(item)
        for reference, item in session.lockfile.items.items()
        if item.failed and reference in plan.references and choices.wants(reference) and _counts(reference, item, plan)
    }
    if not failed:
        return []
    expansion = session.loaded.stream
    places = {item.user_reference: expansion.place(item) for item in expansion.named(failed.keys())}
    return [FailedItem(name, failed[name], *places[name]) for name in places]


def _counts(reference: str, item: LockedItem, plan: Plan) -> bool:
    """An accepted failure does not count until the item changes."""
    return not item.failure_accepted or reference in plan.failed


def _reason(item: LockedItem) -> str:
    status = item.analysis.status if item.analysis else ""
    return plain_text(item.message or "") or unexplained(state_of(item.status, status or None), status)
