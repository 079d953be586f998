"""One manifest starts from the results of another: offline, each launched once, and only if the other succeeded."""

from __future__ import annotations

import shutil

import pytest

FIRST = """\
manifest: 1
name: germline
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    forEach: {{rows: [{rows}]}}
    userReference: "{{{{ row.s }}}}-germline"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput: {{inputs: {{bam: "fil.{{{{ row.s }}}}"}}, parameters: {{depth: {depth}}}}}
"""
SECOND = """\
manifest: 1
name: report
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    forEach: {launched: germline.yaml}
    userReference: "{{ row.userReference }}-report"
    pipelineId: 2b0d4f7a-5555-47a8-9679-9ddb39fcb0a8
    analysisInput:
      inputs: {vcfs: "{{ row.outputs.results | map(attribute='dataId') | list }}"}
"""
FINISHED = ("--wait", "finished", "--poll-interval", "0.05")


def write(cli, *samples, depth="1"):
    cli.write("germline.yaml", FIRST.format(rows=", ".join(f"{{s: {s}}}" for s in samples), depth=depth))
    cli.write("report.yaml", SECOND)


def inputs(cli):
    """The data that each rendered item of the second manifest reads."""
    found = {}
    for batch in cli.ok("render", "report.yaml").json:
        for item in batch["body"]["nextflowItems"]:
            found[item["userReference"]] = item["analysisInput"]["inputs"][0]["dataIds"]
    return found


def test_two_manifests_run_one_after_the_other_from_nothing(cli, emulator):
    write(cli, "a", "b")
    cli.ok("run", "germline.yaml", "report.yaml", *FINISHED, "--outputs")
    assert sorted(emulator.executed()) == ["a-germline", "a-germline-report", "b-germline", "b-germline-report"]
    outputs = cli.lockfile("germline.lock.json")["items"]["a-germline"]["outputs"]["results"]
    assert inputs(cli)["a-germline-report"] == [each["dataId"] for each in outputs]
    assert cli.ok("plan", "report.yaml", "--detailed-exitcode").code == 0
    cli.ok("run", "germline.yaml", "report.yaml", *FINISHED, "--outputs")
    assert len(emulator.executed()) == 4


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^a-"}], indirect=True)
def test_the_second_waits_for_a_first_that_ended_well(cli, emulator):
    write(cli, "a", "b")
    ended = cli("run", "germline.yaml", "report.yaml", *FINISHED, "--outputs")
    assert ended.code == 1
    assert "not run, because germline.yaml did not succeed: report.yaml" in ended.err
    assert sorted(emulator.executed()) == ["a-germline", "b-germline"]
    shown = cli.ok("plan", "report.yaml")
    assert "1 of 2 items of germline.yaml are not rows (1 failed)" in shown.err
    assert "+ b-germline-report" in shown.out
    assert "a-germline" not in shown.out


def test_the_text_of_all_is_checked_before_the_first_launches(cli, emulator):
    write(cli, "a")
    cli.write("report.yaml", SECOND.replace("userReference:", "userRefrence:"))
    ended = cli("run", "germline.yaml", "report.yaml", *FINISHED)
    assert (ended.code, "userRefrence" in ended.err) == (3, True)
    assert emulator.executed() == []


def test_outputs_that_are_not_recorded_are_an_error_that_names_the_command(cli, emulator):
    write(cli, "a")
    assert "germline.yaml has launched nothing yet" in cli.ok("plan", "report.yaml").err
    cli.ok("run", "germline.yaml", *FINISHED)
    ended = cli("plan", "report.yaml")
    assert ended.code == 3
    assert "report.yaml:6:25" in ended.err
    assert "run: manifest-runner outputs germline.yaml" in ended.err
    cli.write("report.yaml", SECOND.replace("{{ row.outputs.results | map(attribute='dataId') | list }}", "fil.x"))
    assert "+ a-germline-report" in cli.ok("plan", "report.yaml").out
    cli.write("report.yaml", SECOND.replace("row.outputs", "row.output"))
    assert 'the row has no column "output"; did you mean "outputs"?' in cli("plan", "report.yaml").err


def test_a_relaunch_there_changes_what_depends_on_it_here(cli, emulator):
    write(cli, "a", "b")
    cli.ok("run", "germline.yaml", "report.yaml", *FINISHED, "--outputs")
    write(cli, "a", depth="2")
    cli.ok("run", "germline.yaml", *FINISHED, "--outputs", "--relaunch-changed")
    plan = cli.ok("plan", "report.yaml", "--json").json
    assert (plan["changed"], plan["removed"]) == (["a-germline-report"], ["b-germline-report"])


def test_rows_come_from_the_store_of_the_other_manifest(cli, emulator, tmp_path):
    """On a machine that has never launched anything, and has no lockfile of either."""
    write(cli, "a")
    state = f"state: {(tmp_path / 'state').as_uri()}\nanalyses:"
    for name in ("germline.yaml", "report.yaml"):
        cli.write(name, (cli.folder / name).read_text(encoding="utf-8").replace("analyses:", state))
    cli.ok("run", "germline.yaml", *FINISHED, "--outputs")
    assert not list(cli.folder.glob("*.lock.json"))
    cli.folder = shutil.copytree(cli.folder, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("state*"))
    assert "+ a-germline-report" in cli.ok("plan", "report.yaml").out
    cli.ok("run", "report.yaml")
    assert sorted(emulator.executed()) == ["a-germline", "a-germline-report"]


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^[ab]-"}], indirect=True)
def test_failed_items_are_launched_again_where_an_expression_holds(cli, emulator):
    write(cli, "a", "b", "c")
    assert cli("run", "germline.yaml", *FINISHED).code == 1
    assert cli("failures", "germline.yaml").code == 1
    retry = ("run", "germline.yaml", "--retry-failed", "--where")
    assert '"failur" is not defined; did you mean "failure"?' in cli(*retry, "failur.step == 1").err
    assert cli(*retry, "failure.exit == 1").code == 2
    assert cli("run", "germline.yaml", "--where", "true").code == 2
    cli(*retry, "userReference == 'a-germline' and failure.exitCode > 0", *FINISHED)
    assert sorted(emulator.executed()) == ["a-germline", "a-germline", "b-germline", "c-germline"]
