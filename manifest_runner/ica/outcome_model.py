"""The outcome of an analysis, as the API describes it."""

from __future__ import annotations

import msgspec

from manifest_runner.ica.data_responses import DataRecord


class OutputData(msgspec.Struct, frozen=True):
    """A file or a folder that an analysis made; ``type`` is FILE or FOLDER."""

    id: str
    name: str
    type: str


class Output(msgspec.Struct, frozen=True):
    """The data of one output code. ``project`` is the data's project, if the API says so."""

    code: str
    project: str | None
    data: tuple[OutputData, ...]


class Step(msgspec.Struct, frozen=True):
    """A step of an analysis. ``stderr`` is its log, None while it has none; times are RFC 3339 text."""

    name: str
    status: str
    exit_code: int | None
    technical: bool
    end_date: str | None
    stderr: DataRecord | None


class Price(msgspec.Struct, frozen=True):
    """The price of an analysis, with the amount spelled as in the API's answer."""

    amount: str
    currency: str
