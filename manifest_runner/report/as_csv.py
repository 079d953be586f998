"""One line an item, for spreadsheets and scripts: RFC 4180, with CRLF line ends.

No byte order mark: `csv`, awk and others would take it for a part of the first column's name. Only messages can
hold more than ASCII; where Excel guesses their encoding wrong, import the file as UTF-8.
"""

from __future__ import annotations

import csv
import io

from manifest_runner.report.summary import Row, Summary

Cell = str | int | float | None

# What spreadsheets take for the start of a formula (https://owasp.org/www-community/attacks/CSV_Injection), in the
# full-width forms too, which some locales accept.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def csv_report(summary: Summary) -> str:
    """Text that a spreadsheet could take for a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_harmless, _line(row).values()) for row in summary.rows)
    return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS)
    return f"'{cell}" if is_formula else cell


COLUMNS = (
    "userReference state kind status message pipeline revision attempt earlierLaunches adopted removed "
    "batchId itemId analysisId analysisReference analysisStatus startDate endDate durationSeconds link"
).split()


def _line(row: Row) -> dict[str, Cell]:
    launch = row.launch
    return {
        "userReference": row.reference,
        "state": row.state,
        "kind": row.kind,
        "status": launch.creation,
        "message": launch.message,
        "pipeline": row.pipeline,
        "revision": launch.revision,
        "attempt": launch.attempt,
        "earlierLaunches": len(row.earlier),
        "adopted": _yes(row.adopted),
        "removed": _yes(row.removed),
        "batchId": launch.batch_id,
        "itemId": launch.item_id,
        "analysisId": launch.analysis_id,
        "analysisReference": launch.analysis_reference,
        "analysisStatus": launch.analysis_status,
        "startDate": launch.started,
        "endDate": launch.ended,
        "durationSeconds": launch.seconds,
        "link": launch.link,
    }


def _yes(flag: bool) -> str:
    return "true" if flag else "false"
