"""A study on an emulator with a catalog, for what comes after launching. Commands are called in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import structs

from manifest_runner.commands.run import RunOutcome, run
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.emulator import EmulatorOptions, running
from manifest_runner.emulator.execution_record import requests
from manifest_runner.planning.choices import Choices

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
MANIFEST = """\
manifest: 1
name: study
project: {project}
analyses:
  - kind: nextflow
    forEach: {{rows: [{rows}]}}
    userReference: "{{{{ row.s }}}}"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput: {{inputs: {{bam: "fil.{{{{ row.s }}}}"}}}}
"""


class Study:
    """A folder with a manifest, and the emulator that it is launched on."""

    def __init__(self, folder: Path, url: str, database: Path, catalog: Path) -> None:
        self.path = folder / "study.yaml"
        self.folder = folder
        self.notes: list[str] = []
        self.target = Target(server_url=url)
        self.database = database
        self.catalog = catalog
        env = {"ICAV2_X_API_KEY": "a-key-of-the-tests"}
        self.context = Context(env=env, home=folder, notify=self.notes.append)
        self.options = RunOptions(wait="finished", timeout=30, poll_interval=0.01)

    def write(self, *samples: str) -> None:
        self.path.write_text(MANIFEST.format(project=PROJECT, rows=", ".join(f"{{s: {s}}}" for s in samples)))

    def serves(self, url: str) -> None:
        """The server is at another URL now, and the lockfile follows."""
        path = self.folder / "study.lock.json"
        path.write_text(path.read_text().replace(str(self.target.server_url), f"{url}/ica/rest"))
        self.target = Target(server_url=f"{url}/ica/rest")

    def choose(self, **choices: Any) -> RunOptions:
        return structs.replace(self.options, choices=Choices(**choices))

    def run(self, **options: Any) -> RunOutcome:
        return run(self.path, self.target, structs.replace(self.options, **options), self.context)

    def items(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "study.lock.json").read_text())["items"]
        return found

    def asked(self, what: str) -> int:
        """How many requests there were whose endpoint ends so."""
        return sum(count for name, count in requests(self.database).items() if name.endswith(what))


@contextmanager
def study(folder: Path, *samples: str, catalog: str = "", **options: Any) -> Iterator[Study]:
    """A study of these samples; ``catalog`` are the rules of its analyses in YAML."""
    path = folder / "catalog.yaml"
    path.write_text(f"catalog: 1\n{catalog}")
    chosen = {"creation_delay": 0.0, "analysis_duration": 0.0, "catalog": path, **options}
    database = folder / "emulator.sqlite3"
    with running(EmulatorOptions(database=database, **chosen)) as url:
        made = Study(folder, f"{url}/ica/rest", database, path)
        made.write(*samples)
        yield made
