"""Errors of an object store in plain words, never in its own, which can contain parts of a credential."""

from __future__ import annotations

import re
from typing import Literal

from manifest_runner.errors import BadState, RunnerError, Unreachable, UsageProblem

_CODE = re.compile(r"<Code>([A-Za-z]+)</Code>|\(code: ([A-Za-z]+)\)")
_STATUS = re.compile(r"status code: ([0-9]{3})|\(code: ([0-9]{3})\)")
_METADATA = ("169.254.169.254", "169.254.170.2", "metadata.google.internal", "Account must be specified")
_ABSENT = ("NoSuchKey", "BlobNotFound", "specified blob does not exist")
# Azure answers ResourceNotFound if the account or the credential has no such container.
_NO_BUCKET = (
    "NoSuchBucket",
    "ContainerNotFound",
    "ResourceNotFound",
    "bucket does not exist",
    "container does not exist",
)
_EXPIRED = (
    "ExpiredToken",
    "TokenRefreshRequired",
    "InvalidToken",
    "token expired",
    "Signature not valid in the specified time frame",  # of a shared access signature
)
_CLOCK = ("RequestTimeTooSkewed", "RequestExpired", "Request date header too old")
_UNKNOWN_KEY = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "Server failed to authenticate the request",
)
_UNUSABLE = (
    "OpenCredentials",
    "DecodeCredentials",
    "InvalidKey",
    "ReadPem",
    "MissingKey",
    "InvalidAccessKey",
    "MissingAccessKeyId",
    "MissingSecretAccessKey",
)
_ELSEWHERE = (
    "incorrectly configured region",
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraint",
)
# Parts of a connection error that say why there is no connection.
_CAUSES = {
    "dns error": "its host cannot be found",
    "ConnectionRefused": "nothing answers at its address",
    "InvalidContentType": "it does not speak HTTPS",
    "certificate": "its certificate is not trusted",
    "TimedOut": "it takes too long",
}
Action = Literal["opened", "read", "listed", "written", "deleted"]
_SAFE = "Nothing is lost; run the same command again."


def is_absent(error: Exception) -> bool:
    """Whether the store itself says that there is no such object; any other 404 may be a proxy's."""
    return isinstance(error, FileNotFoundError) and any(code in str(error) for code in _ABSENT)


def not_a_store(where: str, said: str = "") -> BadState:
    return BadState(f"{where}: something other than the store answers there{_of(said)}. Check the address.")


def store_error(error: Exception, where: str, action: Action, credentials: str) -> RunnerError:
    """The error that ends the command: exit 5 if retrying can help, otherwise 6.

    ``credentials`` names the variables to set.
    """
    text = str(error)
    if _has(text, _NO_BUCKET):
        kind = "container" if where.startswith("az:") else "bucket"
        return BadState(f"{where}: there is no such {kind}. Create it, or correct `state` in the manifest.")
    if _has(text, _EXPIRED):
        return Unreachable(f"{where}: the store's credential has expired. Renew it. {_SAFE}")
    if _has(text, _CLOCK):
        return Unreachable(f"{where}: the store refuses this machine's clock, which is minutes off. Set it. {_SAFE}")
    if _has(text, _METADATA):
        return Unreachable(f"{where}: no credential for the store. Set {credentials}. Nothing was sent.")
    if _has(text, _UNKNOWN_KEY):
        return Unreachable(f"{where}: the store does not accept the credential. Correct {credentials}. {_SAFE}")
    if _has(text, _UNUSABLE):
        return Unreachable(
            f"{where}: the credential for the store is incomplete or cannot be read. Correct {credentials}. "
            "Nothing was sent."
        )
    if _has(text, _ELSEWHERE):
        return BadState(f"{where}: the bucket is in another region. Set AWS_REGION to it. Nothing was sent.")
    if action == "opened":
        return UsageProblem(f"{where}: cannot be opened with these settings. Check {credentials}. Nothing was sent.")
    return _by_status(error, text, where, action)


def _by_status(error: Exception, text: str, where: str, action: Action) -> RunnerError:
    number, code = _found(_STATUS, text), _found(_CODE, text)
    status, said = int(number or 0), f"{number} {code}".strip()
    if status in (401, 403) or code == "AccessDenied" or isinstance(error, PermissionError):
        return BadState(
            f"{where}: may not be {action} with this credential ({said or 'denied'}). To plan, it must be allowed to "
            "list and read there; to run, also to write and delete. Nothing is lost."
        )
    if status in (405, 501):
        return BadState(f"{where}: this store cannot keep two runs apart ({said}). Use another one for `state`.")
    if isinstance(error, FileNotFoundError) or status == 404:
        return not_a_store(where, said)
    cause = next((words for mark, words in _CAUSES.items() if mark in text), "")
    if cause and not said:
        return Unreachable(f"{where}: the store cannot be reached: {cause}. {_SAFE}")
    return Unreachable(f"{where}: the store cannot be reached or does not answer{_of(said)}. {_SAFE}")


def _found(pattern: re.Pattern[str], text: str) -> str:
    """The group that matched, of a pattern with alternatives."""
    found = pattern.search(text)
    return (found[found.lastindex or 0]) if found else ""


def _of(said: str) -> str:
    return f" ({said})" if said else ""


def _has(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)
