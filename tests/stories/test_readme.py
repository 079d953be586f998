"""The first study of the README, step by step as it is written there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """Without ``--emulator``: the test's own emulator is the same, without its delays."""
    lines = [line.removeprefix("$ manifest-runner ") for line in block.splitlines()]
    return [[word for word in shlex.split(line) if word != "--emulator"] for line in lines]


def test_the_first_study_of_the_readme_works_as_written(emulator, cli):
    study = section("Your first study")
    start, steps = blocks(study, "console")
    for step in commands(start):
        cli.ok(*step)
    assert cli.files() == ["manifest.schema.json", "study.samples.csv", "study.yaml"]
    (manifest,), (samples,) = blocks(study, "yaml"), blocks(study, "csv")
    cli.write("study.yaml", manifest)
    cli.write("study.samples.csv", samples)
    for step in commands(steps):
        cli.ok(*step)
    assert emulator.executed() == ["NA12878-study", "NA12879-study"]
    assert "2 of 2" in cli.read("study.html") or "2 items" in cli.read("study.html")


def test_a_second_run_of_the_first_study_launches_only_a_new_row(emulator, cli):
    study = section("Your first study")
    cli.write("study.yaml", blocks(study, "yaml")[0])
    cli.write("study.samples.csv", blocks(study, "csv")[0])
    cli.ok("run", "study.yaml")
    assert cli.ok("plan", "study.yaml", "--json").json["new"] == []
    cli.write("study.samples.csv", blocks(study, "csv")[0] + "NA12880,/fastq/NA12880_R1.fastq.gz\n")
    assert cli.ok("plan", "study.yaml", "--json").json["new"] == ["NA12880-study"]
