"""Sending, settling and adopting against a client that does as it is told; the stories do it with a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from manifest_runner.errors import ApprovalNeeded, BadState, KeyReused, Refused, Unreachable
from manifest_runner.ica.model import Analysis, Batch
from manifest_runner.ica.retry import Deadline
from manifest_runner.launch.batches import PreparedBatch
from manifest_runner.launch.journal import Journal, Owner
from manifest_runner.launch.record import new_launch
from manifest_runner.launch.submit import DEFAULT_KEY_WINDOW, HALF_SEEN_SECONDS, Submitter
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.identity import batch_key, digest_stamp, name_stamp
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import timestamp

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


class Context:
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
def context(tmp_path):
    made = Context(tmp_path)
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


def lost(context: Context, batch: PreparedBatch = BATCH, *, stamped: bool = True) -> Submitter:
    """A submitter that finds a batch without an answer."""
    context.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        context.submitter.submit(batch, stamped=stamped)
    return context.anew()


# -- sending


def test_a_batch_is_in_the_journal_before_it_is_sent(context):
    seen = []
    context.api.create_batch = lambda key, body: seen.append(context.pending) or Batch("b-1", None)
    context.submitter.submit(BATCH, stamped=True)
    assert seen == [[BATCH.key]]
    assert context.pending == []
    assert {item.batch_id for item in context.lockfile.items.values()} == {"b-1"}


def test_the_bytes_of_a_batch_are_let_go_once_it_is_in_the_lockfile(context):
    context.submitter.submit(BATCH, stamped=True)
    assert [answer.post.body for answer in context.submitter.journal.answers] == [b""]


def test_what_cannot_be_journaled_is_not_sent(context):
    context.path.mkdir()
    with pytest.raises(BadState):
        context.submitter.submit(BATCH, stamped=True)
    assert context.api.posts == []
    context.path.rmdir()


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
def test_a_batch_stays_in_the_journal_while_it_may_exist(context, error, stays):
    context.api.create_batch = lambda key, body: (_ for _ in ()).throw(error)
    with pytest.raises(type(error)):
        context.submitter.submit(BATCH, stamped=True)
    assert context.pending == ([BATCH.key] if stays else [])
    assert context.lockfile.items == {}


# -- settling


def test_a_lost_batch_is_sent_again_byte_for_byte(context):
    lost(context).settle()
    assert context.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert (context.pending, sorted(context.lockfile.items)) == ([], ["a", "b"])
    assert context.lockfile.batches["b-2"].submitted_at == timestamp(NOW)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 415])
def test_a_refusal_that_says_nothing_of_the_first_try_keeps_a_lost_batch(context, status):
    submitter = lost(context)
    context.api.answers = [Refused("no", status=status)]
    with pytest.raises(Refused):
        submitter.settle()
    assert context.pending == [BATCH.key]


def test_a_lost_batch_whose_key_has_another_body_was_never_executed(context):
    submitter = lost(context)
    context.api.answers = [KeyReused("no", status=422)]
    with pytest.raises(KeyReused):
        submitter.settle()
    assert context.pending == []


@pytest.mark.parametrize(("age", "mode"), [(HALF_SEEN_SECONDS, "wait"), (10, "now")])
def test_a_lost_batch_that_is_refused_for_good_is_let_go_where_none_of_it_shows(context, age, mode):
    submitter = lost(context)
    context.now += age
    context.api.answers = [Refused("no", status=400)]
    with pytest.raises(Refused):
        submitter.settle(mode)
    assert (context.pending, context.lockfile.items) == ([], {})


def test_what_a_lost_try_of_a_refused_batch_launched_is_adopted(context):
    submitter = lost(context)
    context.now += HALF_SEEN_SECONDS
    context.api.analyses = [analysis(A)]
    context.api.answers = [Refused("no", status=413)]
    submitter.settle()
    assert (context.pending, list(context.lockfile.items)) == ([], ["a"])


def test_a_lost_batch_without_stamps_that_is_refused_is_kept(context):
    submitter = lost(context, stamped=False)
    context.now += HALF_SEEN_SECONDS
    context.api.answers = [Refused("no", status=413)]
    with pytest.raises(Refused):
        submitter.settle()
    assert context.pending == [BATCH.key]


@pytest.mark.parametrize("age", [0, 60, DEFAULT_KEY_WINDOW - 1, -60, -HALF_SEEN_SECONDS + 1])
def test_a_key_is_trusted_for_its_window_and_a_little_against_clocks_that_go_back(context, age):
    submitter = lost(context)
    context.now += age
    submitter.settle()
    assert (len(context.api.posts), context.api.searches) == (2, 0)


@pytest.mark.parametrize(("age", "questions"), [(0, 0), (HALF_SEEN_SECONDS - 1, 0), (HALF_SEEN_SECONDS, 1), (-1, 1)])
def test_how_old_a_batch_is_the_server_is_asked_unless_it_seems_to_be_of_this_hour(context, age, questions):
    submitter = lost(context)
    context.now += age
    submitter.settle()
    assert (context.api.questions, context.api.searches) == (questions, 0)


@pytest.mark.parametrize(
    ("then", "now"), [(None, DEFAULT_KEY_WINDOW), (-DEFAULT_KEY_WINDOW, 0), (0, DEFAULT_KEY_WINDOW)]
)
def test_a_batch_is_as_old_as_any_clock_makes_it(context, then, now):
    context.api.server_now = lambda: then if then is None else NOW + then
    submitter = lost(context)
    context.api.server_now = lambda: NOW + now
    context.api.analyses = [analysis(A), analysis(B)]
    submitter.settle()
    assert (len(context.api.posts), context.pending) == (1, [])


@pytest.mark.parametrize("seen", [None, "yesterday", "0001-01-01T00:00:00"])
def test_what_does_not_say_when_it_was_created_may_be_of_this_minute(context, seen):
    context.api.analyses = [analysis(A)._replace(time_created=seen)]
    if seen and seen.startswith("0001"):
        assert context.submitter.adopt([A, B], "wait") == [B]
    else:
        with pytest.raises(ApprovalNeeded):
            context.submitter.adopt([A, B], "wait")


def test_where_nothing_is_seen_nothing_is_waited_for_whatever_the_clocks_say(context):
    context.api.now = lambda: 0.0
    assert context.submitter.adopt([A, B], "wait") == [A, B]


@pytest.mark.parametrize("age", [DEFAULT_KEY_WINDOW, 30 * 86400, -HALF_SEEN_SECONDS, -86400])
def test_outside_of_the_window_a_batch_is_looked_up_and_adopted(context, age):
    submitter = lost(context)
    context.api.analyses = [analysis(A), analysis(B)]
    context.now += age
    submitter.settle()
    assert (len(context.api.posts), context.pending) == (1, [])
    assert all(item.adopted and item.batch_id is None for item in context.lockfile.items.values())
    assert context.saves[-1].items.keys() == {"a", "b"}, "they are on disk before the journal lets go"


def test_outside_of_the_window_a_batch_that_is_not_there_is_sent_again(context):
    submitter = lost(context)
    context.now += DEFAULT_KEY_WINDOW
    submitter.settle()
    assert context.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert context.pending == []


def test_outside_of_the_window_what_is_missing_of_an_old_batch_is_left_to_the_plan(context):
    submitter = lost(context)
    context.now += DEFAULT_KEY_WINDOW
    context.api.analyses = [analysis(A)]
    submitter.settle()
    assert (len(context.api.posts), context.pending, sorted(context.lockfile.items)) == (1, [], ["a"])


def test_a_batch_that_was_sent_again_after_its_window_is_waited_for_while_it_is_half_seen(context):
    lost(context)
    context.now += DEFAULT_KEY_WINDOW
    submitter = context.anew()
    context.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    context.api.on_search = lambda: context.api.analyses.append(analysis(B)) if context.api.searches == 3 else None
    submitter.settle()
    assert (len(context.api.posts), context.api.searches, sorted(context.lockfile.items)) == (1, 3, ["a", "b"])


def test_half_seen_to_the_end_of_the_timeout_it_stays_in_the_journal(context):
    lost(context)
    context.now += DEFAULT_KEY_WINDOW
    context.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    submitter = context.anew(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match="half seen: 1 of the 2"):
        submitter.settle()
    assert (context.pending, context.lockfile.items) == ([BATCH.key], {})
    submitter.settle("now")
    assert (context.pending, sorted(context.lockfile.items)) == ([], ["a"])


def test_without_stamps_an_old_batch_needs_a_person(context):
    submitter = lost(context, stamped=False)
    context.now += DEFAULT_KEY_WINDOW
    with pytest.raises(ApprovalNeeded, match="import --batch-id"):
        submitter.settle()
    assert (len(context.api.posts), context.pending) == (1, [BATCH.key])


def test_a_batch_of_another_user_is_looked_up_and_adopted(context):
    submitter = lost(context)
    context.api.user = "two"
    context.api.on_search = lambda: (
        context.api.searches == 3 and context.api.analyses.extend([analysis(A), analysis(B)])
    )
    submitter.settle()
    assert (len(context.api.posts), context.api.searches, sorted(context.lockfile.items)) == (1, 3, ["a", "b"])


def test_a_batch_of_another_user_that_does_not_come_up_needs_a_person_or_an_hour(context):
    lost(context)
    context.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="half seen: 0 of the 2"):
        context.anew(timeout=60.0).settle()
    assert (len(context.api.posts), context.pending) == (1, [BATCH.key])
    context.now = NOW + HALF_SEEN_SECONDS
    context.anew().settle()
    assert (len(context.api.posts), context.pending) == (2, [])


def test_without_stamps_a_batch_of_another_user_needs_a_person(context):
    submitter = lost(context, stamped=False)
    context.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="another user"):
        submitter.settle()
    assert len(context.api.posts) == 1


def test_one_batch_that_cannot_be_settled_leaves_the_others_to_the_next_run(context):
    lost(context)
    submitter = lost(context, prepared(C))
    context.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        submitter.settle()
    assert context.pending == [BATCH.key, prepared(C).key]


# -- adopting


def test_nothing_is_searched_when_nothing_is_due_or_nobody_wants_it(context):
    assert context.submitter.adopt([], "wait") == []
    assert context.submitter.adopt([A], "never") == [A]
    assert context.api.searches == 0


def test_launches_of_others_are_taken_over_and_saved_before_anything_is_sent(context):
    context.api.analyses = [analysis(A, age=7200)]
    assert context.submitter.adopt([A, B], "wait") == [B]
    assert context.saves[-1].items["a"].analysis.id == "n-a"
    assert (context.api.searches, context.lockfile.items["a"].adopted) == (1, True)


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
def test_what_a_lax_search_finds_besides_is_not_adopted(context, found):
    context.api.analyses = [found]
    assert context.submitter.adopt([A], "wait") == [A]
    assert context.lockfile.items == {}


def test_the_oldest_of_two_is_adopted(context):
    old, new = analysis(A, age=99), analysis(A, age=1)
    context.api.analyses = [
        new,
        Analysis("n-old", None, "SUCCEEDED", "a", technical_tags=old.technical_tags, time_created=old.time_created),
    ]
    context.submitter.adopt([A], "wait")
    assert context.lockfile.items["a"].analysis.id == "n-old"


def test_a_half_seen_launch_is_waited_for(context):
    context.api.analyses = [analysis(A)]
    context.api.on_search = lambda: context.api.analyses.append(analysis(B)) if context.api.searches == 4 else None
    assert context.submitter.adopt([A, B], "wait") == []
    assert (context.api.searches, len(context.lines)) == (4, 2)


def test_a_launch_half_seen_to_the_end_of_the_timeout_needs_a_person_and_nothing_is_adopted(context):
    context.api.analyses = [analysis(A)]
    submitter = context.anew(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match=r"half seen: 1 of the 2 .*--adopt now"):
        submitter.adopt([A, B], "wait")
    assert context.now < NOW + 60, "the last search is within the timeout"
    assert context.lockfile.items == {}


@pytest.mark.parametrize(
    ("age", "mode"), [(HALF_SEEN_SECONDS + 1, "wait"), (1, "now")], ids=["older than an hour", "by a person's word"]
)
def test_the_rest_of_a_half_seen_launch_is_launched_at_once(context, age, mode):
    context.api.analyses = [analysis(A, age=age)]
    assert context.submitter.adopt([A, B], mode) == [B]
    assert context.api.searches == 1


def test_a_later_attempt_of_somebody_else_is_adopted_instead(context):
    context.submitter.redigest = lambda which, attempt: launch(which.user_reference, attempt).digest
    context.api.analyses = [analysis(A), analysis(launch("a", 2))]
    assert context.submitter.adopt([A], "wait") == []
    assert (context.lockfile.items["a"].attempt, context.lockfile.items["a"].digest) == (2, launch("a", 2).digest)


def test_an_adopted_launch_keeps_what_it_replaces(context):
    context.lockfile.items["a"] = new_launch("f" * 64, "nextflow", "1.1", 0, "b-0", status="FAILED")
    context.api.analyses = [analysis(A)]
    context.submitter.adopt([A], "wait")
    assert [each.batch_id for each in context.lockfile.items["a"].previous] == ["b-0"]
