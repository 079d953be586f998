"""Launching in waves: as much at once as ``maxRunning`` has room for, and again what fails, up to ``--retries`` times.

A wave is sent like any batch: journal, POST, answer (see ``launch.journal``). What waits and what is to be tried again
is in memory only, and can be derived from what is on disk. A run can die at these points; the next ``run`` does this:

=====  ===================================================  ========================================================
point  died …                                               the next run …
=====  ===================================================  ========================================================
1      between two waves                                    takes the launches of all waves from the journal, counts
                                                            them as running until it has looked, plans what is left
2      while a wave is sent                                 settles its batch first, by its own bytes and key; its items
                                                            count as running before there is room for others
3      after a failure was seen, before the next attempt    follows the failed launch, since the journal has it, sees
       is in the journal                                    the failure again and makes the same attempt: same digest
4      after the attempt is in the journal, before the      POSTs it with its own bytes and key: it is counted as one
       POST, or before its answer                           retry, since its record says so, however often it is sent
5      after the lockfile is written, before the journal    finds both; the journal says how many retries are spent
       is removed
=====  ===================================================  ========================================================

Room is what ``maxRunning`` leaves after every launch that is not known to have ended: never more run at once.
"""

from __future__ import annotations

from collections import Counter

from manifest_runner.commands.steps.obstacles import most_launches
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.commands.steps.sending import Sender
from manifest_runner.commands.steps.sent import Sent
from manifest_runner.launch.following.replaced import follow_replaced
from manifest_runner.launch.max_running import room_for
from manifest_runner.launch.retries import launches_in, may_fail_again, relaunch, retries_in
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.known_digests import Identities
from manifest_runner.planning.plan import Launch, Plan
from manifest_runner.text import counted


class Waves:
    """The launches still to be made. Updates ``sent`` with each that is.

    Its own launches, and those still open when it is created, are retried if they fail.
    """

    def __init__(self, run: OpenRun, sent: Sent) -> None:
        self._run = run
        self._sent = sent
        self._sender = Sender(run, sent)
        self._lockfile = run.session.lockfile
        self._waiting: list[Launch] = []
        self._again: list[Launch] = []
        self._launches: dict[str, Launch] = {}
        self._plan = Plan()
        self._identities = Identities(run.session.naming, run.session.loaded.project)
        self._followed: set[str] = set()
        if run.options.retries:
            ongoing = (name for name, item in self._lockfile.items.items() if not item.analysis_is_final)
            self._followed = {*ongoing, *launches_in(run.session.journal)}

    @property
    def waiting(self) -> list[str]:
        """Due items for which there is no room yet."""
        return [launch.user_reference for launch in self._waiting]

    def begin(self, plan: Plan) -> None:
        """Launch as many due items as there is room for."""
        self._plan = plan
        self._waiting = [*plan.launches]
        if self._run.options.retries:
            self._launches = {launch.user_reference: launch for launch in plan.launches}
            renamed = (new for new, old in plan.renamed.items() if old in self._followed)
            self._followed |= {*self._sent.launched, *self._launches, *renamed}
        if plan.launches:
            self._launch()

    def go_on(self) -> int:
        """Launch as many items as there is room for now, starting with those that failed.

        Returns how many were launched or still wait.
        """
        self._queue_failures()
        return self._launch() + len(self._again) + len(self._waiting)

    def _launch(self) -> int:
        if not self._again and not self._waiting:
            return 0
        if self._run.max_running is not None:
            follow_replaced(self._run.client(), self._lockfile, self._run.gone)
        return self._wave(self._again, is_retry=True) + self._wave(self._waiting, is_retry=False)

    def _wave(self, queue: list[Launch], *, is_retry: bool) -> int:
        """Send the head of a queue; what turns out to run already may leave no room for the rest of it."""
        run = self._run
        due = queue[: self._room()]
        if not due:
            return 0
        left = self._sender.take_existing(due, is_retry=is_retry)
        if len(due) == len(queue) and not run.options.choices.is_narrow and run.options.adopt != "never":
            run.session.leases.forget_all_but_coming(run.session.context.clock())
        now = left[: self._room()]
        queue[: len(due)] = left[len(now) :]
        self._sender.send(now, is_retry=is_retry)
        return len(due) - len(left) + len(now)

    def _room(self) -> int:
        return room_for(self._lockfile, self._run.max_running, self._run.gone)

    def _redigest(self, launch: Launch, attempt: int) -> str:
        """The digest of a launch at another attempt."""
        request = self._run.spool.fetch(launch.request)
        return self._identities.now(request, launch.kind, launch.revision, attempt)

    # -- what failed

    def _queue_failures(self) -> None:
        """Queue another attempt at failed items, as far as --retries and ``maxLaunches`` allow."""
        if not self._followed:
            return
        items = self._lockfile.items
        self._followed = {name for name in self._followed if name not in items or not items[name].succeeded}
        queued = {launch.user_reference for launch in (*self._again, *self._waiting)}
        sent = sorted((self._followed - queued) & items.keys())
        failed = [name for name in sent if self._is_retryable(name, items[name])]
        spent = retries_in(self._run.session.journal)
        failed = self._affordable([name for name in failed if self._spent(spent, name) < self._run.options.retries])
        self._find_requests(failed)
        for name in failed:
            if name in self._launches:
                self._again.append(relaunch(self._launches[name], items[name], self._redigest))
            else:
                self._followed.discard(name)

    def _spent(self, retries: Counter[str], name: str) -> int:
        """The retries of an item, also under its former names: it may have been renamed since a crash."""
        return sum(retries[each] for each in (name, *self._identities.renames.former(name)))

    def _is_retryable(self, name: str, item: LockedItem) -> bool:
        is_ours = name in self._plan.references and self._run.options.choices.wants(name)
        return is_ours and may_fail_again(item)

    def _affordable(self, failed: list[str]) -> list[str]:
        """The failed items that ``maxLaunches`` still allows after the first launches that wait."""
        run = self._run
        limit = most_launches(run.options, run.session.loaded)
        if limit is None or not failed:
            return failed
        spent = sum(1 for _ in launches_in(run.session.journal)) + len(self._again) + len(self._waiting)
        allowed = failed[: max(0, limit - spent)]
        if len(allowed) < len(failed):
            left = counted(len(failed) - len(allowed), "failed item is", "failed items are")
            run.session.context.notify(f"{left} not launched again: one run may launch {limit:,} (maxLaunches)")
            self._followed -= {*failed[len(allowed) :]}
        return allowed

    def _find_requests(self, failed: list[str]) -> None:
        """The requests of launches from an earlier run, if their rows are still as launched, or as accepted."""
        unknown = {name for name in failed if name not in self._launches}
        if not unknown:
            return
        for item in self._run.session.loaded.stream.named(unknown):
            before = self._lockfile.items[item.user_reference]
            launch = Launch(item.user_reference, item.kind, item.revision, before.attempt, before.digest, item.request)
            if self._redigest(launch, before.attempt) in (before.digest, before.accepted):
                self._launches[item.user_reference] = launch
