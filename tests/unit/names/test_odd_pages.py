"""Lists of data in odd pages: empty ones before and between the rows, and rows that come again."""

from __future__ import annotations

from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.wire import Page
from manifest_runner.names.checks.data_check import DataCheck
from manifest_runner.names.lookup.data_lookup import DataLookup

ROWS = [DataRecord(f"fil.{n}", f"S{n}.fq", f"/x{n % 7}/S{n}.fq", "FILE", "AVAILABLE") for n in range(40)]
ONE_VALUE = "only the last value of a filter counts"
ENDLESS = "endless empty pages"


def odd_server(oddity, rows=ROWS, ignores_filters=False):
    """Answers with two rows a page; a token is the number of the row to go on with."""
    numbers = count()

    def ask(call):
        asked = parse_qs(urlsplit(call.path).query)
        ids, paths, folders = (asked.get(each, ()) for each in ("id", "filePath", "parentFolderPath"))
        if oddity == ONE_VALUE:
            paths = paths[-1:]
        found = [
            row
            for row in rows
            if ignores_filters or row.id in ids or row.path in paths or row.path.rpartition("/")[0] + "/" in folders
        ]
        token = dict(call.params).get("pageToken", "")
        if oddity == ENDLESS:
            return Page((), f"{next(numbers)}", None)
        if oddity == "empty pages" and not token.endswith("!"):
            return Page((), f"{token}!", None)
        start = int(token.rstrip("!") or 0)
        page = found[start : start + 2]
        if oddity == "repeated rows":
            page = [*found[max(0, start - 1) : start], *page, *page[-1:]]
        return Page(tuple(page), f"{start + 2}" if start + 2 < len(found) else None, None)

    return ask


@pytest.mark.parametrize("ignores_filters", [False, True])
@pytest.mark.parametrize("oddity", ["empty pages", "repeated rows"])
def test_odd_pages_hide_no_data(oddity, ignores_filters):
    ask = odd_server(oddity, ignores_filters=ignores_filters)
    ids, paths = [row.id for row in ROWS], [row.path for row in ROWS]
    found = DataLookup(ask, None, 0).look_up([*paths, "/x1/gone.fq"])
    assert {path: each.entry.id for path, each in found.items() if path != "/x1/gone.fq"} == dict(
        zip(paths, ids, strict=True)
    )
    assert found["/x1/gone.fq"].code == "MR701"
    assert list(DataCheck(ask, None, 0, {}).failures([*ids, "fil.gone"], lambda _row: None)) == ["fil.gone"]


def test_data_that_only_the_list_of_its_folder_shows_is_not_missing():
    found = DataLookup(odd_server(ONE_VALUE), None, 0).look_up(["/x0/S0.fq", "/x0/S7.fq", "/x0/gone.fq"])
    assert [found[path].entry.id for path in ("/x0/S0.fq", "/x0/S7.fq")] == ["fil.0", "fil.7"]
    assert found["/x0/gone.fq"].code == "MR701"


def test_endless_empty_pages_end():
    ask = odd_server(ENDLESS)
    assert DataLookup(ask, None, 0).look_up(["/a.fq"])["/a.fq"].code == "MR701"
    assert list(DataCheck(ask, None, 0, {}).failures(["fil.1"], lambda _row: None)) == ["fil.1"]
