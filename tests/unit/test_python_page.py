"""The programs of docs/python.md run, each where the package that it is written for is installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from manifest_runner.emulator import EmulatorOptions, running

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
MANIFEST = """\
manifest: 1
name: germline
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    userReference: NA12878-germline
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput: {inputs: {reads: fil.a}}
"""


def program(word: str) -> str:
    """The block of the page that has this word in it."""
    blocks = [token.content for token in MarkdownIt().parse(PAGE.read_text()) if token.type == "fence"]
    (found,) = [block for block in blocks if re.search(word, block)]
    return found


@pytest.fixture(name="launched")
def _launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A study that the page's programs launch; says how often that happened."""
    options = EmulatorOptions(database=tmp_path / "emulator.sqlite3", creation_delay=0.0, analysis_duration=0.0)
    (tmp_path / "germline.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICAV2_X_API_KEY", "a-key")
    for home in ("AIRFLOW_HOME", "PREFECT_HOME", "DAGSTER_HOME"):
        monkeypatch.setenv(home, str(tmp_path))
    with running(options) as url:
        monkeypatch.setenv("ICAV2_SERVER_URL", url)
        yield lambda: (tmp_path / "germline.lock.json").read_text().count('"attempt": 0')


def executed(source: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(source, "docs/python.md", "exec", dont_inherit=True), names)
    return names


def test_the_notebooks_cell(launched, capsys):
    executed(program("before = plan"))
    state, outputs = capsys.readouterr().out.splitlines()[-2:]
    assert (launched(), state) == (1, "NA12878-germline succeeded ")
    assert outputs.startswith("NA12878-germline {'")


def test_the_task_of_airflow(launched: Callable[[], int]):
    pytest.importorskip("airflow.sdk")
    task = executed(program("from airflow"))["germline"]().task_dict["launch"]
    assert (task.retries, task.python_callable(*task.op_args), launched()) == (3, 1, 1)


@pytest.mark.filterwarnings("ignore")
def test_the_flow_of_prefect(launched):
    pytest.importorskip("prefect")
    assert (executed(program("from prefect"))["launch"].fn("germline.yaml"), launched()) == (1, 1)


@pytest.mark.filterwarnings("ignore")
def test_the_asset_of_dagster(launched):
    dagster = pytest.importorskip("dagster")
    done = dagster.materialize([executed(program("from dagster"))["germline"]])
    assert (done.success, launched()) == (True, 1)
