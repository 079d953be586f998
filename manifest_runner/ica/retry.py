"""How long to go on asking: one request, tried until there is an answer, a refusal or no more time.

What an answer means is the table of section 6 of the design: success, a refusal, or a error to try again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica.backoff import Deadline, pause_after_conflict, pause_after_failure

T = TypeVar("T")

SAFE = "The state is saved and the same command is safe to repeat."
# The one refusal that tells of an earlier try: had it been executed, the same bytes would have been answered again.
# Any other can be a gateway's, or be given before the server looks at the idempotency key.
OTHER_BODY = 422


class Answer(NamedTuple):
    """An HTTP answer that has been read to its end. Header values are as sent, None when absent."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None


class RetryableError(Exception):
    """One try gave no result. ``reason`` is the begin of a sentence: "ICA answered 503".

    ``final``: another try would end alike. ``executed``: the server may have done what was asked.
    ``conflict``: the server is still busy with the first try. ``asked``: its Retry-After, in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        executed: bool = True,
        conflict: bool = False,
        asked: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.executed = executed
        self.conflict = conflict
        self.asked = asked


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How to wait. ``notify`` gets one line before each pause; ``jitter`` gives numbers in [0, 1)."""

    deadline: Deadline
    notify: Callable[[str], None]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

    def insist(self, try_once: Callable[[], T]) -> T:
        """The result of the first try that has one.

        A try raises RetryableError, after which there is another, or Refused, which passes through with
        ``maybe_executed`` set. Raises Unreachable when the schedule or the deadline is over.
        """
        failures = conflicts = 0
        executed = False
        while True:
            self._check_time(executed=executed)
            try:
                return try_once()
            except Refused as refused:
                refused.maybe_executed = executed and refused.status != OTHER_BODY
                raise
            except RetryableError as error:
                executed = executed or error.executed
                failures += not error.conflict
                conflicts += error.conflict
                self._wait(error, conflicts if error.conflict else failures, executed=executed)

    def _check_time(self, *, executed: bool) -> None:
        if self.deadline.left() <= 0:
            raise _unreachable("The time that --timeout gives is over", executed)

    def _wait(self, error: RetryableError, count: int, *, executed: bool) -> None:
        pause = self._pause(error, count)
        if pause is None:
            raise _unreachable(f"{error.reason}{_tries(count)}", executed) from error
        if pause >= self.deadline.left():
            words = f"{error.reason}; the next try would come after the end of --timeout"
            raise _unreachable(words, executed) from error
        self.notify(f"{error.reason}; trying again in {pause:.3g} s")
        self.sleep(pause)

    def _pause(self, error: RetryableError, count: int) -> float | None:
        if error.final:
            return None
        if error.conflict:
            return pause_after_conflict(count, self.jitter(), error.asked)
        return pause_after_failure(count, self.jitter(), error.asked)


def _unreachable(words: str, executed: bool) -> Unreachable:
    error = Unreachable(f"{words}. {SAFE}")
    error.maybe_executed = executed
    return error


def _tries(count: int) -> str:
    return f" ({count} tries)" if count > 1 else ""
