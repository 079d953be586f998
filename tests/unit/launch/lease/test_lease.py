"""The lease: one holder at a time, whatever the clocks show and whichever answers are lost."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from launch.memory_store import MemoryStore

from manifest_runner.errors import BadState, Unreachable
from manifest_runner.launch.lease import lease as leases
from manifest_runner.launch.lease.claiming import Claimant, Claimed, claim_lease
from manifest_runner.launch.lease.in_flight import (
    SHOWN_WITHIN,
    InFlight,
    batch_entry,
    batches_in,
    entry_of,
    size_of,
)
from manifest_runner.launch.lease.keeper import LeaseKeeper
from manifest_runner.launch.lease.lease import (
    LASTS,
    MARGIN,
    SHOWN_SOON,
    UNKNOWN,
    Claim,
    Holder,
    LeaseHeld,
    LeaseLost,
)
from manifest_runner.launch.lease.renewal import renewing
from manifest_runner.launch.lease.stored_lease import free_lease, read_lease

NAME = "p/study.lease.json"
START = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def claim(store: MemoryStore, clock: Clock, name: str, skew: float = 0.0, timeout: float = 0.0) -> Claimed:
    holder = Holder(name, f"host-of-{name}", 7, "run study.yaml", f"token-of-{name}")
    return claim_lease(Claimant(store, NAME, holder, lambda: clock() + skew, clock.sleep), timeout)


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def test_the_first_creates_it_and_the_second_is_shown_who_has_it(store, clock):
    assert claim(store, clock, "ann").claim.standing == "absent"
    assert store.probed == 1
    with pytest.raises(LeaseHeld, match=r"in use by ann on host-of-ann \(process 7, `run study.yaml`\) since 2027-"):
        claim(store, clock, "bob")
    assert LeaseHeld.exit_code == LeaseLost.exit_code == 6


def test_a_released_lease_is_taken_at_once_with_what_was_not_seen(store, clock):
    ann, _ = claim(store, clock, "ann")
    ann.release(("batch-1",))
    _, found = claim(store, clock, "bob")
    assert (found.standing, found.unseen_batches, found.is_clean) == ("free", ["batch-1"], True)
    assert found.was_anothers("token-of-bob")
    assert not found.was_anothers("token-of-ann")


def test_the_sizes_of_batches_are_stored_beside_their_ids(store, clock):
    ann, _ = claim(store, clock, "ann")
    ann.release((batch_entry("batch-1", 3), "batch-2"))
    stored = json.loads(store.get(NAME).content)
    assert (stored["unseen"], stored["sizes"]) == (["batch-1", "batch-2"], {"batch-1": 3})
    _, found = claim(store, clock, "bob")
    assert [size_of(each) for each in found.unseen_batches] == [3, None]


DIGESTS = ("a" * 64, "b" * 64)


@pytest.mark.parametrize(
    ("unseen", "seconds"),
    [(("batch-1", entry_of("mr1-abc", "ann", START, DIGESTS)), SHOWN_WITHIN), ((UNKNOWN,), SHOWN_SOON)],
)
def test_what_was_never_answered_makes_it_unclean_and_may_show_for_a_while(store, clock, unseen, seconds):
    ann, _ = claim(store, clock, "ann")
    ann.release(unseen)
    clock.sleep(4)
    _, found = claim(store, clock, "bob")
    (coming,) = found.coming(clock(), unseen)
    assert (found.is_clean, coming.until) == (False, START + seconds)
    assert [coming.has(digest) for digest in (*DIGESTS, "c" * 64)] == [True, True, unseen == (UNKNOWN,)]
    assert list(found.coming(clock(), ())) == []


def test_what_is_about_to_be_sent_is_in_the_lease_before_it_is_sent(store, clock):
    ann, _ = claim(store, clock, "ann")
    ann.announce((entry_of("mr1-abc", "1a2b", clock(), DIGESTS),))
    (batch,) = batches_in(read_lease(store, NAME).lease.unseen)
    assert batch == InFlight("mr1-abc", "1a2b", START, tuple(digest[:12] for digest in DIGESTS))
    ann.note(("batch-1",))
    assert list(batches_in(read_lease(store, NAME).lease.unseen)) == [batch]
    ann.renew()
    assert read_lease(store, NAME).lease.unseen == ("batch-1",)


def test_an_entry_that_another_version_wrote_says_as_much_as_it_can():
    assert list(batches_in(["batch-1", "mr1-abc", "mr1-d who now x y"])) == [
        InFlight("mr1-abc"),
        InFlight("mr1-d", "who", None, ("x", "y")),
    ]


def test_the_folder_of_a_killed_run_takes_its_lease_back_at_once(store, clock):
    claim(store, clock, "ann")
    _, found = claim(store, clock, "ann")
    assert (found.standing, found.is_clean) == ("ours", False)


@pytest.mark.parametrize(("after", "taken"), [(LASTS, False), (LASTS + MARGIN, False), (LASTS + MARGIN + 2, True)])
def test_it_is_taken_over_when_it_has_expired_by_a_minute(store, clock, after, taken):
    claim(store, clock, "ann")
    clock.sleep(after)
    if not taken:
        with pytest.raises(LeaseHeld):
            claim(store, clock, "bob")
    else:
        _, found = claim(store, clock, "bob")
        assert (found.standing, found.is_clean) == ("expired", False)


def test_who_waits_gets_it_when_it_has_expired(store, clock):
    claim(store, clock, "ann")
    assert claim(store, clock, "bob", timeout=700).claim.standing == "expired"
    with pytest.raises(LeaseHeld):
        claim(store, clock, "cay", timeout=30)


def test_a_stopped_run_finds_out_before_it_sends_anything(store, clock):
    ann, _ = claim(store, clock, "ann")
    clock.sleep(700)
    claim(store, clock, "bob")
    for attempt in (ann.assure, ann.check, ann.renew, lambda: ann.announce(("b1",))):
        with pytest.raises(LeaseLost, match="now held by bob"):
            attempt()
    ann.release(())
    assert read_lease(store, NAME).lease.owner == "bob"


def test_a_lease_that_expired_while_nobody_came_is_still_ours(store, clock):
    ann, _ = claim(store, clock, "ann")
    clock.sleep(10 * LASTS)
    ann.assure()
    with pytest.raises(LeaseHeld):
        claim(store, clock, "bob")


def test_one_that_was_freed_by_hand_is_lost(store, clock):
    ann, _ = claim(store, clock, "ann")
    free_lease(store, NAME, read_lease(store, NAME), clock())
    with pytest.raises(LeaseLost, match="it was freed"):
        ann.assure()
    _, found = claim(store, clock, "bob")
    assert (found.standing, found.unseen_batches, found.is_clean) == ("free", [], False)


def test_a_renewal_whose_answer_was_lost_does_not_lose_the_lease(store, clock):
    ann, _ = claim(store, clock, "ann")
    clock.sleep(LASTS / 2)
    store.failing = "lost"
    with pytest.raises(Unreachable):
        ann.assure()
    ann.release(("b1",))
    assert read_lease(store, NAME).lease.is_free
    assert read_lease(store, NAME).lease.unseen == ("b1",)


def test_clocks_that_are_apart_are_reported(store, clock):
    claim(store, clock, "ann", skew=300)
    with pytest.raises(BadState, match="begins 300 s from now by this machine's clock"):
        claim(store, clock, "bob", timeout=1000)


def test_what_is_not_a_lease_is_not_overwritten(store, clock):
    store.create(NAME, b"hello")
    with pytest.raises(BadState, match="not a lease"):
        claim(store, clock, "ann")
    assert store.get(NAME).content == b"hello"


def test_it_is_renewed_in_the_background(store, clock, monkeypatch):
    monkeypatch.setattr("manifest_runner.launch.lease.renewal.SHORTEST_PAUSE", 0.01)
    ann, _ = claim(store, clock, "ann")
    before = read_lease(store, NAME)
    with renewing(ann):
        clock.sleep(LASTS / 2 + 1)
        while read_lease(store, NAME).version == before.version:
            time.sleep(0.01)
    assert read_lease(store, NAME).lease.until > before.lease.until
    assert "lease" not in [each.name for each in threading.enumerate()]


# -- several contenders, clocks apart, answers lost

NAMES = ("ann", "bob", "cay")


class Contest(RuleBasedStateMachine):
    """Whoever sends has the last claim; a run that renews in time keeps its lease while clocks are within a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = MemoryStore(), Clock()
        self.running: dict[str, LeaseKeeper] = {}
        self.stopped: set[str] = set()
        self.last: str | None = None
        self.unseen: set[str] = set()

    @initialize(skews=st.lists(st.floats(-30, 29), min_size=3, max_size=3))
    def begin(self, skews: list[float]) -> None:
        self.skews = dict(zip(NAMES, skews, strict=True))

    @rule(name=st.sampled_from(NAMES), fault=st.sampled_from([None, None, "lost", "refused"]))
    def start(self, name: str, fault: str | None) -> None:
        """A run in a folder; while an earlier one is alive there, the file lock keeps it from starting."""
        if name in self.running:
            return
        before = read_lease(self.store, NAME).lease
        self.store.failing = fault
        try:
            one, found = claim(self.store, self.clock, name, self.skews[name])
        except (LeaseHeld, Unreachable):
            now = read_lease(self.store, NAME).lease
            if now != before:  # taken, though nobody was there to hear it
                self.last = name
            return
        finally:
            self.store.failing = None
        self._check_claim(name, found, before)
        self.running[name], self.last = one, name

    def _check_claim(self, name: str, found: Claim, before: leases.Lease | None) -> None:
        alive = self.last in self.running and self.last not in self.stopped
        assert not (alive and self.last != name), "taken from a run that is alive"
        assert found.before == before
        assert self.unseen <= set(read_lease(self.store, NAME).lease.unseen)

    @rule(seconds=st.floats(0, 900))
    def wait(self, seconds: float) -> None:
        """Time goes by; who is alive renews at half time."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now = min(end, self.clock.now + LASTS / 4)
            for name in [each for each in self.running if each not in self.stopped]:
                self._renew_if_due(name)

    def _renew_if_due(self, name: str) -> None:
        try:
            if self.running[name].renews_in <= 0:
                self.running[name].renew()
        except LeaseLost:
            assert self.last != name
            del self.running[name]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), fault=st.sampled_from([None, None, "lost", "refused"]))
    def send(self, data: st.DataObject, fault: str | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.running)))
        self.store.failing = fault
        try:
            self.running[name].assure()
        except Unreachable:  # it cannot renew, just like a stopped one
            self.stopped.add(name)
            return
        except LeaseLost:
            assert self.last != name
            del self.running[name]
            return
        finally:
            self.store.failing = None
        self.stopped.discard(name)
        assert self.last == name, "sent under a lease that another has"

    @precondition(lambda self: self.running)
    @rule(data=st.data(), how=st.sampled_from(["stop", "kill", "end"]), batch=st.sampled_from(["b1", "b2", "mr1-k"]))
    def happen(self, data: st.DataObject, how: str, batch: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.running)))
        if how == "stop":
            self.stopped.add(name)
            return
        one = self.running.pop(name)
        self.stopped.discard(name)
        if how == "end":
            one.release((batch,))
            if self.last == name:
                self.unseen = {batch}
                self.last = None

    @invariant()
    def is_one_value(self) -> None:
        assert set(self.store.values) <= {NAME}


TestContest = Contest.TestCase
TestContest.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
