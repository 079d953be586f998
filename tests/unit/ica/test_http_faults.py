"""Between the client and the server: exceptions of libraries, proxies, certificates."""

from __future__ import annotations

import pytest
import requests
import responses
import urllib3

from manifest_runner.errors import Refused, Unreachable, UsageProblem
from manifest_runner.ica.client import Client
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.connection_errors import UNEXPECTED, meaning_of, retryable_error
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.ica.connection.transport import proxies_for, trust_for

SECRET = "s3cr3t-k3y-0123456789"
SERVER = "https://ica.example/ica/rest"


def subclasses(kind):
    for child in kind.__subclasses__():
        if child.__module__.startswith(("requests.", "urllib3.")):
            yield child
            yield from subclasses(child)


LIBRARY_ERRORS = sorted(
    {*subclasses(requests.RequestException), *subclasses(urllib3.exceptions.HTTPError)},
    key=lambda kind: (kind.__module__, kind.__name__),
)


@pytest.mark.parametrize("kind", LIBRARY_ERRORS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_each_exception_of_the_libraries_has_a_meaning(kind):
    assert meaning_of(kind.__new__(kind)) is not UNEXPECTED


@pytest.mark.parametrize("kind", LIBRARY_ERRORS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_each_exception_of_the_libraries_ends_as_unreachable(kind):
    credential = Credential("Authorization", f"Bearer {SECRET}", "x")
    unreachable = pytest.raises(Unreachable, match="safe to repeat")
    with (
        responses.RequestsMock() as ica,
        Client(SERVER, credential, "p", deadline=Deadline.after(600), sleep=lambda _: None, env={}) as client,
        unreachable,
    ):
        ica.get(f"{SERVER}/api/projects/p/analysisCreationBatch/b-1", body=kind.__new__(kind))
        client.get_batch("b-1")


def test_a_new_exception_of_a_library_can_still_be_retried():
    class Odd(requests.RequestException):
        pass

    error = retryable_error(Odd(f"https://me:{SECRET}@proxy"), "ica.example")
    assert error.reason == "the request to ica.example failed"
    assert error.executed
    assert not error.final


@pytest.mark.parametrize(
    ("url", "env", "proxies"),
    [
        (SERVER, {}, {}),
        (SERVER, {"HTTPS_PROXY": "http://p:1"}, {"https": "http://p:1"}),
        (SERVER, {"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, {"https": "http://p:1"}),
        (SERVER, {"ALL_PROXY": "http://p:1"}, {"https": "http://p:1"}),
        (SERVER, {"HTTP_PROXY": "http://p:1"}, {}),
        (SERVER, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other, .example"}, {}),
        (SERVER, {"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, {}),
        ("https://localhost:8443/x", {"HTTPS_PROXY": "http://p:1"}, {}),
        ("https://127.0.0.2/x", {"HTTPS_PROXY": "http://p:1"}, {}),
        ("http://127.0.0.1:80/x", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"}, {}),
    ],
)
def test_proxies_serve_https_to_other_machines_only(url, env, proxies, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "ica.example")  # of the process: not the environment that was given
    assert proxies_for(url, env) == proxies


def test_certificates_of_the_environment_are_trusted(tmp_path):
    assert trust_for({"SSL_CERT_FILE": ""}) is True
    assert trust_for({"SSL_CERT_FILE": str(tmp_path)}) == str(tmp_path)
    both = {"SSL_CERT_FILE": "/nowhere", "REQUESTS_CA_BUNDLE": str(tmp_path)}
    assert trust_for(both) == str(tmp_path)


def test_certificates_that_are_not_there_are_wrong_use(tmp_path):
    with pytest.raises(UsageProblem, match="REQUESTS_CA_BUNDLE"):
        trust_for({"REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem")})


def test_a_proxy_that_asks_for_credentials_is_named_at_once():
    refusal = urllib3.exceptions.ProxyError("no tunnel", OSError("Tunnel connection failed: 407 Proxy Authentication"))
    credential = Credential("Authorization", f"Bearer {SECRET}", "x")
    refused = pytest.raises(Refused, match="the proxy asks for credentials")
    with (
        responses.RequestsMock() as ica,
        Client(SERVER, credential, "p", deadline=Deadline.after(600), env={}) as client,
        refused as found,
    ):
        ica.get(f"{SERVER}/api/projects/p/analysisCreationBatch/b-1", body=requests.exceptions.ProxyError(refusal))
        client.get_batch("b-1")
    assert (found.value.status, found.value.exit_code) == (407, 4)
