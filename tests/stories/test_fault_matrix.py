"""Everything that can go wrong with a POST, at every POST: the state is right after it, and the next run settles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_lab import KILLED, SAMPLES, Checkout, Emulator, ForkServer, Moment, Place
from odd_proxy import EMPTY, HTML, LOST, PORTAL, TRUNCATED, OddProxy, first_item_only, odd_proxy, refused, script_name

from manifest_runner.emulator import parse_fault

pytest_plugins = ["lab_plugin"]

KINDS = ("409", "429", "500", "503", "drop-before", "drop-after")
BATCHES = 4
OPTIONS = ({}, {"wait": "none"}, {"adopt": "never"}, {"wait": "finished"})
MANY = 9  # more than all tries of one POST


@pytest.fixture(name="faulty")
def _faulty(
    timed_emulator: Emulator, server: ForkServer, clock: Moment, tmp_path: Path
) -> Callable[[str, bool], Checkout]:
    """A maker of checkouts at an emulator with a fault, which counts its requests from one."""
    numbers = iter(range(10_000))

    def make(fault: str, stamp: bool) -> Checkout:
        url = timed_emulator.start(faults=(parse_fault(fault),))
        place = Place(server, url, timed_emulator.database, clock)
        checkout = Checkout(place, tmp_path / f"{next(numbers)}" / "study")
        checkout.write(stamp=stamp)
        return checkout

    return make


def assert_settled(checkout: Checkout) -> None:
    checkout.assert_executed_once_each()
    checkout.assert_settled()


@pytest.mark.parametrize("stamp", [True, False], ids=["stamped", "unstamped"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_one_post_is_overcome_in_the_same_run(faulty, kind, stamp, record_property):
    for nth, options in zip(range(1, BATCHES + 1), OPTIONS, strict=True):
        checkout = faulty(f"{kind}:{nth}", stamp)
        ended = checkout.timed(**options)
        assert ended.code == 0, ended
        assert_settled(checkout)
    record_property("faults", BATCHES)


@pytest.mark.parametrize("stamp", [True, False], ids=["stamped", "unstamped"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "409"])
def test_a_fault_that_stays_ends_with_5_and_the_next_run_settles(faulty, timed_emulator, kind, stamp, record_property):
    for nth in (1, BATCHES):
        checkout = faulty(f"{kind}:{nth}-{nth + MANY}", stamp)
        ended = checkout.timed()
        assert ended.code == 5, ended
        assert checkout.journal.exists() == (kind != "429"), "what no server has worked on needs no settling"
        assert len(checkout.locked()["items"]) == 2 * (nth - 1)
        assert len(checkout.executed()) == min(7, 2 * (nth - (kind != "drop-after")))
        timed_emulator.start()
        assert checkout.timed().code == 0
        assert_settled(checkout)
    record_property("faults", 2)


def test_a_conflict_is_waited_for_as_long_as_the_timeout_lets(faulty, timed_emulator, clock):
    checkout = faulty("409:2-30", True)
    before = clock()
    assert checkout.timed(timeout=60.0).code == 5
    assert 50 < clock() - before <= 60
    checkout = faulty("409:2-30", True)
    assert checkout.timed().code == 0
    assert_settled(checkout)


@pytest.fixture(name="proxy")
def _proxy(timed_emulator: Emulator, clock: Moment) -> Iterator[OddProxy]:
    with odd_proxy(timed_emulator.start(), clock) as proxy:
        yield proxy


@pytest.fixture(name="odd")
def _odd(proxy: OddProxy, timed_emulator: Emulator, server: ForkServer, clock: Moment, tmp_path: Path) -> Checkout:
    """A checkout behind the proxy."""
    checkout = Checkout(Place(server, proxy.url, timed_emulator.database, clock), tmp_path / "study")
    checkout.write()
    return checkout


@pytest.mark.parametrize("reply", [LOST, HTML, TRUNCATED, EMPTY], ids=lambda reply: script_name([reply]))
def test_an_answer_that_is_lost_or_cannot_be_read_is_asked_for_again(odd, proxy, reply):
    proxy.expect(reply)
    assert odd.timed().code == 0
    assert proxy.posts == BATCHES + 1
    assert_settled(odd)


def test_a_portal_that_answers_200_to_everything_launches_nothing_and_ends_with_5(odd, proxy):
    proxy.expect(*[PORTAL] * MANY)
    assert odd.timed().code == 5
    assert (odd.executed(), odd.locked()["items"]) == ([], {})
    proxy.expect()
    assert odd.timed().code == 0
    assert_settled(odd)


@pytest.mark.parametrize("status", [400, 403, 404, 406, 413, 415, 422])
def test_a_refusal_ends_with_4_and_lets_the_batch_go(odd, proxy, status):
    proxy.expect(refused(status))
    ended = odd.timed()
    assert (ended.code, proxy.posts, odd.executed()) == (4, 1, [])
    assert f"No ({status})" in ended.err
    assert odd.files() == ["study.yaml"]
    odd.write(SAMPLES[1:])  # nothing of the old batch is left to be settled
    assert odd.timed().code == 0
    odd.assert_settled(SAMPLES[1:])


def test_a_token_that_is_refused_is_replaced_once_and_the_batch_is_sent_again(odd, proxy):
    proxy.expect(refused(401))
    assert (odd.timed().code, proxy.posts) == (0, BATCHES + 1)
    odd.assert_settled()


def test_a_batch_that_was_refused_is_not_sent_again_by_who_finds_the_journal(odd, proxy):
    proxy.expect(refused(400))
    steps = odd.timed().steps
    proxy.expect(refused(400))
    assert odd.timed(at={"step": steps.index("unlink study.journal")}).code == KILLED
    odd.write(SAMPLES[1:])
    assert odd.timed().code == 0
    odd.assert_settled(SAMPLES[1:])


@pytest.mark.parametrize("status", [403, 404, 407])
def test_a_refusal_that_says_nothing_of_a_lost_try_keeps_the_batch(odd, proxy, status):
    proxy.expect(LOST, refused(status))
    assert odd.timed().code == 4
    assert (odd.journal.exists(), len(odd.executed()), odd.locked()["items"]) == (True, 2, {})
    proxy.expect(refused(status))
    assert odd.timed().code == 4, "the cause is not fixed yet"
    assert odd.journal.exists()
    odd.write(SAMPLES[1:])
    assert odd.timed().code == 0
    odd.assert_executed_once_each()
    assert odd.locked()["items"]["s0"]["removed"] is True


def test_a_batch_that_exists_although_it_was_refused_is_found_again(odd, proxy):
    proxy.expect(LOST, refused(413))
    assert odd.timed().code == 4
    assert len(odd.executed()) == 2
    assert odd.timed(batch_size=3, adopt="now").code == 0
    odd.assert_executed_once_each()
    odd.assert_settled()


def test_an_answer_with_the_id_of_another_batch_launches_nothing_again(odd, proxy):
    ids: list[str] = []

    def same_id(path: str, body: bytes) -> bytes:
        if not path.endswith("/analysisCreationBatch"):
            return body
        document = json.loads(body)
        ids.append(document["id"])
        return json.dumps({**document, "id": ids[0]}).encode()

    proxy.change = same_id
    for _ in range(2):
        assert odd.timed(timeout=60.0).code == 5
        odd.assert_executed_once_each()
        assert sorted(odd.locked()["items"]) == sorted(SAMPLES)


def test_a_list_that_does_not_hold_all_items_yet_is_asked_for_again(odd, proxy):
    proxy.change = first_item_only(6)
    assert odd.timed().code == 0
    assert_settled(odd)


def test_a_flipped_stamp_is_stopped_by_the_key_and_touches_nothing_else(odd, proxy):
    assert odd.timed().code == 0
    odd.lockfile.unlink()
    odd.write(stamp=False)
    proxy.expect()
    ended = odd.timed()
    assert (ended.code, proxy.posts, odd.files()) == (4, 1, ["study.yaml"])
    assert "422" in ended.err
    odd.assert_executed_once_each()
