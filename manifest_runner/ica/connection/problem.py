"""Turn ICA's refusals (RFC 7807) into errors that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from urllib.parse import urlsplit

import msgspec
import orjson

from manifest_runner.errors import KeyReused, Refused
from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.connection.retry import HttpAnswer, RetryableError, read_retry_after
from manifest_runner.text import plain_text
from manifest_runner.values import is_uuid

MAX_PARAMETERS = 20
# These ask to send the same request elsewhere. Any other redirect may point to the result of the request.
_UNDONE_REDIRECTS = frozenset({301, 307, 308})


class Problem(msgspec.Struct, frozen=True):
    """A problem document, cleaned. An answer without one (a proxy's page) gives an empty one."""

    title: str = ""
    detail: str = ""
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)


class Subject(msgspec.Struct, frozen=True):
    """The subject of a request, for the sentence that says what to do next."""

    server: str
    project: str
    credential_source: str
    wanted: str = ""  # what a 404 means does not exist: "batch 0c1…"; empty when it can only be the project
    keyed: bool = False  # an idempotency key was sent, which is what a 422 is about


def read_problem(body: bytes, clean: Cleaner) -> Problem:
    """The problem document in an answer's body, without members that do not follow RFC 7807."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Problem()
    if not isinstance(document, dict):
        return Problem()
    return Problem(
        _text(document.get("title"), clean),
        _text(document.get("detail"), clean),
        _parameters(document.get("parameters"), clean),
    )


def describe(status: int, problem: Problem) -> str:
    """One line of bounded length: status, title, detail and parameters."""
    title = problem.title or _phrase(status)
    parts = [part for part in (str(status), title, problem.detail) if part]
    listed = ", ".join(f"{name}={value}" for name, value in problem.parameters.items())
    return plain_text(": ".join(parts) + (f" [{listed}]" if listed else ""))


def refusal(status: int, problem: Problem, subject: Subject) -> Refused:
    """The error for an answer that refuses the request."""
    kind = KeyReused if subject.keyed and status == HTTPStatus.UNPROCESSABLE_ENTITY else Refused
    advice = _advice(status, subject)
    message = f"ICA refused with {describe(status, problem)}".rstrip(".")
    return kind(f"{message}. {advice}".rstrip(), status=status)


def _advice(status: int, subject: Subject) -> str:
    match status:
        case 401:
            return f"The credential from {subject.credential_source} is wrong or has expired."
        case 403:
            return f"The credential from {subject.credential_source} lacks a permission in project {subject.project}."
        case 404:
            return _advice_for_404(subject)
        case 407:
            return "The proxy asks for credentials; put them into HTTPS_PROXY."
        case 413:
            return "Lower batchSize and run again."
        case 422 if subject.keyed:
            return "The idempotency key was used before with another body; nothing else was sent."
    return ""


def _advice_for_404(subject: Subject) -> str:
    project = f"project {subject.project} does not exist on {subject.server}, or this credential may not see it"
    if subject.wanted:
        return f"There is no {subject.wanted} there, or {project}."
    hint = "" if is_uuid(subject.project) else " The project must be given by its id, a UUID, not by its name."
    return f"{project.replace('project', 'Project', 1)}.{hint}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _text(value: object, clean: Cleaner) -> str:
    return clean.words(value) if isinstance(value, str) else ""


def _parameters(value: object, clean: Cleaner) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    listed = islice(value.items(), MAX_PARAMETERS)
    return {clean.words(str(name)): clean.words(str(text)) for name, text in listed}


def judge(answer: HttpAnswer, subject: Subject, clean: Cleaner, *, now: float, retry_rate_limits: bool) -> None:
    """Return for a success; raise Refused or RetryableError for anything else. ``now`` is Unix time in seconds."""
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise RetryableError(_redirect_words(answer, clean), final=True, executed=status not in _UNDONE_REDIRECTS)
    problem = read_problem(answer.body, clean)
    conflict = status == 409 and subject.keyed
    if conflict or status in (408, 429) or status >= 500:
        raise RetryableError(
            f"ICA answered {describe(status, problem)}",
            final=status == 429 and not retry_rate_limits,
            executed=status != 429,
            conflict=conflict,
            asked=read_retry_after(answer.retry_after, now),
        )
    raise refusal(status, problem, subject)


def _redirect_words(answer: HttpAnswer, clean: Cleaner) -> str:
    """Only the host of the target: its path and query can hold a session or a token."""
    try:
        host = urlsplit(answer.location or "").hostname
    except ValueError:
        host = None
    target = clean.words(host) if host else "another page"
    return f"ICA answered {answer.status}, a redirect to {target}, which is never followed; check the server URL"
