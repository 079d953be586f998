"""The emulator's options."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

import msgspec

from manifest_runner.emulator.oddities import Oddities

FaultKind = Literal["401", "403", "404", "409", "429", "500", "503", "drop-before", "drop-after"]
FaultTarget = Literal["post", "get", "search", "token", "abort"]

_FAULT = re.compile(
    rf"(?P<kind>{'|'.join(get_args(FaultKind))}):(?P<first>[1-9]\d*)(-(?P<last>[1-9]\d*))?"
    rf"(@(?P<target>{'|'.join(get_args(FaultTarget))}))?"
)
_WEEK = 7 * 24 * 3600.0
_DAY = 24 * 3600.0


class Fault(NamedTuple):
    """A fault of the ``first`` to ``last`` request of a kind, counted from 1.

    ``post`` are the POSTs that create a batch, ``search`` those that search analyses, ``token`` those that
    exchange a key, ``abort`` those that abort an analysis, ``get`` all GETs of the API. A numeric kind is
    answered as that status without executing the request; ``drop-before`` closes the connection instead of
    executing it, ``drop-after`` executes it and closes the connection instead of answering.
    """

    kind: FaultKind
    first: int
    last: int
    target: FaultTarget = "post"


def parse_fault(text: str) -> Fault:
    """Parse ``KIND:NTH`` or ``KIND:FIRST-LAST``, followed by ``@get`` or ``@search`` for other requests.

    Raises ValueError with a message for the user.
    """
    match = _FAULT.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a fault: write KIND:NTH or KIND:FIRST-LAST, counted from 1, such as 503:2, "
            f"429:1-3 or drop-after:1@search; KIND is one of {', '.join(get_args(FaultKind))}, and the requests "
            f"are one of {', '.join(get_args(FaultTarget))}"
        )
    first = int(match["first"])
    last = int(match["last"] or first)
    if last < first:
        raise ValueError(f"{text!r} is not a fault: the range ends before it starts")
    return Fault(cast("FaultKind", match["kind"]), first, last, cast("FaultTarget", match["target"] or "post"))


class CatalogError(ValueError):
    """A catalog that cannot be used. The message is for the user, one line per mistake."""


class EmulatorOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to serve and what to pretend. Times are seconds; ``fail_creation``, ``fail_analysis`` and
    ``abort_analysis`` are regular expressions, searched for in userReferences.

    ``database`` is a SQLite file, created if absent; several processes may share it. ``api_key`` is the only
    key accepted (None: any), ``projects`` the only known projects (empty: any id). ``catalog`` is a file that says
    what exists and how analyses end; docs/emulator.md describes it. ``search_lag`` is how long an analysis stays hidden
    from searches and lists, ``usage_delay`` how long after its end its price stays unknown. Raises ValueError for a
    host that is not loopback, a negative time and an invalid expression.
    """

    database: Path
    host: str = "127.0.0.1"
    port: int = 0
    api_key: str | None = None
    projects: tuple[str, ...] = ()
    catalog: Path | None = None
    creation_delay: float = 1.0
    analysis_duration: float = 8.0
    fail_creation: str | None = None
    fail_analysis: str | None = None
    abort_analysis: str | None = None
    search_lag: float = 0.0
    usage_delay: float = 0.0
    latency: float = 0.0
    faults: tuple[Fault, ...] = ()
    idempotency_ttl: float = _WEEK
    token_lifetime: float = _DAY
    oddities: Oddities = Oddities()

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ValueError(f"the emulator has no real security and serves loopback only, not {self.host!r}")
        for name in _TIMES:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        for name in _EXPRESSIONS:
            _check_expression(name, getattr(self, name))

    def __repr__(self) -> str:
        """Without the key, which must not reach a log."""
        return f"EmulatorOptions(database={str(self.database)!r})"


_TIMES = (
    "creation_delay", "analysis_duration", "search_lag", "usage_delay", "latency", "idempotency_ttl", "token_lifetime",
)  # fmt: skip
_EXPRESSIONS = ("fail_creation", "fail_analysis", "abort_analysis")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_expression(name: str, expression: str | None) -> None:
    try:
        re.compile(expression or "")
    except re.error as error:
        raise ValueError(f"{name}: {expression!r} is not a regular expression: {error}") from error
