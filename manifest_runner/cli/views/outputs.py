"""The output of ``outputs``, as lines, as JSON and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from manifest_runner.commands.outcomes.download import Downloaded
from manifest_runner.commands.outputs import OutputsReport
from manifest_runner.lockfile.model import LockedItem, LockedOutput
from manifest_runner.text import counted

_COLUMNS = ("userReference", "analysisId", "code", "type", "name", "dataId", "projectId")


def outputs_document(report: OutputsReport) -> dict[str, Any]:
    """``items`` are those that succeeded, with the keys of the rows of `forEach: {launched: …}`."""
    return {
        "items": [_item(name, item) for name, item in report.items.items()],
        "unfinished": list(report.unfinished),
        **({} if report.downloaded is None else {"download": _download(report.downloaded)}),
        "lockfile": report.lockfile,
    }


def outputs_lines(report: OutputsReport) -> Iterator[str]:
    """A line for each file or folder, then the number of files fetched and of items still unfinished."""
    cells = [[name, code, each.type, each.name, each.data_id] for name, _, code, each in _each(report)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not cells and not report.unfinished:
        yield "no outputs" if report.items else "nothing has been launched yet"
    if report.unfinished:
        items = counted(len(report.unfinished) + len(report.items), "item")
        yield f"{len(report.unfinished):,} of {items} {'has' if len(report.unfinished) == 1 else 'have'} not succeeded"
    if report.downloaded is not None:
        yield from _download_lines(report.downloaded)


def outputs_csv(report: OutputsReport) -> str:
    """A line for each file or folder (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for name, item, code, each in _each(report):
        analysis = item.analysis.id if item.analysis else ""
        writer.writerow([name, analysis, code, each.type, each.name, each.data_id, each.project_id or ""])
    return text.getvalue()


def _each(report: OutputsReport) -> Iterator[tuple[str, LockedItem, str, LockedOutput]]:
    for name, item in report.items.items():
        for code, data in sorted((item.outputs or {}).items()):
            for each in data:
                yield name, item, code, each


def _item(name: str, item: LockedItem) -> dict[str, Any]:
    analysis = item.analysis
    return {
        "userReference": name,
        "kind": item.kind,
        "analysisId": analysis.id if analysis else None,
        "analysisReference": analysis.reference if analysis else None,
        "outputs": {code: [_output(each) for each in data] for code, data in sorted((item.outputs or {}).items())},
    }


def _output(output: LockedOutput) -> dict[str, str]:
    project = {} if output.project_id is None else {"projectId": output.project_id}
    return {"dataId": output.data_id, "name": output.name, "type": output.type, **project}


def _download(downloaded: Downloaded) -> dict[str, Any]:
    return {
        "folder": str(downloaded.folder),
        "fetched": downloaded.fetched,
        "present": downloaded.present,
        "missing": [{"path": each.path, "reason": each.reason} for each in downloaded.missing],
    }


def _download_lines(downloaded: Downloaded) -> Iterator[str]:
    for each in downloaded.missing:
        yield f"missing: {each.path}: {each.reason}"
    present = f", {downloaded.present:,} already existed" if downloaded.present else ""
    missing = f", {len(downloaded.missing):,} missing" if downloaded.missing else ""
    yield f"fetched {counted(downloaded.fetched, 'file')} to {downloaded.folder}{present}{missing}"
    if downloaded.matches_nothing:
        yield "no file matches --include"
