"""What shells offer for an argument that is being typed."""

from __future__ import annotations

import click

from manifest_runner.cli import completion

MANIFEST = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    forEach: {rows: [{s: alpha}, {s: alpine}, {s: alto}]}
    userReference: "{{ row.s }}"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput: {inputs: {}}
"""


def test_only_the_first_items_of_a_large_manifest_are_rendered_at_the_prompt(tmp_path, monkeypatch):
    (tmp_path / "study.yaml").write_text(MANIFEST, encoding="utf-8")
    context = click.Context(click.Command("run"))
    context.params = {"manifest": tmp_path / "study.yaml"}
    option = click.Option(["--target"])
    assert completion.targets(context, option, "al") == ["alpha", "alpine", "alto"]
    monkeypatch.setattr(completion, "_MOST_RENDERED", 2)
    assert completion.targets(context, option, "al") == ["alpha", "alpine"]
