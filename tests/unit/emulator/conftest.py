"""A running emulator with a clock that tests set, and a client that knows the paths and media types."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests

from manifest_runner.emulator import EmulatorOptions, parse_oddities, running
from manifest_runner.emulator.execution_record import executions

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Client:
    """One user of one project. Every answer is a ``requests.Response``; nothing is raised for errors."""

    def __init__(self, url: str, database: Path, project: str, key: str = "a-key") -> None:
        self.url = url
        self.database = database
        self.project = project
        self.api = f"{url}/ica/rest/api"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-API-Key"] = key

    def close(self) -> None:
        self.session.close()

    @property
    def home(self) -> str:
        """The URL of the project."""
        return f"{self.api}/projects/{self.project}"

    def executed(self) -> list[str]:
        """The userReferences executed in the project, one for each execution."""
        return [e.user_reference for e in executions(self.database) if e.project == self.project]

    def post(self, body: Any, key: str | None = None, **headers: str) -> requests.Response:
        """POST a batch: a body, or the items of a Nextflow batch, or bytes."""
        if isinstance(body, list):
            body = {"nextflowItems": body}
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        keyed = {} if key is None else {"Idempotency-Key": key}
        return self.session.post(
            f"{self.home}/analysisCreationBatch",
            **sent,
            headers={"Content-Type": V3, **keyed, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )

    def create(self, *references: str, key: str | None = None, **more: Any) -> str:
        """Create a batch of such items; gives its id."""
        answer = self.post([item(reference, **more) for reference in references], key)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, path: str, accept: str = V4, **query: Any) -> requests.Response:
        """GET a path below the project."""
        return self.session.get(f"{self.home}/{path}", params=query, headers={"Accept": accept})

    def listed(self, path: str, accept: str = V3, **query: Any) -> Any:
        """The items of one page of a list below the project."""
        answer = self.get(path, accept, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def paths(self, **query: Any) -> list[str]:
        """The paths of the data that a query finds."""
        return [row["data"]["details"]["path"] for row in self.listed("data", **query)]

    def batch(self, batch: str) -> requests.Response:
        return self.get(f"analysisCreationBatch/{batch}", accept=V3)

    def items(self, batch: str, **query: Any) -> Any:
        """The JSON of one page of items."""
        answer = self.get(f"analysisCreationBatch/{batch}/items", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def search(self, body: Any = None, **query: Any) -> requests.Response:
        return self.session.post(f"{self.home}/analysis:search", params=query, json=body)

    def found(self, **filters: Any) -> list[str]:
        """The userReferences that a search finds, sorted."""
        answer = self.search(filters)
        assert answer.status_code == 200, answer.text
        return sorted(analysis["userReference"] for analysis in answer.json()["items"])

    def abort(self, analysis: str) -> requests.Response:
        return self.session.post(f"{self.home}/analyses/{analysis}:abort")


def item(reference: str = "one", **more: Any) -> dict[str, Any]:
    """The smallest Nextflow item, and what else it shall have."""
    return {
        "userReference": reference,
        "pipelineId": "f606f580-d476-47a8-9679-9ddb39fcb0a8",
        "analysisInput": {"inputs": []},
        **more,
    }


@pytest.fixture(name="clock", scope="session")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="shared", scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[tuple[str, Path]]:
    """URL and database of an emulator as it comes, which all tests share, each with a project of its own."""
    database = tmp_path_factory.mktemp("shared") / "emulator.db"
    with running(EmulatorOptions(database=database), clock=clock) as url:
        yield url, database


@pytest.fixture(name="project")
def _project() -> str:
    return str(uuid.uuid4())


@pytest.fixture(name="client")
def _client(shared: tuple[str, Path], project: str) -> Iterator[Client]:
    """At an emulator without options: items within one second, analyses within eight more."""
    with closing(Client(*shared, project)) as client:
        yield client


@pytest.fixture(name="other_user")
def _other_user(client: Client) -> Iterator[Client]:
    """Somebody else, in the same project."""
    with closing(Client(client.url, client.database, client.project, "another-key")) as other:
        yield other


def options_in(folder: Path, catalog: str, oddities: Iterable[str], given: dict[str, Any]) -> EmulatorOptions:
    """Options with files in a folder; the ``catalog`` is the text of one."""
    if catalog:
        given["catalog"] = folder / "catalog.yaml"
        given["catalog"].write_text(f"catalog: 1\n{catalog}", encoding="utf-8")
    return EmulatorOptions(**{"database": folder / "emulator.db", "oddities": parse_oddities(oddities), **given})


@pytest.fixture(name="start")
def _start(tmp_path: Path, clock: Clock, project: str) -> Iterator[Callable[..., Client]]:
    """Start an emulator of one's own with these options; it stops when the test ends.

    A ``catalog`` is the text of one, ``oddities`` are as on the command line: ``["no-v4", "max-url=2000"]``.
    """
    with ExitStack() as stack:

        def start(*, key: str = "a-key", catalog: str = "", oddities: Iterable[str] = (), **options: Any) -> Client:
            chosen = options_in(tmp_path, catalog, oddities, options)
            url = stack.enter_context(running(chosen, clock=clock))
            return stack.enter_context(closing(Client(url, chosen.database, project, key)))

        yield start


@pytest.fixture(name="serve", scope="module")
def _serve(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Callable[..., tuple[str, Path]]]:
    """Start an emulator with a catalog that the tests of a module share; gives its URL and database."""
    with ExitStack() as stack:

        def serve(catalog: str, **options: Any) -> tuple[str, Path]:
            chosen = options_in(tmp_path_factory.mktemp("served"), catalog, (), options)
            return stack.enter_context(running(chosen, clock=clock)), chosen.database

        yield serve


@pytest.fixture(name="connect")
def _connect(project: str) -> Iterator[Callable[..., Client]]:
    """A client of a served emulator, by default for a project of its own."""
    with ExitStack() as stack:

        def connect(server: tuple[str, Path], project: str = project) -> Client:
            return stack.enter_context(closing(Client(*server, project)))

        yield connect


@pytest.fixture(name="make_item")
def _make_item() -> Callable[..., dict[str, Any]]:
    return item
