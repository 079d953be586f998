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
    """What one output code holds. ``project`` is the one that the data lies in, where the API says so."""

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
    """What an analysis costs; the amount is spelled as the API spelled it."""

    amount: str
    currency: str
