"""The output for people and programs: few lines, valid JSON, separate streams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from manifest_runner.cli.console import Console
from manifest_runner.cli.progress import Progress
from manifest_runner.cli.views.aborted import abort_lines
from manifest_runner.cli.views.plan import plan_document, plan_lines
from manifest_runner.cli.views.run import Ended, failure_lines, run_document, summary_lines
from manifest_runner.commands.run import RunOutcome
from manifest_runner.commands.steps.failed_items import FailedItem
from manifest_runner.commands.steps.launching import Sent
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place, finding_line
from manifest_runner.diagnostics.formats import github_line
from manifest_runner.errors import BadState
from manifest_runner.lockfile.model import LockedAnalysis, LockedItem, Lockfile
from manifest_runner.planning.diff import Change
from manifest_runner.planning.plan import Plan
from manifest_runner.report.failure_groups import group_failures, group_words

HOSTILE = "a\x1b[31mb\x9bc\u202ed\x07e"
HARMLESS = "a\\x1b[31mb\\x9bc\\u202ed\\x07e"
NAMES = [f"s{number:02}" for number in range(25)]


def outcome(*failed, launched=("good",)):
    items = {name: LockedItem("0" * 64, "nextflow", "1.1", 0, "b", None, "SUCCEEDED", None, None) for name in launched}
    failures = [FailedItem(name, "no quota", Place("m.yaml", 4), Place("s.csv", 9)) for name in failed]
    lockfile = Lockfile("study", "p", "emulator", {}, items)
    return RunOutcome(Plan(), lockfile, Path("m.lock.json"), Sent(1, dict.fromkeys(launched)), failures)


# -- plans


def test_the_unchanged_are_counted_and_shown_only_when_asked_for():
    made = Plan(unchanged=NAMES)
    assert len(plan_lines(made, 0, verbose=False)) == 1
    assert plan_lines(made, 0, verbose=True)[:-1] == [f"= {name}" for name in NAMES]


def test_each_group_shows_its_first_few():
    lines = plan_lines(Plan(new=NAMES, removed=NAMES[:3], due=NAMES), 2, verbose=False)
    assert lines[9:12] == ["+ s09", "+ … and 15 more new (--verbose shows all)", "- s00"]
    assert lines[-1].endswith("; 25 to launch in 2 batches")


def test_an_item_that_changed_in_many_fields_shows_the_first_of_them():
    found = [Change(name, None, "x") for name in NAMES]
    lines = plan_lines(Plan(changed=["a"], changes={"a": found}), 0, verbose=False)
    assert lines[20:22] == ['    s19: (none) → "x"', "    … and 5 more"]


def test_a_change_without_details_says_so():
    lines = plan_lines(Plan(changed=["a"], changes={"a": None}), 0, verbose=False)
    assert "does not have the request that was launched" in lines[1]


def test_items_that_changed_alike_are_one_group_and_the_largest_comes_first():
    other, cram = [Change("tags", "x", "y")], [Change("format", "CRAM", "BAM")]
    found = {"odd": other, **dict.fromkeys(NAMES[:11], cram)}
    lines = plan_lines(Plan(changed=list(found), changes=found), 0, verbose=False)
    assert lines[:4] == [
        '~ 11 items: format: "CRAM" → "BAM"',
        "    s00, s01, s02 and 8 more",
        "~ odd",
        '    tags: "x" → "y"',
    ]
    assert "    " + ", ".join(NAMES[:11]) in plan_lines(Plan(changed=list(found), changes=found), 0, verbose=True)


def test_items_that_changed_alike_in_several_fields_list_each_of_them():
    both = [Change("format", "CRAM", "BAM"), Change("tags", "x", "y")]
    lines = plan_lines(Plan(changed=["a", "b"], changes={"a": both, "b": both}), 0, verbose=False)
    assert lines[:3] == ["~ 2 items: a, b", '    format: "CRAM" → "BAM"', '    tags: "x" → "y"']


def test_items_that_changed_in_the_same_field_to_different_values_show_the_first():
    found = {name: [Change("bam", f"fil.{name}", f"fil.x{name}")] for name in NAMES}
    lines = plan_lines(Plan(changed=NAMES, changes=found), 0, verbose=False)
    assert lines[:3] == [
        "~ 25 items: bam (values differ)",
        "    s00, s01, s02 and 22 more; in s00:",
        '    bam: "fil.s00" → "fil.xs00"',
    ]


def test_changed_items_beyond_those_that_were_looked_at_are_counted():
    lines = plan_lines(Plan(changed=NAMES, changes={"s00": [Change("a", 1, 2)]}), 0, verbose=False)
    assert lines[2] == "~ … and 24 more changed (--verbose shows all)"


def test_a_plan_leaves_out_what_there_is_none_of():
    assert plan_lines(Plan(new=["a"], due=["a"]), 1, verbose=False)[-1] == "1 new; 1 to launch in 1 batch"
    assert plan_lines(Plan(unchanged=["a", "b"]), 0, verbose=False) == ["2 unchanged; nothing to launch"]
    assert plan_lines(Plan(), 0, verbose=False) == ["no items; nothing to launch"]
    waiting = Plan(new=["a", "b"], due=["a", "b"])
    assert plan_lines(waiting, 1, verbose=False, waiting=1)[-1] == (
        "2 new; 1 to launch in 1 batch, 1 waits until others have ended (maxRunning)"
    )
    assert plan_lines(waiting, 0, verbose=False, waiting=2)[-1] == (
        "2 new; 2 wait until others have ended (maxRunning)"
    )
    document = plan_document(waiting, 1, waiting=["b"])
    assert (document["launches"], document["waiting"]) == (["a"], ["b"])


def test_a_plan_advises_only_what_is_still_to_do():
    nothing, retried = Plan(unchanged=["a"]), Plan(failed=["a"], due=["a"])
    assert [len(plan_lines(made, 0, verbose=False)) for made in (nothing, retried)] == [1, 2]
    advised = plan_lines(Plan(failed=["a"], pending=["b"], changed=["c"], unapproved=["c"]), 0, verbose=False)
    assert [word for word in ("settles", "--relaunch-changed", "--retry-failed") if word in "".join(advised)] == [
        "settles",
        "--relaunch-changed",
        "--retry-failed",
    ]


def test_a_plan_s_json_has_these_keys_and_no_others():
    keys = [
        "new",
        "changed",
        "unchanged",
        "failed",
        "removed",
        "pending",
        "renamed",
        "waiting",
        "unresolved",
        "batches",
    ]
    keys += ["launches", "approvalNeeded", "changes", "planDigest"]
    assert list(plan_document(Plan(unapproved=["a"], due=["a"]), 3)) == keys


def test_what_is_to_be_aborted_is_shown_by_its_first_few():
    assert abort_lines(NAMES, verbose=False)[10:] == ["x … and 15 more (--verbose shows all)"]
    assert abort_lines(NAMES, verbose=True) == [f"x {name}" for name in NAMES]


# -- outcomes


def test_a_failure_names_both_files_it_came_from_as_far_as_there_are_two():
    failures = [FailedItem("a", "no", Place("m.yaml", 4), None)]
    single = RunOutcome(Plan(), Lockfile("s", "p", "e"), Path("l"), Sent(), failures)
    assert failure_lines(outcome("a")) == ["failed: a: no quota (m.yaml:4, s.csv:9)"]
    assert failure_lines(single) == ["failed: a: no (m.yaml:4)"]


def test_many_failures_are_counted():
    lines = failure_lines(outcome(*NAMES))
    assert (len(lines), lines[-1]) == (11, "failed: … and 15 more; `manifest-runner report` lists all")


def test_one_manifest_has_no_heading_and_of_several_each_has_one():
    ended = {Path("one.yaml"): Ended(outcome(), 2), Path("two.yaml"): Ended(BadState("in use"), 1)}
    assert summary_lines(ended)[0] == "== one.yaml"
    assert summary_lines(ended)[-2:] == ["== two.yaml", "stopped with exit code 6"]
    assert not any(line.startswith("==") for line in summary_lines({Path("one.yaml"): Ended(outcome(), 2)}))


@pytest.mark.parametrize(
    ("states", "words", "numbers"),
    [
        ({"good": "SUCCEEDED", "bad": "FAILED"}, "1 succeeded, 1 failed", (2, 0, 1, 1)),
        ({"a": "SUCCEEDED", "b": None}, "1 succeeded, 1 not created", (1, 1, 1, 0)),
        ({"a": "REQUESTED", "b": "IN_PROGRESS"}, "1 running, 1 created", (2, 0, 0, 0)),
        ({"a": "ABORTED"}, "1 aborted", (1, 0, 0, 1)),
    ],
)
def test_a_run_says_how_what_it_launched_ended(states, words, numbers):
    ran = outcome(launched=tuple(states))
    for name, status in states.items():
        analysis = status and LockedAnalysis("id", None, status)
        creation = "SUCCEEDED" if status else "FAILED"
        ran.lockfile.items[name] = structs.replace(ran.lockfile.items[name], status=creation, analysis=analysis)
    number = len(states)
    assert (
        summary_lines({Path("m.yaml"): Ended(ran, 65.2)})[0] == f"launched {number} in 1 batch in 1 min 05 s: {words}"
    )
    document = run_document(ran, 65.21)
    assert tuple(document[key] for key in ("created", "createdFailed", "succeeded", "failedAnalyses")) == numbers
    assert document["seconds"] == 65.2


def test_the_launches_of_a_run_are_those_that_it_sent_and_reasons_take_one_line():
    made = outcome(launched=("settled", "sent"))  # the first was left by a crash, and is not due any more
    ran = structs.replace(made, plan=Plan(due=["sent", "adopted", "waits"]), waiting=["waits"])
    assert run_document(ran, 1.0)["launches"] == ["settled", "sent"]
    failed = LockedAnalysis("id", None, "FAILED")
    item = structs.replace(ran.lockfile.items["sent"], analysis=failed, message="first\nsecond")
    assert group_words(group_failures({"sent": item})[0]) == 'unknown step: "first\\nsecond"'


# -- streams


@pytest.mark.parametrize("say", ["note", "error"])
def test_what_others_wrote_reaches_the_terminal_as_text(capsys, say):
    getattr(Console(), say)(HOSTILE)
    assert capsys.readouterr() == ("", HARMLESS + "\n")


def test_a_result_is_harmless_text_too(capsys):
    Console().result([HOSTILE, "two\nlines"], None)
    assert capsys.readouterr().out == f"{HARMLESS}\ntwo\nlines\n"


def test_json_is_utf_8_and_a_lone_surrogate_is_an_escape(capfdbinary):
    Console(as_json=True).result(["not this"], {"größe": "\ud800"})
    raw = capfdbinary.readouterr().out
    assert "größe".encode() in raw
    assert json.loads(raw) == {"größe": "\ud800"}


def test_quiet_leaves_errors_and_json(capsys):
    quiet = Console(quiet=True)
    quiet.note("progress")
    quiet.result(["summary"], {})
    Progress(quiet).update("created", 1, 2)
    assert capsys.readouterr() == ("", "")
    quiet.error("grave")
    Console(quiet=True, as_json=True).result(["summary"], [])
    assert capsys.readouterr() == ("[]\n", "grave\n")


def test_an_invalid_manifest_is_reported_finding_by_finding(capsys):
    findings = [
        Finding(Place("m.yaml", 4, 2), "MR1", "wrong"),
        Finding(Place("m.yaml", 5), "MR2", "odd", "warning", Place("s.csv", 3)),
        Finding(Place("m.yaml", 6), "MR3", "bad", row=Place("one-line.json", 1, 34)),
    ]
    Console().failure(InvalidManifest(findings))
    assert capsys.readouterr().err.splitlines() == [
        "m.yaml:4:2: wrong [MR1]",
        "m.yaml:5:1: warning: odd [MR2] (row at s.csv:3)",
        "m.yaml:6:1: bad [MR3] (row at one-line.json:1:34)",
        "2 errors; nothing was sent.",
    ]


# -- findings

TEMPLATE, CELL = Place("m.yaml", 7, 20), Place("s,1.csv", 3)


def test_a_fault_of_a_cell_is_annotated_at_its_row_and_mentions_the_template():
    line = github_line(Finding(TEMPLATE, "MR501", "wrong", row=CELL, is_of_row=True))
    assert line == "::error file=s%2C1.csv,line=3,col=1,title=MR501::wrong (template at m.yaml:7:20)"


def test_a_fault_of_the_manifest_is_annotated_there_and_mentions_the_row():
    line = github_line(Finding(TEMPLATE, "MR501", "wrong", row=CELL))
    assert line == "::error file=m.yaml,line=7,col=20,title=MR501::wrong (row at s,1.csv:3)"


def test_a_row_in_the_manifest_is_reported_beside_the_template():
    finding = Finding(TEMPLATE, "MR501", "wrong", row=Place("m.yaml", 5, 9), is_of_row=True)
    assert github_line(finding).endswith("file=m.yaml,line=7,col=20,title=MR501::wrong (row at m.yaml:5:9)")
    assert finding_line(finding) == "m.yaml:7:20: wrong [MR501] (row at m.yaml:5:9)"
