"""The values in a lockfile: what was launched from a manifest, with which request, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import structs

from manifest_runner.model import ABORTED_ANALYSIS, FAILED_ANALYSIS, FINAL_ANALYSIS, FINAL_CREATION, Kind

if TYPE_CHECKING:
    from decimal import Decimal

# No member has this name. Members that this version does not know are kept under it.
MORE = "(more)"
_DIGEST_LENGTH = 64
# The `server` of a lockfile that a trial with the emulator wrote.
EMULATOR_SERVER = "emulator"

MAX_EXPONENT = 100  # of a price

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Digest = Annotated[str, msgspec.Meta(min_length=_DIGEST_LENGTH, max_length=_DIGEST_LENGTH)]


class Value(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A value whose members are those of the lockfile, where their names are in camel case."""


class Detail(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A value inside a batch or an item; members that a newer version has added to it are dropped."""


class SourceCommit(Detail, frozen=True):
    """The commit that was checked out; ``dirty`` if files had changed since."""

    commit: str
    dirty: bool


class LockedBatch(Value, frozen=True):
    """One POST that was answered. ``status`` is its job's, None if the API sends no job.

    ``requests`` is what was sent, as ``requests.keep_requests`` packs it; None if not known. ``by`` is who sent
    it, ``source`` the commit that was checked out, ``plan_digest`` the expected plan that it was sent under, if any.
    """

    idempotency_key: str
    items: Count
    status: str | None
    submitted_at: str
    requests: str | None = None
    by: str | None = None
    source: SourceCommit | None = None
    plan_digest: Digest | None = None
    more: dict[str, Any] = msgspec.field(default_factory=dict, name=MORE)


class LockedAnalysis(Value, frozen=True):
    """An analysis as it was last seen. Times are RFC 3339 text."""

    id: str
    reference: str | None
    status: str
    start_date: str | None = None
    end_date: str | None = None


class LockedOutput(Detail, frozen=True):
    """A file or folder that an analysis made. ``project_id`` is set if it is in another project."""

    data_id: str
    name: str
    type: str
    project_id: str | None = None


class LockedPrice(Detail, frozen=True):
    """The price of an analysis; ``amount`` is a decimal number as spelled by the API."""

    amount: str
    currency: str

    @property
    def number(self) -> Decimal | None:
        """The amount; None if it is not a number that a price can be, as in a lockfile that was edited by hand."""
        from decimal import Decimal, InvalidOperation  # which few commands need

        try:
            number = Decimal(self.amount)
        except InvalidOperation:
            return None
        return number if number.is_finite() and abs(number.adjusted()) < MAX_EXPONENT else None


class LockedFailure(Detail, frozen=True):
    """The step that made an analysis fail, its exit code and the last line that it wrote, if known."""

    step: str | None = None
    exit_code: int | None = None
    line: str | None = None


class LockedItem(Value, frozen=True):
    """The latest launch of one item; ``previous`` has the launches that it replaced, complete, oldest first.

    ``accepted`` is the digest of a request that counts as unchanged although another one was launched;
    ``failure_accepted`` says that its failure no longer counts. ``renamed_from`` is its former name. ``plan_digest`` of
    an adopted launch is like that of a batch; its ``request_hash`` is the hash of its request without the name, as no
    batch here has that request.
    """

    digest: Digest
    kind: Kind
    revision: str
    attempt: Count
    batch_id: str | None
    item_id: str | None
    status: str | None
    message: str | None
    analysis: LockedAnalysis | None
    previous: tuple[LockedItem, ...] = ()
    removed: bool = False
    adopted: bool = False
    abort_requested_at: str | None = None
    outputs: dict[str, tuple[LockedOutput, ...]] | None = None
    price: LockedPrice | None = None
    failure: LockedFailure | None = None
    accepted: Digest | None = None
    failure_accepted: bool = False
    renamed_from: str | None = None
    plan_digest: Digest | None = None
    request_hash: str | None = None
    more: dict[str, Any] = msgspec.field(default_factory=dict, name=MORE)

    @property
    def launches(self) -> tuple[LockedItem, ...]:
        """This launch and the ones that it replaced."""
        return (self, *self.previous)

    @property
    def alone(self) -> LockedItem:
        """This launch without the ones that it replaced, as it is kept once it is replaced itself."""
        return structs.replace(self, previous=(), removed=False)

    @property
    def creation_is_final(self) -> bool:
        return self.status in FINAL_CREATION and (self.status == "FAILED" or self.analysis is not None)

    @property
    def analysis_is_final(self) -> bool:
        return self.status == "FAILED" or (self.analysis is not None and self.analysis.status in FINAL_ANALYSIS)

    @property
    def creation_failed(self) -> bool:
        return self.status == "FAILED"

    @property
    def analysis_failed(self) -> bool:
        return self.analysis is not None and self.analysis.status in FAILED_ANALYSIS

    @property
    def was_aborted(self) -> bool:
        return self.analysis is not None and self.analysis.status in ABORTED_ANALYSIS

    @property
    def succeeded(self) -> bool:
        return self.status != "FAILED" and self.analysis is not None and self.analysis.status == "SUCCEEDED"

    @property
    def failed(self) -> bool:
        return self.creation_failed or self.analysis_failed

    @property
    def failure_counts(self) -> bool:
        """Whether it failed, and nobody has accepted that or removed the item from the manifest."""
        return self.failed and not self.failure_accepted and not self.removed


class Lockfile(msgspec.Struct):
    """The state of one manifest. ``batches`` by batch id, ``items`` by userReference."""

    name: str
    project: str
    server: str
    batches: dict[str, LockedBatch] = msgspec.field(default_factory=dict)
    items: dict[str, LockedItem] = msgspec.field(default_factory=dict)

    def sent_under(self, plan: str) -> list[str]:
        """The digests of launches that were sent, or adopted instead, under the plan with this digest."""
        batches = {batch_id for batch_id, batch in self.batches.items() if batch.plan_digest == plan}
        launches = (launch for item in self.items.values() for launch in item.launches)
        return [each.digest for each in launches if each.batch_id in batches or each.plan_digest == plan]

    def copy(self) -> Lockfile:
        return structs.replace(self, batches=dict(self.batches), items=dict(self.items))
