"""Whatever a lockfile contains, every format counts the same."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from report_lockfiles import EVIL

from manifest_runner.lockfile.model import (
    LockedAnalysis,
    LockedBatch,
    LockedFailure,
    LockedItem,
    LockedOutput,
    LockedPrice,
    Lockfile,
)
from manifest_runner.lockfile.requests import keep_requests
from manifest_runner.model import FINAL_ANALYSIS, KINDS
from manifest_runner.report import ReportSource, write_report

SOURCE = ReportSource(EVIL, "2026-11-23T14:05:00Z", "https://ica.illumina.com")

# Lone surrogates too: JSON can hold them, and so can a server's text.
texts = st.text(st.characters(exclude_categories=()), max_size=30) | st.just(EVIL)
times = st.none() | texts | st.datetimes().map(lambda time: time.isoformat() + "Z")
analyses = st.none() | st.builds(
    LockedAnalysis,
    texts,
    st.none() | texts,
    st.sampled_from(sorted(FINAL_ANALYSIS)) | texts,
    st.none() | times,
    st.none() | times,
)
items = st.builds(
    LockedItem,
    digest=st.just("0" * 64),
    kind=st.sampled_from(KINDS),
    revision=st.just("1.1"),
    attempt=st.integers(0, 3),
    batch_id=st.none() | st.sampled_from(["b1", "b2"]),
    item_id=st.none() | texts,
    status=st.sampled_from(["SUCCEEDED", "FAILED", "RUNNING", None]) | texts,
    message=st.none() | texts,
    analysis=analyses,
    removed=st.booleans(),
    adopted=st.booleans(),
    failure_accepted=st.booleans(),
    outputs=st.none() | st.dictionaries(texts, st.tuples(st.builds(LockedOutput, texts, texts, texts)), max_size=2),
    price=st.none() | st.builds(LockedPrice, texts | st.decimals().map(str), texts),
    failure=st.none() | st.builds(LockedFailure, st.none() | texts, st.none() | st.integers(), st.none() | texts),
    more=st.dictionaries(st.sampled_from(["own", "else"]), texts | st.integers() | st.lists(texts)),
)
batches = st.builds(
    LockedBatch,
    idempotency_key=texts,
    items=st.integers(0),
    status=st.none() | texts,
    submitted_at=texts,
    requests=st.none() | texts | st.just(keep_requests(b'{"cwlItems":[{"userReference":"a","pipelineId":"urn:p"}]}')),
)
lockfiles = st.builds(
    Lockfile,
    name=texts,
    project=texts,
    server=texts,
    batches=st.dictionaries(st.sampled_from(["b1", "b2"]) | texts, batches, max_size=3),
    items=st.dictionaries(texts, items, max_size=8),
)


def expected(lockfile: Lockfile) -> Counter[str]:
    """Counts from the lockfile itself, without the report's code."""
    tones: Counter[str] = Counter()
    for item in lockfile.items.values():
        if item.removed:
            tones["removed"] += 1
        elif item.creation_failed or item.analysis_failed:
            tones["accepted" if item.failure_accepted else "failed"] += 1
        else:
            is_good = item.analysis is not None and item.analysis.status == "SUCCEEDED"
            tones["succeeded" if is_good else "open"] += 1
    return tones


def tones(states: Counter[str]) -> Counter[str]:
    known = dict.fromkeys(["creationFailed", "analysisFailed", "aborted"], "failed")
    known |= {"succeeded": "succeeded", "accepted": "accepted", "removed": "removed"}
    found: Counter[str] = Counter()
    for state, count in states.items():
        found[known.get(state, "open")] += count
    return found


@settings(max_examples=60)
@given(lockfiles)
def test_all_formats_count_what_the_lockfile_holds(lockfile: Lockfile) -> None:
    want = expected(lockfile)
    total = len(lockfile.items)

    text = write_report(lockfile, "json", source=SOURCE)
    report = json.loads(text)
    assert text == json.dumps(report, ensure_ascii=False, indent=2) + "\n", "laid out as one"
    assert (
        +Counter({tone: report["totals"][tone] for tone in ("failed", "open", "succeeded", "accepted", "removed")})
        == want
    )
    assert tones(+Counter(report["totals"]["states"])) == want
    states = Counter(item["state"] for item in report["items"])
    assert states == +Counter(report["totals"]["states"])

    rows = list(csv.DictReader(io.StringIO(write_report(lockfile, "csv", source=SOURCE), newline="")))
    assert Counter(row["state"] for row in rows) == states

    suites = JUnitXml.fromstring(write_report(lockfile, "junit", source=SOURCE).encode())
    skipped = want["open"] + want["accepted"] + want["removed"]
    assert (suites.tests, suites.failures, sum(suite.skipped for suite in suites)) == (total, want["failed"], skipped)

    markdown = write_report(lockfile, "markdown", source=SOURCE)
    table = re.findall(r"^\| \S+ [A-Z][\w ]+ \| (\d+) \|$", markdown, re.M)
    assert sorted(map(int, table)) == sorted(states.values())
    expected_total = re.findall(r"^\| \*\*Total\*\* \| \*\*(\d+)\*\* \|$", markdown, re.M)
    assert expected_total == ([str(total - want["removed"])] if total else [])
    assert markdown.count("\n- ") >= total

    page = write_report(lockfile, "html", source=SOURCE)
    legend = re.findall(
        r'<li data-state="(\w+)"><button [^>]+><span class="state">[\w ]+</span> <b data-count="(\d+)">', page
    )
    assert Counter({state: int(count) for state, count in legend}) == states
    assert page.encode()
