"""The files behind download URLs: on a port of their own, signed, in ranges, and never with a credential."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from manifest_runner.emulator import execution_record

V3 = "application/vnd.illumina.v3+json"
CATALOG = """
data:
  - {path: /text.txt, text: "0123456789"}
  - {path: "/a b/ä#1.bin", size: 300000}
  - {path: /odd/gone.txt, text: x, download: missing}
  - {path: /odd/short.txt, text: "0123456789", download: short}
  - {path: /odd/moved.txt, text: x, download: redirected}
  - {path: /odd/cut.txt, text: "0123456789", download: cut}
  - {path: /odd/whole.txt, text: "0123456789", download: whole}
  - {path: /archived.txt, status: ARCHIVED}
"""


@pytest.fixture(name="served", scope="module")
def _served(serve):
    return serve(CATALOG)


@pytest.fixture(name="files")
def _files(served, connect):
    return connect(served)


def rows(client, *paths):
    body = {"dataPaths": [*paths]}
    return client.session.post(f"{client.home}/data:createDownloadUrls", json=body, headers={"Content-Type": V3})


def url(client, path):
    answer = rows(client, path)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]["url"]


def fetch(address, **headers):
    return requests.get(address, headers=headers, timeout=10, allow_redirects=False)


def test_a_url_gives_the_file_to_whoever_has_it(files):
    address = url(files, "/text.txt")
    answer = fetch(address)
    assert (answer.status_code, answer.text, answer.headers["content-length"]) == (200, "0123456789", "10")
    assert urlsplit(address).port != urlsplit(files.url).port
    assert {"X-Amz-Signature", "X-Amz-Expires", "X-Amz-Credential"} <= set(parse_qs(urlsplit(address).query))


def test_a_file_of_a_size_has_that_many_bytes_the_same_each_time(files):
    whole = fetch(url(files, "/a b/ä#1.bin")).content
    part = fetch(url(files, "/a b/ä#1.bin"), Range="bytes=100001-299999").content
    assert len(whole) == 300000
    assert whole[100001:] == part


@pytest.mark.parametrize(
    ("wanted", "status", "text", "span"),
    [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=-99", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=5-999", 206, "56789", "bytes 5-9/10"),
    ],
)
def test_a_range_gives_a_part(files, wanted, status, text, span):
    answer = fetch(url(files, "/text.txt"), Range=wanted)
    assert (answer.status_code, answer.text, answer.headers["content-range"]) == (status, text, span)


def test_a_range_behind_the_end_is_refused(files):
    assert fetch(url(files, "/text.txt"), Range="bytes=10-").status_code == 416


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x"}, {"X-API-Key": "x"}])
def test_a_credential_that_leaks_is_refused_and_on_record(files, headers):
    address, before = url(files, "/text.txt"), execution_record.requests(files.database)[execution_record.LEAKS]
    assert fetch(address).status_code == 200
    assert execution_record.requests(files.database)[execution_record.LEAKS] == before
    assert fetch(address, **headers).status_code == 400
    assert execution_record.requests(files.database)[execution_record.LEAKS] == before + 1


def test_a_url_is_good_for_its_file_and_for_an_hour(files, clock):
    address = url(files, "/text.txt")
    assert fetch(address.replace("text.txt", "texts.txt")).status_code == 403
    assert fetch(address.partition("?")[0]).status_code == 403
    clock.advance(3600)
    assert fetch(address).status_code == 403


def test_a_file_can_be_missing_short_redirected_or_always_whole(files):
    assert fetch(url(files, "/odd/gone.txt")).status_code == 404
    assert fetch(url(files, "/odd/short.txt")).text == "01234"
    moved = fetch(url(files, "/odd/moved.txt"))
    assert (moved.status_code, moved.text) == (307, "")
    assert fetch(url(files, "/odd/whole.txt"), Range="bytes=5-").text == "0123456789"


def test_a_file_that_is_cut_comes_by_half_of_the_rest(files):
    address, got = url(files, "/odd/cut.txt"), b""
    for _ in range(3):
        got += until_cut(address, len(got))
    assert got == b"012345678"


def until_cut(address, first):
    got = b""
    with (
        suppress(requests.RequestException),
        requests.get(address, headers={"Range": f"bytes={first}-"}, stream=True, timeout=10) as answer,
    ):
        for piece in answer.iter_content(1):
            got += piece
        raise AssertionError("the answer is whole")
    return got


def test_every_download_can_be_odd(start):
    client = start(oddities=["downloads=missing"])
    assert fetch(url(client, "/any.txt")).status_code == 404


def test_a_folder_and_what_is_archived_have_no_url(files):
    assert rows(files, "/odd/").status_code == 400
    assert rows(files, "/archived.txt").status_code == 409
    assert rows(files, "/nowhere.txt").status_code == 404
    assert rows(files).status_code == 400


def test_a_file_has_a_url_by_its_id_too(files):
    (row,) = files.listed("data", filePath="/text.txt", filePathMatchMode="FULL_CASE_INSENSITIVE")
    answer = files.session.post(f"{files.home}/data/{row['data']['id']}:createDownloadUrl")
    assert fetch(answer.json()["url"]).text == "0123456789"


def test_made_up_files_and_logs_of_analyses_are_downloaded_too(start, clock):
    client = start(creation_delay=0.0, fail_analysis=".")
    client.create("one")
    clock.advance(8)
    (analysis,) = client.search().json()["items"]
    failed = client.listed(f"analyses/{analysis['id']}/steps")[-1]
    log = failed["logs"]["stdErrData"]["details"]
    text = fetch(url(client, log["path"])).text
    assert len(text.encode()) == log["fileSizeInBytes"]
    assert len(fetch(url(client, "/made/up.bam")).content) > 0


def test_the_store_answers_nothing_else(files):
    address = url(files, "/text.txt")
    assert requests.post(address, timeout=10).status_code == 405
    assert fetch(f"http://{urlsplit(address).netloc}/").status_code == 403
    assert requests.head(address, timeout=10).headers["content-length"] == "10"
