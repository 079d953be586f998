"""The HTML report in a real browser: Debian's Chromium, driven by Playwright and checked with axe-core.

`apt-get install -y chromium` brings the browser; Playwright's own download is not used.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec import structs

from manifest_runner.launch.record import launched
from manifest_runner.lockfile.file import dump_lockfile, parse_lockfile
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.report import ReportSource, write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; `apt-get install chromium` brings one")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-software-rasterizer --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()

SOURCE = ReportSource("germline.yaml", "2026-11-23T14:05:00Z", "https://ica.illumina.com")
EVIL = "</script><script>window.hacked = 1</script><img src=x onerror='hacked = 1'> javascript:hacked=1 \u202e"
STATUSES = ["SUCCEEDED", "SUCCEEDED", "INPROGRESS", "REQUESTED", "FAILED", "ABORTED", "AWAITINGINPUT", "THINKING"]


def analysed(n: int, status: str) -> LockedItem:
    dates = (f"2026-11-23T10:{n % 60:02}:00Z", f"2026-11-23T{11 + n % 9}:00:00Z")
    known = dates if status in {"SUCCEEDED", "FAILED", "ABORTED"} else ()
    analysis = LockedAnalysis(f"00000000-{n:04}", f"r{n}", status, *known)
    kind = ["nextflow", "cwl"][n % 2]
    return LockedItem(f"{n:064}", kind, "1.1", 0, f"b{n % 3}", f"i{n}", "SUCCEEDED", None, analysis)


def lockfile_of(count: int) -> Lockfile:
    """``count`` items of all states, some hostile, one launched for the third time."""
    lockfile = Lockfile("germline", "7595e8f2-32d3-4c76-a324-c6a85dae87b5", "https://ica.illumina.com/ica/rest")
    for n in range(3 if count else 0):
        lockfile.batches[f"b{n}"] = LockedBatch("k", count // 3, "SUCCEEDED", f"2026-11-23T10:0{n}:00Z")
    lockfile.items = {f"sample-{n}": analysed(n, STATUSES[n % len(STATUSES)]) for n in range(count)}
    if count > 3:
        failed = LockedItem("0" * 64, "nextflow", "1.1", 0, "b0", "i", "FAILED", "Storage was full", None)
        lockfile.items["sample-2"] = launched(
            failed, LockedItem("1" * 64, "nextflow", "1.1", 1, "b1", "i", "RUNNING", None, None)
        )
        evil = LockedItem("0" * 64, "nextflow", "1.1", 0, EVIL, EVIL, "FAILED", EVIL * 5, None)
        lockfile.items[EVIL] = evil
        lockfile.items["y" * 250] = analysed(7, EVIL)
    return parse_lockfile(dump_lockfile(lockfile), "germline.lock.json")


@dataclass
class Visit:
    """A report that is open in a browser, and all that the browser complained about or asked the network for."""

    page: playwright.Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def rows(self) -> list[str]:
        return self.page.locator(".items tbody tr").evaluate_all("rows => rows.map(row => row.innerText)")

    def references(self) -> list[str]:
        return self.page.locator(".items tbody [data-value=reference]").all_inner_texts()

    def status(self) -> str:
        return self.page.get_by_role("status").inner_text()

    def button(self, name: str) -> playwright.Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def filter(self, state: str) -> playwright.Locator:
        """The button above the table that shows one state only."""
        return self.page.locator(f".tools [data-value-of={state}]")


class Browser:
    """Opens reports, each in a profile of its own."""

    def __init__(self, chromium: playwright.Browser, folder: Path) -> None:
        self._chromium = chromium
        self._file = folder / "report.html"
        self._contexts: list[playwright.BrowserContext] = []

    def visit(self, lockfile: Lockfile, **options: object) -> Visit:
        self._file.write_text(write_report(lockfile, "html", source=SOURCE), encoding="utf-8", newline="")
        context = self._chromium.new_context(**options)
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.goto(self._file.as_uri())
        return visit

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[playwright.Browser]:
    home = {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": "/usr/bin:/bin"}
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env=home)
        yield started
        started.close()


@pytest.fixture
def browser(chromium: playwright.Browser, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(chromium, tmp_path)
    yield browser
    browser.close()


# -- loading


@pytest.mark.parametrize("count", [0, 300])
def test_the_page_loads_without_errors_and_without_the_network(count: int, browser: Browser) -> None:
    visit = browser.visit(lockfile_of(count))
    assert visit.page.get_by_role("heading", level=1).inner_text() == "germline"
    assert visit.complaints == []
    assert [url for url in visit.requests if not url.startswith(("file:", "data:"))] == []


def test_hostile_text_does_nothing_but_stand_there(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    assert visit.page.evaluate("window.hacked") is None
    assert visit.page.locator("img").count() == 0
    assert EVIL.replace("\u202e", r"\u202e") in visit.references()
    hrefs = visit.page.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert all(href.startswith(("file:", "https://ica.illumina.com/ica/link/project/")) or not href for href in hrefs)


def test_the_script_draws_the_rows_that_the_page_came_with(browser: Browser) -> None:
    lockfile = lockfile_of(24)
    drawn, sent = browser.visit(lockfile), browser.visit(lockfile, java_script_enabled=False)
    assert drawn.page.locator(".tools").is_visible()
    # Chromium still evaluates for Playwright where pages may run no script.
    assert sorted(drawn.rows()) == sorted(sent.rows())


def test_without_a_script_failed_items_and_totals_are_there(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(3000), java_script_enabled=False)
    assert not visit.page.locator(".tools").is_visible()
    failed = visit.page.locator(".items tbody tr[data-state=analysisFailed]")
    assert failed.count() == 375
    assert visit.page.locator(".legend [data-state=analysisFailed] b").inner_text() == "375"
    assert visit.page.get_by_text("With JavaScript, the page shows all of them").is_visible()


# -- finding items


def test_searching_finds_all_words_in_any_column(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(300))
    search = visit.page.get_by_role("searchbox", name="Search")
    search.fill("SAMPLE-29 cwl")
    assert set(visit.references()) == {
        "sample-29",
        "sample-291",
        "sample-293",
        "sample-295",
        "sample-297",
        "sample-299",
    }
    assert visit.status() == "1–6 of 6 found, of 302"
    search.fill("storage nowhere")
    assert visit.references() == []
    assert visit.status() == "No item matches, of 302"
    search.fill("")
    assert visit.status() == "1–100 of 302"


def test_filters_show_only_the_chosen_states(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    aborted, requested = visit.filter("aborted"), visit.filter("requested")
    assert aborted.inner_text() == "Aborted 3"
    aborted.click()
    assert visit.references() == ["sample-5", "sample-13", "sample-21"]
    requested.click()
    assert len(visit.references()) == 6
    assert aborted.get_attribute("aria-pressed") == "true"
    aborted.click()
    requested.click()
    assert len(visit.references()) == 26


def test_a_state_and_a_reason_at_the_top_filter_too(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    visit.page.locator(".legend [data-value-of=aborted]").click()
    assert visit.references() == ["sample-5", "sample-13", "sample-21"]
    assert visit.filter("aborted").get_attribute("aria-pressed") == "true"
    visit.button("Show all").click()
    assert len(visit.references()) == 26
    visit.button("3 × The analysis was aborted.").click()
    assert visit.references() == ["sample-5", "sample-13", "sample-21"]


def test_what_is_chosen_stands_in_the_address_and_comes_back(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(300))
    visit.page.get_by_role("searchbox").fill("sample-2")
    visit.filter("aborted").click()
    visit.button("Item").click()
    visit.button("Item").click()
    seen = visit.references()
    assert visit.page.url.endswith("#?search=sample-2&states=aborted&sort=-reference")
    visit.page.reload()
    assert visit.references() == seen
    assert visit.filter("aborted").get_attribute("aria-pressed") == "true"
    visit.button("Show all").click()
    assert "states" not in visit.page.url
    visit.page.goto(visit.page.url.partition("#")[0] + "#?states=nonsense&sort=x&page=99&why=-1")
    assert visit.status() == "1–100 of 302"
    visit.page.goto(visit.page.url.partition("#")[0] + "#?page=2")
    assert visit.status() == "101–200 of 302"


def test_a_short_id_is_copied_whole(browser: Browser) -> None:
    lockfile = lockfile_of(1)
    whole = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    item = lockfile.items["sample-0"]
    lockfile.items["sample-0"] = structs.replace(item, analysis=structs.replace(item.analysis, id=whole))
    visit = browser.visit(lockfile, permissions=["clipboard-read", "clipboard-write"])
    assert visit.page.locator(".items tbody .id").inner_text().strip() == "0a1b2c3d…"
    visit.button("Copy the id").click()
    assert visit.page.evaluate("navigator.clipboard.readText()") == whole


def test_items_are_cards_on_a_phone(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24), viewport={"width": 390, "height": 800})
    row = visit.page.locator(".items tbody tr").nth(1)
    places = row.locator("> :visible").evaluate_all("cells => cells.map(cell => cell.getBoundingClientRect().left)")
    assert len(places) > 3
    assert len(set(places)) == 1
    fonts = row.locator("td").evaluate_all("cells => cells.map(cell => getComputedStyle(cell, '::before').fontSize)")
    assert set(fonts[2:]) == {"13px"}, "the labels of a card"


def test_headers_sort_both_ways_and_show_it(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    item, state = (visit.page.locator(f"th[data-key={key}]") for key in ("reference", "rank"))
    assert state.get_attribute("aria-sort") == "ascending"
    visit.button("Item").click()
    assert visit.references()[1:4] == ["sample-0", "sample-1", "sample-2"]
    assert (item.get_attribute("aria-sort"), state.get_attribute("aria-sort")) == ("ascending", None)
    visit.button("Item").click()
    assert visit.references()[1:3] == ["sample-23", "sample-22"]
    assert item.get_attribute("aria-sort") == "descending"


def test_what_has_no_duration_is_sorted_last_both_ways(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    durations = visit.page.locator(".items tbody [data-value=duration]")
    for _ in range(2):
        visit.button("Duration").click()
        texts = durations.all_inner_texts()
        assert all(texts[:12])
        assert not any(texts[12:])


def test_the_keyboard_is_enough(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    visit.page.keyboard.press("Tab")
    assert visit.page.get_by_role("link", name="Skip to the items").is_visible()
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.type("sample-23")
    assert visit.references() == ["sample-23"]
    visit.button("Kind").focus()
    visit.page.keyboard.press("Enter")
    assert visit.page.locator("th[data-key=kind]").get_attribute("aria-sort") == "ascending"


def test_ten_thousand_items_are_shown_a_page_at_a_time(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(10_000))
    assert visit.status() == "1–100 of 10,002"
    assert visit.button("Previous").is_disabled()
    visit.button("Next").click()
    assert visit.status() == "101–200 of 10,002"
    assert len(visit.rows()) == 100
    visit.page.get_by_role("searchbox").fill("sample-9999")
    assert visit.references() == ["sample-9999"]
    assert visit.button("Next").is_disabled()


def test_earlier_launches_are_folded(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    visit.page.get_by_role("searchbox").fill("sample-2 attempt")
    message = visit.page.get_by_text("Storage was full")
    assert not message.is_visible()
    visit.page.get_by_text("1 earlier launch").click()
    assert message.is_visible()


def test_a_long_message_is_shown_whole_on_demand_and_only_once(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24))
    visit.filter("creationFailed").click()
    short, whole = (visit.page.locator(f".message p[data-value={name}]").first for name in ("reason", "whole"))
    assert (short.is_visible(), whole.is_visible()) == (True, False)
    visit.page.get_by_text("Whole message").click()
    assert (short.is_visible(), whole.is_visible()) == (False, True)
    assert whole.inner_text() == EVIL.replace("\u202e", r"\u202e") * 5


# -- for everybody


@pytest.mark.parametrize(("count", "scheme"), [(0, "light"), (24, "dark")])
def test_axe_finds_no_accessibility_faults(count: int, scheme: str, browser: Browser) -> None:
    visit = browser.visit(lockfile_of(count), color_scheme=scheme)
    visit.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = axe.Axe().run(visit.page)
    assert [(each["id"], each["impact"]) for each in found.response["violations"]] == []
    assert len(found.response["passes"]) > 15


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_itself_never_scrolls_sideways(width: int, browser: Browser) -> None:
    visit = browser.visit(lockfile_of(24), viewport={"width": width, "height": 800})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("count", "most"), [(24, 2), (1000, 10)])
def test_a_printed_report_has_few_pages(count: int, most: int, browser: Browser) -> None:
    visit = browser.visit(lockfile_of(count))
    pages = len(re.findall(rb"/Type\s*/Page\b", visit.page.pdf(format="A4")))
    assert 1 <= pages <= most


def test_a_printed_report_shows_the_items_without_the_controls(browser: Browser) -> None:
    visit = browser.visit(lockfile_of(300), color_scheme="dark")
    visit.page.evaluate(
        "addEventListener('beforeprint', () => { printed = document.querySelectorAll('.items tbody tr').length })"
    )
    assert visit.page.pdf(format="A4").startswith(b"%PDF")
    assert visit.page.evaluate("printed") == 302
    assert len(visit.rows()) == 100
    visit.page.emulate_media(media="print")
    assert not visit.page.locator(".tools").is_visible()
    assert visit.page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 38)"
