"""Hold a manifest's lease while a command works: keep its token in a file, renew it in a thread, release it."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.token_file import forget_token, read_token, write_token
from manifest_runner.errors import RunnerError
from manifest_runner.launch.lease.in_flight import Coming, InFlight, batches_in, name_of

if TYPE_CHECKING:
    from manifest_runner.commands.setup.context import Context
    from manifest_runner.commands.setup.state import Stores
    from manifest_runner.launch.lease.claiming import Claimant
    from manifest_runner.launch.lease.keeper import LeaseKeeper
    from manifest_runner.launch.lease.lease import Claim, Lease

UNKNOWN_USER = "unknown"


class Held(msgspec.Struct):
    """A claimed lease. ``tokens`` are that of this run and of the run before it.

    ``unseen`` is released with the lease; with ``keeps_token`` the token stays in the folder.
    """

    keeper: LeaseKeeper
    claim: Claim
    tokens: tuple[str, str]
    unseen: tuple[str, ...]
    keeps_token: bool = False

    @property
    def unseen_batches(self) -> list[str]:
        """The batches to read before anything is sent, as entries, except those already read."""
        return [each for each in self.claim.unseen_batches if each in self.unseen]

    def coming(self, now: float, resolved: Collection[str]) -> Iterator[Coming]:
        """Launches of earlier holders that may still show, except batches that are resolved."""
        return self.claim.coming(now, self._unresolved(resolved))

    def in_flight(self, resolved: Collection[str]) -> Iterator[InFlight]:
        """The batches that earlier holders were sending, except those that are resolved."""
        return batches_in(self._unresolved(resolved))

    def forget_all_but_coming(self, now: float) -> None:
        """Forget what a search has covered: all of ``unseen`` except what may not show yet."""
        coming = {batch.key for batch in batches_in(self.unseen) if batch.may_show(now)}
        self.unseen = tuple(each for each in self.unseen if name_of(each) in coming)

    def with_unseen(self, more: Collection[str]) -> tuple[str, ...]:
        """``unseen`` and more such entries, each batch once and as it was sent last."""
        return tuple({name_of(each): each for each in (*self.unseen, *more)}.values())

    def _unresolved(self, resolved: Collection[str]) -> list[str]:
        return [each for each in self.unseen if name_of(each) not in resolved]

    @property
    def is_clean(self) -> bool:
        """Whether everything ever sent under this lease is known or can be read by its batch."""
        return self.claim.is_clean

    @property
    def is_complete(self) -> bool:
        """Whether the lease names everything sent under it, including what may not show yet."""
        return self.claim.is_complete

    @property
    def was_anothers(self) -> bool:
        """Whether another run held the lease since this folder did, if it ever did."""
        return self.claim.was_anothers(self.tokens[0])


@contextmanager
def leased(stores: Stores, token_file: Path, command: str, context: Context, timeout: float) -> Iterator[Held]:
    """Claim the lease, renew it in the background, and release it at the end. Raises LeaseHeld, RunnerError.

    The token is on disk before the lease is claimed: a run that is killed in between leaves a token without a lease,
    and one that is killed later leaves the token with which its folder takes the lease back at once.
    """
    from manifest_runner.launch.lease.claiming import claim_lease
    from manifest_runner.launch.lease.renewal import renewing

    known = read_token(token_file)
    token = known or uuid.uuid4().hex
    claimant = _claimant(stores, token_file.parent, command, token, context)
    if known is None:
        write_token(token_file, token, context.clock())
    try:
        keeper, claim = claim_lease(claimant, timeout)
    except BaseException:
        if known is None:
            forget_token(token_file)
        raise
    before = claim.before
    held = Held(keeper, claim, (token, before.token if before else ""), before.unseen if before else ())
    try:
        with renewing(keeper):
            yield held
    finally:
        _release(held, token_file, context)


def _claimant(stores: Stores, folder: Path, command: str, token: str, context: Context) -> Claimant:
    """This process, as one that wants the lease."""
    from manifest_runner.commands.setup.origin import user_name
    from manifest_runner.launch.lease.claiming import Claimant
    from manifest_runner.launch.lease.lease import Holder

    assert stores.lease is not None
    owner = user_name(folder, context.env) or UNKNOWN_USER
    holder = Holder(owner, socket.gethostname(), os.getpid(), command, token)
    return Claimant(stores.lease, stores.lease_name, holder, context.clock, context.sleep, context.notify)


def holder_of(stores: Stores, context: Context) -> Lease | None:
    """The lease of a run on another machine that writes the same state; None if there is none, or no shared state."""
    if stores.state is None:
        return None
    from manifest_runner.launch.lease.lease import standing
    from manifest_runner.launch.lease.stored_lease import read_lease

    lease = read_lease(stores.state, stores.lease_name).lease
    return lease if lease is not None and standing(lease, "", context.clock()) == "held" else None


def is_held(stores: Stores, context: Context) -> bool:
    return holder_of(stores, context) is not None


def _release(held: Held, token_file: Path, context: Context) -> None:
    """If that fails, the token stays, so that this folder can take its lease back."""
    try:
        held.keeper.release(held.unseen)
    except RunnerError as e:
        context.notify(f"the lease could not be released; it expires in a few minutes: {e}")
        return
    if not held.keeps_token:
        forget_token(token_file)
