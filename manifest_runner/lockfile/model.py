"""What was launched from a manifest, as what, and how it went: the values that a lockfile holds."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import structs

from manifest_runner.model import FINAL_ANALYSIS, FINAL_CREATION, Kind

# No member has this name: what this version does not know is kept under it while it is a value.
MORE = "(more)"
_DIGEST_LENGTH = 64

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Digest = Annotated[str, msgspec.Meta(min_length=_DIGEST_LENGTH, max_length=_DIGEST_LENGTH)]


class Value(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A value whose members are the lockfile's, of the same names in camel case."""


class LockedBatch(Value, frozen=True):
    """One POST that was answered. ``status`` is its job's, None where the API sends no job.

    ``requests`` is what was sent, as ``requests.keep_requests`` packs it; None where that is not known.
    """

    idempotency_key: str
    items: Count
    status: str | None
    submitted_at: str
    requests: str | None = None
    more: dict[str, Any] = msgspec.field(default_factory=dict, name=MORE)


class LockedAnalysis(Value, frozen=True):
    """An analysis as it was last seen. Times are RFC 3339 text."""

    id: str
    reference: str | None
    status: str
    start_date: str | None = None
    end_date: str | None = None


class Detail(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A value inside an item; members that a newer version added to it are left out."""


class LockedOutput(Detail, frozen=True):
    """A file or folder that an analysis made. ``project_id`` is set where it lies in another project."""

    data_id: str
    name: str
    type: str
    project_id: str | None = None


class LockedPrice(Detail, frozen=True):
    """What an analysis cost; ``amount`` is a decimal number as the API spells it."""

    amount: str
    currency: str


class LockedFailure(Detail, frozen=True):
    """The step that made an analysis fail, its exit code and the last line that it wrote, as far as they are known."""

    step: str | None = None
    exit_code: int | None = None
    line: str | None = None


class LockedItem(Value, frozen=True):
    """The latest launch of one item, and whole, in ``previous``, those that it replaced, oldest first."""

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
    renamed_from: str | None = None
    more: dict[str, Any] = msgspec.field(default_factory=dict, name=MORE)

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
        status = self.analysis.status if self.analysis else None
        return status in FINAL_ANALYSIS and status != "SUCCEEDED"

    @property
    def failed(self) -> bool:
        return self.creation_failed or self.analysis_failed


class Lockfile(msgspec.Struct):
    """The state of one manifest. ``batches`` by batch id, ``items`` by userReference."""

    name: str
    project: str
    server: str
    batches: dict[str, LockedBatch] = msgspec.field(default_factory=dict)
    items: dict[str, LockedItem] = msgspec.field(default_factory=dict)

    def copy(self) -> Lockfile:
        return structs.replace(self, batches=dict(self.batches), items=dict(self.items))
