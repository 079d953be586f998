"""What goes wrong with a store is said in plain words, with the right exit code, and never with a credential."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from buckets import Buckets

from manifest_runner.errors import BadState, RunnerError, Unreachable, UsageProblem
from manifest_runner.store.aws_files import aws_options
from manifest_runner.store.interface import Store
from manifest_runner.store.location import open_state

SECRET = "s3cr3t-of-the-store"


class Answering:
    """An S3 server that gives one answer to everything, or pretends that all is well."""

    def __init__(self) -> None:
        self.answer: tuple[int, str] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                status, code = outer.answer or (200, "")
                body = f"<Error><Code>{code}</Code><StringToSign>{SECRET}</StringToSign></Error>".encode()
                self.send_response(status)
                self.send_header("ETag", '"1"')
                self.send_header("Last-Modified", "Wed, 25 Nov 2026 16:00:00 GMT")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(name="answering")
def _answering(monkeypatch: pytest.MonkeyPatch):
    server = Answering()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    yield server
    server.stop()


def opened(url: str, patience: float = 30) -> Store:
    return open_state(url, os.environ, Path("/nowhere"), patience=patience)


@pytest.mark.parametrize(
    ("status", "code", "words", "error"),
    [
        (404, "NoSuchBucket", "there is no such bucket", BadState),
        (404, "", "something other than the store answers", BadState),
        (403, "AccessDenied", r"may not be \w+ with this credential \(403 AccessDenied\)", BadState),
        (403, "RequestTimeTooSkewed", "refuses this machine's clock", Unreachable),
        (400, "ExpiredToken", "credential has expired", Unreachable),
        (403, "InvalidAccessKeyId", "does not accept the credential", Unreachable),
        (403, "SignatureDoesNotMatch", "does not accept the credential", Unreachable),
        (301, "PermanentRedirect", "another region", BadState),
        (501, "NotImplemented", "cannot do what keeps two runs apart", BadState),
        (400, "SomethingElse", r"does not answer \(400 SomethingElse\)", Unreachable),
    ],
)
def test_an_error_of_the_store_is_said_in_words(answering, status, code, words, error):
    answering.answer = (status, code)
    store = opened("s3://bucket/state")
    for call in (lambda: store.get("a"), lambda: store.create("a", b"1")):
        with pytest.raises(error, match=words) as caught:
            call()
        assert str(caught.value).startswith("s3://bucket/state/a: ")
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_store_that_ignores_conditions_is_refused(answering):
    with pytest.raises(BadState, match="writes over what exists"):
        opened("s3://bucket/state").probe("a", b"{}")


def test_a_store_that_nobody_serves_is_out_of_reach(monkeypatch, answering):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="cannot be reached"):
        opened("s3://bucket/state", patience=1).get("a")


@pytest.mark.parametrize("url", ["gs://bucket/state", "az://container/state"])
def test_a_store_without_a_credential_is_said_to_lack_one(url, monkeypatch):
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unreachable, match="no credential for the store"):
        opened(url, patience=1).get("a")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/folder",
        "/a/folder",
        f"s3://user:{SECRET}@bucket/",
        f"s3://bucket/?X-Amz-Signature={SECRET}",
        "s3:///prefix",
        "file://host/folder",
        "file://folder",
    ],
)
def test_what_is_not_a_place_for_state_is_wrong_use(url):
    with pytest.raises(UsageProblem, match="state: ") as caught:
        opened(url)
    assert SECRET not in str(caught.value)


def test_a_bucket_that_does_not_exist(aws: Buckets):
    with pytest.raises(BadState, match="there is no such bucket"):
        opened("s3://never-made").get("a")


def test_a_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(BadState, match="cannot be written"):
        opened(f"file://{tmp_path}/state").create("p/a", b"1")


def test_a_lock_that_another_process_holds_is_waited_for_and_then_reported(tmp_path: Path):
    import fcntl

    store = opened(f"file://{tmp_path}", patience=0.1)
    store.create("a", b"1")
    with (tmp_path / ".manifest-runner.guard").open("r+") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        with pytest.raises(Unreachable, match="another process has held this lock"):
            store.create("b", b"1")


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, {"aws_access_key_id": "one", "aws_secret_access_key": "1", "region": "eu-central-1"}),
        ({"AWS_PROFILE": "lab"}, {"aws_access_key_id": "two", "aws_secret_access_key": "2", "region": "us-east-2"}),
        ({"AWS_ACCESS_KEY_ID": "mine"}, {"region": "eu-central-1"}),
        ({"AWS_ACCESS_KEY_ID": "mine", "AWS_REGION": "x"}, {}),
        ({"AWS_PROFILE": "nobody"}, {}),
    ],
)
def test_the_credential_files_of_aws_are_read(tmp_path: Path, env, expected):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = one\naws_secret_access_key = 1\n"
        "[lab]\naws_access_key_id = two\naws_secret_access_key = 2\n"
    )
    (tmp_path / ".aws" / "config").write_text(
        "[default]\nregion = eu-central-1\noutput = json\n[profile lab]\nregion = us-east-2\n"
    )
    assert aws_options(env, tmp_path) == expected


def test_every_error_ends_the_command_with_an_exit_code_of_its_own():
    assert {error.exit_code for error in (UsageProblem, Unreachable, BadState)} == {2, 5, 6}
    assert issubclass(BadState, RunnerError)
