"""The failures that end a command, by exit code. A room's own failures derive from RunnerError beside their code.

The message says what happened and what to do next, for somebody who has not read this code.
"""

from __future__ import annotations

from typing import Self


class RunnerError(Exception):
    """Base of every expected failure."""

    exit_code = 1


class UsageProblem(RunnerError):
    """Wrong use of the command line, a manifest that does not exist, no project given."""

    exit_code = 2


class Refused(RunnerError):
    """The API refused a request: credentials, permission, unknown project, a rejected body.

    ``status`` is the HTTP status. ``maybe_executed`` means that an earlier try of the same POST got no answer, so that
    the batch may exist anyway.
    """

    exit_code = 4

    def __init__(self, message: str, *, status: int | None = None, maybe_executed: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.maybe_executed = maybe_executed

    def after_unanswered_try(self) -> Self:
        """The same refusal, for a request whose earlier try may have been executed."""
        return type(self)(str(self), status=self.status, maybe_executed=True)


class KeyReused(Refused):
    """HTTP 422: the idempotency key was used before with another body."""


class Unreachable(RunnerError):
    """The API could not be reached or did not answer in time; repeating the command is safe.

    ``maybe_executed`` is False if no try can have reached the server, so that there is nothing to settle.
    """

    exit_code = 5

    def __init__(self, message: str, *, maybe_executed: bool = True) -> None:
        super().__init__(message)
        self.maybe_executed = maybe_executed


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
