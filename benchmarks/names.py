"""Names: studies with pinned paths and with ids, and how many requests it takes to look up paths."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.workload import PROJECT
from manifest_runner.emulator import EmulatorOptions, execution_record, running
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
    """Write two manifests of ``rows`` rows with two data each: ``ids/m.yaml``, ``paths/m.yaml``, its names file."""
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


# How many requests the paths of 1,000 and of 100,000 samples may take, in each layout; two paths a sample.
LAYOUTS = {
    "in one folder": (3, 201),
    "in ten folders": (13, 210),
    "in a folder for each sample": (45, 210),
    "among 40,000 other files": (45, None),
}


def layout(name: str, samples: int) -> tuple[Iterable[str], list[str]]:
    """The data of a layout, with braces as a catalog has them, and the paths of the samples."""
    reads = "_R{1,2}.fq.gz"
    if name == "in ten folders":
        numbers = [f"{folder}/S{number:06}" for folder in range(10) for number in range(samples // 10)]
        data: Iterable[str] = [f"/{{0..9}}/S{{000000..{samples // 10 - 1:06}}}{reads}"]
    elif name == "in a folder for each sample":
        numbers = [f"S{number:06}/S{number:06}" for number in range(samples)]
        data = (f"/{number}{reads}" for number in numbers)
    elif name == "among 40,000 other files":
        numbers = [f"S{number:06}" for number in range(0, 21 * samples, 21)]
        data = [f"/S{{000000..{21 * samples - 1:06}}}{reads}"]
    else:
        numbers = [f"S{number:06}" for number in range(samples)]
        data = [f"/S{{000000..{samples - 1:06}}}{reads}"]
    return data, [f"/{number}_R{read}.fq.gz" for number in numbers for read in (1, 2)]


def requests_for(entries: Iterable[str], paths: Sequence[str]) -> int:
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
        return execution_record.requests(database)[_LISTING]
