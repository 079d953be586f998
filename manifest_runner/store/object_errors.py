"""Errors of an object store in plain words: never its own words, which can hold parts of a credential."""

from __future__ import annotations

import re

from manifest_runner.errors import BadState, RunnerError, Unreachable

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
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's key file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ELSEWHERE = (
    "incorrectly configured region",
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraint",
)
_SAFE = "Nothing is lost; run the same command again."


def is_absent(error: Exception) -> bool:
    """Whether the store itself says that there is no such object; any other 404 may be a proxy's."""
    return isinstance(error, FileNotFoundError) and any(code in str(error) for code in _ABSENT)


def in_words(error: Exception, where: str, *, writing: bool) -> RunnerError:
    """The error that ends the command: exit 5 if retrying can help, else 6."""
    text = str(error)
    if _has(text, _NO_BUCKET):
        kind = "container" if where.startswith("az:") else "bucket"
        return BadState(f"{where}: there is no such {kind}. Create it, or correct `state` in the manifest.")
    if _has(text, _EXPIRED):
        return Unreachable(f"{where}: the store's credential has expired. Renew it. {_SAFE}")
    if _has(text, _CLOCK):
        return Unreachable(f"{where}: the store refuses this machine's clock, which is minutes off. Set it. {_SAFE}")
    if _has(text, _METADATA):
        return Unreachable(f"{where}: no credential for the store. Set {_variables(where)}. Nothing was sent.")
    if _has(text, _UNKNOWN_KEY):
        return Unreachable(f"{where}: the store does not accept the credential. Correct it. {_SAFE}")
    if _has(text, _UNUSABLE):
        return Unreachable(
            f"{where}: the credential for the store is incomplete or cannot be read. Correct {_variables(where)}. "
            "Nothing was sent."
        )
    if _has(text, _ELSEWHERE):
        return BadState(f"{where}: the bucket is in another region. Set AWS_REGION to it. Nothing was sent.")
    return _by_status(error, text, where, writing=writing)


def _by_status(error: Exception, text: str, where: str, *, writing: bool) -> RunnerError:
    number, code = _found(_STATUS, text), _found(_CODE, text)
    status, said = int(number or 0), f"{number} {code}".strip()
    if status in (401, 403) or code == "AccessDenied" or isinstance(error, PermissionError):
        verb = "written" if writing else "read"
        return BadState(f"{where}: may not be {verb} with this credential ({said or 'denied'}). Nothing is lost.")
    if status in (405, 501):
        return BadState(f"{where}: this store cannot do what keeps two runs apart ({said}). Use another for `state`.")
    if isinstance(error, FileNotFoundError):
        return BadState(f"{where}: something other than the store answers there ({said}). Check the address.")
    return Unreachable(f"{where}: the store cannot be reached or does not answer{_of(said)}. {_SAFE}")


def _found(pattern: re.Pattern[str], text: str) -> str:
    """The group that matched, of a pattern in which one of them does."""
    found = pattern.search(text)
    return (found[found.lastindex or 0]) if found else ""


def _variables(where: str) -> str:
    return _CREDENTIALS.get(where.partition("://")[0], "its environment variables")


def _of(said: str) -> str:
    return f" ({said})" if said else ""


def _has(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)
