"""The cost of a fixed run, counted rather than timed: compilations, validations, requests, bytes and syncs."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from pathlib import Path

import jinja2
import jsonschema_rs
import msgspec
import pytest
import requests
import responses

from manifest_runner.commands import preview, run
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.status import refresh
from manifest_runner.commands.steps import name_lookup
from manifest_runner.emulator import EmulatorOptions, running
from manifest_runner.lockfile.file import write_lockfile
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.validation import shipped_schemas

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
ROWS = 200
MANIFEST = f"""\
manifest: 1
name: study
project: {PROJECT}
batchSize: 50
vars: {{reference: fil.ref}}
analyses:
  - kind: nextflow
    forEach: {{csv: samples.csv, where: "row.status == 'ready'"}}
    userReference: "{{{{ row.sample }}}}-germline"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    tags: {{userTags: ["{{{{ row.sample | title }}}}"]}}
    analysisInput:
      inputs: {{fastqs: "{{{{ row.fastqs | split(';') }}}}", ref: "{{{{ vars.reference }}}}"}}
      parameters: {{name: "{{{{ row.sample }}}}.{{{{ vars.reference }}}}", lower: "{{{{ row.sample | lower }}}}"}}
"""


@pytest.fixture(name="counts")
def _counts(monkeypatch):
    """The number of the most expensive calls of the libraries underneath."""
    counts = Counter()
    compile_template, send, fsync = jinja2.Environment.compile, requests.Session.send, os.fsync
    make_validator = jsonschema_rs.validator_for

    class Counting:
        def __init__(self, validator):
            self._validator = validator

        def is_valid(self, data):
            counts["validations"] += 1
            return self._validator.is_valid(data)

    def counted(name, function):
        def count(*arguments, **named):
            counts[name] += 1
            return function(*arguments, **named)

        return count

    def sent(session, request, **options):
        counts["requests"] += 1
        counts["sent bytes"] += len(request.body or b"")
        return send(session, request, **options)

    monkeypatch.setattr(jinja2.Environment, "compile", counted("compilations", compile_template))
    monkeypatch.setattr(jsonschema_rs, "validator_for", lambda *a, **n: Counting(make_validator(*a, **n)))
    monkeypatch.setattr(requests.Session, "send", sent)
    monkeypatch.setattr(os, "fsync", counted("syncs", fsync))
    checkers = (
        shipped_schemas.item_checker,
        shipped_schemas._manifest_checker,
        shipped_schemas._analysis_checker,
        shipped_schemas._lockfile_checker,
    )
    for checker in checkers:
        checker.cache_clear()
    yield counts
    for checker in checkers:
        checker.cache_clear()


@pytest.fixture(name="study")
def _study(tmp_path):
    (tmp_path / "study.yaml").write_text(MANIFEST)
    rows = "".join(f"s{number},fil.a{number};fil.b{number},ready\n" for number in range(ROWS))
    (tmp_path / "samples.csv").write_text("sample,fastqs,status\n" + rows + "late,fil.a;fil.b,not yet\n")
    return tmp_path / "study.yaml"


@pytest.fixture(name="server")
def _server(tmp_path):
    options = EmulatorOptions(database=tmp_path / "emulator.sqlite3", creation_delay=0.0, analysis_duration=0.0)
    with running(options) as url:
        yield Target(server_url=url)


def context():
    return Context(env={"ICAV2_X_API_KEY": "a-key"}, home=Path("/nowhere"))


def test_a_plan_compiles_each_template_once_and_validates_each_item_once(study, counts):
    seen = preview.plan(study, Target(), RunOptions(), context())
    assert (len(seen.plan.new), seen.batches) == (ROWS, 4)
    # `title` is Jinja's own, compiled when it is checked; look-ups, their filters and the condition need none,
    # and the two strings with a var only are rendered once, by Jinja.
    assert counts["compilations"] == 2
    assert counts["validations"] == 2 + ROWS  # the manifest, its one analysis, and each item
    assert counts["requests"] == counts["syncs"] == 0


def test_a_run_sends_one_post_and_reads_one_page_for_each_batch(study, server, counts):
    outcome = run.run(study, server, RunOptions(), context())
    assert outcome.created == ROWS
    # The key is exchanged for a token; data: twice ids, and the region of the project; the searches are for
    # launches of others, and for launches that exist twice.
    tokens, pipeline, data, searches, posts, pages = 1, 3, 3, 2, 4, 4
    assert counts["requests"] == tokens + pipeline + data + searches + posts + pages
    # The journal's post and answer, the lockfile and their folders.
    assert counts["syncs"] <= 2 * posts + 6
    bodies = sum(len(each.body) for each in preview.render(study, server, RunOptions(), context()))
    assert counts["sent bytes"] <= bodies + 1000


def test_more_data_ids_than_a_run_checks_are_left_to_resolve(study, server, counts, monkeypatch):
    monkeypatch.setattr(name_lookup, "MAX_CHECKED_IDS", 10)
    said: list[str] = []
    run.run(study, server, RunOptions(), Context(env={"ICAV2_X_API_KEY": "a-key"}, notify=said.append))
    tokens, pipeline, data, searches, posts, pages = 1, 3, 0, 2, 4, 4
    assert counts["requests"] == tokens + pipeline + data + searches + posts + pages
    assert "a run checks at most 10 data ids; `manifest-runner resolve` checks all of them" in said


def test_a_run_with_nothing_to_do_sends_and_writes_nothing(study, server, counts):
    run.run(study, server, RunOptions(wait="finished"), context())
    before = study.with_name("study.lock.json").stat()
    counts.clear()
    later = msgspec.structs.replace(context(), clock=lambda: time.time() + 7200)  # after the hour of doubles
    run.run(study, server, RunOptions(), later)
    after = study.with_name("study.lock.json").stat()
    assert counts["requests"] == counts["syncs"] == 0
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_lockfile_grows_by_its_items_only(study, server):
    run.run(study, server, RunOptions(choices=Choices(limit=100)), context())
    half = study.with_name("study.lock.json").stat().st_size
    run.run(study, server, RunOptions(), context())
    assert study.with_name("study.lock.json").stat().st_size == pytest.approx(2 * half, rel=0.05)


# -- status


def finished(count, unfinished=()):
    """Batches whose analyses have all ended but for those of these numbers."""
    batches = {f"b{n}": LockedBatch(f"key{n}", 500, "SUCCEEDED", "2026-11-23T10:00:00Z") for n in range(count // 500)}
    items = {}
    for number in range(count):
        status = "INPROGRESS" if number in unfinished else "SUCCEEDED"
        items[f"s{number}-germline"] = LockedItem(
            f"{number:064}",
            "nextflow",
            "1.1",
            0,
            f"b{number // 500}",
            f"i{number}",
            "SUCCEEDED",
            None,
            LockedAnalysis(f"a{number}", None, status),
        )
    return batches, items


def ended(number):
    return {
        "id": f"i{number}",
        "request": {"userReference": f"s{number}-germline"},
        "processing": {"status": "SUCCEEDED"},
        "createdAnalysis": {"id": f"a{number}", "status": "SUCCEEDED"},
    }


@pytest.fixture(name="asked")
def _asked():
    """The paths below the batches that are asked for. By now every item has ended."""
    paths = []

    def answer(request):
        path = request.path_url.partition("/analysisCreationBatch/")[2].partition("?")[0]
        paths.append(path)
        batch, _, item = path.partition("/items")
        first = int(batch.removeprefix("b")) * 500
        page = {"items": [ended(number) for number in range(first, first + 500)]}
        return 200, {}, json.dumps(ended(int(item.removeprefix("/i"))) if item else page)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        server.add(responses.POST, "https://ica.example/ica/rest/api/tokens", status=404)
        server.add_callback(responses.GET, re.compile("https://ica.example/.*"), answer)
        yield paths


def status(study, lockfile):
    url = "https://ica.example/ica/rest"
    write_lockfile(study.with_name("study.lock.json"), Lockfile("study", PROJECT, url, *lockfile))
    found = refresh(study, Target(server_url=url), RunOptions(), context())
    assert all(item.analysis.status == "SUCCEEDED" for item in found.items.values())


def test_status_of_finished_items_asks_for_nothing(study, asked):
    status(study, finished(5000))
    assert asked == []


def test_status_asks_for_one_unfinished_item_alone(study, asked):
    status(study, finished(5000, unfinished={1234}))
    assert asked == ["b2/items/i1234"]


def test_status_asks_only_of_batches_with_unfinished_items_and_never_more_often_than_there_are_some(study, asked):
    unfinished = set(range(500, 550))
    status(study, finished(5000, unfinished))
    assert {path.partition("/")[0] for path in asked} == {"b1"}
    assert len(asked) <= len(unfinished)
