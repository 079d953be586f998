"""``plan``: what a run would do, item by item, before anything is paid for."""

from __future__ import annotations

import pytest
from counting import counting
from studies import change, states, write_rows, write_study

from manifest_runner.emulator import Fault

SAMPLES = ("alpha", "beta", "gamma", "omega")


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_each_item_is_shown_by_what_would_become_of_it(cli, emulator):
    write_study(cli, *SAMPLES)
    cli("run", "study.yaml")
    write_rows(cli, {"alpha": "false", "beta": "true", "omega": "true", "delta": "true"})
    planned = cli.ok("plan", "study.yaml")
    assert planned.out.splitlines() == [
        "+ delta",
        "~ alpha",
        '    analysisInput.parameters[enable_sv]: "true" → "false"',
        "! beta",
        "- gamma",
        "1 new, 1 changed, 1 unchanged, 1 failed, 1 removed; 1 to launch in 1 batch after approval",
        (
            "next: 1 changed; a run launches nothing until you approve that: --relaunch-changed, or raise `revision`; "
            "`accept` keeps their launches"
        ),
        "next: 1 failed; `failures` shows why, and --retry-failed launches it again",
    ]
    planned = cli.ok("plan", "study.yaml", "--json").json
    assert len(planned.pop("planDigest")) == 64
    assert planned == {
        "new": ["delta"],
        "changed": ["alpha"],
        "unchanged": ["omega"],
        "failed": ["beta"],
        "removed": ["gamma"],
        "pending": [],
        "renamed": {},
        "waiting": [],
        "unresolved": 0,
        "batches": 1,
        "launches": ["delta"],
        "approvalNeeded": True,
        "changes": {"alpha": [{"path": "analysisInput.parameters[enable_sv]", "before": "true", "after": "false"}]},
    }


@pytest.mark.parametrize("emulator", [{"faults": (Fault("drop-after", 1, 9),)}], indirect=True)
def test_what_was_sent_without_an_answer_is_pending(cli, emulator):
    write_study(cli, "alpha", "beta")
    assert cli("run", "study.yaml", "--timeout", "2").code == 5
    planned = cli("plan", "study.yaml", "--detailed-exitcode")
    assert planned.code == 8
    assert planned.out.splitlines()[:2] == ["? alpha", "? beta"]
    assert "2 items were sent and not answered; the next run settles that first" in planned.out


def test_a_plan_asks_nobody_and_writes_nothing(cli, emulator):
    write_study(cli, "alpha", "beta")
    with counting(emulator.url) as counted:
        cli.ok("run", "study.yaml", ICAV2_SERVER_URL=counted.url)
        counted.clear()
        change(cli, "caller: fast", "caller: exact")
        before = {path: path.read_bytes() for path in cli.folder.iterdir()}
        planned = cli.ok("plan", "study.yaml", "--json", ICAV2_SERVER_URL=counted.url, ICAV2_X_API_KEY="")
    assert states(planned.json) == {"changed": ["alpha", "beta"]}
    assert counted == []
    assert {path: path.read_bytes() for path in cli.folder.iterdir()} == before


def test_every_kind_of_change_is_named_by_its_field(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml")
    change(cli, "caller: fast", "threads: 8")
    change(cli, "inputs: {bam:", "inputs: {cram:")
    change(cli, "    analysisInput:", "    tags: {userTags: [urgent]}\n    analysisInput:")
    change(cli, "f606f580", "00000000")
    assert [line.strip() for line in cli.ok("plan", "study.yaml").out.splitlines()[1:-2]] == [
        'analysisInput.inputs[bam]: ["fil.alpha"] → (none)',
        'analysisInput.inputs[cram]: (none) → ["fil.alpha"]',
        'analysisInput.parameters[caller]: "fast" → (none)',
        'analysisInput.parameters[threads]: (none) → "8"',
        'pipelineId: "f606f580-d476-47a8-9679-9ddb39fcb0a8" → "00000000-d476-47a8-9679-9ddb39fcb0a8"',
        'tags.userTags: (none) → ["urgent"]',
    ]


def test_ten_thousand_items_stay_readable(cli):
    write_study(cli, *(f"sample-{number:05}" for number in range(10_000)))
    lines = cli.ok("plan", "study.yaml").out.splitlines()
    assert lines[0] == "+ sample-00000"
    assert lines[9:] == [
        "+ sample-00009",
        "+ … and 9,990 more new (--verbose shows all)",
        "10,000 new; 10,000 to launch in 20 batches",
    ]
    assert len(cli.ok("plan", "study.yaml", "--verbose").out.splitlines()) == 10_001


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_a_lockfile_covers_what_failed_and_what_left(cli, emulator):
    write_study(cli, *SAMPLES)
    cli("run", "study.yaml")
    write_rows(cli, dict.fromkeys(SAMPLES[:3], "true"))
    cli.ok("plan", "study.yaml", "--detailed-exitcode")
    assert cli("run", "study.yaml", "--locked").code == 1


def test_a_plan_of_chosen_items_shows_what_that_run_would_do(cli):
    write_study(cli, *SAMPLES)
    planned = cli.ok("plan", "study.yaml", "--json", "--target", "*a", "--limit", "3", "--batch-size", "2").json
    assert (states(planned), planned["batches"]) == ({"new": ["alpha", "beta", "gamma"]}, 2)


def test_rows_that_where_leaves_out_are_counted(cli):
    write_study(cli, "alpha", "beta", "gamma")
    change(cli, "forEach: {csv: study.csv}", "forEach: {csv: study.csv, where: \"row.sample != 'beta'\"}")
    assert cli.ok("plan", "study.yaml").out.splitlines()[-1] == "2 of 3 rows (1 left out by where)"
    assert cli.ok("validate", "study.yaml").out == (
        "study.yaml: valid, 2 items from 2 of 3 rows (1 left out by where)\n"
    )
