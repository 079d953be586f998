"""The report for CI servers: JUnit XML, one suite per kind, one test case per item.

Items that have not ended or have left the manifest are skipped: they neither passed nor failed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from manifest_runner.report.rows import LaunchRow, Row
from manifest_runner.report.source import ReportSource
from manifest_runner.report.summary import Summary
from manifest_runner.report.times import sortable_time

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def junit_report(summary: Summary, source: ReportSource) -> str:
    """Times are seconds from start to end of an analysis, 0 if they are not known."""
    report = JUnitXml(summary.name)
    by_kind = sorted(summary.rows, key=lambda row: row.kind)
    for kind, rows in groupby(by_kind, lambda row: row.kind):
        report.add_testsuite(_suite(f"{summary.name}.{kind}", list(rows), summary, source))
    _add_totals(report, list(report))
    tostring: Callable[[], bytes] = report.tostring  # junitparser does not annotate it
    return f"{_DECLARATION}{tostring().decode('utf-8')}\n"


def _add_totals(report: JUnitXml, suites: list[TestSuite]) -> None:
    """junitparser's own totals have ``skipped``, which the schema of Jenkins (junit-10.xsd) allows only in a suite."""
    for suite in suites:
        update_statistics: Callable[[], None] = suite.update_statistics
        update_statistics()
    report.tests = sum(suite.tests for suite in suites)
    report.failures = sum(suite.failures for suite in suites)
    report.errors = sum(suite.errors for suite in suites)
    report.time = round(sum(suite.time for suite in suites), 3)


def _suite(name: str, rows: list[Row], summary: Summary, source: ReportSource) -> TestSuite:
    suite = TestSuite(name)
    starts = [start for start in (row.launch.started for row in rows) if start and sortable_time(start)]
    if starts:
        suite.timestamp = min(starts, key=sortable_time)
    costs = {f"cost of the manifest in {currency}": f"{amount:f}" for currency, amount in summary.prices.items()}
    about = {"manifest": source.manifest, "project": summary.project, "server": summary.server, **costs}
    for key, value in about.items():
        suite.add_property(key, value)
    suite.add_testcases([_case(row, name) for row in rows])
    return suite


def _case(row: Row, suite: str) -> TestCase:
    case = TestCase(row.reference, classname=suite, time=row.launch.seconds or 0)
    if row.state.tone == "failed":
        failure = Failure(row.launch.reason, row.state.value)
        failure.text = _details(row.launch)
        case.result = [failure]
    elif row.state.tone != "succeeded":
        case.result = [Skipped(f"{row.state.label}: {row.launch.reason or row.launch.status}", row.state.value)]
    return case


def _details(launch: LaunchRow) -> str:
    facts = {
        "reason": launch.reason,
        "message": launch.message if launch.failure else None,
        "status": launch.status,
        "attempt": str(launch.attempt),
        "batch": launch.batch_id,
        "analysis": launch.analysis_id,
        "link": launch.link,
    }
    return "\n".join(f"{name}: {fact}" for name, fact in facts.items() if fact)
