"""State in a bucket of S3, Google Cloud Storage, Azure, or a compatible store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from manifest_runner.errors import BadState, RunnerError, UsageProblem
from manifest_runner.store.aws_files import aws_options
from manifest_runner.store.interface import Conflict, Stored, Unchanged
from manifest_runner.store.object_errors import Action, is_absent, not_a_store, store_error
from manifest_runner.store.settings import ENDPOINTS, check_settings, credential_words, is_local

if TYPE_CHECKING:
    from obstore import GetOptions, PutResult, UpdateVersion

_NEVER = '"00000000000000000000000000000000"\n1'


class _Absent(Exception):
    """An object that should be removed does not exist."""


class ObjectStore:
    """Objects under ``url``. One operation may take about ``patience`` seconds, retries included."""

    def __init__(self, url: str, env: Mapping[str, str], home: Path, *, patience: float) -> None:
        self._url = url.rstrip("/")
        try:
            import obstore
            from obstore.store import from_url
        except ImportError as e:
            raise UsageProblem(f"`state: {url}` needs the extra `remote`: pip install 'manifest-runner[remote]'") from e
        self._obstore = obstore
        self._credentials = credential_words(url, env, home)
        check_settings(urlsplit(url).scheme, env)
        with self._in_words("", "opened"):
            self._store = from_url(url, **_options(url, env, home, patience))

    def where(self, name: str) -> str:
        return f"{self._url}/{name}" if name else self._url

    def get(self, name: str, *, unless: str | None = None) -> Stored | None:
        from obstore.exceptions import NotModifiedError

        known = unless.partition("\n")[0] if unless else ""
        options: GetOptions = {"if_none_match": known} if known else {}
        with self._in_words(name, "read"):
            try:
                found = self._obstore.get(self._store, name, options=options)
                return Stored(bytes(found.bytes()), self._version(name, found.meta))
            except NotModifiedError as e:
                raise Unchanged(name) from e
            except FileNotFoundError as e:
                if is_absent(e):
                    return None
                raise

    def create(self, name: str, content: bytes) -> str:
        return self._put(name, content, "create")

    def replace(self, name: str, content: bytes, version: str) -> str:
        return self._put(name, content, _condition(version))

    def delete(self, names: Sequence[str]) -> None:
        """Remove all at once. Azure and Google report one that is already gone, and may then leave those after it."""
        try:
            self._delete(names)
        except _Absent:
            for name in names:
                with suppress(_Absent):
                    self._delete([name])

    def _delete(self, names: Sequence[str]) -> None:
        if names:
            with self._in_words(names[0], "deleted"):
                try:
                    self._obstore.delete(self._store, list(names))
                except FileNotFoundError as e:
                    if is_absent(e):
                        raise _Absent from e
                    raise

    def names(self, folder: str) -> list[str]:
        with self._in_words(folder, "listed"):
            found = [entry["path"] for page in self._obstore.list(self._store, folder) for entry in page]
        return sorted(found)

    def probe(self, name: str, content: bytes) -> None:
        """Test with bytes that differ only by a space at the end, so that a reader in between gets the same value."""
        other = content + b"\n"
        for mode in ("create", _condition(_NEVER)):
            try:
                self._put(name, other, mode)
            except Conflict:
                continue
            with suppress(RunnerError):  # such a store may not even do that
                self.delete([name])
            raise BadState(
                f"{self.where(name)}: this store overwrites an object although it was asked not to, so it cannot "
                "keep two runs apart. Nothing was sent; use a store with conditional writes."
            )

    def _put(self, name: str, content: bytes, mode: Any) -> str:
        """Check a conflict: obstore repeats a try that got no answer, and may then meet its own object."""
        try:
            with self._in_words(name, "written"):
                return self._version(name, self._try_put(name, content, mode))
        except Conflict:
            now = self.get(name)
            if now is None or now.content != content:
                raise
            return now.version

    def _try_put(self, name: str, content: bytes, mode: Any) -> PutResult:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._obstore.put(self._store, name, content, mode=mode, use_multipart=False)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as e:
            if isinstance(e, FileNotFoundError) and not is_absent(e):
                raise
            raise Conflict(name) from e

    def _version(self, name: str, meta: Mapping[str, Any]) -> str:
        """Raises BadState for an answer without one, which is not from a store but from a login page, say."""
        if not (meta["e_tag"] or meta["version"]):
            raise not_a_store(self.where(name))
        return f"{meta['e_tag'] or ''}\n{meta['version'] or ''}"

    @contextmanager
    def _in_words(self, name: str, action: Action) -> Iterator[None]:
        """Raise RunnerError for obstore's errors, its own and some of Python's."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as e:
            raise store_error(e, self.where(name), action, self._credentials) from None


def _condition(version: str) -> UpdateVersion:
    e_tag, _, number = version.partition("\n")
    return {"e_tag": e_tag or None, **({"version": number} if number else {})}


def _options(url: str, env: Mapping[str, str], home: Path, patience: float) -> dict[str, Any]:
    """A try that hangs, and retries after one that fails at once, take no longer than ``patience`` together."""
    client: dict[str, Any] = {"timeout": timedelta(seconds=0.6 * patience)}
    client["connect_timeout"] = timedelta(seconds=min(5.0, 0.3 * patience))
    if any(is_local(env.get(name, "")) for name in ENDPOINTS[urlsplit(url).scheme]):
        client["allow_http"] = True
    retries = {"max_retries": 5, "retry_timeout": timedelta(seconds=0.3 * patience)}
    options = {"client_options": client, "retry_config": retries}
    return {**options, **(aws_options(env, home) if url.startswith("s3:") else {})}
