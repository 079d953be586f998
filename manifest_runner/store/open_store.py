"""Open the store that a manifest's ``state`` names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from manifest_runner.errors import UsageProblem
from manifest_runner.store.interface import Store

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ENDPOINT_WORDS = "AWS_ENDPOINT_URL, AZURE_STORAGE_ENDPOINT or GOOGLE_BASE_URL"
SCHEMES = ("s3", "gs", "az", "file")


def open_state(url: str, env: Mapping[str, str], home: Path, *, patience: float) -> Store:
    """The store that ``state: URL`` names. Sends no request. Raises RunnerError."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.query or parts.fragment or parts.username or parts.password:
        raise UsageProblem(
            f"state: {_safe(url)}: expected s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or "
            "file:///FOLDER, without a credential in it"
        )
    if parts.scheme == "file":
        return _shared_folder(parts.netloc, unquote(parts.path), url, patience)
    _check_names(parts.netloc, parts.path, url)
    from manifest_runner.store.object_store import ObjectStore

    return ObjectStore(url, env, home, patience=patience)


def _check_names(bucket: str, path: str, url: str) -> None:
    """Refuse what the reader of a URL would change or drop."""
    if not _BUCKET.fullmatch(bucket):
        raise UsageProblem(
            f"state: {url}: {bucket!r} is not a name of a bucket; to use another server, set {_ENDPOINT_WORDS}"
        )
    if any(part in ("", ".", "..") for part in path.rstrip("/").split("/")[1:]):
        raise UsageProblem(f"state: {url}: write the prefix without `//`, `.` and `..`")


def _shared_folder(host: str, path: str, url: str, patience: float) -> Store:
    from manifest_runner.store.local_files import LocalFiles

    if host not in ("", "localhost") or not path.startswith("/"):
        raise UsageProblem(f"state: {url}: write a folder as file:///FOLDER, with three slashes")
    return LocalFiles(Path(path), shared=True, patience=patience)


def _safe(url: str) -> str:
    """The URL without the text before an ``@`` or after a ``?``, which may be a credential."""
    scheme, separator, rest = url.partition("://")
    rest = rest.partition("?")[0].rpartition("@")[2]
    return f"{scheme}{separator}{rest}" if separator else url.partition("?")[0]
