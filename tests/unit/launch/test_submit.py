"""Sending, settling and adopting against a client that does as it is told; the stories do it with a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from manifest_runner.errors import ApprovalNeeded, BadState, KeyReused, Refused, Unreachable
from manifest_runner.ica.backoff import Deadline
from manifest_runner.launch.batches import PreparedBatch
from manifest_runner.launch.journal import Journal, Owner
from manifest_runner.launch.record import timestamp
from manifest_runner.launch.submit import DEFAULT_KEY_WINDOW, HALF_SEEN_SECONDS, Submitter
from manifest_runner.lockfile.model import Lockfile, new_launch
from manifest_runner.model import Analysis, Batch
from manifest_runner.planning.identity import batch_key, digest_stamp, name_stamp
from manifest_runner.planning.plan import Launch

OWNER = Owner("study", "p-1", "s")
NOW = 1_800_000_000.0


@dataclass
class Api:
    """Answers POSTs with what ``answers`` holds, exceptions included, and knows ``analyses``."""

    answers: list[Batch | Exception] = field(default_factory=list)
    analyses: list[Analysis] = field(default_factory=list)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    searches: int = 0
    user: str = "one"
    now: Callable[[], float] = lambda: NOW
    server_now: Callable[[], float | None] = lambda: None
    questions: int = 0
    on_search: Callable[[], None] = lambda: None

    def create_batch(self, key, body):
        self.posts.append((key, body))
        answer = self.answers.pop(0) if self.answers else Batch(f"b-{len(self.posts)}", "INITIALIZED")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask_time(self):
        self.questions += 1

    def search_analyses(self, *, technical_tags=(), statuses=(), user_reference=None):
        self.searches += 1
        self.on_search()
        return iter(list(self.analyses))


class World:
    """A submitter in a folder of its own, with a clock that only sleep moves."""

    def __init__(self, folder: Path, timeout: float = 3600.0) -> None:
        self.now = NOW
        self.api = Api(now=lambda: self.now)
        self.path = folder / "study.journal"
        self.lockfile = Lockfile("study", "p-1", "s")
        self.saves: list[Lockfile] = []
        self.lines: list[str] = []
        self.journal = Journal.read(self.path, OWNER)
        self.submitter = self.anew(timeout)

    def anew(self, timeout: float = 3600.0) -> Submitter:
        """What another process would see: the journal is read again."""
        self.journal.close()
        self.journal = Journal.read(self.path, OWNER)
        self.submitter = Submitter(
            client=self.api,
            journal=self.journal,
            lockfile=self.lockfile,
            save=lambda: self.saves.append(self.lockfile.copy()),
            sleep=self.sleep,
            clock=lambda: self.now,
            notify=self.lines.append,
            deadline=Deadline.after(timeout, lambda: self.now),
        )
        return self.submitter

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def pending(self) -> list[str]:
        return list(Journal.read(self.path, OWNER).pending)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.journal.close()


def launch(name: str, attempt: int = 0) -> Launch:
    return Launch(name, "nextflow", "1.1", attempt, sha256(f"{name} {attempt}".encode()).hexdigest(), None)


def prepared(*launches: Launch) -> PreparedBatch:
    body = orjson.dumps({"nextflowItems": [{"userReference": each.user_reference} for each in launches]})
    return PreparedBatch(batch_key(each.digest for each in launches), body, launches)


A, B, C = map(launch, "abc")
BATCH = prepared(A, B)


def analysis(of: Launch, age: float = 10.0, name: str = "study", **more: object) -> Analysis:
    tags = (digest_stamp(of.digest), name_stamp(name))
    made = {"time_created": timestamp(NOW - age), "technical_tags": tags, **more}
    return Analysis(f"n-{of.user_reference}", None, "REQUESTED", of.user_reference, **made)


def lost(world: World, batch: PreparedBatch = BATCH, *, stamped: bool = True) -> Submitter:
    """A submitter that finds a batch without an answer."""
    world.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        world.submitter.submit(batch, stamped=stamped)
    return world.anew()


# -- sending


def test_a_batch_is_in_the_journal_before_it_is_sent(world):
    seen = []
    world.api.create_batch = lambda key, body: seen.append(world.pending) or Batch("b-1", None)
    world.submitter.submit(BATCH, stamped=True)
    assert seen == [[BATCH.key]]
    assert world.pending == []
    assert {item.batch_id for item in world.lockfile.items.values()} == {"b-1"}


def test_the_bytes_of_a_batch_are_let_go_once_it_is_in_the_lockfile(world):
    world.submitter.submit(BATCH, stamped=True)
    assert [answer.post.body for answer in world.submitter.journal.answers] == [b""]


def test_what_cannot_be_journaled_is_not_sent(world):
    world.path.mkdir()
    with pytest.raises(BadState):
        world.submitter.submit(BATCH, stamped=True)
    assert world.api.posts == []
    world.path.rmdir()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (Unreachable("lost"), True),
        (Refused("no", status=400), False),
        (Refused("no", status=401), False),
        (Refused("no", status=401, maybe_executed=True), True),
        (KeyReused("no", status=422), False),
        (KeyboardInterrupt(), True),
    ],
    ids=repr,
)
def test_a_batch_stays_in_the_journal_while_it_may_exist(world, error, stays):
    world.api.create_batch = lambda key, body: (_ for _ in ()).throw(error)
    with pytest.raises(type(error)):
        world.submitter.submit(BATCH, stamped=True)
    assert world.pending == ([BATCH.key] if stays else [])
    assert world.lockfile.items == {}


# -- settling


def test_a_lost_batch_is_sent_again_byte_for_byte(world):
    lost(world).settle()
    assert world.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert (world.pending, sorted(world.lockfile.items)) == ([], ["a", "b"])
    assert world.lockfile.batches["b-2"].submitted_at == timestamp(NOW)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 415])
def test_a_refusal_that_says_nothing_of_the_first_try_keeps_a_lost_batch(world, status):
    submitter = lost(world)
    world.api.answers = [Refused("no", status=status)]
    with pytest.raises(Refused):
        submitter.settle()
    assert world.pending == [BATCH.key]


def test_a_lost_batch_whose_key_has_another_body_was_never_executed(world):
    submitter = lost(world)
    world.api.answers = [KeyReused("no", status=422)]
    with pytest.raises(KeyReused):
        submitter.settle()
    assert world.pending == []


@pytest.mark.parametrize(("age", "mode"), [(HALF_SEEN_SECONDS, "wait"), (10, "now")])
def test_a_lost_batch_that_is_refused_for_good_is_let_go_where_none_of_it_shows(world, age, mode):
    submitter = lost(world)
    world.now += age
    world.api.answers = [Refused("no", status=400)]
    with pytest.raises(Refused):
        submitter.settle(mode)
    assert (world.pending, world.lockfile.items) == ([], {})


def test_what_a_lost_try_of_a_refused_batch_launched_is_adopted(world):
    submitter = lost(world)
    world.now += HALF_SEEN_SECONDS
    world.api.analyses = [analysis(A)]
    world.api.answers = [Refused("no", status=413)]
    submitter.settle()
    assert (world.pending, list(world.lockfile.items)) == ([], ["a"])


def test_a_lost_batch_without_stamps_that_is_refused_is_kept(world):
    submitter = lost(world, stamped=False)
    world.now += HALF_SEEN_SECONDS
    world.api.answers = [Refused("no", status=413)]
    with pytest.raises(Refused):
        submitter.settle()
    assert world.pending == [BATCH.key]


@pytest.mark.parametrize("age", [0, 60, DEFAULT_KEY_WINDOW - 1, -60, -HALF_SEEN_SECONDS + 1])
def test_a_key_is_trusted_for_its_window_and_a_little_against_clocks_that_go_back(world, age):
    submitter = lost(world)
    world.now += age
    submitter.settle()
    assert (len(world.api.posts), world.api.searches) == (2, 0)


@pytest.mark.parametrize(("age", "questions"), [(0, 0), (HALF_SEEN_SECONDS - 1, 0), (HALF_SEEN_SECONDS, 1), (-1, 1)])
def test_how_old_a_batch_is_the_server_is_asked_unless_it_seems_to_be_of_this_hour(world, age, questions):
    submitter = lost(world)
    world.now += age
    submitter.settle()
    assert (world.api.questions, world.api.searches) == (questions, 0)


@pytest.mark.parametrize(
    ("then", "now"), [(None, DEFAULT_KEY_WINDOW), (-DEFAULT_KEY_WINDOW, 0), (0, DEFAULT_KEY_WINDOW)]
)
def test_a_batch_is_as_old_as_any_clock_makes_it(world, then, now):
    world.api.server_now = lambda: then if then is None else NOW + then
    submitter = lost(world)
    world.api.server_now = lambda: NOW + now
    world.api.analyses = [analysis(A), analysis(B)]
    submitter.settle()
    assert (len(world.api.posts), world.pending) == (1, [])


@pytest.mark.parametrize("seen", [None, "yesterday", "0001-01-01T00:00:00"])
def test_what_does_not_say_when_it_was_created_may_be_of_this_minute(world, seen):
    world.api.analyses = [analysis(A)._replace(time_created=seen)]
    if seen and seen.startswith("0001"):
        assert world.submitter.adopt([A, B], "wait") == [B]
    else:
        with pytest.raises(ApprovalNeeded):
            world.submitter.adopt([A, B], "wait")


def test_where_nothing_is_seen_nothing_is_waited_for_whatever_the_clocks_say(world):
    world.api.now = lambda: 0.0
    assert world.submitter.adopt([A, B], "wait") == [A, B]


@pytest.mark.parametrize("age", [DEFAULT_KEY_WINDOW, 30 * 86400, -HALF_SEEN_SECONDS, -86400])
def test_outside_of_the_window_a_batch_is_looked_up_and_adopted(world, age):
    submitter = lost(world)
    world.api.analyses = [analysis(A), analysis(B)]
    world.now += age
    submitter.settle()
    assert (len(world.api.posts), world.pending) == (1, [])
    assert all(item.adopted and item.batch_id is None for item in world.lockfile.items.values())
    assert world.saves[-1].items.keys() == {"a", "b"}, "they are on disk before the journal lets go"


def test_outside_of_the_window_a_batch_that_is_not_there_is_sent_again(world):
    submitter = lost(world)
    world.now += DEFAULT_KEY_WINDOW
    submitter.settle()
    assert world.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert world.pending == []


def test_outside_of_the_window_what_is_missing_of_an_old_batch_is_left_to_the_plan(world):
    submitter = lost(world)
    world.now += DEFAULT_KEY_WINDOW
    world.api.analyses = [analysis(A)]
    submitter.settle()
    assert (len(world.api.posts), world.pending, sorted(world.lockfile.items)) == (1, [], ["a"])


def test_a_batch_that_was_sent_again_after_its_window_is_waited_for_while_it_is_half_seen(world):
    lost(world)
    world.now += DEFAULT_KEY_WINDOW
    submitter = world.anew()
    world.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    world.api.on_search = lambda: world.api.analyses.append(analysis(B)) if world.api.searches == 3 else None
    submitter.settle()
    assert (len(world.api.posts), world.api.searches, sorted(world.lockfile.items)) == (1, 3, ["a", "b"])


def test_half_seen_to_the_end_of_the_timeout_it_stays_in_the_journal(world):
    lost(world)
    world.now += DEFAULT_KEY_WINDOW
    world.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    submitter = world.anew(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match="half seen: 1 of the 2"):
        submitter.settle()
    assert (world.pending, world.lockfile.items) == ([BATCH.key], {})
    submitter.settle("now")
    assert (world.pending, sorted(world.lockfile.items)) == ([], ["a"])


def test_without_stamps_an_old_batch_needs_a_person(world):
    submitter = lost(world, stamped=False)
    world.now += DEFAULT_KEY_WINDOW
    with pytest.raises(ApprovalNeeded, match="import --batch-id"):
        submitter.settle()
    assert (len(world.api.posts), world.pending) == (1, [BATCH.key])


def test_a_batch_of_another_user_is_looked_up_and_adopted(world):
    submitter = lost(world)
    world.api.user = "two"
    world.api.on_search = lambda: world.api.searches == 3 and world.api.analyses.extend([analysis(A), analysis(B)])
    submitter.settle()
    assert (len(world.api.posts), world.api.searches, sorted(world.lockfile.items)) == (1, 3, ["a", "b"])


def test_a_batch_of_another_user_that_does_not_come_up_needs_a_person_or_an_hour(world):
    lost(world)
    world.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="half seen: 0 of the 2"):
        world.anew(timeout=60.0).settle()
    assert (len(world.api.posts), world.pending) == (1, [BATCH.key])
    world.now = NOW + HALF_SEEN_SECONDS
    world.anew().settle()
    assert (len(world.api.posts), world.pending) == (2, [])


def test_without_stamps_a_batch_of_another_user_needs_a_person(world):
    submitter = lost(world, stamped=False)
    world.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="another user"):
        submitter.settle()
    assert len(world.api.posts) == 1


def test_one_batch_that_cannot_be_settled_leaves_the_others_to_the_next_run(world):
    lost(world)
    submitter = lost(world, prepared(C))
    world.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        submitter.settle()
    assert world.pending == [BATCH.key, prepared(C).key]


# -- adopting


def test_nothing_is_searched_when_nothing_is_due_or_nobody_wants_it(world):
    assert world.submitter.adopt([], "wait") == []
    assert world.submitter.adopt([A], "never") == [A]
    assert world.api.searches == 0


def test_launches_of_others_are_taken_over_and_saved_before_anything_is_sent(world):
    world.api.analyses = [analysis(A, age=7200)]
    assert world.submitter.adopt([A, B], "wait") == [B]
    assert world.saves[-1].items["a"].analysis.id == "n-a"
    assert (world.api.searches, world.lockfile.items["a"].adopted) == (1, True)


@pytest.mark.parametrize(
    "found",
    [
        analysis(A, technical_tags=(digest_stamp(A.digest),)),
        analysis(A, name="Study"),
        analysis(A, technical_tags=(digest_stamp(A.digest).upper(), name_stamp("study"))),
        analysis(A, technical_tags=(digest_stamp(A.digest) + "0", name_stamp("study"))),
        analysis(A, technical_tags=(name_stamp("study"),)),
        analysis(launch("a", 7), technical_tags=(name_stamp("study"), name_stamp("study"))),
    ],
)
def test_what_a_lax_search_finds_besides_is_not_adopted(world, found):
    world.api.analyses = [found]
    assert world.submitter.adopt([A], "wait") == [A]
    assert world.lockfile.items == {}


def test_the_oldest_of_two_is_adopted(world):
    old, new = analysis(A, age=99), analysis(A, age=1)
    world.api.analyses = [
        new,
        Analysis("n-old", None, "SUCCEEDED", "a", technical_tags=old.technical_tags, time_created=old.time_created),
    ]
    world.submitter.adopt([A], "wait")
    assert world.lockfile.items["a"].analysis.id == "n-old"


def test_a_half_seen_launch_is_waited_for(world):
    world.api.analyses = [analysis(A)]
    world.api.on_search = lambda: world.api.analyses.append(analysis(B)) if world.api.searches == 4 else None
    assert world.submitter.adopt([A, B], "wait") == []
    assert (world.api.searches, len(world.lines)) == (4, 2)


def test_a_launch_half_seen_to_the_end_of_the_timeout_needs_a_person_and_nothing_is_adopted(world):
    world.api.analyses = [analysis(A)]
    submitter = world.anew(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match=r"half seen: 1 of the 2 .*--adopt now"):
        submitter.adopt([A, B], "wait")
    assert world.now < NOW + 60, "the last search is within the timeout"
    assert world.lockfile.items == {}


@pytest.mark.parametrize(
    ("age", "mode"), [(HALF_SEEN_SECONDS + 1, "wait"), (1, "now")], ids=["older than an hour", "by a person's word"]
)
def test_the_rest_of_a_half_seen_launch_is_launched_at_once(world, age, mode):
    world.api.analyses = [analysis(A, age=age)]
    assert world.submitter.adopt([A, B], mode) == [B]
    assert world.api.searches == 1


def test_a_later_attempt_of_somebody_else_is_adopted_instead(world):
    world.submitter.redigest = lambda which, attempt: launch(which.user_reference, attempt).digest
    world.api.analyses = [analysis(A), analysis(launch("a", 2))]
    assert world.submitter.adopt([A], "wait") == []
    assert (world.lockfile.items["a"].attempt, world.lockfile.items["a"].digest) == (2, launch("a", 2).digest)


def test_an_adopted_launch_keeps_what_it_replaces(world):
    world.lockfile.items["a"] = new_launch("f" * 64, "nextflow", "1.1", 0, "b-0", status="FAILED")
    world.api.analyses = [analysis(A)]
    world.submitter.adopt([A], "wait")
    assert [each.batch_id for each in world.lockfile.items["a"].previous] == ["b-0"]
