"""The lines of a step's log. That of the runner of CWL pipelines (``pipeline_runner.0``) is an HTML page."""

from __future__ import annotations

import re

# A page is recognised at either end, since only the end of a long log is fetched.
_ENDS = 300
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<(br|/?(p|div|pre|li|tr|table|ul|ol|h[1-6]))\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)


def log_lines(text: str) -> list[str]:
    """The lines of a log; of a page those that a reader of it sees, without blank ones."""
    if not _is_page(text):
        return text.splitlines()
    import html

    seen = _TAG.sub("", _BREAK.sub("\n", _UNSEEN.sub("", text)))
    return [line for line in html.unescape(seen).splitlines() if line.strip()]


def _is_page(text: str) -> bool:
    start, end = text[:_ENDS].lstrip().lower(), text[-_ENDS:].rstrip().lower()
    return start.startswith(("<!doctype html", "<html")) or end.endswith("</html>")
