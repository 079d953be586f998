"""The server as a process: starting, stopping, surviving, sharing its database."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from manifest_runner import emulator
from manifest_runner.emulator import EmulatorOptions, running
from manifest_runner.emulator.store.database import open_store, transaction

SERVE = """
import sys
from pathlib import Path
from manifest_runner.emulator import EmulatorOptions, serve
serve(EmulatorOptions(database=Path(sys.argv[1])), lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@contextmanager
def process(database):
    """A server in a process of its own; gives the process and its URL."""
    command = [sys.executable, "-W", "error", "-c", SERVE, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.fixture(name="join")
def _join(tmp_path, project, client):
    def join(url, key="a-key"):
        return closing(type(client)(url, tmp_path / "emulator.db", project, key))

    return join


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_silently(tmp_path, join, number):
    with process(tmp_path / "emulator.db") as (server, url), join(url) as client:
        assert client.search().status_code == 200
        server.send_signal(number)
        output, errors = server.communicate(timeout=10)
    assert (server.returncode, output, errors) == (0, "stopped\n", "")


def test_what_was_answered_survives_a_kill(tmp_path, join, make_item):
    with process(tmp_path / "emulator.db") as (server, url), join(url) as client:
        first = client.post([make_item()], "key")
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        assert client.executed() == ["one"]
    with process(tmp_path / "emulator.db") as (server, url), join(url) as client:
        assert client.post([make_item()], "key").content == first.content
        assert client.batch(first.json()["id"]).status_code == 200
        assert client.executed() == ["one"]


def test_processes_that_share_a_database_execute_a_key_once(tmp_path, join, make_item):
    database = tmp_path / "emulator.db"
    with process(database) as (_, one), process(database) as (_, two), join(one) as a, join(two) as b:
        with ThreadPoolExecutor(2) as pool:
            for n in range(10):
                items = [make_item(f"{n}-{i}") for i in range(20)]
                answers = list(pool.map(lambda client, n=n, items=items: client.post(items, f"{n}"), (a, b)))
                assert {answer.status_code for answer in answers} == {201}
                assert answers[0].content == answers[1].content
        assert len(a.executed()) == len(set(a.executed())) == 200


def test_a_slow_answer_does_not_delay_others(start, make_item):
    client = start(latency=0.2)
    with ThreadPoolExecutor(20) as pool:
        begun = time.monotonic()
        answers = list(pool.map(lambda n: client.post([make_item(f"{n}")], f"{n}"), range(20)))
        took = time.monotonic() - begun
    assert {answer.status_code for answer in answers} == {201}
    assert 0.2 <= took < 20 * 0.2


def test_the_server_is_gone_when_its_context_ends(tmp_path):
    with running(EmulatorOptions(database=tmp_path / "emulator.db")) as url:
        port = int(url.rpartition(":")[2])
        assert requests.get(url, timeout=10).status_code == 404
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_taken_port_is_an_error_of_the_caller(tmp_path):
    with running(EmulatorOptions(database=tmp_path / "one.db")) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError), running(EmulatorOptions(database=tmp_path / "two.db", port=port)):
            pass


def test_a_database_of_a_newer_format_is_refused(tmp_path):
    database = tmp_path / "emulator.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(sqlite3.DatabaseError, match="format 99"), running(EmulatorOptions(database=database)):
        pass


_FORMAT_1 = """
CREATE TABLE batches (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, owner TEXT NOT NULL,
    created REAL NOT NULL, done REAL NOT NULL, duration REAL NOT NULL, size INTEGER NOT NULL, failing INTEGER NOT NULL);
CREATE TABLE items (batch INTEGER NOT NULL, id TEXT NOT NULL, analysis TEXT NOT NULL, settled REAL NOT NULL,
    fate INTEGER NOT NULL, kind TEXT NOT NULL, user_reference TEXT NOT NULL, pipeline TEXT NOT NULL,
    technical_tags TEXT NOT NULL, user_tags TEXT NOT NULL, reference_tags TEXT NOT NULL,
    PRIMARY KEY (batch, id)) WITHOUT ROWID;
CREATE TABLE tokens (fingerprint BLOB PRIMARY KEY, owner TEXT NOT NULL, from_api_key INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO batches VALUES (1, 'b', 'PROJECT', 'o', 1000, 1001, 8, 1, 0);
INSERT INTO items VALUES (1, 'i', 'a', 1001, 2, 'nextflow', 'old', 'p', '["x"]', '[]', '[]');
PRAGMA user_version = 1;
"""


def test_a_database_of_the_first_format_is_brought_up_to_date(start, tmp_path, project):
    with closing(sqlite3.connect(tmp_path / "emulator.db")) as connection:
        connection.executescript(_FORMAT_1.replace("PROJECT", project))
    client = start(analysis_duration=60)
    client.create("new")
    (found,) = client.search({"technicalTags": ["x"]}).json()["items"]
    assert (found["userReference"], found["status"]) == ("old", "FAILED")
    assert client.executed() == ["old", "new"]


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    with closing(open_store(tmp_path / "emulator.db")) as store:
        with suppress(ZeroDivisionError), transaction(store):
            store.execute("INSERT INTO aborts VALUES ('a', 1)")
            raise ZeroDivisionError
        assert store.execute("SELECT count(*) FROM aborts").fetchone() == (0,)


def test_answers_do_not_wait_for_delayed_acknowledgements(tmp_path, monkeypatch):
    async def answer(request):
        transport = request.state.transport
        return Response(str(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

    monkeypatch.setattr("manifest_runner.emulator.server.build_app", lambda *_: Starlette(routes=[Route("/", answer)]))
    with running(EmulatorOptions(database=tmp_path / "emulator.db")) as url:
        assert requests.get(url, timeout=10).text == "1"


def test_importing_the_package_loads_no_web_server():
    code = "import sys, manifest_runner.emulator; print({'starlette', 'uvicorn', 'sqlite3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_emulator_shares_no_code_with_the_runner():
    for file in Path(emulator.__file__).parent.rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import) (manifest_runner\S*)", file.read_text(encoding="utf-8"), re.M)
        assert all(name.startswith("manifest_runner.emulator") for name in imports), file.name
