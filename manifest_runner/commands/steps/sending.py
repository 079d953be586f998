"""Send launches batch by batch, except those that already exist or that another run was sending."""

from __future__ import annotations

from msgspec import structs

from manifest_runner.commands.steps.due import due_batches, resumed_batch
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.commands.steps.sent import Sent
from manifest_runner.errors import KeyReused
from manifest_runner.launch.adoption import AdoptMode, adopt, adopt_reused
from manifest_runner.launch.batches import PreparedBatch, journaled
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.lease.in_flight import InFlight
from manifest_runner.launch.matching import KnownAs
from manifest_runner.launch.submit import submit
from manifest_runner.planning.known_digests import Identities
from manifest_runner.planning.plan import Launch
from manifest_runner.text import counted

# How many seconds after another run has sent a batch it is sent again: well within the window of its key, which may
# have been used first some time before.
RESUMABLE = 86_400.0


class Sender:
    """Sends the launches of one run. Updates ``sent`` with each."""

    def __init__(self, run: OpenRun, sent: Sent) -> None:
        self._run = run
        self._sent = sent
        self._identities = Identities(run.session.naming, run.session.loaded.project)

    def take_existing(self, due: list[Launch], *, is_retry: bool) -> list[Launch]:
        """Adopt what exists, send again what another run was sending; returns what is still to be sent."""
        return self._adopt(self._resume(due, is_retry=is_retry), is_retry=is_retry)

    def _adopt(self, launches: list[Launch], *, is_retry: bool) -> list[Launch]:
        """Take those that a search finds into the lockfile; returns the rest."""
        run = self._run
        if not run.session.loaded.document.stamp:
            return launches
        known_as = KnownAs(self._identities, run.spool.fetch)
        left = adopt(self._environment(is_retry=is_retry), launches, adopt_mode(run), known_as)
        self._sent.adopted += len(launches) - len(left)
        return left

    def _resume(self, due: list[Launch], *, is_retry: bool) -> list[Launch]:
        """Send again what an earlier holder of the lease was sending, if it is ours to send; returns the rest.

        It may be lost, be on its way or have been executed: the same bytes under the same key make one launch of it.
        """
        run = self._run
        left = due
        for batch in run.session.unseen.in_flight:
            again = resumed_batch(batch, left, run.session.loaded, run.spool) if self._is_resumable(batch) else None
            if again is None:
                continue
            items = counted(len(again.launches), "item")
            run.session.context.notify(f"sending a batch of {items} that another run may have sent, with the same key")
            try:
                self._send_batch(again, is_retry=is_retry)
            except KeyReused:
                if not run.session.loaded.document.stamp or run.options.adopt == "never":
                    raise
                continue  # it arrived with other bytes, such as a URL that was signed then, and is waited for
            run.session.leases.forget({batch.key})
            names = {launch.user_reference for launch in again.launches}
            left = [launch for launch in left if launch.user_reference not in names]
        return left

    def _is_resumable(self, batch: InFlight) -> bool:
        """Whether its key is sure to be known to the API if the batch is."""
        age = None if batch.at is None else self._run.session.context.clock() - batch.at
        limit = min(self._run.options.key_window, RESUMABLE)
        return batch.user == self._run.client().user and age is not None and age < limit

    def send(self, launches: list[Launch], *, is_retry: bool) -> None:
        """Send all of these, in batches. Raises Refused, Unreachable."""
        run, context = self._run, self._run.session.context
        loaded = run.session.loaded
        total = -(-len(launches) // run.options.batch_size_of(loaded))
        done = 0
        for number, batch in enumerate(due_batches(launches, loaded, run.options, run.spool), 1):
            done += len(batch.launches)
            if not self._send_batch(batch, is_retry=is_retry):
                continue
            context.progress("submitted", done, len(launches))
            items = counted(len(batch.launches), "item") + (" again" if is_retry else "")
            context.notify(f"submitted batch {number:,} of {total:,}: {items}")

    def _send_batch(self, batch: PreparedBatch, *, is_retry: bool) -> bool:
        """Send a batch and count it; False if it was adopted instead."""
        if is_sent := self._submit(batch, is_retry=is_retry):
            self._sent.add(batch)
        else:
            self._sent.adopted += len(batch.launches)
        return is_sent

    def _submit(self, batch: PreparedBatch, *, is_retry: bool) -> bool:
        """Send a batch; False if its key was used before and all of it was adopted.

        Raises Refused, Unreachable.
        """
        env, stamped = self._environment(is_retry=is_retry), self._run.session.loaded.document.stamp
        try:
            submit(env, batch, stamped=stamped, is_retry=is_retry)
        except KeyReused:
            if not (stamped and adopt_reused(env, batch.key, tuple(map(journaled, batch.launches)), batch.body)):
                raise
            return False
        return True

    def _environment(self, *, is_retry: bool) -> LaunchEnvironment:
        """Retries are sent without the expected digest, so that after a crash the rest of the plan still has it."""
        env = self._run.launch_environment()
        return structs.replace(env, origin=structs.replace(env.origin, plan=None)) if is_retry else env


def adopt_mode(run: OpenRun) -> AdoptMode:
    """No launch is only partly visible if the lease was released after everything had been seen."""
    mode, session = run.options.adopt, run.session
    return "now" if mode == "wait" and session.leases.is_all_seen and not session.unseen.batches else mode
