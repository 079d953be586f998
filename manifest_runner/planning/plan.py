"""Items × lockfile → what a run would do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import msgspec
import orjson

from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.lockfile.requests import sent_requests
from manifest_runner.model import Item, Kind, Name
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.diff import Change, changes
from manifest_runner.planning.identity import item_digester

State = Literal["new", "changed", "unchanged", "failed", "pending"]
Digester = Callable[[bytes, str, str, int], str]


class Launch(NamedTuple):
    """One item that is to be created. ``request`` is whatever finds its bytes again (see ``make_plan``)."""

    user_reference: str
    kind: Kind
    revision: str
    attempt: int
    digest: str
    request: Any


class Plan(msgspec.Struct):
    """The userReferences of a manifest by what would become of them; those that are ``due`` and their ``launches``.

    ``new`` are those that a plain run launches: unknown to the lockfile, of a raised revision, or changed after
    their creation had failed, when there is nothing to pay twice for; an item that is back to an earlier launch that
    did not fail is ``changed``. ``unapproved`` are the changed ones that need a person's approval. ``changes`` says
    for changed items which fields differ, None where the lockfile does not know what was launched. ``beyond_limit``
    counts what would be due without --limit. ``unresolved`` are the names that must be looked up before what is due,
    or waits for approval, can be launched.
    """

    new: list[str] = msgspec.field(default_factory=list)
    changed: list[str] = msgspec.field(default_factory=list)
    unchanged: list[str] = msgspec.field(default_factory=list)
    failed: list[str] = msgspec.field(default_factory=list)
    removed: list[str] = msgspec.field(default_factory=list)
    pending: list[str] = msgspec.field(default_factory=list)
    unapproved: list[str] = msgspec.field(default_factory=list)
    due: list[str] = msgspec.field(default_factory=list)
    beyond_limit: int = 0
    launches: list[Launch] = msgspec.field(default_factory=list)
    references: set[str] = msgspec.field(default_factory=set)
    changes: dict[str, list[Change] | None] = msgspec.field(default_factory=dict)
    unresolved: set[Name] = msgspec.field(default_factory=set)

    @property
    def is_covered(self) -> bool:
        """Whether the lockfile holds a launch for every item as it is now."""
        return not (self.new or self.changed or self.pending or self.beyond_limit)


def make_plan(
    items: Iterable[Item],
    lockfile: Lockfile,
    choices: Choices,
    *,
    pending: Collection[str] = (),
    keep: Callable[[bytes], Any] | None = None,
    detail: int | None = None,
) -> Plan:
    """Sort the items by what the lockfile knows of them.

    ``pending`` are the userReferences of journaled batches without an answer. ``keep`` stores the request of a
    launch that is due, and what it returns becomes the launch's ``request``; without it no launches are made, which
    spares a plan that is only shown the digests and the memory. ``detail`` says of how many changed items the changes
    are worked out, None for all.
    """
    plan = Plan()
    lists = {state: getattr(plan, state) for state in get_args(State)}
    digest = item_digester(lockfile.name, lockfile.project)
    launched = _Launched(lockfile)
    for item in items:
        reference = item.user_reference
        plan.references.add(reference)
        if choices.targets and not choices.wants(reference):
            continue
        before = lockfile.items.get(reference)
        state: State = "pending" if reference in pending else _state(item, digest, before)
        if state == "unchanged":
            plan.unchanged.append(reference)
            continue
        due, raised = _is_due(state, before, choices)
        if due and len(plan.due) == choices.limit:
            plan.beyond_limit += 1
            continue
        plan.unresolved.update(item.unresolved)
        lists[state].append(reference)
        if state == "changed" and before is not None:
            if detail is None or len(plan.changes) < detail:
                plan.changes[reference] = launched.changes(item, before)
            if not due:
                plan.unapproved.append(reference)
        if due:
            plan.due.append(reference)
            if keep is not None:
                plan.launches.append(_launch(item, digest, before, raised=raised, kept=keep(item.request)))
    plan.removed = sorted(lockfile.items.keys() - plan.references)
    return plan


def _launch(item: Item, digest: Digester, before: LockedItem | None, *, raised: bool, kept: Any) -> Launch:
    spent = _digests(before)
    attempt = (before.attempt if before else 0) + raised
    while (now := digest(item.request, item.kind, item.revision, attempt)) in spent:
        attempt += 1
    return Launch(item.user_reference, item.kind, item.revision, attempt, now, kept)


def _state(item: Item, digest: Digester, before: LockedItem | None) -> State:
    if before is None:
        return "new"
    if item.unresolved:  # until its names are looked up, what it would be launched as is not known
        return "changed"
    now = digest(item.request, item.kind, item.revision, before.attempt)
    if before.digest == now:
        return "failed" if before.failed else "unchanged"
    if _order(item.revision) > _order(before.revision):
        return "new"
    is_back = any(each.digest == now and not each.creation_failed for each in before.previous)
    return "new" if before.creation_failed and not is_back else "changed"


def _digests(before: LockedItem | None) -> set[str]:
    """Of all launches of an item. None is launched again: ICA would replay the old one, or make a second."""
    return {before.digest, *(each.digest for each in before.previous)} if before else set()


class _Launched:
    """What the lockfile's batches were sent as. Items come mostly in the order in which they were sent."""

    def __init__(self, lockfile: Lockfile) -> None:
        self._batches = lockfile.batches
        self._requests = lru_cache(maxsize=4)(self._read)

    def changes(self, item: Item, before: LockedItem) -> list[Change] | None:
        """None where the lockfile does not know what was launched."""
        request = self._requests(before.batch_id or "").get(item.user_reference)
        return None if request is None else changes(request, orjson.loads(item.request))

    def _read(self, batch_id: str) -> dict[str, dict[str, Any]]:
        batch = self._batches.get(batch_id)
        try:
            return sent_requests(batch.requests) if batch and batch.requests else {}
        except ValueError:  # edited by hand, in a part that only this reads
            return {}


def _order(revision: str) -> tuple[int, ...]:
    return tuple(int(part) for part in revision.split("."))


def _is_due(state: State, before: LockedItem | None, choices: Choices) -> tuple[bool, bool]:
    """Whether an item is to be launched, and whether that raises its attempt."""
    failed = before is not None and before.failed
    if choices.retry_failed and state != "changed":
        return failed and state != "pending", True
    if state == "changed" and not (choices.retry_failed and failed):
        return choices.relaunch_changed, True
    return state in ("new", "changed"), state == "changed"
