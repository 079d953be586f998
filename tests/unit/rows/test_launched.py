"""Rows from a lockfile are as good as a table of the same values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifest_runner.commands.preview import render
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.diagnostics.finding import InvalidManifest

MANIFEST = """\
manifest: 1
name: next
project: p
analyses:
  - kind: nextflow
    forEach: {{{source}}}
    userReference: "{{{{ row.userReference }}}}-next"
    pipelineId: urn:p
    tags: {{userTags: ["{{{{ row.analysisId }}}}", "of {{{{ row.kind }}}}"]}}
    analysisInput: {{inputs: {{vcf: "{{{{ {vcf} }}}}"}}}}
"""


def write_lockfile(folder: Path, data: object = "fil.a") -> None:
    analysis = {"id": "id-a", "reference": None, "status": "SUCCEEDED"}
    item = {"analysis": analysis, "attempt": 0, "batchId": None, "digest": "d", "itemId": None, "kind": "nextflow"}
    outputs = {"vcf": [{"dataId": data, "name": "a.vcf", "type": "FILE"}]}
    item |= {"message": None, "outputs": outputs, "revision": "1.1", "status": "SUCCEEDED"}
    lockfile = {"lockVersion": 1, "name": "first", "project": "p", "server": "s", "batches": {}, "items": {"a": item}}
    (folder / "first.lock.json").write_text(json.dumps(lockfile))
    (folder / "first.yaml").write_text("")


def rendered(folder: Path, source: str, vcf: str) -> list[bytes]:
    path = folder / "next.yaml"
    path.write_text(MANIFEST.format(source=source, vcf=vcf))
    return [batch.body for batch in render(path, Target(), RunOptions(), Context())]


def test_launched_rows_render_to_what_a_table_of_their_values_renders_to(tmp_path):
    write_lockfile(tmp_path)
    (tmp_path / "rows.csv").write_text("userReference,analysisId,kind,vcf\na,id-a,nextflow,fil.a\n")
    from_lockfile = rendered(tmp_path, "launched: first.yaml", "row.outputs.vcf[0].dataId")
    assert from_lockfile == rendered(tmp_path, "csv: rows.csv", "row.vcf")
    assert b'"dataIds":["fil.a"]' in from_lockfile[0]


@pytest.mark.parametrize(("data", "vcf", "words"), [
    (17, "row.outputs.vcf[0].dataId", "17"),
    ("fil.a", "row.outputs.vcf[1].dataId", "vcf"),
    ("fil.a", "row.outputs.bam[0].dataId", "bam"),
])  # fmt: skip
def test_what_a_lockfile_does_not_have_is_an_error_of_the_row(tmp_path, data, vcf, words):
    write_lockfile(tmp_path, data)
    with pytest.raises(InvalidManifest) as invalid:
        rendered(tmp_path, "launched: first.yaml", vcf)
    assert words in str([each.message for each in invalid.value.findings])


def test_a_manifest_does_not_start_from_its_own_items(tmp_path):
    with pytest.raises(InvalidManifest) as refused:
        rendered(tmp_path, "launched: ./next.yaml", "row.analysisId")
    assert [each.message.split(":")[0] for each in refused.value.findings] == [
        "a manifest cannot start from its own items"
    ]
