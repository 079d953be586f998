"""How long to go on asking: one request, tried until there is an answer, a refusal or no more time.

What an answer means is the table of section 6 of the design: success, a refusal, or a setback to try again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica.backoff import Deadline, pause_after_conflict, pause_after_failure, read_retry_after
from manifest_runner.ica.problem import Subject, describe, read_problem, refusal
from manifest_runner.text import Cleaner

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


class Setback(Exception):
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


def judge(answer: Answer, subject: Subject, clean: Cleaner, *, now: float, retry_rate_limits: bool) -> None:
    """Return for a success; raise Refused or Setback for anything else. ``now`` is Unix time in seconds."""
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Setback(_redirect_words(answer, clean), final=True, executed=False)
    problem = read_problem(answer.body, clean)
    conflict = status == 409 and subject.keyed
    if conflict or status in (408, 429) or status >= 500:
        raise Setback(
            f"ICA answered {describe(status, problem)}",
            final=status == 429 and not retry_rate_limits,
            executed=status != 429,
            conflict=conflict,
            asked=read_retry_after(answer.retry_after, now),
        )
    raise refusal(status, problem, subject)


def _redirect_words(answer: Answer, clean: Cleaner) -> str:
    """Only the host of the target: its path and query can hold a session or a token."""
    try:
        host = urlsplit(answer.location or "").hostname
    except ValueError:
        host = None
    target = clean.words(host) if host else "another page"
    return f"ICA answered {answer.status}, a redirect to {target}, which is never followed; check the server URL"


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait. ``notify`` gets one line before each pause; ``jitter`` gives numbers in [0, 1)."""

    deadline: Deadline
    notify: Callable[[str], None]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

    def insist(self, try_once: Callable[[], T]) -> T:
        """The result of the first try that has one.

        A try raises Setback, after which there is another, or Refused, which passes through with
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
            except Setback as setback:
                executed = executed or setback.executed
                failures += not setback.conflict
                conflicts += setback.conflict
                self._wait(setback, conflicts if setback.conflict else failures, executed=executed)

    def _check_time(self, *, executed: bool) -> None:
        if self.deadline.left() <= 0:
            raise _unreachable("The time that --timeout gives is over", executed)

    def _wait(self, setback: Setback, count: int, *, executed: bool) -> None:
        pause = self._pause(setback, count)
        if pause is None:
            raise _unreachable(f"{setback.reason}{_tries(count)}", executed) from setback
        if pause >= self.deadline.left():
            words = f"{setback.reason}; the next try would come after the end of --timeout"
            raise _unreachable(words, executed) from setback
        self.notify(f"{setback.reason}; trying again in {pause:.3g} s")
        self.sleep(pause)

    def _pause(self, setback: Setback, count: int) -> float | None:
        if setback.final:
            return None
        if setback.conflict:
            return pause_after_conflict(count, self.jitter(), setback.asked)
        return pause_after_failure(count, self.jitter(), setback.asked)


def _unreachable(words: str, executed: bool) -> Unreachable:
    error = Unreachable(f"{words}. {SAFE}")
    error.maybe_executed = executed
    return error


def _tries(count: int) -> str:
    return f" ({count} tries)" if count > 1 else ""
