"""The main job on the command line: launch what a manifest lists, each item once, and say plainly if not."""

from __future__ import annotations

import os

import pytest
from studies import STATES, change, states

from manifest_runner.emulator import Fault
from manifest_runner.lockfile.workspace import Workspace, held

MANIFEST = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
defaults:
  pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
analyses:
  - kind: nextflow
    forEach: {csv: samples.csv}
    userReference: "{{ row.sample }}"
    tags: {userTags: {tissue: "{{ row.tissue }}"}}
    analysisInput:
      inputs: {bam: "{{ row.bam }}"}
      parameters: {min_depth: 20, caller: fast}
"""
REFORMATTED = """\
# The same in another order, other quotes, another style.
name: "study"
manifest: 1
analyses:
- analysisInput:
    parameters:
      caller: fast    # as before
      min_depth: 20
    inputs:
      bam: '{{ row.bam }}'
  userReference: '{{ row.sample }}'
  tags:
    userTags: ["tissue={{ row.tissue }}"]
  forEach:
    csv: samples.csv
  kind: nextflow
defaults: {pipelineId: "f606f580-d476-47a8-9679-9ddb39fcb0a8"}
project: '7595e8f2-32d3-4c76-a324-c6a85dae87b5'
"""
HEADER = "sample,tissue,bam\n"
ROWS = ["alpha,blood,fil.a1", "beta,skin,fil.b2", "gamma,leber-größe,fil.c3"]


def sheet(*rows):
    return HEADER + "".join(f"{row}\n" for row in rows)


@pytest.fixture(autouse=True)
def _study(cli):
    cli.write("study.yaml", MANIFEST)
    cli.write("samples.csv", sheet(*ROWS))


# -- launching


def test_what_is_launched_once_is_not_launched_again(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.read("study.lock.json")
    again = cli.ok("run", "study.yaml", "--json").json
    assert states(again) == {"unchanged": ["alpha", "beta", "gamma"]}
    assert cli.read("study.lock.json") == before
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


def test_a_run_leaves_the_lockfile_and_nothing_else(cli, emulator):
    cli.ok("run", "study.yaml")
    assert cli.files() == ["samples.csv", "study.lock.json", "study.yaml"]


def test_a_new_row_is_launched_alone_and_the_others_keep_their_digests(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.lockfile()["items"]
    cli.write("samples.csv", sheet("delta,lung,fil.d4", *ROWS))
    assert states(cli.ok("run", "study.yaml", "--json").json)["new"] == ["delta"]
    after = cli.lockfile()["items"]
    assert {reference: after[reference] for reference in before} == before
    assert sorted(emulator.executed()) == ["alpha", "beta", "delta", "gamma"]


def test_a_row_that_went_stays_in_the_lockfile_as_removed(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.lockfile()["items"]["beta"]
    cli.write("samples.csv", sheet(ROWS[0], ROWS[2]))
    cli.ok("run", "study.yaml")
    assert cli.lockfile()["items"]["beta"] == {**before, "removed": True}
    cli.write("samples.csv", sheet(*ROWS))
    cli.ok("run", "study.yaml")
    assert cli.lockfile()["items"]["beta"] == before
    assert len(emulator.executed()) == 3


def test_the_first_few_can_be_tried_before_the_rest(cli, emulator):
    cli.ok("run", "study.yaml", "--limit", "1")
    assert emulator.executed() == ["alpha"]
    cli.ok("run", "study.yaml", "--target", "g*")
    assert emulator.executed() == ["alpha", "gamma"]
    cli.ok("run", "study.yaml")
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


def test_a_batch_holds_no_more_than_the_batch_size(cli, emulator):
    ran = cli.ok("run", "study.yaml", "--batch-size", "2", "--json").json
    assert ran["batches"] == 2
    assert sorted(batch["items"] for batch in cli.lockfile()["batches"].values()) == [1, 2]


# -- what a digest depends on


def test_format_order_and_comments_change_no_digest(cli):
    before = cli.digests()
    cli.write("study.yaml", REFORMATTED)
    cli.write("samples.csv", sheet(*reversed(ROWS)))
    assert cli.digests() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("min_depth: 20", "min_depth: 20.0"),
        ("caller: fast", "caller: exact"),
        ("tissue: ", "Tissue: "),
        ("name: study", "name: other"),
        ("87b5", "87b6"),
        ("manifest: 1", "manifest: 1\nrevision: 2"),
    ],
)
def test_what_reaches_the_api_changes_every_digest(cli, old, new):
    before = cli.digests()
    change(cli, old, new)
    after = cli.digests()
    assert before.keys() == after.keys()
    assert all(before[reference] != after[reference] for reference in before)


@pytest.mark.parametrize("env", [{"TZ": "Asia/Kolkata"}, {"LC_ALL": "C"}, {"PYTHONHASHSEED": "7"}], ids=str)
def test_render_gives_the_same_bytes_wherever_it_runs(cli, env):
    here = cli.ok("render", "study.yaml", PYTHONHASHSEED="1", TZ="UTC")
    assert "größe" in here.out
    assert cli.ok("render", "study.yaml", **env).out == here.out


# -- approval


def test_a_changed_item_needs_approval_and_nothing_is_sent(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.read("study.lock.json")
    cli.write("samples.csv", sheet("alpha,blood,fil.other", *ROWS[1:], "delta,lung,fil.d4"))
    refused = cli("run", "study.yaml")
    assert (refused.code, "alpha" in refused.err, "--relaunch-changed" in refused.err) == (7, True, True)
    assert cli.read("study.lock.json") == before
    assert len(emulator.executed()) == 3


def test_relaunching_what_changed_keeps_the_launch_before(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.lockfile()["items"]["alpha"]
    cli.write("samples.csv", sheet("alpha,blood,fil.other", *ROWS[1:]))
    ran = cli.ok("run", "study.yaml", "--relaunch-changed", "--json").json
    after = cli.lockfile()["items"]["alpha"]
    assert states(ran) == {"changed": ["alpha"], "unchanged": ["beta", "gamma"]}
    assert (after["attempt"], after["previous"]) == (1, [before])
    assert sorted(emulator.executed()) == ["alpha", "alpha", "beta", "gamma"]


def test_raising_the_revision_launches_everything_again(cli, emulator):
    cli.ok("run", "study.yaml")
    change(cli, "manifest: 1", "manifest: 1\nrevision: 2")
    assert "was launched before" in (plan := cli.ok("plan", "study.yaml").out) or "were launched before" in plan
    assert states(cli.ok("plan", "study.yaml", "--json").json) == {"new": ["alpha", "beta", "gamma"]}
    cli.ok("run", "study.yaml")
    items = cli.lockfile()["items"].values()
    assert {(item["revision"], item["attempt"], len(item["previous"])) for item in items} == {("2.1", 0, 1)}
    assert len(emulator.executed()) == 6


def test_more_than_max_launches_needs_approval(cli, emulator):
    change(cli, "manifest: 1", "manifest: 1\nmaxLaunches: 2")
    assert cli("run", "study.yaml").code == 7
    assert emulator.executed() == []
    cli.ok("run", "study.yaml", "--max-launches", "3")


# -- failures


FAILING = pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)


@FAILING
def test_an_item_that_fails_ends_the_run_with_1_and_its_message(cli, emulator):
    ran = cli("run", "study.yaml")
    message = cli.lockfile()["items"]["beta"]["message"]
    assert ran.code == 1
    assert message
    assert f"beta: {message}" in ran.out
    again = cli("run", "study.yaml", "--json")
    assert (again.code, again.json["created"], again.json["failed"]) == (1, 0, ["beta"])
    assert len(emulator.executed()) == 3


@FAILING
def test_retrying_the_failed_raises_the_attempt_and_keeps_what_was(cli, emulator):
    cli("run", "study.yaml")
    cli.write("samples.csv", sheet(*ROWS, "delta,lung,fil.d4"))
    before = cli.lockfile()["items"]
    retried = cli("run", "study.yaml", "--retry-failed", "--json")
    after = cli.lockfile()["items"]
    assert (retried.code, retried.json["createdFailed"]) == (1, 1)
    assert (after["beta"]["attempt"], after["beta"]["previous"]) == (1, [before["beta"]])
    assert {reference: after[reference] for reference in ("alpha", "gamma")} == {
        reference: before[reference] for reference in ("alpha", "gamma")
    }
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta", "gamma"]


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$"}], indirect=True)
def test_a_failed_analysis_counts_as_soon_as_it_is_known(cli, emulator):
    cli("run", "study.yaml", "--wait", "none")
    assert cli("run", "study.yaml").code == 1
    assert cli("run", "study.yaml", "--wait", "finished").code == 1
    assert cli.lockfile()["items"]["beta"]["analysis"]["status"] == "FAILED"
    assert cli.lockfile()["items"]["alpha"]["analysis"]["status"] == "SUCCEEDED"


# -- plan


def test_plan_shows_what_run_would_do_as_json(cli, emulator):
    planned = cli.ok("plan", "study.yaml", "--json").json
    assert planned.items() >= {"new": ["alpha", "beta", "gamma"], "batches": 1}.items()
    assert all(planned[state] == [] for state in STATES[1:])
    ran = cli.ok("run", "study.yaml", "--json").json
    assert {**planned, "created": 3, "createdFailed": 0}.items() <= ran.items()
    assert ran["lockfile"].endswith("study.lock.json")
    assert states(cli.ok("plan", "study.yaml", "--json").json) == {"unchanged": ["alpha", "beta", "gamma"]}


def test_locked_and_detailed_exitcode_end_with_8_until_all_is_launched(cli, emulator):
    assert cli("run", "study.yaml", "--locked").code == 8
    assert cli("plan", "study.yaml", "--detailed-exitcode").code == 8
    assert emulator.executed() == []
    cli.ok("run", "study.yaml")
    cli.ok("run", "study.yaml", "--locked")
    cli.ok("plan", "study.yaml", "--detailed-exitcode")


# -- refusals, none of which leaves a file


@pytest.fixture(name="refused")
def _refused(cli):
    """Run a command that must fail before it launches anything: its exit code and what it says."""

    def refused(*arguments, **env):
        before = cli.files()
        done = cli(*arguments, **env)
        assert cli.files() == before
        return done.code, done.err

    return refused


@pytest.mark.parametrize("emulator", [{"projects": ("00000000-0000-4000-8000-000000000000",)}], indirect=True)
def test_an_unknown_project_is_a_refusal(refused, emulator):
    assert refused("run", "study.yaml")[0] == 4


@pytest.mark.parametrize("emulator", [{"api_key": "another"}], indirect=True)
def test_a_wrong_key_is_a_refusal(refused, emulator):
    assert refused("run", "study.yaml")[0] == 4


def test_no_key_is_a_refusal_that_names_the_variables(refused, emulator):
    code, words = refused("run", "study.yaml", ICAV2_X_API_KEY="")
    assert (code, "ICAV2_ACCESS_TOKEN" in words) == (4, True)


def test_a_server_that_does_not_answer_ends_with_5(refused):
    assert refused("run", "study.yaml", "--timeout", "1")[0] == 5


@pytest.mark.parametrize("command", ["run", "plan", "validate", "render", "status"])
def test_a_missing_manifest_is_wrong_use(refused, command):
    code, words = refused(command, "nowhere.yaml")
    assert (code, "nowhere.yaml" in words) == (2, True)


def test_no_project_is_wrong_use_and_any_place_for_it_will_do(cli, refused):
    change(cli, "project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5\n", "")
    code, words = refused("plan", "study.yaml")
    assert (code, "--project" in words) == (2, True)
    cli.ok("plan", "study.yaml", "--project", "p")
    cli.ok("plan", "study.yaml", ICAV2_PROJECT_ID="p")


@pytest.mark.parametrize("command", ["run", "plan", "render"])
def test_an_invalid_manifest_is_shown_with_its_places(cli, refused, command):
    change(cli, "userReference:", "userRefrence:")
    code, words = refused(command, "study.yaml")
    assert (code, "study.yaml:9:5: " in words) == (3, True)


@pytest.mark.parametrize("command", ["plan", "render"])
def test_a_preview_shows_warnings_beside_its_result(cli, command):
    cli.write("samples.csv", sheet(*(f"{row} " for row in ROWS)))
    assert "warning: removed the whitespace" in cli.ok(command, "study.yaml", "--json").err
    assert cli.ok(command, "study.yaml", "--json", "--quiet").err == ""


def test_a_bad_row_is_shown_with_the_sheet_s_line(cli, refused):
    cli.write("samples.csv", sheet(ROWS[0], "be:ta,skin,fil.b2"))
    code, words = refused("run", "study.yaml")
    assert (code, "study.yaml:9:20: " in words, "samples.csv:3" in words) == (3, True, True)


def test_a_study_that_another_process_holds_is_left_alone(cli, refused, emulator):
    with held(Workspace.of(cli.folder / "study.yaml")):
        code, words = refused("run", "study.yaml")
    assert (code, f"process {os.getpid()}" in words) == (6, True)
    assert emulator.executed() == []
    cli.ok("run", "study.yaml")


# -- secrets


@pytest.mark.parametrize("emulator", [{"faults": (Fault("drop-after", 1, 9),)}], indirect=True)
def test_the_key_is_in_no_output_and_in_no_file(cli, emulator):
    lost = cli("run", "study.yaml", "--timeout", "1", "--verbose")
    assert lost.code == 5
    left = [path.read_text(encoding="utf-8") for path in cli.folder.iterdir()]
    assert any("idempotencyKey" in text or "mr1-" in text for text in left), "the journal holds the batch"
    assert not [text for text in (lost.out, lost.err, *left) if cli.env["ICAV2_X_API_KEY"] in text]
