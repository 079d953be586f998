"""Write ``docs/errors.md`` from the table of codes: ``python docs/generate_errors.py``.

A test compares the file with the output of this script.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from manifest_runner.diagnostics.codes import CODES, Code

INTRODUCTION = (
    "Look up a code here, or with `manifest-runner explain CODE`. Commands that read a manifest report everything they "
    "find, each as `FILE:LINE:COL: MESSAGE [CODE]`. While there are errors, nothing is sent (exit 3). The same problem "
    "in many rows is reported once. A code never changes its meaning. With `--strict`, warnings are errors."
)
PAGE = Path(__file__).parent / "errors.md"
STAGES = {
    "1": "YAML",
    "2": "The manifest's schema",
    "3": "Samplesheets",
    "4": "Templates",
    "5": "The API's rules",
    "6": "Warnings",
    "7": "Names and pipelines",
}


def page() -> str:
    lines = [
        "<!-- Made by docs/generate_errors.py from manifest_runner/diagnostics/codes.toml; change it there. -->",
        "# Errors and warnings",
        "",
        INTRODUCTION,
    ]
    for stage, codes in groupby(CODES.items(), key=lambda entry: entry[0][2]):
        lines += ["", f"## {STAGES[stage]}"]
        for code, about in codes:
            lines += ["", f"### {code}: {about.title}", "", *_body(about)]
    return "\n".join([*lines, ""])


def _body(about: Code) -> Iterator[str]:
    yield about.cause
    yield ""
    yield about.cure
    if about.example:
        yield from ("", "```yaml", about.example, "```")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
