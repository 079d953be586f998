"""Lockfile → rows and counts."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from msgspec import structs
from report_lockfiles import locked, requests

from manifest_runner.launch.record import launched
from manifest_runner.lockfile.file import dump_lockfile, parse_lockfile
from manifest_runner.lockfile.model import LockedBatch, LockedFailure, LockedItem, LockedPrice, Lockfile
from manifest_runner.model import FINAL_ANALYSIS
from manifest_runner.report import ica_web_url
from manifest_runner.report.reasons import group_by_reason
from manifest_runner.report.source import analysis_link
from manifest_runner.report.states import State, Tone, state_of
from manifest_runner.report.summary import summarise
from manifest_runner.report.times import seconds_between, shown_duration, shown_time
from manifest_runner.timestamps import moment


def test_what_failed_comes_first_and_what_left_the_manifest_last(every_state: Lockfile) -> None:
    references = [row.reference for row in summarise(every_state).rows]
    assert references[:3] == ["s-refused", "s-bad", "s-aborted"]
    assert references[-3:] == ["s-good", "s-known", "s-gone"]


def test_rows_of_one_state_stand_in_the_order_of_their_references(empty: Lockfile) -> None:
    empty.items |= {name: locked(analysis="SUCCEEDED") for name in ("b", "c", "a")}
    assert [row.reference for row in summarise(empty).rows] == ["a", "b", "c"]


def test_every_state_is_counted_once(every_state: Lockfile) -> None:
    summary = summarise(every_state)
    assert dict(summary.counts) == dict.fromkeys(State, 1)
    assert {tone: summary.total(tone) for tone in get_args(Tone)} == {
        "failed": 3,
        "open": 5,
        "succeeded": 1,
        "accepted": 1,
        "removed": 1,
    }


@pytest.mark.parametrize("status", sorted(FINAL_ANALYSIS))
def test_the_report_and_the_runner_agree_on_what_has_ended(status: str) -> None:
    item = locked(analysis=status)
    state = state_of(item.status, status)
    assert state.tone != "open"
    assert (state.tone == "failed") == item.analysis_failed


@pytest.mark.parametrize("status", ["INPROGRESS", "REQUESTED", "AWAITINGINPUT", "ABORTING", "NEVER_HEARD_OF", ""])
def test_what_the_runner_takes_for_unfinished_is_open(status: str) -> None:
    assert not locked(analysis=status).analysis_is_final
    assert state_of("SUCCEEDED", status).tone == "open"


def test_a_created_item_without_an_analysis_is_still_being_created() -> None:
    assert state_of("SUCCEEDED", None) is State.CREATING


def test_a_failure_without_a_message_says_so(empty: Lockfile) -> None:
    empty.items = {"a": locked("FAILED"), "b": locked(analysis="ABORTED")}
    reasons = [row.launch.reason for row in summarise(empty).rows]
    assert reasons == ["Creation failed; the API gave no reason.", "The analysis was aborted."]


def test_reasons_are_counted_most_frequent_first(empty: Lockfile) -> None:
    empty.items = {str(n): locked("FAILED", message="rare" if n == 0 else "often") for n in range(3)}
    empty.items["removed"] = locked("FAILED", message="gone", removed=True)
    reasons = group_by_reason(summarise(empty).failed)
    assert [(reason.text, len(reason.rows)) for reason in reasons] == [("often", 2), ("rare", 1)]


def test_reasons_that_differ_in_ids_and_numbers_are_one(empty: Lockfile) -> None:
    empty.items = {
        "a": locked("FAILED", message="no data fil.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4 in 3 tries"),
        "b": locked("FAILED", message="no data fil.0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d in 12 tries"),
    }
    (reason,) = group_by_reason(summarise(empty).failed)
    assert (reason.text, len(reason.rows)) == ("no data fil.… in … tries", 2)


def test_reasons_keep_steps_and_exit_codes_apart(empty: Lockfile) -> None:
    ends = (
        ("dragen", 137, "Killed 17"),
        ("dragen", 137, "Killed 4"),
        ("dragen", 1, "Killed 17"),
        ("map2", 1, "Killed 1"),
    )
    empty.items = {
        f"s{number}": locked(analysis="FAILED", failure=LockedFailure(*end)) for number, end in enumerate(ends)
    }
    reasons = [(reason.text, len(reason.rows)) for reason in group_by_reason(summarise(empty).failed)]
    assert reasons == [
        ('dragen, exit 137: "Killed …"', 2),
        ('dragen, exit 1: "Killed 17"', 1),
        ('map2, exit 1: "Killed 1"', 1),
    ]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (LockedFailure("dragen", 137, "Killed"), 'dragen, exit 137: "Killed"'),
        (LockedFailure("dragen", None, None), "dragen"),
        (LockedFailure(None, 1, "no\x1b[31mspace"), r'unknown step, exit 1: "no\x1b[31mspace"'),
    ],
)
def test_a_failed_step_says_where_how_and_what(failure: LockedFailure, words: str, empty: Lockfile) -> None:
    empty.items["a"] = locked(analysis="FAILED", message="Task failed", failure=failure)
    assert summarise(empty).rows[0].launch.reason == words


def done(seconds: int) -> LockedItem:
    return locked(analysis="SUCCEEDED", start="2026-11-23T10:00:00Z", end=f"2026-11-23T10:00:{seconds:02}Z")


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([], "Nothing launched yet"),
        ([locked("FAILED", removed=True)], "No items left in the manifest"),
        ([done(9)], "1 item succeeded"),
        ([done(9), done(11), done(30)], "All 3 succeeded, median 11 s"),
        ([locked("RUNNING"), done(9), done(11)], "1 of 3 not finished, 66.6% succeeded, median 10 s"),
        ([locked("FAILED"), *[done(n % 60) for n in range(1999)]], "1 of 2,000 failed, 99.9% succeeded, median 29 s"),
        ([locked("FAILED"), locked("RUNNING")], "1 of 2 failed, 1 not finished, 0% succeeded"),
        ([locked("FAILED", failure_accepted=True), done(9)], "50% succeeded, 1 failed and accepted"),
    ],
)
def test_the_verdict_is_the_answer_in_one_line(items: list[LockedItem], verdict: str, empty: Lockfile) -> None:
    empty.items = {str(n): item for n, item in enumerate(items)}
    assert summarise(empty).verdict == verdict


def test_the_data_is_as_old_as_the_newest_time_in_the_lockfile(empty: Lockfile) -> None:
    assert summarise(empty).as_of is None
    empty.batches["b1"] = LockedBatch("k", 2, None, "2026-11-23T10:00:00Z")
    assert summarise(empty).as_of == "2026-11-23T10:00:00Z"
    empty.items["a"] = locked(analysis="SUCCEEDED", start="2026-11-23T12:00:00.5+01:00", end="never")
    assert summarise(empty).as_of == "2026-11-23T11:00:00Z"


def test_prices_are_added_exactly_by_currency_also_those_of_earlier_launches(empty: Lockfile) -> None:
    first = locked("FAILED", price=LockedPrice("0.1", "iCredit"))
    again = locked(analysis="SUCCEEDED", digest="1" * 64, price=LockedPrice("0.2", "iCredit"))
    empty.items["a"] = launched(first, again)
    empty.items["b"] = locked(analysis="SUCCEEDED", price=LockedPrice("NaN", "iCredit"))
    empty.items["c"] = locked(analysis="SUCCEEDED", price=LockedPrice("3", "EUR"))
    assert summarise(empty).prices == {"EUR": Decimal(3), "iCredit": Decimal("0.3")}


def test_earlier_launches_are_kept_newest_first(empty: Lockfile) -> None:
    first = locked("FAILED", message="first")
    second = launched(first, structs.replace(first, digest="1" * 64, attempt=1, batch_id="b2", message="second"))
    empty.items["a"] = launched(second, locked(analysis="SUCCEEDED", digest="2" * 64, attempt=2, batch_id="b3"))
    again = parse_lockfile(dump_lockfile(empty), "a.lock.json")
    (row,) = summarise(again).rows
    assert [launch.message for launch in row.earlier] == ["second", "first"]
    assert row.launch.attempt == 2
    assert {launch.state for launch in row.earlier} == {State.CREATION_FAILED}


def test_control_and_direction_characters_are_shown_as_escapes(evil: Lockfile) -> None:
    summary = summarise(evil)
    texts = [summary.name, summary.batches[0].id, *(row.reference for row in summary.rows)]
    assert all(text.isprintable() for text in texts)
    assert r"\x1b[31m\n\u202e" in summary.name


def test_the_pipeline_is_shown_where_the_lockfile_knows_it(empty: Lockfile) -> None:
    empty.batches["known"] = LockedBatch("k", 2, None, "now", requests({"a": "RNA", "b": ["not", "text"]}))
    empty.batches["edited"] = LockedBatch("k", 1, None, "now", "eJ by hand")
    empty.items = {
        "a": locked(batch_id="known"),
        "b": locked(batch_id="known"),
        "c": locked(batch_id="edited"),
        "d": locked(batch_id="unknown"),
    }
    assert [row.pipeline for row in summarise(empty).rows] == ["RNA", None, None, None]


# -- links


@pytest.mark.parametrize(
    ("server", "web"),
    [
        ("https://ica.illumina.com/ica/rest", "https://ica.illumina.com"),
        ("emulator", None),
        ("http://127.0.0.1:8080/ica/rest", None),
        ("https://ica.illumina.com.evil.example/ica/rest", None),
        ("https://notillumina.com/ica/rest", None),
        ("https://ica.illumina.com:bad/ica/rest", None),
    ],
)
def test_only_ica_has_web_pages(server: str, web: str | None) -> None:
    assert ica_web_url(server) == web


def test_a_link_holds_ids_only_as_path_segments() -> None:
    link = analysis_link("https://ica.illumina.com", "../p", 'a/b?c#d"')
    assert link == "https://ica.illumina.com/ica/link/project/..%2Fp/analysis/a%2Fb%3Fc%23d%22"


@pytest.mark.parametrize("web_url", [None, "javascript:alert(1)//"])
def test_there_is_no_link_without_a_safe_web_page(web_url: str | None) -> None:
    assert analysis_link(web_url, "p", "a") is None


# -- times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (7500, "2 h 05 min"), (100_000, "1 d 03 h")],
)
def test_durations_are_shown_in_two_units(seconds: float | None, text: str) -> None:
    assert shown_duration(seconds) == text


def test_times_are_shown_in_utc_and_odd_ones_as_they_are() -> None:
    assert shown_time("2026-11-23T23:30:00.5-02:00") == "2026-11-24 01:30"
    assert shown_time("2026-11-23T10:00:00") == "2026-11-23 10:00"
    assert shown_time("yesterday") == "yesterday"
    assert shown_time(None) == ""


def test_a_time_outside_of_the_calendar_is_not_a_time() -> None:
    assert moment("0001-01-01T00:00:00+05:00") is None


def test_an_end_before_the_start_has_no_duration() -> None:
    assert seconds_between("2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z") is None
    assert seconds_between("2026-11-23T10:00:00Z", "2026-11-23T10:01:00+00:00") == 60
