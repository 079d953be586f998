"""Write a lockfile as a report for people and for programs. Pure: a value goes in, text comes out."""

from __future__ import annotations

from typing import Literal, assert_never

from msgspec import structs

from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.source import ReportSource, ica_web_url
from manifest_runner.report.summary import summarise
from manifest_runner.text import plain_text

__all__ = ["ReportSource", "Style", "ica_web_url", "write_report"]

Style = Literal["html", "junit", "markdown", "csv", "json"]


def write_report(lockfile: Lockfile, style: Style, *, source: ReportSource) -> str:
    """The report as text, to be written as UTF-8 without changing line ends (csv has its own).

    The same lockfile and source always give the same text.
    """
    summary = summarise(lockfile, source.web_url)
    # A file's name can contain bytes that are not text.
    names = {plain_text(known): plain_text(name) for known, name in source.pipeline_names.items()}
    source = structs.replace(source, manifest=plain_text(source.manifest), pipeline_names=names)
    # A format's libraries are loaded only for that format.
    match style:
        case "html":
            from manifest_runner.report.page.as_html import html_report

            return html_report(summary, source)
        case "junit":
            from manifest_runner.report.as_junit import junit_report

            return junit_report(summary, source)
        case "markdown":
            from manifest_runner.report.as_markdown import markdown_report

            return markdown_report(summary, source)
        case "csv":
            from manifest_runner.report.as_csv import csv_report

            return csv_report(summary)
        case "json":
            from manifest_runner.report.as_json import json_report

            return json_report(summary, source)
        case _:
            assert_never(style)
