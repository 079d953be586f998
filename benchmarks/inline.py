"""A manifest of many analyses written out one by one, without a samplesheet, some 1.3 KB of YAML each."""

from __future__ import annotations

from pathlib import Path

HEAD = "manifest: 1\nname: inline\nproject: 7595e8f2-32d3-4c76-a324-c6a85dae87b5\nanalyses:\n"
ANALYSIS = """\
  - kind: nextflow
    userReference: NA{0:07}-germline
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisStorageId: 70405afc-d8c4-4b6a-b09c-c960a8f249e3
    tags:
      userTags: [germline, study-{1}]
      technicalTags: [run=run{1}, library=LIB{0:08}]
      referenceTags: [subject-{0:06}]
    analysisInput:
      inputs:
        - parameterCode: fastqs
          dataIds:
            - fil.6f0c2f0d9a3e4b0f8b1c08d{0:09}
            - fil.7f0c2f0d9a3e4b0f8b1c08d{0:09}
        - parameterCode: panel_bed
          dataIds: [fil.8f0c2f0d9a3e4b0f8b1c08d{0:09}]
        - parameterCode: ref_tar
          dataIds: [fil.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4]
      parameters:
        - {{code: enable_sv, value: "true"}}
        - {{code: output_format, value: CRAM}}
        - {{code: output_prefix, value: NA{0:07}.hg38}}
        - {{code: sample_id, value: NA{0:07}}}
        - {{code: read_group, value: "ID:run{1}.1 SM:NA{0:07} LB:LIB{0:08}"}}
        - {{code: target_coverage, value: "30"}}
    analysisOutput:
      - sourcePath: out/
        type: FOLDER
        targetProjectId: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
        targetPath: /germline/study-{1}/NA{0:07}/
"""


def write_inline(path: Path, count: int) -> Path:
    """Write the manifest into a new folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        file.writelines(ANALYSIS.format(number, number % 40) for number in range(count))
    return path
