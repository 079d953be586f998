"""seqerakit's work: make command lines from launches written out one by one, as many as ``inline`` has analyses.

seqerakit hands each launch to Seqera's client ``tw``. With ``--dryrun`` it only asks whether there is one.
"""

from __future__ import annotations

from pathlib import Path

LAUNCH = """\
  - name: NA{0:07}-germline
    workspace: lab/germline
    compute-env: aws
    pipeline: lab/germline
    revision: "1.0"
    labels: [germline, study-{1}]
    params:
      fastqs: [fil.6f0c2f0d9a3e4b0f8b1c08d{0:09}, fil.7f0c2f0d9a3e4b0f8b1c08d{0:09}]
      panel_bed: fil.8f0c2f0d9a3e4b0f8b1c08d{0:09}
      ref_tar: fil.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4
      enable_sv: true
      output_format: CRAM
      output_prefix: NA{0:07}.hg38
      sample_id: NA{0:07}
      read_group: "ID:run{1}.1 SM:NA{0:07} LB:LIB{0:08}"
      target_coverage: "30"
      outdir: /germline/study-{1}/NA{0:07}/
"""


def write_launches(folder: Path, count: int) -> None:
    """Write ``launches.yml`` and a stub of ``tw`` into a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "launches.yml").open("w", encoding="utf-8") as file:
        file.write("launch:\n")
        file.writelines(LAUNCH.format(number, number % 40) for number in range(count))
    client = folder / "tw"
    client.write_text("#!/bin/sh\n", encoding="utf-8")
    client.chmod(0o755)
