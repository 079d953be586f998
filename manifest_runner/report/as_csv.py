"""One line per item, for spreadsheets and scripts: RFC 4180, with CRLF line ends.

No byte order mark: `csv`, awk and others would read it as part of the first column's name. Only messages can contain
more than ASCII; if Excel guesses their encoding wrong, import the file as UTF-8. Each output of the pipelines has a
column of its own, ``outputs.CODE``, with the ids of its data separated by semicolons.
"""

from __future__ import annotations

import csv
import io

from manifest_runner.lockfile.model import LockedFailure
from manifest_runner.report.rows import Row
from manifest_runner.report.summary import Summary

Cell = str | int | float | None

# Characters that start a formula in spreadsheets (https://owasp.org/www-community/attacks/CSV_Injection), with the
# full-width forms that some locales accept.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_NO_FAILURE = LockedFailure()


def csv_report(summary: Summary) -> str:
    """Text that a spreadsheet could read as a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    codes = summary.output_codes
    writer.writerow([*COLUMNS, *(_harmless(f"outputs.{code}") for code in codes)])
    writer.writerows(map(_harmless, [*_line(row).values(), *_outputs(row, codes)]) for row in summary.rows)
    return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS)
    return f"'{cell}" if is_formula else cell


COLUMNS = (
    "userReference state kind status message pipeline revision attempt earlierLaunches adopted removed accepted "
    "renamedFrom batchId itemId analysisId analysisReference analysisStatus startDate endDate durationSeconds "
    "failedStep exitCode lastLine price currency link"
).split()


def _line(row: Row) -> dict[str, Cell]:
    launch = row.launch
    failure = launch.failure or _NO_FAILURE
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
        "accepted": _yes(row.accepted),
        "renamedFrom": row.renamed_from,
        "batchId": launch.batch_id,
        "itemId": launch.item_id,
        "analysisId": launch.analysis_id,
        "analysisReference": launch.analysis_reference,
        "analysisStatus": launch.analysis_status,
        "startDate": launch.started,
        "endDate": launch.ended,
        "durationSeconds": launch.seconds,
        "failedStep": failure.step,
        "exitCode": failure.exit_code,
        "lastLine": failure.line,
        "price": launch.price.amount if launch.price else None,
        "currency": launch.price.currency if launch.price else None,
        "link": launch.link,
    }


def _outputs(row: Row, codes: list[str]) -> list[str]:
    outputs = row.launch.outputs
    return [";".join(output.data_id for output in outputs.get(code, ())) for code in codes]


def _yes(flag: bool) -> str:
    return "true" if flag else "false"
