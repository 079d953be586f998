"""Find the server and the credential, by the command line, the environment and ~/.icav2.

The names of variables, files and keys are those of the official ``icav2`` CLI, so that both share one setup.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.errors import Refused, UsageProblem
from manifest_runner.ica.connection.server_url import host_of, normal_url

DEFAULT_SERVER = "https://ica.illumina.com"
# Reads a YAML file; raises OSError or InvalidManifest. A ``!!binary`` value is not read as text.
ReadYaml = Callable[[Path], Mapping[str, object]]

_TRUE = frozenset({"1", "true", "yes", "on"})


class Credential(msgspec.Struct, frozen=True):
    """An HTTP header that authorizes requests. ``source`` says where it was found, for messages."""

    header: str
    value: str
    source: str

    def __repr__(self) -> str:
        return f"Credential({self.header!r}, …, {self.source!r})"

    @property
    def secret(self) -> str:
        """The part of the value that must never be shown."""
        return self.value.removeprefix("Bearer ")

    @property
    def user(self) -> str:
        """Distinguishes users without revealing who they are: eight hex digits of a hash, too few to guess a key from.

        Tokens are renewed every day, so a token counts by its subject (RFC 7519, 4.1.2).
        """
        from hashlib import sha256  # takes time to load, and most commands need no credential

        return sha256((_subject(self.secret) or self.secret).encode()).hexdigest()[:8]


def token_claims(token: str) -> Mapping[str, object]:
    """The claims of a JSON web token, unverified; empty for any other text."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _subject(token: str) -> str | None:
    subject = token_claims(token).get("sub")
    return subject if isinstance(subject, str) else None


def find_server(flag: str | None, env: Mapping[str, str], home: Path, read_yaml: ReadYaml) -> str:
    """The server's URL, normalised: ``--server-url``, environment, config file, or ICA's public one.

    Raises UsageProblem for a URL that must not be used and for a config file that cannot be read.
    """
    if flag:
        return normal_url(flag, "--server-url")
    for name in ("ICAV2_SERVER_URL", "ICAV2_BASE_URL"):
        if value := env.get(name):
            return normal_url(value, name)
    config = _config_file(home)
    configured = _read(config, read_yaml).get("server-url")
    if not configured:
        return normal_url(DEFAULT_SERVER, "the default server")
    if not isinstance(configured, str):
        raise UsageProblem(f"{config}: server-url is not text")
    return normal_url(configured, f"server-url in {config}")


def find_credential(server_url: str, env: Mapping[str, str], home: Path, read_yaml: ReadYaml) -> Credential:
    """The first credential found: a token or key of the environment, the CLI's session, the CLI's key.

    ``server_url`` comes from `find_server`; its host determines the session file. Raises Refused if there is no usable
    credential, and UsageProblem for a file that cannot be read. No message contains a value.
    """
    for credential in _candidates(server_url, env, home, read_yaml):
        if credential:
            return credential
    raise Refused(
        "no credential for ICA. Looked for ICAV2_ACCESS_TOKEN and ICAV2_X_API_KEY in the environment, "
        f"access-token in {_session_file(server_url, home)} and x-api-key in {_config_file(home)}. "
        "Set one of the variables, or sign in with the icav2 CLI. To try without ICA, add --emulator."
    )


def retries_rate_limits(env: Mapping[str, str]) -> bool:
    """Whether a 429 is retried. ICAV2_ICA_NO_RETRY_RATE_LIMITING=1 turns that off, as in the icav2 CLI."""
    return env.get("ICAV2_ICA_NO_RETRY_RATE_LIMITING", "").strip().lower() not in _TRUE


def _candidates(
    server_url: str, env: Mapping[str, str], home: Path, read_yaml: ReadYaml
) -> Iterator[Credential | None]:
    """Lazily, so that a broken file does not matter to somebody who has set a variable."""
    yield _bearer(env.get("ICAV2_ACCESS_TOKEN"), "ICAV2_ACCESS_TOKEN")
    yield _api_key(env.get("ICAV2_X_API_KEY"), "ICAV2_X_API_KEY")
    session = _session_file(server_url, home)
    yield _bearer(_text(_read(session, read_yaml), "access-token", session), f"access-token in {session}")
    config = _config_file(home)
    yield _api_key(_unencrypted_key(_read(config, read_yaml), config), f"x-api-key in {config}")


def _bearer(value: str | None, source: str) -> Credential | None:
    token = _header_value(value, source)
    return Credential("Authorization", f"Bearer {token}", source) if token else None


def _api_key(value: str | None, source: str) -> Credential | None:
    key = _header_value(value, source)
    return Credential("X-API-Key", key, source) if key else None


def _header_value(value: str | None, source: str) -> str:
    """The value without the line end that a file may add. A header is one line of Latin-1."""
    text = (value or "").strip()
    if any(ord(character) > 0xFF or not character.isprintable() for character in text):
        raise Refused(f"{source}: the credential has characters that an HTTP header cannot contain; copy it again")
    return text


def _unencrypted_key(config: Mapping[str, object], path: Path) -> str | None:
    key = config.get("x-api-key")
    if key is None or isinstance(key, str):
        return key
    if isinstance(key, int | float) and not isinstance(key, bool):
        return str(key)  # digits alone are a number in YAML; ours keep their spelling
    raise Refused(
        f"{path}: the icav2 CLI stored the key encrypted, and only that CLI can read it; "
        "set ICAV2_X_API_KEY or ICAV2_ACCESS_TOKEN"
    )


def _text(document: Mapping[str, object], key: str, path: Path) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise Refused(f"{path}: {key} is not text; sign in again with the icav2 CLI")


def _config_file(home: Path) -> Path:
    return home / ".icav2" / "config.yaml"


def _session_file(server_url: str, home: Path) -> Path:
    return home / ".icav2" / f".session.{host_of(server_url).split('.')[0]}.yaml"


def _read(path: Path, read_yaml: ReadYaml) -> Mapping[str, object]:
    """The file's content, empty when there is no file."""
    try:
        path.stat()
        return read_yaml(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror}") from error
    except InvalidManifest as invalid:
        # The error is neither shown nor kept as the cause: it could quote the line with the key in it.
        line = min((finding.place.line for finding in invalid.findings), default=1)
        raise UsageProblem(f"{path}:{line}: cannot be read as YAML; fix or delete the file") from None
