"""The report for a pull request's comment or ``$GITHUB_STEP_SUMMARY``: short, and folded where it is long.

Text of others only ever stands in code spans of a list: there no markup, HTML, @mention or #reference is seen, and a
pipe is only a pipe. (In a table it is not: implementations disagree on a backslash before a pipe in code.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from manifest_runner.report.source import ReportSource
from manifest_runner.report.states import State, Tone
from manifest_runner.report.summary import Row, Summary, counted
from manifest_runner.text import plain_text

# GitHub cuts comments at 65,536 characters.
LIMIT = 60_000
_LONGEST_NAME = 300
_LONGEST_MESSAGE = 500
_MOST_REASONS = 5
# Room for "… and N more" and for the end of a folded part.
_CLOSING = 100
_MARKS: dict[Tone, str] = {"failed": "❌", "open": "⏳", "succeeded": "✅", "removed": "➖"}


def markdown_report(summary: Summary, source: ReportSource) -> str:
    """At most `LIMIT` characters: totals, what failed and why, and all else folded."""
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
    ]
    when = f"{counted(len(summary.batches), 'batch', 'batches')}, as of {_code(source.generated_at)}"
    return f"## {mark} {_code(summary.name)}: {_verdict(summary)}\n\n{' · '.join(facts)} · {when}\n"


def _verdict(summary: Summary) -> str:
    counts = {"failed": summary.total("failed"), "not finished": summary.total("open")}
    parts = [f"{count:,} {word}" for word, count in counts.items() if count]
    expected = len(summary.rows) - summary.total("removed")
    if parts:
        return f"{', '.join(parts)} of {counted(expected, 'item')}"
    return f"{counted(expected, 'item')} succeeded" if expected else "no items"


def _totals(summary: Summary) -> str:
    if not summary.rows:
        return "\nNothing has been launched.\n"
    lines = [f"| {_MARKS[state.tone]} {state.label} | {count} |" for state, count in summary.counts.items()]
    return "\n".join(
        ["", "| State | Items |", "| --- | ---: |", *lines, f"| **Total** | **{len(summary.rows)}** |", ""]
    )


def _reasons(summary: Summary) -> str:
    """Only where several items share one: otherwise the list of failed items says it all."""
    shared = [(reason, count) for reason, count in summary.reasons if count > 1][:_MOST_REASONS]
    lines = [f"- {count:,} × {_code(reason, _LONGEST_MESSAGE)}\n" for reason, count in shared]
    return "\n**Most frequent reasons**\n\n" + "".join(lines) if lines else ""


def _parts(summary: Summary) -> Iterator[tuple[str, Sequence[Row]]]:
    if summary.failed:
        yield f"{_MARKS['failed']} {len(summary.failed):,} failed", summary.failed
    for state, count in summary.counts.items():
        if state.tone != "failed":
            rows = [row for row in summary.rows if row.state is state]
            yield f"{_MARKS[state.tone]} {count:,} {state.label.lower()}", rows


def _folded(title: str, lines: list[str], room: int) -> str:
    """A part of at most ``room`` characters: nothing, or the title and what fits, the rest counted."""
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
    """A code span that holds just this text, whatever backticks are in it."""
    shown = plain_text(text, limit)
    if not shown.strip():
        return "–"
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    # Parsers take one space off each side where there is one on both.
    needs_space = shown[0] in "` " or shown[-1] in "` "
    return f"{fence} {shown} {fence}" if needs_space else f"{fence}{shown}{fence}"
