"""The HTML report as a parser sees it; tests/stories/test_report_browser.py looks at it in a browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from msgspec import structs
from report_lockfiles import EVIL, locked, requests

from manifest_runner.lockfile.model import LockedBatch, LockedOutput, LockedPrice, Lockfile
from manifest_runner.report import ReportSource, write_report
from manifest_runner.text import plain_text


class Page(HTMLParser):
    """Elements in order as (tag, attributes), and the text of each script, style and cell that has a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.elements[-1][0] if self.elements else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self) -> list[dict[str, object]]:
        """The rows of the data block."""
        at = next(n for n, (_, attributes) in enumerate(self.elements) if attributes.get("id") == "data")
        text = next(text for tag, text in self.texts if tag == "script" and text.startswith("{"))
        assert self.elements[at][1]["type"] == "application/json"
        found = json.loads(text)
        return [dict(zip(found["names"], row, strict=True)) for row in found["rows"]]


def page_of(lockfile: Lockfile, source: ReportSource) -> Page:
    return Page(write_report(lockfile, "html", source=source))


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(
    every_state: Lockfile, source: ReportSource
) -> None:
    text = write_report(every_state, "html", source=source)
    (policy,) = (meta["content"] or "" for meta in Page(text).all("meta") if meta.get("http-equiv"))
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    script = re.search(r"<script>(.*?)</script>", text, re.S)
    assert style
    assert script
    hashes = [b64encode(sha256(found[1].encode()).digest()).decode() for found in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_page_loads_nothing_and_styles_nothing_inline(every_state: Lockfile, source: ReportSource) -> None:
    page = page_of(every_state, source)
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "style" in attributes]
    assert [str(link["href"]).partition(",")[0] for link in page.all("link")] == ["data:image/svg+xml"]
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert handlers == []


def test_hostile_text_adds_no_element_and_no_attribute(evil: Lockfile, source: ReportSource) -> None:
    harmless = evil.copy()
    evil_text = write_report(evil, "html", source=source)
    harmless.name = "name"
    harmless.batches = {"b": LockedBatch("k", 1, "s", "then", requests({"a": "p"}))}
    bad, odd = evil.items.values()
    harmless.items = {
        "a": locked("FAILED", message="m", batch_id="b"),
        "c": locked(analysis="odd", start="then", message="m"),
    }
    assert {bad.status, odd.status} == {"FAILED", "SUCCEEDED"}
    shapes = [
        [(tag, sorted(attributes)) for tag, attributes in Page(text).elements]
        for text in (evil_text, write_report(harmless, "html", source=source))
    ]
    assert shapes[0] == shapes[1]


def test_hostile_text_is_shown_as_it_is(evil: Lockfile, source: ReportSource) -> None:
    page = page_of(evil, source)
    assert ("h1", plain_text(EVIL)) in page.texts
    assert page.data[0]["reference"] == page.data[0]["reason"] == plain_text(EVIL)


def test_rows_and_data_say_the_same(every_state: Lockfile, source: ReportSource) -> None:
    page = page_of(every_state, source)
    shown = [text for tag, text in page.texts if tag == "span" and text.startswith("s-")]
    assert shown == [row["reference"] for row in page.data]
    assert [row["state"] for row in page.data][:3] == ["creationFailed", "analysisFailed", "aborted"]


def test_the_status_is_left_out_where_the_label_says_it(every_state: Lockfile, source: ReportSource) -> None:
    statuses = {row["reference"]: row["status"] for row in page_of(every_state, source).data}
    assert {name for name, status in statuses.items() if status} == {"s-odd", "s-gone", "s-known", "s-waiting"}
    assert (statuses["s-odd"], statuses["s-gone"]) == ("THINKING", "FAILED")


def test_the_page_answers_first_and_ends_with_the_timeline(every_state: Lockfile, source: ReportSource) -> None:
    text = write_report(every_state, "html", source=source)
    assert re.findall(r'<h2 id="(\w+)"', text) == ["verdict", "reasons", "running", "items", "timeline"]
    assert ">3 of 10 failed, 5 not finished, 10% succeeded, 1 failed and accepted</h2>" in text
    assert "<code>manifest-runner run germline.yaml --retry-failed</code>" in text


def test_a_page_with_open_items_warns_that_its_data_is_old(every_state: Lockfile, source: ReportSource) -> None:
    text = write_report(every_state, "html", source=source)
    assert '<dt>Data as of</dt><dd><time datetime="2026-11-23T12:10:30Z">2026-11-23 12:10</time> UTC</dd>' in text
    assert "5 items had not finished when ICA was last asked" in text
    every_state.items = {"a": locked(analysis="SUCCEEDED")}
    assert "not finished" not in write_report(every_state, "html", source=source)


def test_what_all_items_share_stands_in_the_header_and_not_in_the_table(
    every_state: Lockfile, source: ReportSource
) -> None:
    def headers() -> set[str | None]:
        return {each.get("data-key") for each in page_of(every_state, source).all("th")}

    assert "<dt>Kind</dt><dd>nextflow</dd>" in write_report(every_state, "html", source=source)
    assert "kind" not in headers()
    every_state.items["x"] = locked(kind="cwl")
    assert "<dt>Kind</dt>" not in write_report(every_state, "html", source=source)
    assert "kind" in headers()


def test_prices_outputs_and_former_names_are_on_the_page(empty: Lockfile, source: ReportSource) -> None:
    outputs = {"vcf": (LockedOutput("fil.1", "a.vcf.gz", "FILE"),)}
    price = LockedPrice("12.4", "iCredit")
    empty.items["a"] = locked(analysis="SUCCEEDED", outputs=outputs, price=price, renamed_from="b")
    (row,) = page_of(empty, source).data
    assert (row["outputs"], row["price"], row["notes"]) == ("vcf: a.vcf.gz (fil.1)", "12.4 iCredit", "was b")
    assert "<dt>Cost so far</dt><dd>12.4 iCredit</dd>" in write_report(empty, "html", source=source)


@pytest.mark.parametrize(("length", "whole"), [(300, False), (301, True)])
def test_a_long_message_is_folded(length: int, whole: bool, empty: Lockfile, source: ReportSource) -> None:
    empty.items["a"] = locked("FAILED", message="x" * length)
    (row,) = page_of(empty, source).data
    assert row["whole"] == ("x" * length if whole else "")
    assert row["reason"] == "x" * 300 + ("…" if whole else "")


def test_without_a_script_the_failed_items_of_a_large_report_are_there(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {f"good-{n}": locked(analysis="SUCCEEDED") for n in range(600)}
    empty.items |= {f"bad-{n}": locked("FAILED") for n in range(50)}
    text = write_report(empty, "html", source=source)
    rows = re.findall(r'<tr data-state="(\w+)">\n<th scope="row">', text)
    assert rows.count("creationFailed") == 50
    assert len(rows) == 500
    assert "The first 500 of 650 items, failed ones first" in text


def test_only_a_lockfile_that_knows_pipelines_has_that_column(every_state: Lockfile, source: ReportSource) -> None:
    headers = {attributes.get("data-key") for attributes in page_of(every_state, source).all("th")}
    assert "pipelineName" not in headers
    sent = {"x": "12345678-a", "y": "bd65b54d-6cb2-58ba-9dcc-21a5ce2a417b"}
    every_state.batches["b2"] = LockedBatch("k", 2, None, "now", requests(sent))
    every_state.items |= {name: locked(batch_id="b2") for name in sent}
    source = structs.replace(source, pipeline_names={"12345678-a": "<RNA> 4.3"})
    page = page_of(every_state, source)
    assert "pipelineName" in {attributes.get("data-key") for attributes in page.all("th")}
    shown = {row["reference"]: (row["pipelineName"], row["pipeline"]) for row in page.data}
    assert (shown["x"], shown["y"]) == (("<RNA> 4.3", sent["x"]), ("bd65b54d…", sent["y"]))


def test_a_retry_is_noted_with_the_number_of_its_attempt(empty: Lockfile, source: ReportSource) -> None:
    empty.items = {"a": locked(analysis="SUCCEEDED", attempt=1), "b": locked(analysis="SUCCEEDED")}
    assert [row["notes"] for row in page_of(empty, source).data] == ["attempt 2", ""]


def test_starts_are_sorted_as_times(empty: Lockfile, source: ReportSource) -> None:
    starts = {"c": "2026-11-23T10:00:00.5Z", "b": "2026-11-23T10:00:00Z", "a": "2026-11-23T10:59:59+01:00"}
    empty.items = {name: locked(analysis="RUNNING", start=start) for name, start in starts.items()}
    rows = sorted(page_of(empty, source).data, key=lambda row: str(row["startedAt"]))
    assert [row["reference"] for row in rows] == ["a", "b", "c"]


def test_a_pipeline_that_all_items_share_is_named_in_the_header(empty: Lockfile, source: ReportSource) -> None:
    empty.batches["b"] = LockedBatch("k", 1, None, "now", requests({"x": "123"}))
    empty.items["x"] = locked(batch_id="b")
    text = write_report(empty, "html", source=structs.replace(source, pipeline_names={"123": "RNA 4.3"}))
    assert "<dt>Pipeline</dt><dd>RNA 4.3</dd>" in text


def test_the_emulator_is_named_and_never_linked(empty: Lockfile) -> None:
    empty.server = "emulator"
    empty.items["a"] = locked(analysis="SUCCEEDED")
    text = write_report(empty, "html", source=ReportSource("a.yaml", "2026-11-23T14:05:00Z"))
    assert "emulator (nothing was launched on ICA)" in text
    assert "/ica/link/" not in text


def test_a_report_of_nothing_says_what_to_do(empty: Lockfile, source: ReportSource) -> None:
    text = write_report(empty, "html", source=source)
    assert "Nothing launched yet" in text
    assert "manifest-runner run germline.yaml" in text
    assert "<script" not in text
