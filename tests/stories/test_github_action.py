"""The GitHub action: its step runs a command on each manifest and passes on the results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from studies import write_rows, write_study

ACTION = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))


class Step:
    """The last step of the action, with the inputs' defaults."""

    def __init__(self, cli) -> None:
        self.cli = cli
        self.said = self.summary = ""

    def __call__(self, manifests: str, **inputs: str) -> dict[str, str]:
        """Run it; the outputs, and the exit code as the step's."""
        given = {name: declared.get("default", "") for name, declared in ACTION["inputs"].items()}
        given |= {"manifest": manifests, **inputs}
        step = ACTION["runs"]["steps"][-1]
        env = {
            name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")] for name, value in step["env"].items()
        }
        files = {name: self.cli.folder.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("", encoding="utf-8")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.cli.folder,
            env={**self.cli.env, **env, **{name: str(file) for name, file in files.items()}, "PATH": path},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        self.said = done.stdout + done.stderr
        self.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        outputs = read_outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))
        assert outputs["exitCode"] == str(done.returncode), self.said
        assert outputs.keys() == {
            value["value"].split(".")[-1].removesuffix(" }}") for value in ACTION["outputs"].values()
        }
        return outputs


def read_outputs(text: str) -> dict[str, str]:
    """Both forms of GitHub's file: NAME=VALUE, and NAME<<END, lines, END."""
    long = {name: value.strip() for name, end, value in re.findall(r"^(\w+)<<(\S+)\n(.*?)^\2$", text, re.M | re.S)}
    return long | dict(re.findall(r"^(\w+)=(.*)$", text, re.M))


def test_a_plan_of_several_manifests_is_counted_together(cli, emulator):
    write_study(cli, "alpha", "beta", name="one")
    write_study(cli, "gamma", name="two")
    cli.ok("run", "two.yaml")
    step = Step(cli)
    outputs = step("one.yaml\ntwo.yaml")
    assert (outputs["new"], outputs["unchanged"], outputs["launches"]) == ("2", "1", "2")
    digests = [cli.ok("plan", f"{name}.yaml", "--json").json["planDigest"] for name in ("one", "two")]
    assert outputs["planDigest"].split() == digests
    assert step.summary.count("### plan `") == 2
    assert "+ alpha" in step.summary
    assert len(emulator.executed()) == 1


def test_a_run_launches_and_writes_its_report(cli, emulator):
    write_study(cli, "alpha", "beta")
    step = Step(cli)
    outputs = step("study.yaml", command="run", arguments="--max-launches 5")
    assert (outputs["exitCode"], sorted(emulator.executed())) == ("0", ["alpha", "beta"])
    assert step.summary.startswith("## ")
    assert cli.read("study.lock.json")
    step("study.yaml", command="run", arguments="--emulator --lockfile=trial.json")
    assert "study" in step.summary


def test_a_changed_item_is_handed_on_and_a_refused_run_fails_the_step(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml")
    write_rows(cli, {"alpha": "false"})
    step = Step(cli)
    planned = step("study.yaml")
    assert (planned["changed"], planned["launches"], planned["approvalNeeded"]) == ("1", "0", "true")
    assert step("study.yaml", command="run", summary="false")["exitCode"] == "7"
    assert step.summary == ""
    assert len(emulator.executed()) == 1


def test_mistakes_are_annotated_at_their_lines(cli):
    write_study(cli, "alpha")
    cli.write("study.csv", "sample,bam\nalpha,fil.alpha\n")
    step = Step(cli)
    assert step("study.yaml", command="validate")["exitCode"] == "3"
    assert "::error file=study." in step.said


def test_the_action_sets_up_python_and_installs_its_own_version():
    steps = ACTION["runs"]["steps"]
    assert steps[0]["uses"].startswith("actions/setup-python@")
    assert '"$GITHUB_ACTION_PATH${EXTRAS:+[$EXTRAS]}"' in steps[1]["run"]
    assert all("description" in each for part in ("inputs", "outputs") for each in ACTION[part].values())
