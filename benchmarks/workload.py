"""The measured study: a germline manifest as a lab writes it, with 16 columns, 21 templated strings, 1.4 KB an item."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

COLUMNS = (
    "sample subject study site run lane library sex coverage panel requester status fastqs indexes bed folder".split()
)
PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"

MANIFEST = """\
manifest: 1
name: germline-benchmark
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
vars:
  reference: fil.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4
  build: hg38-alt_masked
analyses:
  - kind: nextflow
    forEach:
      csv: samples.csv
      where: "row.status == 'ready'"
    userReference: "{{ row.sample }}-{{ row.run }}-germline"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    outputParentFolderId: "{{ row.folder }}"
    tags:
      userTags: [germline, "{{ row.study }}"]
      technicalTags: ["run={{ row.run }}", "library={{ row.library }}"]
      referenceTags: ["{{ row.subject }}"]
    analysisInput:
      inputs:
        fastqs: "{{ row.fastqs | split(';') }}"
        indexes: "{{ row.indexes | split(';') }}"
        panel_bed: "{{ row.bed }}"
        ref_tar: "{{ vars.reference }}"
      parameters:
        sample_id: "{{ row.sample }}"
        sex: "{{ row.sex }}"
        target_coverage: "{{ row.coverage }}"
        panel: "{{ row.panel }}"
        site: "{{ row.site }}"
        requested_by: "{{ row.requester }}"
        read_group: "ID:{{ row.run }}.{{ row.lane }} SM:{{ row.sample }} LB:{{ row.library }}"
        output_prefix: "{{ row.sample }}.{{ vars.build }}"
        report_title: "Study {{ row.study }}, subject {{ row.subject }}"
        enable_sv: true
        output_format: CRAM
    analysisOutput:
      - sourcePath: out/
        type: FOLDER
        targetProjectId: "{{ project }}"
        targetPath: "/germline/{{ row.study }}/{{ row.sample }}-{{ row.run }}/"
"""


def write_study(folder: Path, rows: int) -> Path:
    """Write a manifest and its samplesheet, with the same rows every time. Returns the path of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(rows))
    manifest = folder / "study.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    return manifest


def _rows(count: int) -> Iterator[tuple[str, ...]]:
    for number in range(count):
        files = [f"fil.{sha256(f'{number}/{part}'.encode()).hexdigest()[:32]}" for part in range(4)]
        yield (
            f"NA{number:07}",
            f"subject-{number // 2:06}",
            f"study-{number % 40:02}",
            ("Basel", "Boston", "Lyon")[number % 3],
            f"run{number // 96:05}",
            str(number % 4 + 1),
            f"LIB{number:08}",
            "FM"[number % 2],
            "30",
            "whole genome",
            f"team-{number % 7}@lab.example",
            "ready",
            f"{files[0]};{files[1]}",
            files[2],
            files[3],
            f"fol.{files[0][4:]}",
        )
