"""Shared state: what people see of it, move into it, and wait for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from crash_lab import KILLED, POST, Checkout, Emulator, ForkServer, Moment, Place
from machines import SOME, Shared
from odd_proxy import first_item_only, odd_proxy

from manifest_runner.emulator import parse_fault

pytest_plugins = ["lab_plugin"]

ME, YOU = "a-users-key", "another-users-key"

FUTURE = "2999-01-01T00:00:00Z"


def of(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("shared", kinds, indirect=True)


def held_by_another(shared: Shared, checkout: Checkout) -> Path:
    """The lease of somebody who cannot release it."""
    path = shared.folder / "state" / checkout.project / "study.lease.json"
    lease = {**json.loads(path.read_text()), "owner": "bob", "host": "ci-7", "until": FUTURE, "token": "theirs"}
    path.write_text(json.dumps(lease))
    return path


def rename(checkout: Checkout) -> None:
    """Give the manifest another name, and say which it had."""
    text = checkout.manifest.read_text()
    checkout.manifest.write_text(text.replace("name: study\n", "name: renamed\nmoved: [{name: study}]\n"))


@of("file", "s3")
def test_any_machine_knows_what_another_launched(shared, place):
    mine, theirs = shared.machines(place, ME, YOU)
    assert mine.run("--limit", "2").code == 0
    plan = json.loads(theirs.do("plan", "--json").out)
    assert (plan["new"], plan["unchanged"]) == (["s2"], ["s0", "s1"])
    assert theirs.run().code == 0
    shared.check(mine)
    seen = json.loads(mine.do("status", "--json").out)["items"]
    assert sorted(item["userReference"] for item in seen) == sorted(SOME)
    assert mine.do("report", "--format", "csv").out.count("succeeded") == len(SOME)
    assert mine.files() == [mine.manifest.name]


def test_a_run_that_launches_nothing_leaves_the_state_as_it_was(shared, place):
    (mine,) = shared.machines(place, ME)
    assert mine.run().code == 0
    before = shared.locked(mine)
    ended = mine.run()
    assert (ended.code, shared.locked(mine)) == (0, before)
    shared.check(mine)


@of("s3")
def test_a_batch_is_two_writes_and_a_removal(shared, place):
    """There are no more, but for the lease and the lockfile."""
    (mine,) = shared.machines(place, ME)
    mine.write([f"s{number}" for number in range(10)], head=shared.head())
    assert mine.run().code == 0  # which creates the lease
    mine.write([f"t{number}" for number in range(10)], head=shared.head())
    ended = mine.run("--batch-size", "2")
    wrote = [step.removeprefix("store put ") for step in ended.steps if step.startswith("store put")]
    batches = [f"00000{number}.json" for number in range(1, 6) for _ in range(2)]
    assert wrote == ["study.lease.json", *batches, "study.lock.json", "study.lease.json"]
    assert len([step for step in ended.steps if step.startswith("store delete")]) == 1


@of("file")
def test_an_empty_store_beside_a_lockfile_launches_nothing_again(shared, place):
    mine, theirs = shared.machines(place, ME, YOU)
    mine.write(SOME[:2])
    assert mine.run().code == 0
    mine.write(SOME, head=shared.head())
    ended = mine.run()
    assert ended.code == 6
    assert "`manifest-runner lock push study.yaml` copies it there" in ended.err
    assert (mine.do("plan").code, mine.do("report").code) == (6, 6)
    assert mine.do("lock push").code == 0
    assert "the store already has a lockfile" in (again := mine.do("lock push")).err
    assert (again.code, mine.do("lock push", "--force").code) == (6, 0)
    assert theirs.run().code == 0
    theirs.assert_executed_once(len(SOME))
    before = mine.lockfile.read_bytes()
    assert mine.do("lock pull").code == 0
    assert mine.lockfile.read_bytes() != before
    assert sorted(mine.locked()["items"]) == sorted(SOME)


@of("file")
def test_a_journal_from_before_there_was_state_is_finished_first(shared, place):
    (mine,) = shared.machines(place, ME)
    mine.write()
    steps = mine.run().steps
    mine.write(depth="2")
    assert mine.run_at(steps.index(POST), "after", "--relaunch-changed").code == -9
    mine.write(head=shared.head(), depth="2")
    for ended in (mine.run(), mine.do("lock push")):
        assert ended.code == 6
        assert "Finish that run first" in ended.err


@of("file")
def test_who_holds_the_lease_is_shown_and_reading_still_works(shared, place):
    (mine,) = shared.machines(place, ME)
    assert mine.do("lock show").out.endswith("status: free; never taken\n")
    assert mine.run("--limit", "1").code == 0
    path = held_by_another(shared, mine)
    state = path.with_name("study.lock.json").read_bytes()
    for ended in (mine.run(), mine.run("--lock-timeout", "0.2")):
        assert ended.code == 6
        assert "in use by bob on ci-7" in ended.err
        assert "`manifest-runner lock release` ends it at once" in ended.err
    for command in ("status", "plan", "report"):
        assert mine.do(command).code == 0
    assert mine.do("abort", "--yes").code == 0
    assert path.with_name("study.lock.json").read_bytes() == state
    assert "status: held\nholder: bob on ci-7" in mine.do("lock show").out
    assert json.loads(mine.do("lock show", "--json").out)["lease"]["owner"] == "bob"
    assert mine.do("lock push", "--force").code == 6
    assert mine.files() == [mine.manifest.name]


@of("file")
def test_a_lease_is_released_by_hand(shared, place):
    (mine,) = shared.machines(place, ME)
    assert mine.run("--limit", "1").code == 0
    path = held_by_another(shared, mine)
    assert mine.do("lock release").code == 7
    released = mine.do("lock release", "--yes")
    assert (released.code, "released the lease of bob on ci-7" in released.out) == (0, True)
    assert "the lease is already free" in mine.do("lock release", "--yes").out
    assert mine.run().code == 0
    shared.check(mine)
    path.write_text("no lease")
    assert "this is not a lease" in mine.run().err
    assert mine.do("lock release", "--yes").code == 0
    assert mine.run().code == 0


@of("file")
def test_without_the_lease_a_run_says_so_and_relies_on_stamps(shared, place):
    (mine,) = shared.machines(place, ME)
    assert mine.run("--limit", "1").code == 0
    held_by_another(shared, mine)
    ended = mine.run("--no-lock")
    assert ended.code == 0
    assert "working without the lease (--no-lock)" in ended.err
    mine.assert_executed_once(len(SOME))


@pytest.mark.parametrize(
    ("head", "arguments", "code", "words"),
    [
        ("lock: git\n", (), 2, "needs the manifest in a git repository"),
        ("state: file:///tmp/x\n", ("--lockfile", "other.json"), 2, "keeps its lockfile at file:///tmp/x"),
        ("lock: git\nstate: file:///tmp/x\n", (), 3, "remove either lock or state"),
        ("git: origin\n", (), 3, "git names the remote of `lock: git`, but `lock` is missing"),
        ("state: ftp://x\n", (), 3, "expected s3://BUCKET/PREFIX"),
        ("state: s3://me:a-password@bucket/x\n", (), 3, 'got text "s3://*@bucket/x"'),
    ],
)
def test_what_cannot_be_is_refused_before_anything_happens(place, tmp_path, head, arguments, code, words):
    mine = Checkout(place, tmp_path / "alone" / "study", env={"PATH": os.environ["PATH"]})
    mine.write(head=head)
    ended = mine.run(*arguments)
    assert (ended.code, words in ended.err) == (code, True), ended.err
    assert mine.files() == [mine.manifest.name]


def test_the_token_of_the_lease_does_not_count_as_a_change_of_the_checkout(place, tmp_path):
    shared = Shared("git", tmp_path)
    (mine,) = shared.machines(place, ME)
    rename(mine)  # so there are two leases
    for command in (["add", "."], ["-c", "user.name=a", "-c", "user.email=b@c", "commit", "-qm", "as it is"]):
        subprocess.run(["git", *command], cwd=mine.folder, check=True)
    assert mine.run().code == 0
    assert {batch["source"]["dirty"] for batch in mine.locked()["batches"].values()} == {False}


def test_a_remote_that_is_gone_or_denies_access_is_reported(place, tmp_path):
    shared = Shared("git", tmp_path)
    (mine,) = shared.machines(place, ME)
    hook = mine.folder.parent.parent / "remote.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ended = mine.run()
    assert (ended.code, "git push was refused" in ended.err) == (4, True)
    hook.parent.parent.rename(tmp_path / "elsewhere.git")
    ended = mine.run()
    assert (ended.code, "does not appear to be a git repository" in ended.err) == (2, True)
    assert mine.files() == [".git", mine.manifest.name]


def test_a_store_that_is_out_of_reach_ends_with_5_and_nothing_is_sent(place, tmp_path):
    env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}
    mine = Checkout(place, tmp_path / "alone" / "study", env=env)
    mine.write(head="state: s3://bucket/state\n")
    for ended in (mine.run("--timeout", "3"), mine.do("plan"), mine.do("lock show")):
        assert (ended.code, "the store cannot be reached" in ended.err) == (5, True), ended.err
        assert "s3cr3t" not in ended.err
    assert (mine.executed(), mine.files()) == ([], [mine.manifest.name])


def test_a_trial_with_the_emulator_touches_no_shared_state(place, tmp_path):
    shared = Shared("file", tmp_path)
    (mine,) = shared.machines(place, ME)
    case = mine.case()
    ended = mine._do({**case, "argv": ["plan", mine.manifest.name, "--emulator"]})
    assert (ended.code, (tmp_path / "state").exists()) == (0, False)


# -- a lease alone, with each machine's own lockfile


def test_what_had_not_been_seen_is_read_by_whoever_takes_the_lease_next(
    tmp_path: Path, durable: Emulator, server: ForkServer
):
    """Before its analyses can be found by a search, and without a wait for the rest."""
    place = Place(server, durable.start(creation_delay=0.5, search_lag=600.0), durable.database)
    shared = Shared("git", tmp_path)
    mine, theirs = shared.machines(place, ME, YOU)
    assert mine.run("--wait", "none", "--limit", "2").code == 0
    assert list(mine.locked()["batches"]) == shared.lease(mine)["unseen"]
    ended = theirs.run("--timeout", "20")
    assert ended.code == 0, ended.err
    assert "reading 1 batch of the run that held the lease before" in ended.err
    theirs.assert_executed_once(len(SOME))
    assert sorted(theirs.locked()["items"]) == sorted(SOME)
    assert sorted(shared.lease(theirs)["unseen"]) == sorted(theirs.locked()["batches"])


def test_a_batch_that_does_not_list_all_of_its_items_yet_is_read_again(
    tmp_path: Path, timed_emulator: Emulator, server: ForkServer, clock: Moment
):
    """What its list leaves out would be launched twice, since no search shows it yet either."""
    with odd_proxy(timed_emulator.start(creation_delay=0.5, search_lag=600.0), clock) as proxy:
        mine, theirs = Shared("git", tmp_path).machines(
            Place(server, proxy.url, timed_emulator.database, clock), ME, YOU
        )
        assert mine.timed(wait="none").code == 0
        unshown = iter(range(4))
        proxy.is_hidden = lambda path: "/analysisCreationBatch/" in path and next(unshown, None) is not None
        proxy.change = first_item_only(9)
        partly = theirs.timed(wait="none", timeout=6.0)
        assert (partly.code, "ICA lists 1 of the 2 items" in partly.err) == (7, True), partly.err
        ended = theirs.timed(wait="none")
        assert ended.code == 0, ended.err
        theirs.assert_executed_once(len(SOME))


@of("file")
def test_a_batch_that_is_not_shown_to_the_next_user_is_searched_for(shared, place):
    mine, theirs = shared.machines(place, ME, YOU)
    assert mine.run("--limit", "2").code == 0
    lease = shared.folder / "state" / mine.project / "study.lease.json"
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "unseen": [mine.project]}))
    refused = theirs.run("--adopt", "never")
    assert (refused.code, shared.lease(mine)["unseen"]) == (4, [mine.project])
    ended = theirs.run()
    assert (ended.code, f"does not show batch {mine.project}" in ended.err) == (0, True), ended.err
    shared.check(theirs)


def test_what_was_sent_without_an_answer_is_waited_for_by_another_machine(
    tmp_path: Path, timed_emulator: Emulator, server: ForkServer, clock: Moment
):
    """Nothing of it shows yet, and other batches would have other keys."""
    url = timed_emulator.start(creation_delay=1000.0, faults=(parse_fault("drop-after:1-9"),))
    shared = Shared("git", tmp_path)
    mine, theirs = shared.machines(Place(server, url, timed_emulator.database, clock), ME, YOU)
    assert mine.timed().code == 5
    (key,) = shared.lease(mine)["unseen"]
    assert key.startswith("mr1-")
    assert "sent:   a batch of 2 items at 20" in theirs.do("lock show").out
    timed_emulator.start(creation_delay=1000.0)
    few = theirs.timed(batch_size=1, choices={"targets": ("s0",)}, timeout=5.0)
    assert (few.code, "partly visible" in few.err, shared.lease(mine)["unseen"]) == (7, True, [key])
    other = theirs.timed(choices={"targets": ("s2",)})
    assert (other.code, "partly visible" in other.err, key in shared.lease(mine)["unseen"]) == (0, False, True)
    for checkout in (mine, theirs):
        ended = checkout.timed(batch_size=1)
        assert ended.code == 0, ended.err
        checkout.assert_executed_once(len(SOME))
    assert set(shared.lease(mine)["unseen"]) <= mine.locked()["batches"].keys()


def test_under_a_released_lease_what_is_missing_is_launched_at_once(tmp_path: Path, place: Place):
    """Without one a launch of this hour that is found in part only is waited for."""
    shared = Shared("git", tmp_path)
    mine, theirs = shared.machines(place, ME, YOU)
    assert mine.run("--limit", "2").code == 0
    ended = theirs.run()
    assert ended.code == 0, ended.err
    assert "partly visible" not in ended.err
    assert "reading 1 batch of the run that held the lease before" in ended.err
    theirs.assert_executed_once(len(SOME))
    lonely = shared.machines(place, ME, YOU)
    for each in lonely:
        each.write(SOME)
    assert lonely[0].run("--limit", "2").code == 0
    assert "partly visible" in lonely[1].run("--poll-interval", "60").err


@of("file")
def test_a_renamed_manifest_continues_from_the_state_of_its_former_name(shared, place):
    mine, theirs = shared.machines(place, ME, YOU)
    assert mine.run("--limit", "2").code == 0
    rename(mine)
    rename(theirs)
    plan = json.loads(theirs.do("plan", "--json").out)
    assert (plan["new"], plan["changed"]) == (["s2"], [])
    assert theirs.do("report", "--format", "csv").out.count("succeeded") == 2
    assert theirs.run().code == 0
    mine.assert_executed_once(len(SOME))
    assert mine.run().steps.count(POST) == 0
    stored = json.loads((shared.folder / "state" / mine.project / "renamed.lock.json").read_text())
    assert (stored["name"], sorted(stored["items"])) == ("renamed", sorted(SOME))
    assert theirs.files() == [theirs.manifest.name]


@of("file")
def test_what_a_run_under_the_former_name_left_is_finished_first_whatever_the_new_name_has(shared, place):
    mine, theirs = shared.machines(place, ME, YOU)
    theirs.write(SOME[1:], head=shared.head())
    rename(mine)
    assert mine.run("--limit", "1").code == 0
    (twin,) = shared.machines(place, YOU)
    steps = twin.run().steps
    assert theirs.run_at(steps.index(POST), "after").code == KILLED
    assert "in use by" in mine.run().err
    assert theirs.do("lock release", "--yes").code == 0
    refused = mine.run()
    assert (refused.code, "left by a run under the manifest's former name" in refused.err) == (6, True)
    assert theirs.run().code == 0
    assert mine.run().code == 0
    mine.assert_executed_once(len(SOME))


def test_what_was_not_seen_under_the_former_name_is_read_by_a_run_under_the_new_one(
    tmp_path: Path, durable: Emulator, server: ForkServer
):
    place = Place(server, durable.start(creation_delay=0.5, search_lag=600.0), durable.database)
    shared = Shared("git", tmp_path)
    mine, theirs = shared.machines(place, ME, YOU)
    rename(mine)
    assert mine.run("--limit", "1", "--wait", "none").code == 0
    theirs.write(SOME[1:], head=shared.head())
    assert theirs.run("--wait", "none").code == 0
    ended = mine.run("--timeout", "20")
    assert ended.code == 0, ended.err
    assert "reading 1 batch of the run that held the lease before" in ended.err
    mine.assert_executed_once(len(SOME))


@of("file")
def test_who_accepts_waits_for_the_run_that_holds_the_state(shared, place):
    (mine,) = shared.machines(place, ME)
    assert mine.run().code == 0
    mine.write(SOME, head=shared.head(), depth="2")
    path = held_by_another(shared, mine)
    ended = mine.do("accept")
    assert (ended.code, "in use by bob" in ended.err) == (6, True)
    path.unlink()
    assert mine.do("accept").code == 0
    assert json.loads(mine.do("plan", "--json").out)["changed"] == []
