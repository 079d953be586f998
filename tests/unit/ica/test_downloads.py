"""Signed URLs are fetched without a credential, completely or not at all; the server's answers are not trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
import responses

from manifest_runner.errors import Unreachable
from manifest_runner.ica.connection.retry import Deadline, RetryPolicy
from manifest_runner.ica.downloads import CHUNK_BYTES, TAIL_BYTES, DownloadFailed, Downloads

URL = "https://store.example/bucket/a?X-Amz-Signature=secret"


@pytest.fixture(name="downloads")
def _downloads():
    def patience() -> RetryPolicy:
        return RetryPolicy(Deadline.after(1000), lambda _line: None, lambda _seconds: None, lambda: 0.0)

    arrived: list[int] = []
    with Downloads({}, patience, arrived.append) as downloads:
        yield downloads


@pytest.fixture(name="store")
def _store():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as store:
        yield store


def test_no_credential_goes_out_and_ranges_continue_what_is_there(downloads, store, tmp_path):
    store.get(URL, body=b"cd", status=206, headers={"Content-Range": "bytes 2-3/4"})
    part = tmp_path / "part"
    part.write_bytes(b"ab")
    downloads.fetch(URL, part, 4)
    assert part.read_bytes() == b"abcd"
    sent = store.calls[0].request.headers
    assert sent["Range"] == "bytes=2-"
    assert not {"Authorization", "X-API-Key", "Cookie"} & set(sent)


def test_a_server_that_ignores_the_range_starts_over(downloads, store, tmp_path):
    store.get(URL, body=b"abcd")
    part = tmp_path / "part"
    part.write_bytes(b"zz")
    downloads.fetch(URL, part, 4)
    assert part.read_bytes() == b"abcd"


def test_another_range_than_was_asked_for_is_not_appended(downloads, store, tmp_path):
    store.get(URL, body=b"XX", status=206, headers={"Content-Range": "bytes 7-8/9"})
    store.get(URL, body=b"abcd")
    part = tmp_path / "part"
    part.write_bytes(b"ab")
    downloads.fetch(URL, part, 4)
    assert part.read_bytes() == b"abcd"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://store.example/a", "not https"),
        ("ftp://store.example/a", "not https"),
        ("https://u:p@store.example/a", "cannot be used"),
        ("file:///etc/passwd", "cannot be used"),
        ("https://[x/a", "cannot be read"),
    ],
)
def test_a_url_that_must_not_be_used_is_refused_and_not_shown(downloads, store, tmp_path, url, reason):
    with pytest.raises(DownloadFailed, match=reason):
        downloads.fetch(url, tmp_path / "part", 4)
    assert not store.calls


@pytest.mark.parametrize(
    ("status", "reason", "expired"),
    [
        (302, "never followed", False),
        (403, "not accepted", True),
        (404, "does not have it", False),
        (400, "answered 400", False),
    ],
)
def test_a_refusal_is_of_one_file_and_shows_no_signature(downloads, store, tmp_path, status, reason, expired):
    store.get(URL, status=status, headers={"Location": "https://evil.example/"})
    with pytest.raises(DownloadFailed, match=reason) as failed:
        downloads.fetch(URL, tmp_path / "part", 4)
    assert (failed.value.expired, "secret" in str(failed.value), len(store.calls)) == (expired, False, 1)


def test_a_server_that_fails_is_tried_again_until_patience_ends(downloads, store, tmp_path):
    store.get(URL, status=503)
    with pytest.raises(Unreachable, match=r"store\.example answered 503 \(5 tries\)") as failed:
        downloads.fetch(URL, tmp_path / "part", 4)
    assert "secret" not in str(failed.value)


def test_a_file_that_stays_short_is_given_up_and_the_others_continue(downloads, store, tmp_path):
    store.get(URL, body=b"ab", headers={"Transfer-Encoding": "chunked"})
    with pytest.raises(DownloadFailed, match="the file is incomplete: 2 of 4 bytes arrived"):
        downloads.fetch(URL, tmp_path / "part", 4)


def test_only_the_end_of_a_long_log_is_asked_for(downloads, store):
    store.get(URL, body=b"x" * TAIL_BYTES, status=206)
    assert len(downloads.tail(URL, 10**9)) == TAIL_BYTES
    assert store.calls[0].request.headers["Range"] == f"bytes=-{TAIL_BYTES}"
    assert downloads.tail(URL, 5) == b"x" * TAIL_BYTES
    assert "Range" not in store.calls[1].request.headers


def test_an_empty_log_has_no_last_bytes(downloads, store):
    store.get(URL, status=416)
    assert downloads.tail(URL, None) == b""


def test_an_empty_file_is_fetched_too(downloads, store, tmp_path: Path):
    store.get(URL, body=b"")
    downloads.fetch(URL, tmp_path / "part", 0)
    assert (tmp_path / "part").read_bytes() == b""


def test_what_comes_after_the_end_of_a_file_is_not_read(downloads, store, tmp_path, monkeypatch):
    store.get(URL, body=b"x" * 5 * CHUNK_BYTES)
    arrived: list[int] = []
    monkeypatch.setattr(downloads, "_arrived", arrived.append)
    with pytest.raises(DownloadFailed, match="more than its 4 bytes"):
        downloads.fetch(URL, tmp_path / "part", 4)
    assert sum(arrived) <= CHUNK_BYTES
