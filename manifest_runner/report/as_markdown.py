"""The report for a pull request's comment or ``$GITHUB_STEP_SUMMARY``: short, with long lists folded.

Foreign text is only ever in code spans, in lists: no markup, HTML, @mention or #reference works there, and a pipe is
only a pipe. (In a table it is not: implementations disagree on a backslash before a pipe in code.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from manifest_runner.report.reasons import group_by_reason
from manifest_runner.report.rows import Row
from manifest_runner.report.source import ReportSource, command_for
from manifest_runner.report.states import State, Tone
from manifest_runner.report.summary import Summary
from manifest_runner.text import counted, plain_text

# GitHub cuts comments at 65,536 characters.
LIMIT = 60_000
_LONGEST_NAME = 300
_LONGEST_MESSAGE = 500
_MOST_REASONS = 5
_MOST_PRICES = 3
# Room for "… and N more" and for the end of a folded part.
_CLOSING = 100
_MARKS: dict[Tone, str] = {"failed": "❌", "open": "⏳", "succeeded": "✅", "accepted": "☑️", "removed": "➖"}


def markdown_report(summary: Summary, source: ReportSource) -> str:
    """At most `LIMIT` characters: totals, what failed and why, and everything else folded."""
    text = _head(summary, source) + _totals(summary) + _reasons(summary)
    for title, rows in _parts(summary):
        text += _folded(title, [_line(row) for row in rows], LIMIT - len(text))
    return text


def _head(summary: Summary, source: ReportSource) -> str:
    mark = next((mark for tone, mark in _MARKS.items() if summary.total(tone)), "➖")
    facts = [
        f"manifest {_code(source.manifest)}",
        f"project {_code(summary.project)}",
        f"server {_code(summary.server)}",
        f"data as of {_code(summary.as_of or source.generated_at)}",
        *(f"cost {amount:,f} {_code(currency)}" for currency, amount in list(summary.prices.items())[:_MOST_PRICES]),
    ]
    head = f"## {mark} {_code(summary.name)}: {summary.verdict}\n\n{' · '.join(facts)}\n"
    return head + "".join(f"\n{line}\n" for line in _next_steps(summary, source))


def _next_steps(summary: Summary, source: ReportSource) -> Iterator[str]:
    if summary.total("failed"):
        again = command_for("run", source, summary.server, "--retry-failed")
        yield f"Fix the cause, then launch the failed ones again: {_code(again, _LONGEST_MESSAGE)}"
    if summary.total("open"):
        refresh = command_for("status", source, summary.server)
        yield f"{_unfinished(summary)} {_code(refresh, _LONGEST_MESSAGE)} asks ICA again."


def _unfinished(summary: Summary) -> str:
    count = summary.total("open")
    return f"{counted(count, 'item was', 'items were')} not finished then, but may have finished since."


def _totals(summary: Summary) -> str:
    """Items that left the manifest are below the total, which does not count them."""
    if not summary.rows:
        return "\nNothing has been launched.\n"
    lines = [f"| {_MARKS[state.tone]} {state.label} | {count:,} |" for state, count in summary.counts.items()]
    below = [lines.pop()] if summary.total("removed") else []
    total = f"| **Total** | **{summary.expected:,}** |"
    return "\n".join(["", "| State | Items |", "| --- | ---: |", *lines, total, *below, ""])


def _reasons(summary: Summary) -> str:
    """The reasons that several items share; the list of failed items has the others."""
    shared = [reason for reason in group_by_reason(summary.failed) if len(reason.rows) > 1][:_MOST_REASONS]
    lines = [f"- {len(reason.rows):,} × {_code(reason.text, _LONGEST_MESSAGE)}\n" for reason in shared]
    return "\n**Why items failed**\n\n" + "".join(lines) if lines else ""


def _parts(summary: Summary) -> Iterator[tuple[str, Sequence[Row]]]:
    if summary.failed:
        yield f"{_MARKS['failed']} {len(summary.failed):,} failed", summary.failed
    for state, count in summary.counts.items():
        if state.tone != "failed":
            rows = [row for row in summary.rows if row.state is state]
            yield f"{_MARKS[state.tone]} {count:,} {state.label.lower()}", rows


def _folded(title: str, lines: list[str], room: int) -> str:
    """A part of at most ``room`` characters: the title, the lines that fit and the number of the others, or nothing."""
    unfolded = " open" if title.startswith(_MARKS["failed"]) else ""
    text = f"\n<details{unfolded}><summary>{title}</summary>\n\n"
    end = "\n</details>\n"
    room -= len(end) + _CLOSING
    if len(text) > room:
        return ""
    for number, line in enumerate(lines):
        if len(text) + len(line) > room:
            return f"{text}- … and {len(lines) - number:,} more\n{end}"
        text += line
    return text + end


def _line(row: Row) -> str:
    launch = row.launch
    about = [_code(row.reference, _LONGEST_NAME)]
    if row.state.tone == "failed":
        about.append(row.state.label)
    if row.state is State.UNKNOWN:
        about.append(_code(launch.status))
    if launch.reason:
        about.append(_code(launch.reason, _LONGEST_MESSAGE))
    if launch.link and len(launch.link) < _LONGEST_NAME:
        about.append(f"[analysis]({launch.link})")
    return f"- {' · '.join(about)}\n"


def _code(text: str, limit: int = _LONGEST_NAME) -> str:
    """A code span that holds exactly this text, backticks included."""
    shown = plain_text(text, limit)
    if not shown.strip():
        return "–"
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    # Parsers remove one space on each side if both sides have one.
    needs_space = shown[0] in "` " or shown[-1] in "` "
    return f"{fence} {shown} {fence}" if needs_space else f"{fence}{shown}{fence}"
