"""Errors of a store are reported in plain words, with the right exit code, and never with a credential."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from azurite import signature
from buckets import Buckets

from manifest_runner.errors import BadState, RunnerError, Unreachable, UsageProblem
from manifest_runner.store.aws_files import aws_credential_words, aws_options
from manifest_runner.store.interface import Conflict, Store, Stored
from manifest_runner.store.open_store import open_state

pytest_plugins = ["store_servers"]

SECRET = "s3cr3t-of-the-store"


class Answering:
    """An object server that gives the same answer to everything, or pretends that all is well.

    One that ``compares`` keeps what is written, by the conditions of Google (a generation) and Azure (an ETag).
    """

    def __init__(self) -> None:
        self.answer: tuple[int, str] | None = None
        self.compares = False
        self.has_versions = True
        self.objects: dict[str, tuple[int, bytes]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not outer.compares:
                    self._answer()
                elif self.path in outer.objects:
                    self._send(200, *outer.objects[self.path])
                else:
                    is_google = "x-ms-version" not in self.headers
                    code = "NoSuchKey" if is_google else "BlobNotFound"
                    self._send(404, 0, f"<Error><Code>{code}</Code></Error>".encode())

            def do_PUT(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if outer.compares:
                    self._write(content)
                else:
                    self._answer()

            def do_DELETE(self) -> None:
                if outer.objects.pop(self.path, None) is None:
                    self._send(404, 0, b"<Error><Code>NoSuchKey</Code></Error>")
                else:
                    self._send(204, 0, b"")

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                status, code = outer.answer or (200, "")
                body = f"<Error><Code>{code}</Code><StringToSign>{SECRET}</StringToSign></Error>".encode()
                self._send(status, 1, body)

            def _write(self, content: bytes) -> None:
                now = outer.objects.get(self.path, (0, b""))[0]
                wanted = self.headers.get("x-goog-if-generation-match")
                if wanted is not None and wanted != str(now):
                    self._send(412, now, b"<Error><Code>PreconditionFailed</Code></Error>")
                elif self.headers.get("If-None-Match") == "*" and now:
                    self._send(409, now, b"<Error><Code>BlobAlreadyExists</Code></Error>")
                elif self.headers.get("If-Match") not in (None, f'"{now}"'):
                    self._send(412, now, b"<Error><Code>ConditionNotMet</Code></Error>")
                else:
                    outer.objects[self.path] = now + 1, content
                    self._send(201, now + 1, b"")

            def _send(self, status: int, generation: int, body: bytes) -> None:
                self.send_response(status)
                if outer.has_versions:
                    self.send_header("ETag", f'"{generation}"')
                    self.send_header("x-goog-generation", str(generation))
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
        (501, "NotImplemented", "cannot keep two runs apart", BadState),
        (400, "SomethingElse", r"does not answer \(400 SomethingElse\)", Unreachable),
    ],
)
def test_an_error_of_the_store_is_reported_in_plain_words(answering, status, code, words, error):
    answering.answer = (status, code)
    store = opened("s3://bucket/state")
    for call in (lambda: store.get("a"), lambda: store.create("a", b"1")):
        with pytest.raises(error, match=words) as caught:
            call()
        assert str(caught.value).startswith("s3://bucket/state/a: ")
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_missing_permission_is_reported_with_what_is_needed(answering):
    answering.answer = (403, "AccessDenied")
    store = opened("s3://bucket/state")
    for call, action in (
        (lambda: store.get("a"), "read"),
        (lambda: store.names("a/"), "listed"),
        (lambda: store.create("a", b"1"), "written"),
        (lambda: store.delete(["a"]), "deleted"),
    ):
        with pytest.raises(BadState, match=rf"may not be {action} .* to run, also to write and delete"):
            call()


def test_a_page_that_is_not_a_stores_is_recognized(answering):
    answering.has_versions = False
    with pytest.raises(BadState, match="something other than the store answers there"):
        opened("s3://bucket/state").get("a")
    answering.answer = (404, "")
    with pytest.raises(BadState, match="something other than the store answers there"):
        opened("s3://bucket/state").names("a/")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_ENDPOINT_URL", "", " is empty: set it, or unset it"),
        ("AWS_SESSION_TOKEN", "", " is empty"),
        ("AWS_ENDPOINT_URL", f"{SECRET}:9000", ": expected a URL such as https"),
        ("AWS_ENDPOINT_URL", "http://", ": expected a URL"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:port", ": expected a URL"),
        ("AWS_ENDPOINT_URL", f"http://me:{SECRET}@storage.example.org", ": plain HTTP is allowed only for localhost"),
        ("AWS_REGION", "us east", ": expected a region such as eu-central-1"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_named(answering, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageProblem, match=f"^{name}{words}") as caught:
        opened("s3://bucket/state")
    assert SECRET not in str(caught.value)


def test_a_store_that_ignores_conditions_is_refused(answering):
    with pytest.raises(BadState, match="overwrites an object although"):
        opened("s3://bucket/state").probe("a", b"{}")


def test_a_store_that_nobody_serves_is_out_of_reach(monkeypatch, answering):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="cannot be reached: nothing answers at its address"):
        opened("s3://bucket/state", patience=1).get("a")


@pytest.fixture(name="google_key", scope="module")
def _google_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file of a service account that does not exist; a token can be made from such a key offline."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    path = tmp_path_factory.mktemp("google") / "key.json"
    account = {"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": pem}
    path.write_text(json.dumps(account))
    return path


@pytest.fixture(name="elsewhere")
def _elsewhere(answering: Answering, google_key: Path, monkeypatch: pytest.MonkeyPatch) -> Answering:
    """No server of Google's or Azure's runs here; this one answers as their documentation says."""
    address = f"http://127.0.0.1:{answering.server.server_port}"
    monkeypatch.setenv("GOOGLE_BASE_URL", address)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google_key))
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", address)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "acc")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    return answering


@pytest.mark.parametrize("url", ["gs://bucket/state", "az://bucket/state"])
def test_google_and_azure_compare_before_they_write(elsewhere, url):
    elsewhere.compares = True
    store = opened(url)
    assert store.get("a") is None
    first = store.create("a", b"1")
    with pytest.raises(Conflict):
        store.create("a", b"2")
    assert store.get("a") == Stored(b"1", first)
    second = store.replace("a", b"3", first)
    with pytest.raises(Conflict):
        store.replace("a", b"4", first)
    assert store.get("a") == Stored(b"3", second)
    store.probe("a", b"3")


def test_what_google_says_is_already_gone_does_not_keep_the_rest(elsewhere):
    elsewhere.compares = True
    store = opened("gs://bucket/state")
    for name in ("a", "c"):
        store.create(name, b"1")
    store.delete(["a", "b", "c"])
    assert elsewhere.objects == {}


def created_where_absent(store: Store) -> None:
    if store.get("a") is None:
        store.create("a", b"1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("container", "env", "words", "error"),
    [
        ("az://nowhere", {}, "there is no such container", BadState),
        (None, {"AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="}, "does not accept the credential", Unreachable),
        (None, {"AZURE_STORAGE_SAS_TOKEN": signature("rl", "d3Jvbmc=")}, "does not accept the credential", Unreachable),
        (None, {"AZURE_STORAGE_SAS_TOKEN": signature("rl")}, "may not be written with this credential", BadState),
        (None, {"AZURE_STORAGE_SAS_TOKEN": signature("wc")}, "may not be read with this credential", BadState),
    ],
)
def test_errors_of_a_real_azurite_are_reported_in_plain_words(azure, monkeypatch, container, env, words, error):
    url = f"{container or azure.make()}/state"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if "AZURE_STORAGE_SAS_TOKEN" in env:
        monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    with pytest.raises(error, match=words):
        created_where_absent(opened(url))


NO_CREDENTIAL = ("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY")


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("gs://bucket/state", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://container/state", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_a_store_without_a_credential_is_reported(url, variable, monkeypatch):
    for name in NO_CREDENTIAL:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unreachable, match=f"no credential for the store. Set {variable}"):
        opened(url, patience=1).get("a")


@pytest.mark.parametrize(
    ("url", "env"),
    [
        ("gs://bucket/state", {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json"}),
        ("gs://bucket/state", {"GOOGLE_APPLICATION_CREDENTIALS": "a-key-file"}),
        ("az://box/state", {"AZURE_STORAGE_ACCOUNT_NAME": "acc", "AZURE_STORAGE_ACCOUNT_KEY": f"{SECRET}!"}),
        ("s3://bucket/state", {"AWS_ACCESS_KEY_ID": "a-key"}),
    ],
)
def test_a_credential_that_cannot_be_used_is_named_and_never_shown(url, env, monkeypatch, tmp_path):
    key = {"private_key": SECRET, "private_key_id": "1", "client_email": "a@b", "type": "service_account"}
    (tmp_path / "a-key-file").write_text(json.dumps(key))
    monkeypatch.chdir(tmp_path)
    for name in (*NO_CREDENTIAL, "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable, match=r"is incomplete or cannot be read\. Correct [AG]") as caught:
        opened(url, patience=1).get("a")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "status", "code", "words", "error"),
    [
        ("gs", 404, "NoSuchBucket", "there is no such bucket", BadState),
        ("gs", 403, "AccessDenied", r"may not be \w+ with this credential", BadState),
        ("gs", 401, "", r"may not be \w+ with this credential", BadState),
        ("gs", 400, "ExpiredToken", "credential has expired", Unreachable),
        ("az", 404, "ContainerNotFound", "there is no such container", BadState),
        ("az", 404, "ResourceNotFound", "there is no such container", BadState),
        ("az", 403, "AuthenticationFailed", "does not accept the credential", Unreachable),
        ("az", 403, "AuthorizationPermissionMismatch", r"may not be \w+ with this credential", BadState),
    ],
)
def test_errors_of_google_and_azure_have_the_same_messages(
    answering, google_key, monkeypatch, url, status, code, words, error
):
    """No server of theirs runs here; this one answers as their documentation says."""
    address = f"http://127.0.0.1:{answering.server.server_port}"
    monkeypatch.setenv("GOOGLE_BASE_URL", address)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google_key))
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", address)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "acc")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    answering.answer = (status, code)
    store = opened(f"{url}://bucket/state")
    for call in (lambda: store.get("a"), lambda: store.create("a", b"1")):
        with pytest.raises(error, match=words):
            call()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/folder",
        "/a/folder",
        f"s3://user:{SECRET}@bucket/",
        f"s3://bucket/?X-Amz-Signature={SECRET}",
        "s3:///prefix",
        "s3://host:9000/bucket",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "file://host/folder",
        "file://folder",
    ],
)
def test_what_is_not_a_place_for_state_is_wrong_use(url):
    with pytest.raises(UsageProblem, match="state: ") as caught:
        opened(url)
    assert SECRET not in str(caught.value)


def test_a_bucket_that_does_not_exist_is_reported(aws: Buckets):
    with pytest.raises(BadState, match="there is no such bucket"):
        opened("s3://never-made").get("a")


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path):
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


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "SECRET_ACCESS_KEY, or a profile in ~/.aws"),
        ({"AWS_PROFILE": "nobody"}, "a profile in ~/.aws, which has no 'nobody'"),
        ({"AWS_PROFILE": "lab"}, "SECRET_ACCESS_KEY, or a profile in ~/.aws"),
        ({"AWS_PROFILE": "sso"}, "the profile 'sso' in ~/.aws holds no keys itself (`aws configure export-credentials"),
    ],
)
def test_a_profile_without_keys_is_reported(tmp_path: Path, env, words):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[lab]\naws_access_key_id = two\naws_secret_access_key = 2\n")
    (tmp_path / ".aws" / "config").write_text("[profile sso]\nsso_session = lab\nregion = eu-central-1\n")
    assert words in aws_credential_words(env, tmp_path)


def test_every_error_ends_the_command_with_an_exit_code_of_its_own():
    assert {error.exit_code for error in (UsageProblem, Unreachable, BadState)} == {2, 5, 6}
    assert issubclass(BadState, RunnerError)
