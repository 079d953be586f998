"""What a person or a script reads: results to stdout, everything else to stderr. Imported by ``cli`` alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manifest_runner import __version__
from manifest_runner.diagnostics.snippet import excerpt
from manifest_runner.errors import InvalidManifest, RunnerError
from manifest_runner.model import FEW, Finding
from manifest_runner.text import plain_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from manifest_runner.commands.run import Outcome
    from manifest_runner.lockfile.model import Lockfile
    from manifest_runner.planning.plan import Plan

STATES = ("new", "changed", "unchanged", "failed", "removed", "pending")
_MARKS = {"new": "+", "changed": "~", "unchanged": "=", "failed": "!", "removed": "-", "pending": "?"}
_CHANGES_SHOWN = 20
_TABLE_ROWS = 50


class Console:
    """``--quiet`` leaves errors and results only, ``--verbose`` shows every item."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.is_watching = False  # then the table is what tells the progress
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    # -- output

    def note(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(_harmless(line), markup=False, highlight=False)
        elif not self.quiet:
            click.echo(_harmless(line), err=True)

    def error(self, line: str) -> None:
        self.close()
        click.echo(_harmless(line), err=True)

    def result(self, lines: Iterable[str], document: object) -> None:
        self.close()
        if self.as_json:
            print_json(document)
        elif not self.quiet:
            for line in lines:
                click.echo(_harmless(line))

    def failure(self, error: RunnerError) -> None:
        """The message of an expected failure; of an invalid manifest, each finding."""
        if isinstance(error, InvalidManifest):
            self.findings(error.findings)
            errors = sum(finding.severity == "error" for finding in error.findings)
            self.error(f"{errors or len(error.findings)} error(s); nothing was sent.")
        else:
            self.error(f"error: {error}")

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.severity == "error" or not self.quiet:
                for line in finding_lines(finding, on_terminal=sys.stderr.isatty()):
                    self.error(line)

    def table(self, lockfile: Lockfile) -> None:
        """Items as a table on a terminal, as lines for a pipe."""
        from manifest_runner.report.table import status_lines, status_table

        self.close()
        if sys.stdout.isatty():
            from rich.console import Console as Terminal

            terminal = Terminal()
            limit = None if self.verbose else _TABLE_ROWS
            terminal.print(status_table(lockfile, width=terminal.width, encoding=terminal.encoding, limit=limit))
        else:
            for line in status_lines(lockfile):
                click.echo(line)

    def watch(self, lockfile: Lockfile) -> None:
        """The table in place of the one before it, on a terminal; elsewhere the lines of ``note`` tell the changes."""
        if self.is_watching:
            click.clear()
            self.table(lockfile)

    # -- progress

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """A bar for each stage of long work, on a terminal only."""
        if self.quiet or self.is_watching or not sys.stderr.isatty():
            return
        bars = self._bars or self._open_bars()
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total, rate="")
        speed = next(task.speed for task in bars.tasks if task.id == self._tasks[stage])
        rate = f"{speed:,.0f}/s" if speed else ""
        bars.update(self._tasks[stage], completed=done, total=total, rate=rate)

    def _open_bars(self) -> Progress:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>8}"),
            TimeRemainingColumn(),
            console=Terminal(stderr=True),
            transient=True,
        )
        self._bars.start()
        return self._bars

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()


def print_json(document: object) -> None:
    """JSON is UTF-8 whatever the locale says (RFC 8259); a lone surrogate has no UTF-8, but its escape is JSON."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace"))


def _harmless(text: str) -> str:
    """Lines that nothing in them can turn into commands to the terminal, whoever wrote the files they come from."""
    return "\n".join(plain_text(line, limit=len(line)) for line in text.split("\n"))


# -- findings


def finding_line(finding: Finding) -> str:
    place, row = finding.place, finding.row
    word = "" if finding.severity == "error" else f"{finding.severity}: "
    at = f" (row at {row.brief()})" if row and row != place else ""
    return plain_text(f"{place.file}:{place.line}:{place.column}: {word}{finding.message} [{finding.code}]{at}")


def finding_lines(finding: Finding, *, on_terminal: bool) -> list[str]:
    """A finding for a person; on a terminal with its source line."""
    return [finding_line(finding), *(excerpt(finding.place) if on_terminal else ())]


def github_line(finding: Finding) -> str:
    """A workflow command of GitHub Actions, which puts the finding beside the line of a pull request."""
    level = "notice" if finding.severity == "info" else finding.severity
    place, other = finding.places
    at = f"file={_escaped(place.file)},line={place.line},col={place.column},title={finding.code}"
    what = "row" if other == finding.row else "template"
    also = f" ({what} at {other.brief()})" if other else ""
    return f"::{level} {at}::{_escaped(finding.message + also, is_property=False)}"


def _escaped(text: str, *, is_property: bool = True) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def finding_document(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "row": {"file": finding.row.file, "line": finding.row.line} if finding.row else None,
    }


def print_findings(found: list[Finding], counts: Mapping[Path, int], style: str, *, quiet: bool) -> None:
    """Findings as the result of a command, in one of the formats of ``validate``.

    ``counts`` are the items of the manifests that are in order. Programs that take a list of faults are spared what
    is none. Raises UsageProblem (see ``sarif_text``).
    """
    faults = [finding for finding in found if finding.severity != "info"]
    if style == "json":
        print_json([finding_document(finding) for finding in faults])
        return
    if style == "sarif":
        from manifest_runner.diagnostics.sarif import sarif_text

        click.echo(sarif_text(faults).encode("utf-8", "backslashreplace"))
        return
    for finding in found:
        lines = [github_line(finding)] if style == "github" else finding_lines(finding, on_terminal=sys.stdout.isatty())
        for line in lines:
            click.echo(line)
    if not quiet and style == "text":
        for manifest, count in counts.items():
            click.echo(_harmless(f"{manifest}: valid, {count:,} item{'s' * (count != 1)}"))


# -- plans and outcomes


def plan_document(plan: Plan, batches: int) -> dict[str, Any]:
    return {**{state: getattr(plan, state) for state in STATES}, "batches": batches}


def plan_lines(plan: Plan, batches: int, *, verbose: bool) -> list[str]:
    """The items, a line of totals, and what a person has to know before the next run."""
    totals = f"{_totals(plan)}; {len(plan.due):,} to launch in {batches:,} batch(es)"
    return [*item_lines(plan, verbose=verbose), totals, *_next_lines(plan)]


def item_lines(plan: Plan, *, verbose: bool) -> list[str]:
    """Groups of items with the first few of each, and what changed in the changed ones."""
    lines: list[str] = []
    for state in STATES:
        references = getattr(plan, state)
        shown = references if verbose else references[: 0 if state == "unchanged" else FEW]
        for reference in shown:
            lines.append(f"{_MARKS[state]} {reference}")
            lines += _change_lines(plan, reference, verbose=verbose) if state == "changed" else ()
        if len(shown) < len(references) and shown:
            lines.append(f"{_MARKS[state]} … and {len(references) - len(shown):,} more {state} (--verbose shows all)")
    return lines


def abort_lines(running: list[str], *, verbose: bool) -> list[str]:
    """The first few of what is about to be aborted."""
    shown = running if verbose else running[:FEW]
    more = [f"x … and {len(running) - len(shown):,} more (--verbose shows all)"] if len(shown) < len(running) else []
    return [*(f"x {reference}" for reference in shown), *more]


def _next_lines(plan: Plan) -> list[str]:
    due = set(plan.due) if plan.failed else ()
    failed = sum(reference not in due for reference in plan.failed)
    lines = []
    if plan.pending:
        lines.append(f"next: {len(plan.pending):,} were sent without an answer; a run settles them first")
    if plan.unapproved:
        lines.append(
            f"next: {len(plan.unapproved):,} changed; until that is approved a run launches nothing: "
            "--relaunch-changed, or raise `revision`"
        )
    if failed:
        lines.append(f"next: {failed:,} failed; --retry-failed launches those again")
    return lines


def _change_lines(plan: Plan, reference: str, *, verbose: bool) -> list[str]:
    found = plan.changes.get(reference)
    if found is None:
        return ["    (what was launched is not known in detail)"]
    shown = found if verbose else found[:_CHANGES_SHOWN]
    more = [f"    … and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
    return [*(f"    {change}" for change in shown), *more]


def _totals(plan: Plan) -> str:
    return ", ".join(f"{len(getattr(plan, state)):,} {state}" for state in STATES)


def run_document(outcome: Outcome) -> dict[str, Any]:
    return {
        **plan_document(outcome.plan, outcome.batches),
        "created": outcome.created,
        "createdFailed": outcome.created_failed,
        "lockfile": str(outcome.path),
    }


def run_lines(outcome: Outcome) -> list[str]:
    """Failed items, what was done, and what to do next."""
    lines = [*failure_lines(outcome), _done_line(outcome)]
    if outcome.failures:
        lines.append(
            "next: mend the cause, then run with --retry-failed: it launches them again, as the manifest then has them"
        )
    return [*lines, f"lockfile: {outcome.path}"]


def failure_lines(outcome: Outcome) -> list[str]:
    """Failed items with the API's words, and the places of the manifest and the samplesheet that they came from."""
    lines = []
    for failure in outcome.failures[:FEW]:
        at = ", ".join(f"{place.file}:{place.line}" for place in (failure.place, failure.row) if place)
        lines.append(f"failed: {failure.user_reference}: {failure.message} ({at})")
    if len(outcome.failures) > FEW:
        lines.append(f"failed: … and {len(outcome.failures) - FEW:,} more; `manifest-runner report` lists all")
    return lines


def summary_lines(ended: Mapping[Path, Outcome | RunnerError]) -> list[str]:
    """The summary of one manifest, or of several, each under its name."""
    lines: list[str] = []
    for manifest, end in ended.items():
        lines += [f"== {manifest}"] if len(ended) > 1 else []
        lines += [f"stopped with exit code {end.exit_code}"] if isinstance(end, RunnerError) else run_lines(end)
    return lines


def _done_line(outcome: Outcome) -> str:
    unchanged = len(set(outcome.plan.unchanged) - set(outcome.launched))  # what a crash left is launched by now
    if not outcome.launched and not outcome.adopted:
        return f"nothing to launch: {unchanged:,} unchanged, {len(outcome.plan.failed):,} failed before"
    parts = [f"launched {len(outcome.launched):,} in {outcome.batches:,} batch(es)"]
    parts.append(f"{outcome.created:,} created, {outcome.created_failed:,} failed")
    if outcome.adopted:
        parts.append(f"{outcome.adopted:,} adopted")
    return ", ".join([*parts, f"{unchanged:,} unchanged"])


def crash_log() -> str:
    """Write the traceback at hand to a file; gives its name, or says why there is none."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="manifest-runner-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"manifest-runner {__version__}, Python {sys.version}\n{traceback.format_exc()}")
            return file.name
    except OSError as e:
        return f"its details, for which no file could be written ({e.strerror or e})"
