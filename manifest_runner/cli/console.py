"""Print results to stdout and everything else to stderr. Only ``cli`` imports this."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

import click
import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.diagnostics.formats import finding_document, finding_lines
from manifest_runner.errors import RunnerError
from manifest_runner.signed_urls import mask_signatures
from manifest_runner.text import counted, plain_text

# Number of entries shown of a long list, unless --verbose asks for all.
FEW = 10
# A plan details this many changed items; beyond that it only lists them.
MANY = 1000
_QUIET = re.compile(r"--quiet|-[vy]*q[vyq]*")


class Console(msgspec.Struct, frozen=True):
    """What the user wants to see. ``quiet`` leaves errors and JSON; ``verbose`` shows every item."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    @classmethod
    def of_arguments(cls, arguments: Iterable[str]) -> Console:
        """The console for errors before or while these arguments are parsed."""
        given = list(arguments)
        return cls(as_json="--json" in given, quiet=any(map(_QUIET.fullmatch, given)))

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    @property
    def detail(self) -> int | None:
        """The number of changed items that a plan details; None for all."""
        return None if self.verbose or self.as_json else MANY

    # -- results and progress

    def note(self, line: str) -> None:
        if not self.quiet:
            self.error(line)

    def result(self, lines: Iterable[str], document: object) -> None:
        """The result of a command: lines for people, or the document with --json."""
        if self.as_json:
            print_json(document)
        elif not self.quiet:
            self.lines(lines)

    def lines(self, lines: Iterable[str]) -> None:
        _print(lines, sys.stdout)

    # -- errors

    def error(self, line: str) -> None:
        try:
            _print([line], sys.stderr)
        except OSError:  # a full disk, or nobody who reads it: a run goes on all the same
            drop_output(sys.stderr)

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.severity == "error" or not self.quiet:
                for line in finding_lines(finding, on_terminal=sys.stderr.isatty()):
                    self.error(line)

    def failure(self, error: RunnerError) -> None:
        """Report why a command ended: each finding of an invalid manifest, otherwise the message."""
        self.explain(error)
        if self.as_json:
            print_json(error_document(error))

    def explain(self, error: RunnerError) -> None:
        """As ``failure``, but never JSON."""
        if isinstance(error, InvalidManifest):
            self.findings(error.findings)
            self.error(f"{_message(error)}.")
        else:
            self.error(f"error: {error}")

    def stop(self, line: str | None, exit_code: int, message: str | None = None) -> None:
        """Report an end that no ``RunnerError`` describes; ``message`` is for programs if it differs from the line."""
        if line is not None:
            self.error(line)
        if self.as_json:
            print_json(_error(exit_code, message or line or ""))


def error_document(error: RunnerError, found: Sequence[Finding] = ()) -> dict[str, object]:
    """The JSON that a failed command prints in place of its result; ``found`` is what it had to say before."""
    if not isinstance(error, InvalidManifest):
        return _error(error.exit_code, _message(error), None, found)
    code = next((each.code for each in error.findings if each.severity == "error"), None)
    return _error(error.exit_code, _message(error), code, error.findings)


def _error(
    exit_code: int, message: str, code: str | None = None, findings: Sequence[Finding] = ()
) -> dict[str, object]:
    found = [finding_document(finding) for finding in findings]
    return {"error": {"exit": exit_code, "code": code, "message": message, "findings": found}}


def _message(error: RunnerError) -> str:
    if not isinstance(error, InvalidManifest):
        return str(error)
    return f"{counted(len(error.errors), 'error')}; nothing was sent"


def first_few(mark: str, entries: Sequence[str], *, verbose: bool, kind: str = "") -> list[str]:
    """The entries as lines with a mark; of many only the first, and how many more of the kind there are."""
    shown = entries if verbose else entries[:FEW]
    more = [f"{mark} … and {len(entries) - len(shown):,} more{kind and ' ' + kind} (--verbose shows all)"]
    return [*(f"{mark} {each}" for each in shown), *(more if len(shown) < len(entries) else ())]


def drop_output(stream: TextIO) -> None:
    """Discard what a stream gets. The interpreter flushes it when it exits, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def can_draw(stream: TextIO) -> bool:
    """Whether the stream is a terminal that obeys commands; a dumb one shows only text."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_colour(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can show colour, and the user has not turned it off."""
    return can_draw(stream) and not os.environ.get("NO_COLOR")


def print_json(document: object) -> None:
    """JSON is UTF-8 regardless of the locale (RFC 8259); a lone surrogate has no UTF-8, but its escape is JSON."""
    print_json_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_json_text(text: str) -> None:
    """A document that is text already, with a line end."""
    click.echo(mask_signatures(text).encode("utf-8", "backslashreplace"), nl=False)


def _print(lines: Iterable[str], stream: TextIO) -> None:
    """Lines, escaped, then coloured if the stream wants that."""
    painted = _painter(stream)
    for line in lines:
        click.echo(painted(harmless(line)), file=stream)


def _painter(stream: TextIO) -> Callable[[str], str]:
    if not wants_colour(stream):
        return str
    from manifest_runner.cli.colour import coloured  # whose patterns only a terminal needs

    return coloured


def harmless(text: str) -> str:
    """The same lines and cells, with everything escaped that a terminal could act on."""
    return re.sub(r"[^\n\t]+", lambda found: plain_text(found[0], limit=len(found[0])), text)
