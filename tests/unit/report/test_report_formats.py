"""CSV, JSON, JUnit and Markdown, each read back by a program of that format."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from html.parser import HTMLParser

import pytest
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from report_lockfiles import EVIL, locked

from manifest_runner.lockfile.model import LockedFailure, LockedOutput, LockedPrice, Lockfile
from manifest_runner.report import ReportSource, write_report
from manifest_runner.report.as_json import json_report
from manifest_runner.report.as_markdown import LIMIT
from manifest_runner.report.summary import summarise
from manifest_runner.text import plain_text

STYLES = ["html", "junit", "markdown", "csv", "json"]


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("style", STYLES)
def test_the_same_lockfile_gives_the_same_report(style: str, every_state: Lockfile, source: ReportSource) -> None:
    shuffled = every_state.copy()
    shuffled.items = dict(reversed(shuffled.items.items()))
    assert write_report(every_state, style, source=source) == write_report(shuffled, style, source=source)


@pytest.mark.parametrize("style", STYLES)
def test_a_report_of_nothing_can_be_written(style: str, empty: Lockfile, source: ReportSource) -> None:
    assert write_report(empty, style, source=source).strip()


@pytest.mark.parametrize("style", STYLES)
def test_a_report_can_always_be_encoded(style: str, empty: Lockfile) -> None:
    lone = "\udcff"
    empty.name = empty.project = empty.server = lone
    empty.items[lone] = locked(lone, message=lone, batch_id=lone, item_id=lone)
    empty.items["b"] = locked(analysis=lone, start=lone)
    source = ReportSource(f"{lone}.yaml", "2026-11-23T14:05:00Z", "https://ica.illumina.com")
    assert write_report(empty, style, source=source).encode("utf-8")


# -- csv


def test_csv_has_a_line_for_every_item_with_all_that_is_known(every_state: Lockfile, source: ReportSource) -> None:
    rows = {row["userReference"]: row for row in csv_rows(write_report(every_state, "csv", source=source))}
    assert len(rows) == 11
    good = rows["s-good"]
    assert (good["state"], good["status"], good["analysisStatus"]) == ("succeeded", "SUCCEEDED", "SUCCEEDED")
    assert (good["durationSeconds"], good["removed"], good["attempt"]) == ("7530.0", "false", "0")
    assert good["link"].startswith("https://ica.illumina.com/ica/link/project/")
    assert rows["s-refused"]["message"] == "Pipeline is not linked"
    assert rows["s-refused"]["link"] == ""


def test_csv_ends_every_line_with_crlf_and_has_no_byte_order_mark(every_state: Lockfile, source: ReportSource) -> None:
    text = write_report(every_state, "csv", source=source)
    assert text.startswith("userReference,state,")
    assert text.count("\r\n") == text.count("\n") == 12


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "＝", "＠"])
def test_no_text_of_csv_is_a_formula(start: str, empty: Lockfile, source: ReportSource) -> None:
    formula = f'{start}HYPERLINK("https://evil.example";"a,b")'
    empty.items[formula] = locked("FAILED", message=formula)
    (row,) = csv_rows(write_report(empty, "csv", source=source))
    assert row["userReference"] == row["message"] == f"'{formula}"


def test_csv_quotes_what_would_break_a_line(evil: Lockfile, source: ReportSource) -> None:
    rows = csv_rows(write_report(evil, "csv", source=source))
    assert rows[0]["userReference"] == rows[0]["pipeline"] == plain_text(EVIL)


# -- what came of it, in every format that has a place for it


@pytest.fixture
def rich(empty: Lockfile) -> Lockfile:
    vcf = LockedOutput("fil.1", "a.vcf.gz", "FILE")
    empty.items = {
        "good": locked(
            analysis="SUCCEEDED",
            outputs={"vcf": (vcf, LockedOutput("fil.2", "a.tbi", "FILE")), "=bam": (vcf,)},
            price=LockedPrice("12.40", "iCredit"),
            renamed_from="old",
            accepted="0" * 64,
        ),
        "cheap": locked(analysis="SUCCEEDED", price=LockedPrice("0.1", "iCredit")),
        "bad": locked(analysis="FAILED", message="Task failed", failure=LockedFailure("dragen", 137, "Killed")),
    }
    return empty


def test_csv_has_a_column_for_each_output(rich: Lockfile, source: ReportSource) -> None:
    rows = {row["userReference"]: row for row in csv_rows(write_report(rich, "csv", source=source))}
    good, bad = rows["good"], rows["bad"]
    assert list(good)[-2:] == ["outputs.=bam", "outputs.vcf"]
    assert (good["outputs.vcf"], good["outputs.=bam"], bad["outputs.vcf"]) == ("fil.1;fil.2", "fil.1", "")
    assert (good["price"], good["currency"], good["renamedFrom"], good["accepted"]) == (
        "12.40",
        "iCredit",
        "old",
        "true",
    )
    assert (bad["failedStep"], bad["exitCode"], bad["lastLine"]) == ("dragen", "137", "Killed")


def test_json_has_outputs_prices_and_failures(rich: Lockfile, source: ReportSource) -> None:
    report = json.loads(write_report(rich, "json", source=source))
    items = {item["userReference"]: item for item in report["items"]}
    assert items["good"]["outputs"]["vcf"][1] == {
        "dataId": "fil.2",
        "name": "a.tbi",
        "type": "FILE",
        "projectId": None,
    }
    assert report["totals"]["prices"] == {"iCredit": "12.50"}
    assert items["bad"]["failure"] == {"step": "dragen", "exitCode": 137, "line": "Killed"}
    assert items["good"]["renamedFrom"] == "old"


def test_the_step_that_failed_is_the_reason(rich: Lockfile, source: ReportSource) -> None:
    assert '- `bad` · Analysis failed · `dragen, exit 137: "Killed"`' in write_report(rich, "markdown", source=source)
    report = JUnitXml.fromstring(write_report(rich, "junit", source=source).encode())
    properties = {each.name: each.value for suite in report for each in suite.properties()}
    assert properties["cost of the manifest in iCredit"] == "12.50"
    (failure,) = next(case for suite in report for case in suite if case.name == "bad").result
    assert failure.message == 'dragen, exit 137: "Killed"'
    assert "message: Task failed" in failure.text


def test_markdown_says_what_it_cost(rich: Lockfile, source: ReportSource) -> None:
    assert " · cost 12.50 `iCredit`\n" in write_report(rich, "markdown", source=source)


# -- json


def test_json_keeps_its_members(every_state: Lockfile, source: ReportSource) -> None:
    report = json.loads(write_report(every_state, "json", source=source))
    assert (
        list(report) == "reportVersion manifest generatedAt dataAsOf name project server totals batches items".split()
    )
    assert report["reportVersion"] == 1
    assert sorted(report["totals"]) == [
        "accepted",
        "failed",
        "items",
        "open",
        "prices",
        "removed",
        "states",
        "succeeded",
    ]
    assert report["batches"] == [
        {"id": "b1", "status": "SUCCEEDED", "submittedAt": "2026-11-23T10:00:00Z", "items": 12}
    ]
    item = next(item for item in report["items"] if item["userReference"] == "s-good")
    assert item == {
        "userReference": "s-good",
        "kind": "nextflow",
        "pipeline": None,
        "state": "succeeded",
        "status": "SUCCEEDED",
        "message": None,
        "attempt": 0,
        "revision": "1.1",
        "batchId": "b1",
        "itemId": None,
        "durationSeconds": 7530.0,
        "link": "https://ica.illumina.com/ica/link/project/7595e8f2-32d3-4c76-a324-c6a85dae87b5/analysis/an-SUCCEEDED",
        "analysis": {
            "id": "an-SUCCEEDED",
            "reference": "ref",
            "status": "SUCCEEDED",
            "startDate": "2026-11-23T10:05:00Z",
            "endDate": "2026-11-23T12:10:30Z",
        },
        "outputs": {},
        "price": None,
        "failure": None,
        "adopted": False,
        "removed": False,
        "accepted": False,
        "renamedFrom": None,
        "earlier": [],
    }


# -- junit


def test_junit_separates_failed_from_unfinished(every_state: Lockfile, source: ReportSource) -> None:
    report = JUnitXml.fromstring(write_report(every_state, "junit", source=source).encode())
    assert (report.tests, report.failures, sum(suite.skipped for suite in report), report.errors) == (11, 3, 7, 0)
    root = write_report(every_state, "junit", source=source).splitlines()[1].partition(">")[0]
    assert set(re.findall(r"(\w+)=", root)) <= {"name", "time", "tests", "failures", "errors"}, (
        "all that junit-10.xsd has"
    )
    cases = {case.name: case for suite in report for case in suite}
    (failure,) = cases["s-refused"].result
    assert (failure.type, failure.message) == ("creationFailed", "Pipeline is not linked")
    assert cases["s-good"].is_passed
    assert cases["s-good"].time == 7530
    assert cases["s-running"].is_skipped
    assert cases["s-gone"].is_skipped


def test_junit_has_the_earliest_start_however_it_is_written(empty: Lockfile, source: ReportSource) -> None:
    starts = ["2026-11-23T10:00:00Z", "2026-11-23T10:00:00.5Z", "2026-11-23T10:30:00+01:00", "soon"]
    empty.items = {str(n): locked(analysis="RUNNING", start=start) for n, start in enumerate(starts)}
    report = JUnitXml.fromstring(write_report(empty, "junit", source=source).encode())
    assert [suite.timestamp for suite in report] == [starts[2]]


def test_junit_has_a_suite_for_each_kind(empty: Lockfile, source: ReportSource) -> None:
    kinds = ["nextflow", "cwl", "nextflow"]
    empty.items = {str(n): locked(analysis="SUCCEEDED", kind=kind) for n, kind in enumerate(kinds)}
    report = JUnitXml.fromstring(write_report(empty, "junit", source=source).encode())
    assert {suite.name: suite.tests for suite in report} == {"germline.cwl": 1, "germline.nextflow": 2}


def test_junit_carries_hostile_text_unharmed(evil: Lockfile, source: ReportSource) -> None:
    report = JUnitXml.fromstring(write_report(evil, "junit", source=source).encode())
    (suite,) = report
    case = next(case for case in suite if case.result[0].type == "creationFailed")
    assert (case.name, case.result[0].message) == (plain_text(EVIL), plain_text(EVIL))


# -- markdown


class Tags(HTMLParser):
    """The tags of a page and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.prose = ""
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_code = self._in_code or tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        self.prose += "" if self._in_code else data


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_markdown_shows_totals_and_unfolds_what_failed(every_state: Lockfile, source: ReportSource) -> None:
    text = write_report(every_state, "markdown", source=source)
    assert text.startswith("## ❌ `germline`: 3 of 10 failed, 5 not finished, 10% succeeded, 1 failed and accepted\n")
    assert "<details open><summary>❌ 3 failed</summary>" in text
    assert "- `s-refused` · Creation failed · `Pipeline is not linked`\n" in text
    assert text.count("<details>") == 8
    assert "5 items were not finished then, but may have finished since. `manifest-runner status germline.yaml`" in text
    assert "`manifest-runner run germline.yaml --retry-failed`" in text


def test_the_total_of_markdown_is_the_number_that_its_heading_speaks_of(
    every_state: Lockfile, source: ReportSource
) -> None:
    text = write_report(every_state, "markdown", source=source)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[-2:] == ["| **Total** | **10** |", "| ➖ Left the manifest | 1 |"]


def test_markdown_of_a_good_run_says_so(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {"a": locked(analysis="SUCCEEDED"), "b": locked("FAILED", removed=True)}
    assert write_report(empty, "markdown", source=source).startswith("## ✅ `germline`: 1 item succeeded\n")


def test_markdown_of_nothing_claims_no_success(empty: Lockfile, source: ReportSource) -> None:
    text = write_report(empty, "markdown", source=source)
    assert text.startswith("## ➖ `germline`: Nothing launched yet\n")
    assert text.endswith("\nNothing has been launched.\n")


def test_hostile_text_of_markdown_stays_in_code(evil: Lockfile, source: ReportSource) -> None:
    page = Tags(rendered(write_report(evil, "markdown", source=source)))
    allowed = {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "ul", "li", "a", "code"}
    assert set(page.tags) <= allowed | {"details", "summary"}
    assert not set("@#`|{<") & set(page.prose)


@pytest.mark.parametrize("text", ["`", "``", "a`b``c", " padded ", "ends`", "`starts", "|", "\\", "*", "<b>"])
def test_a_code_span_holds_just_its_text(text: str, empty: Lockfile, source: ReportSource) -> None:
    empty.items[text] = locked("RUNNING")
    page = rendered(write_report(empty, "markdown", source=source))
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert f"<li><code>{escaped}</code></li>" in page.replace("<p>", "").replace("</p>", "")


def test_markdown_is_bounded_and_counts_what_it_left_out(empty: Lockfile, source: ReportSource) -> None:
    for n in range(3000):
        empty.items[f"bad-{n:04}" + "`|" * 120] = locked("FAILED", message=f"{n} {'x' * 2000}")
        empty.items[f"good-{n:04}"] = locked(analysis="SUCCEEDED")
    empty.name = "n" * 100_000
    text = write_report(empty, "markdown", source=source)
    assert LIMIT * 0.9 < len(text) <= LIMIT
    listed = text.count("- ``bad-") + text.count("- `bad-")
    assert f"- … and {3000 - listed:,} more\n" in text
    assert text.count("<details") == text.count("</details>")


@pytest.mark.parametrize("length", range(1, 13))
def test_short_lines_fill_markdown_no_further_than_its_limit(
    length: int, empty: Lockfile, source: ReportSource
) -> None:
    empty.name = "n" * length
    empty.items = {f"{n:05}": locked("RUNNING") for n in range(6000)}
    assert LIMIT - 200 < len(write_report(empty, "markdown", source=source)) <= LIMIT


def test_a_long_message_is_cut_in_markdown(empty: Lockfile, source: ReportSource) -> None:
    empty.items["a"] = locked("FAILED", message="x" * 501)
    assert f"`{'x' * 500}…`\n" in write_report(empty, "markdown", source=source)


def test_what_fits_is_listed_whole(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {f"item-{n}": locked(analysis="SUCCEEDED") for n in range(200)}
    text = write_report(empty, "markdown", source=source)
    assert text.count("- `item-") == 200
    assert "more\n" not in text


def test_a_reason_that_many_share_is_shown_once(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {str(n): locked("FAILED", message="No such pipeline") for n in range(5)}
    assert "- 5 × `No such pipeline`\n" in write_report(empty, "markdown", source=source)


def test_json_of_many_items_takes_the_memory_of_its_text(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {f"item-{n}": locked(analysis="SUCCEEDED") for n in range(1000)}
    summary = summarise(empty)
    tracemalloc.start()
    text = json_report(summary, source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(text), "all items as objects take eight times as much"
