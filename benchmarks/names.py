"""Names: what a plan with pinned paths costs over one with ids, and how many requests paths take."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.workload import PROJECT
from manifest_runner.emulator import EmulatorOptions, record, running
from manifest_runner.ica.client import Client
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.model import Name
from manifest_runner.names.model import DataEntry, Names
from manifest_runner.names.names_file import write_names
from manifest_runner.names.resolver import Resolver

SERVER = "https://ica.illumina.com/ica/rest"
FOLDER = "/projects/some_longer_project_name/runs/20261123_A01234_0042"
_LISTING = "GET /api/projects/{projectId}/data"
_MANIFEST = f"""\
manifest: 1
name: names
project: {PROJECT}
analyses:
  - kind: nextflow
    forEach: {{csv: samples.csv}}
    userReference: "{{{{ row.sample }}}}"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput:
      inputs: {{fastqs: "{{{{ row.fastqs | split(';') }}}}"}}
      parameters: {{sample: "{{{{ row.sample }}}}"}}
"""


def write_pairs(folder: Path, rows: int) -> None:
    """Two manifests of as many rows, with two data each: ``ids/m.yaml``, and ``paths/m.yaml`` with its names file."""
    data: dict[str, DataEntry] = {}
    for kind in ("ids", "paths"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / "m.yaml").write_text(_MANIFEST, encoding="utf-8")
        with (folder / kind / "samples.csv").open("w", encoding="utf-8") as file:
            file.write("sample,fastqs\n")
            for row in range(rows):
                paths = [f"/fastq/run42/S{row:07}_R{read}.fastq.gz" for read in (1, 2)]
                ids = [f"fil.{2 * row + read + 16**31:032x}" for read in (1, 2)]
                if kind == "paths":
                    data |= {path: DataEntry(each, 1000) for path, each in zip(paths, ids, strict=True)}
                file.write(f"S{row:07},{';'.join(paths if kind == 'paths' else ids)}\n")
    write_names(folder / "paths" / "m.names.json", Names(PROJECT, SERVER, data=data))


LAYOUTS = {
    "in one folder": (
        ["/S{0001..1000}_R{1,2}.fq.gz"],
        [f"/S{n:04}_R{r}.fq.gz" for n in range(1, 1001) for r in (1, 2)],
    ),
    "in ten folders": (
        ["/{0..9}/S{001..100}_R{1,2}.fq.gz"],
        [f"/{k}/S{n:03}_R{r}.fq.gz" for k in range(10) for n in range(1, 101) for r in (1, 2)],
    ),
    "in a folder for each sample": (
        [f"/S{n:04}/S{n:04}_R{{1,2}}.fq.gz" for n in range(1, 1001)],
        [f"/S{n:04}/S{n:04}_R{r}.fq.gz" for n in range(1, 1001) for r in (1, 2)],
    ),
    "among 40,000 other files": (
        ["/S{00001..21000}_R{1,2}.fq.gz"],
        [f"/S{n:05}_R{r}.fq.gz" for n in range(1, 21_001, 21) for r in (1, 2)],
    ),
}


def requests_for(entries: Sequence[str], paths: Sequence[str]) -> int:
    """How many listings it takes to look up these paths below ``FOLDER``, of data that are given with braces."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        catalog, database = Path(folder) / "catalog.yaml", Path(folder) / "emulator.sqlite3"
        listed = "".join(f"  - {FOLDER}{entry}\n" for entry in entries)
        catalog.write_text(f"catalog: 1\nprojects: [{{name: lab, id: {PROJECT}}}]\ndata:\n{listed}", encoding="utf-8")
        credential = Credential("X-API-Key", "0123456789abcdef", "the benchmark")
        with (
            running(EmulatorOptions(database=database, catalog=catalog)) as url,
            Client(url + "/ica/rest", credential, PROJECT, deadline=Deadline.after(600)) as client,
        ):
            resolver = Resolver(client, lambda _code, _words: None)
            found = resolver.look_up([Name("data", FOLDER + path) for path in paths])
        assert len(found.entries) == len(paths), next(iter(found.failures.items()))
        return record.requests(database)[_LISTING]
