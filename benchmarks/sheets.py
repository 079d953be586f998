"""The study of ``workload`` from other samplesheets: lanes as rows, FASTQ files in a table, an Excel workbook."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.workload import MANIFEST

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def write_sheets(folder: Path) -> None:
    """Beside ``study.yaml`` and its samplesheet: ``grouped.yaml``, ``table.yaml`` and ``workbook.yaml``."""
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("fastqs")
    lanes = ([*row[:at], fastq, *row[at + 1 :]] for row in rows for fastq in row[at].split(";"))
    _write_csv(folder / "lanes.csv", [header, *lanes])
    _write_csv(folder / "samples_only.csv", ([*row[:at], *row[at + 1 :]] for row in (header, *rows)))
    _write_csv(folder / "fastqs.csv", ([row[0], row[at]] for row in (header, *rows)))
    write_workbook(folder / "samples.xlsx", [header, *rows])
    grouped = MANIFEST.replace("csv: samples.csv", "csv: lanes.csv\n      groupBy: [sample, run]")
    grouped = grouped.replace("{{ row.fastqs | split(';') }}", "{{ rows | map(attribute='fastqs') | list }}")
    table = MANIFEST.replace("csv: samples.csv", "csv: samples_only.csv")
    table = table.replace("vars:", "tables: {fastqs: {csv: fastqs.csv, key: sample}}\nvars:", 1)
    table = table.replace("row.fastqs", "tables.fastqs[row.sample].fastqs")
    workbook = MANIFEST.replace("csv: samples.csv", "xlsx: samples.xlsx")
    for name, manifest in {"grouped": grouped, "table": table, "workbook": workbook}.items():
        (folder / f"{name}.yaml").write_text(manifest, encoding="utf-8")


def _write_csv(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_workbook(path: Path, rows: list[list[str]]) -> None:
    """A workbook as Excel writes it: cells refer to a list of all texts."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for number, row in enumerate(rows, 1):
                sheet.write(f'<row r="{number}">{"".join(_cells(number, row, texts))}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        strings = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
        sheets = '<sheets><sheet name="Samples" sheetId="1" r:id="rId1"/></sheets>'
        book.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets}</workbook>')
        targets = {"rId1": ("worksheet", "worksheets/sheet1.xml"), "rId2": ("sharedStrings", "sharedStrings.xml")}
        book.writestr("xl/_rels/workbook.xml.rels", _related(targets))
        book.writestr("_rels/.rels", _related({"rId1": ("officeDocument", "xl/workbook.xml")}))
        book.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types"/>')


def _cells(number: int, row: list[str], texts: dict[str, int]) -> Iterator[str]:
    for column, text in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", row, strict=False):
        yield f'<c r="{column}{number}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'


def _related(targets: dict[str, tuple[str, str]]) -> str:
    each = (f'<Relationship Id="{i}" Type="{OFFICE}/{kind}" Target="{part}"/>' for i, (kind, part) in targets.items())
    return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(each)}</Relationships>'
