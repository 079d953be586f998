"""What can go wrong, as one family of exceptions; each carries the exit code of the command that it ends.

The message says what happened and what to do next, for somebody who has not read this code.
"""

from __future__ import annotations

from collections.abc import Mapping


class RunnerError(Exception):
    """Base of every expected failure."""

    exit_code = 1


class UsageProblem(RunnerError):
    """Wrong use of the command line, a manifest that does not exist, no project given."""

    exit_code = 2


class Refused(RunnerError):
    """The API refused a request: credentials, permission, unknown project, a rejected body.

    ``status`` is the HTTP status, ``parameters`` those of the problem document (RFC 7807).
    ``maybe_executed`` means that an earlier try of the same POST got no answer, so that the batch may exist anyway.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        parameters: Mapping[str, str] | None = None,
        maybe_executed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.parameters = dict(parameters or {})
        self.maybe_executed = maybe_executed


class KeyReused(Refused):
    """HTTP 422: the idempotency key was used before with another body."""


class Unreachable(RunnerError):
    """The API could not be reached or did not answer in time; repeating the command is safe.

    ``maybe_executed`` is False where no try can have reached the server, so that nothing is left to settle.
    """

    exit_code = 5
    maybe_executed = True


class BadState(RunnerError):
    """Lockfile or journal is corrupt, belongs to another project or server, or is held by another process."""

    exit_code = 6


class InUse(BadState):
    """Another process holds the manifest's state."""


class ApprovalNeeded(RunnerError):
    """Nothing new is sent until somebody approves it."""

    exit_code = 7


class NotCovered(RunnerError):
    """``--locked``: the lockfile does not cover the manifest."""

    exit_code = 8
