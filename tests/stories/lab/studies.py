"""A small study for stories, and functions to change it and to read what a command says about it."""

from __future__ import annotations

from typing import Any

MANIFEST = """\
manifest: 1
name: {name}
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
defaults:
  pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
analyses:
  - kind: nextflow
    forEach: {{csv: {sheet}}}
    userReference: "{{{{ row.sample }}}}"
    analysisInput:
      inputs: {{bam: "{{{{ row.bam }}}}"}}
      parameters: {{enable_sv: "{{{{ row.sv }}}}", caller: fast}}
"""
STATES = ("new", "changed", "unchanged", "failed", "removed", "pending")


def write_study(cli: Any, *samples: str, name: str = "study") -> None:
    """A manifest and its samplesheet, one row a sample."""
    cli.write(f"{name}.yaml", MANIFEST.format(name=name, sheet=f"{name}.csv"))
    write_rows(cli, dict.fromkeys(samples, "true"), name=name)


def write_rows(cli: Any, rows: dict[str, str], *, name: str = "study") -> None:
    """The samplesheet alone: each sample with its parameter ``enable_sv``."""
    lines = [f"{sample},fil.{sample},{sv}\n" for sample, sv in rows.items()]
    cli.write(f"{name}.csv", "".join(["sample,bam,sv\n", *lines]))


def change(cli: Any, old: str, new: str, name: str = "study.yaml") -> None:
    text = cli.read(name)
    assert old in text
    cli.write(name, text.replace(old, new))


def states(document: dict[str, Any]) -> dict[str, list[str]]:
    """The result of a plan or run for the items, without empty states."""
    return {state: sorted(document[state]) for state in STATES if document[state]}
