"""The outcome of one analysis: its data, in a folder of its own, its steps, its price and its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from manifest_runner.emulator.catalog.data_rows import DataRow, folders_above
from manifest_runner.emulator.catalog.format import File, Rule, Step
from manifest_runner.emulator.outcomes import made_up
from manifest_runner.emulator.outcomes.details import Details, read_details
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.store.item_queries import ItemRow
from manifest_runner.emulator.store.timetable import FINAL_STATUSES, AnalysisState, Fate

_LOGS = "ica_logs/"
# A data id starts with this many digits of its analysis's id, by which the analysis is found.
_DIGITS_OF_ANALYSIS = 20
_DATA_ID = re.compile(r"f(?:il|ol)\.(?P<analysis>[0-9a-f]{20})[0-9a-f]{12}")
_FOLDER = re.compile(r"/(?:.*/)?[^/]*?-(?P<analysis>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/.*)?")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """``outputs`` has paths relative to the analysis by code, ``rows`` all of its data by such paths."""

    steps: tuple[Step, ...]
    outputs: dict[str, tuple[str, ...]]
    rows: dict[str, DataRow]
    price: float | None

    def log(self, step: Step, stream: str) -> DataRow | None:
        """The log of a step, if there is one."""
        return self.rows.get(_log_path(step, stream))

    @property
    def logs_folder(self) -> DataRow | None:
        """The folder of all logs."""
        return self.rows.get(_LOGS)


def outcome_of(item: ItemRow, state: AnalysisState, rule: Rule | None) -> Outcome:
    """The outcome of an analysis in this state: it has no data before it ends."""
    details = read_details(item.details)
    steps = _steps(item, state, rule)
    files = dict(_logs(steps)) if state.status in FINAL_STATUSES else {}
    outputs = _outputs(item, details, rule) if state.status == "SUCCEEDED" else {}
    files |= {file.path: file for found in outputs.values() for file in found}
    return Outcome(
        steps=steps,
        outputs={code: tuple(file.path for file in found) for code, found in outputs.items()},
        rows=dict(_rows(item, details, files, state.ended or 0.0)),
        price=_price(item, rule),
    )


def analysis_prefix(data_id: str) -> str | None:
    """The start of the id of the analysis that made this data, if one did."""
    match = _DATA_ID.fullmatch(data_id)
    if match is None:
        return None
    digits = match["analysis"]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20])) + "-"


def analysis_at(path: str) -> str | None:
    """The id of the analysis whose data is at this path."""
    match = _FOLDER.fullmatch(path)
    return match["analysis"] if match else None


def _steps(item: ItemRow, state: AnalysisState, rule: Rule | None) -> tuple[Step, ...]:
    given = made_up.steps(item.user_reference, item.fate) if rule is None or rule.steps is None else rule.steps
    if state.status == "ABORTED" and item.fate != Fate.ANALYSIS_IS_ABORTED:
        given = made_up.steps(item.user_reference, Fate.ANALYSIS_IS_ABORTED)
    filled = tuple(_filled(step, item.user_reference) for step in given)
    if state.status in FINAL_STATUSES:
        return filled
    # While it runs, its first step runs; none has a log file yet.
    begun = ["RUNNING"] * (state.started is not None)
    statuses = begun + ["WAITING"] * len(filled)
    return tuple(
        Step(name=step.name, technical=step.technical, status=status)  # type: ignore[arg-type]
        for step, status in zip(filled, statuses, strict=False)
    )


def _filled(step: Step, user_reference: str) -> Step:
    texts = {stream: _fill(getattr(step, stream), user_reference) for stream in ("stdout", "stderr")}
    return msgspec.structs.replace(step, **texts)


def _fill(text: str | None, user_reference: str) -> str | None:
    return None if text is None else text.replace("{userReference}", user_reference)


def _outputs(item: ItemRow, details: Details, rule: Rule | None) -> dict[str, list[File]]:
    given = made_up.outputs(details) if rule is None or rule.outputs is None else rule.outputs
    name = item.user_reference.replace("/", "-")
    return {code: [_output(file, name) for file in files] for code, files in given.items()}


def _output(file: str | File, name: str) -> File:
    whole = File(path=file) if isinstance(file, str) else file
    path = whole.path.replace("{userReference}", name)
    return msgspec.structs.replace(whole, path=path, text=_fill(whole.text, name))


def _logs(steps: tuple[Step, ...]) -> Iterator[tuple[str, File]]:
    for step in steps:
        for stream in ("stdout", "stderr"):
            text = getattr(step, stream)
            if text is not None:
                path = _log_path(step, stream)
                yield path, File(path=path, text=text)


def _log_path(step: Step, stream: str) -> str:
    return f"{_LOGS}{re.sub(r'[^A-Za-z0-9._-]', '_', step.name)}-{stream}.log"


def _rows(item: ItemRow, details: Details, files: dict[str, File], ended: float) -> Iterator[tuple[str, DataRow]]:
    folders = {folder for path in files for folder in _folders_above(path)}
    for path in sorted(folders - files.keys()):
        yield path, _row(item, details, File(path=path), ended)
    for path, file in files.items():
        yield path, _row(item, details, file, ended)


def _folders_above(path: str) -> Iterator[str]:
    return (folder.removeprefix("/") for folder in folders_above(f"/{path}"))


def _row(item: ItemRow, details: Details, file: File, ended: float) -> DataRow:
    kind = "fol." if file.path.endswith("/") else "fil."
    digits = item.analysis.replace("-", "")[:_DIGITS_OF_ANALYSIS] + derive("output", file.path)[-12:]
    size = len(file.text.encode()) if file.text is not None else file.size
    project, path = details.place(item.project, item.reference, file.path)
    return DataRow(
        id=kind + digits,
        path=path,
        owner=project,
        size=0 if kind == "fol." else _made_up_size(digits) if size is None else size,
        text=file.text,
        download=file.download,
        created=ended,
        source_analysis=item.analysis,
    )


def _made_up_size(digits: str) -> int:
    return 1000 + int(digits[-4:], 16) % 9000


def _price(item: ItemRow, rule: Rule | None) -> float | None:
    if rule is None or isinstance(rule.price, msgspec.UnsetType):
        return made_up.price(item.user_reference)
    return rule.price
