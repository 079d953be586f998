"""Whatever people do, in any order: no digest is executed twice unnoticed, and every launch is known.

Two users have a checkout each. The manifest is edited, items are renamed and their changes accepted, analyses fail or
are aborted, runs are killed at a step, keys and clocks go astray, lockfiles are lost. Two limits of the API are
respected: what is not created yet, or not shown by searches yet, cannot be found by somebody else; and what failed to
be created can never be found: a batch that is settled by its stamps forgets it. So a run starts after what others sent
has been created and shows, and cannot be taken for what a killed run of its own sent, but for two that race: what those
launch twice must be reported by whoever runs next.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_lab import KILLED, Checkout, Emulator, ForkServer, Moment, Place, known_digests, stamp_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from manifest_runner.launch.recovery import ALONE_SECONDS
from manifest_runner.planning.identity import DIGEST_STAMP

pytest_plugins = ["lab_plugin"]

NAMES = ("s0", "s1", "s2", "s3", "broken", "failing", "aborting")
USERS = ("one", "two")
CREATION = 5.0
SEARCH_LAG = 3.0
HOUR, DAY = 3600.0, 86400.0
EXPECTED = {0, 1, 7, KILLED}

kills = st.none() | st.fixed_dictionaries(
    {"step": st.integers(0, 32), "when": st.sampled_from(["before", "after", "torn", "interrupt", "full", "power"])}
)
choices = st.fixed_dictionaries(
    {},
    optional={
        "retry_failed": st.just(True),
        "relaunch_changed": st.just(True),
        "limit": st.integers(1, 3),
        "targets": st.sampled_from([("s*",), ("s1", "failing")]),
    },
)


class Study(RuleBasedStateMachine):
    """One study; ``place`` and ``folder`` are set by the test. ``codes`` counts how the runs of all studies ended."""

    place: Place
    folder: Path
    clock: Moment
    codes: Counter[int]
    numbers = iter(range(10**9))

    @initialize(rows=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), min_size=2))
    def begin(self, rows: dict[str, int]) -> None:
        home = self.folder / str(next(self.numbers))
        first = Checkout(self.place, home / "one" / "study", key="user-one")
        second = Checkout(self.place, home / "two" / "study", first.project, "user-two")
        self.checkouts = {"one": first, "two": second}
        self.rows = rows
        self.revision = 1
        self.moves: list[tuple[str, str]] = []
        self.data = {name: name for name in rows}
        self.raced: set[str] = set()
        self.lost: set[str] = set()
        self.sent_by: str | None = None
        self._write()

    # -- people

    @rule(name=st.sampled_from(NAMES), depth=st.integers(1, 3))
    def add_or_change(self, name: str, depth: int) -> None:
        self.rows[name] = depth
        self.data.setdefault(name, name)
        self.moves = [move for move in self.moves if move[0] != name]
        self._write()

    @rule(data=st.data(), is_said=st.booleans())
    def rename(self, data: st.DataObject, is_said: bool) -> None:
        """A new name for a row, as `moved` says or not."""
        old = data.draw(st.sampled_from(sorted(self.rows)))
        new = f"r{next(self.numbers)}"
        self.rows = {new if name == old else name: depth for name, depth in self.rows.items()}
        self.data[new] = self.data[old]
        self.moves += [(old, new)] if is_said else []
        self._write()

    @rule(user=st.sampled_from(USERS), chosen=st.sampled_from([(), ("--target", "s*")]))
    def accept(self, user: str, chosen: tuple[str, ...]) -> None:
        ended = self.checkouts[user].do("accept", *chosen)
        assert ended.code in (0, 2, 6), ended
        assert ended.code != 2 or "no item's userReference matches" in ended.err

    @rule(batch_size=st.integers(1, 4))
    def race(self, batch_size: int) -> None:
        """Both start in the same moment; then each looks again, and what exists twice is reported."""
        self.clock.advance(2 * HOUR)  # what was sent before shows, and doubles of then are forgotten
        before = Counter(map(stamp_of, self.checkouts["one"].executed()))
        for number, user in enumerate(USERS):
            options = {"wait": "none", "batch_size": batch_size + number, "launch_renamed": True, "timeout": 1.0}
            self.checkouts[user].timed(choices={"relaunch_changed": True}, **options)
        executed = Counter(map(stamp_of, self.checkouts["one"].executed()))
        doubled = {stamp for stamp, times in executed.items() if times > max(1, before[stamp])} - self.raced
        self.raced |= doubled
        self.clock.advance(CREATION + SEARCH_LAG + 1.0)
        never_shown = {stamp_of(each) for each in self.checkouts["one"].executed() if each.user_reference == "broken"}
        for user in USERS:
            found = self.checkouts[user].do("doubles", "--json")
            assert found.code == int(json.loads(found.out) != []), found
            shown = {DIGEST_STAMP + double["digest"][:32] for double in json.loads(found.out)}
            assert doubled - never_shown <= shown, "what was launched twice is reported"
        again = self.checkouts["one"].timed(choices={"relaunch_changed": True}, launch_renamed=True)
        assert again.code != 0 or not doubled - never_shown, "a run within the hour says so, too"
        self.sent_by = "somebody"

    @precondition(lambda self: len(self.rows) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        del self.rows[data.draw(st.sampled_from(sorted(self.rows)))]
        self._write()

    @rule(to=st.integers(1, 3))
    def set_revision(self, to: int) -> None:
        self.revision = to
        self._write()

    @rule(seconds=st.sampled_from([1.0, 7.0, HOUR, DAY, 8 * DAY]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(user=st.sampled_from(USERS))
    def lose_lockfile(self, user: str) -> None:
        checkout = self.checkouts[user]
        self.lost |= known_digests(checkout.locked())
        checkout.lockfile.unlink(missing_ok=True)
        self.sent_by = "somebody"

    @rule(
        user=st.sampled_from(USERS),
        at=kills,
        chosen=choices,
        batch_size=st.integers(1, 4),
        wait=st.sampled_from(["none", "created", "finished"]),
        skew=st.sampled_from([0.0, 0.0, -1800.0, -2 * HOUR, -9 * DAY, 2 * HOUR, 2 * DAY]),
        more=st.fixed_dictionaries({}, optional={"launch_renamed": st.just(True), "no_refresh": st.just(True)}),
    )
    def run(
        self, user: str, at: dict | None, chosen: dict, batch_size: int, wait: str, skew: float, more: dict
    ) -> None:
        if self.sent_by != user:
            self.clock.advance(ALONE_SECONDS + 1.0)
        self.sent_by = user
        ended = self.checkouts[user].timed(
            at=at, choices=chosen, batch_size=batch_size, wait=wait, skew=skew, timeout=90.0, **more
        )
        self.codes[ended.code] += 1
        allowed = EXPECTED | {"interrupt": {130}, "full": {6}}.get(at["when"] if at else "", set())
        nobody = ended.code == 2 and "no item's userReference matches" in ended.err
        assert ended.code in allowed or nobody, ended

    # -- what must hold

    @invariant()
    def nothing_is_executed_twice(self) -> None:
        once = [each for each in self.checkouts["one"].executed() if each.user_reference != "broken"]
        twice = {stamp: times for stamp, times in Counter(map(stamp_of, once)).items() if times > 1}
        twice = {stamp: times for stamp, times in twice.items() if stamp not in self.raced}
        assert not twice

    @invariant()
    def everything_executed_is_known(self) -> None:
        known = {digest[:32] for digest in self.lost}
        journals = ""
        for checkout in self.checkouts.values():
            known |= {digest[:32] for digest in known_digests(checkout.locked())}
            journals += checkout.journal.read_text(encoding="utf-8") if checkout.journal.exists() else ""
        findable = [each for each in self.checkouts["one"].executed() if each.user_reference != "broken"]
        executed = {stamp_of(each).removeprefix(DIGEST_STAMP) for each in findable}
        assert not {half for half in executed - known if half not in journals}

    def teardown(self) -> None:
        """In the end everybody gets what the manifest asks for."""
        if not hasattr(self, "checkouts"):
            return
        for user, checkout in self.checkouts.items():
            self.clock.advance(2 * HOUR)
            ended = checkout.timed(choices={"relaunch_changed": True}, launch_renamed=True)
            assert ended.code in (0, 1), (user, ended)
            assert not checkout.journal.exists()
            items = checkout.locked()["items"]
            assert set(self.rows) == {name for name, item in items.items() if not item.get("removed")}
            self.nothing_is_executed_twice()
            self.everything_executed_is_known()
            assert checkout.timed().code in (ended.code, 1), "what has failed since counts"
            assert checkout.locked()["items"].keys() == items.keys()

    def _write(self) -> None:
        rows = "".join(
            f"        - {{sample: {name}, data: {self.data[name]}, depth: {depth}}}\n"
            for name, depth in self.rows.items()
        )
        moved = json.dumps([{"from": old, "to": new} for old, new in self.moves])
        for checkout in self.checkouts.values():
            checkout.manifest.write_text(
                f"manifest: 1\nname: study\nproject: {checkout.project}\nrevision: {self.revision}\nmoved: {moved}\n"
                f"analyses:\n  - kind: nextflow\n    forEach:\n      rows:\n{rows}"
                "    userReference: '{{ row.sample }}'\n"
                "    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8\n    analysisInput:\n"
                "      inputs: {reads: 'fil.{{ row.data }}'}\n      parameters: {depth: '{{ row.depth }}'}\n"
            )


@pytest.fixture(name="study")
def _study(
    timed_emulator: Emulator,
    server: ForkServer,
    clock: Moment,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Iterator[type[Study]]:
    url = timed_emulator.start(
        creation_delay=CREATION,
        analysis_duration=20.0,
        fail_creation="^broken$",
        fail_analysis="^failing$",
        abort_analysis="^aborting$",
        search_lag=SEARCH_LAG,
    )
    place = Place(server, url, timed_emulator.database, clock)
    codes: Counter[int] = Counter()
    yield type("Study", (Study,), {"place": place, "folder": tmp_path, "clock": clock, "codes": codes})
    record_property("kills", codes[KILLED])
    record_property("interrupts", codes[130])
    record_property("faults", codes[6])


def play(study: type[Study], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        study,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_is_launched_twice_and_nothing_is_forgotten_whatever_happens(study):
    play(study, 6, 12)


def test_the_test_fails_for_a_product_that_sees_no_doubles(study):
    story = study()
    story.begin({"s0": 1, "s1": 2})
    for checkout in story.checkouts.values():
        checkout.is_blind = True
    with pytest.raises(AssertionError, match="what was launched twice is reported"):
        story.race(batch_size=1)


@pytest.mark.parametrize("step", [11, 13])
def test_what_was_launched_after_a_run_was_killed_is_not_launched_by_the_next(study, step):
    story = study()
    story.begin({"s0": 1, "s1": 2})
    story.run("two", {"step": step, "when": "before"}, {}, 4, "none", 0.0, {})
    story.teardown()


@pytest.mark.slow
def test_nothing_is_launched_twice_and_nothing_is_forgotten_in_long_stories(study):
    play(study, 300, 40)
