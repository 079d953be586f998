"""The environment variables of a store: those to set, and values that the library cannot read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from manifest_runner.errors import UsageProblem
from manifest_runner.loopback import is_loopback
from manifest_runner.store.aws_files import aws_credential_words

ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_OTHERS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS",),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN"),
}
_CREDENTIALS = {
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's key file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_WORDS = {"AWS_REGION": "a region such as eu-central-1", "AZURE_STORAGE_ACCOUNT_NAME": "the name of an account"}
_NAME = re.compile(r"[A-Za-z0-9-]+")


def credential_words(url: str, env: Mapping[str, str], home: Path) -> str:
    """The variables to set so that the store at this URL can be used."""
    scheme = urlsplit(url).scheme
    return aws_credential_words(env, home) if scheme == "s3" else _CREDENTIALS[scheme]


def check_settings(scheme: str, env: Mapping[str, str]) -> None:
    """Raise UsageProblem for a variable that is empty or invalid. No message contains a value."""
    for name in (*_OTHERS[scheme], *ENDPOINTS[scheme]):
        if env.get(name) == "":
            raise UsageProblem(f"{name} is empty: set it, or unset it. Nothing was sent.")
    for name, words in _WORDS.items():
        if name in _OTHERS[scheme] and not _NAME.fullmatch(env.get(name, "x")):
            raise UsageProblem(f"{name}: expected {words}. Nothing was sent.")
    for name in ENDPOINTS[scheme]:
        if name in env:
            _check_endpoint(name, env[name])


def _check_endpoint(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is not a number, or of an address in brackets
        is_url = False
    if not is_url:
        raise UsageProblem(f"{name}: expected a URL such as https://storage.example.org:9000. Nothing was sent.")
    if parts.scheme == "http" and not is_local(value):
        raise UsageProblem(f"{name}: plain HTTP is allowed only for localhost; use https. Nothing was sent.")


def is_local(endpoint: str) -> bool:
    """Whether the URL of a store leads to this machine."""
    return is_loopback(urlsplit(endpoint).hostname or "")
