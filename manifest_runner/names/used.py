"""The pipelines and the data that rendered requests use. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from manifest_runner.model import DataPath
from manifest_runner.names.data_slots import with_data


class UsedData:
    """The pipelines and data that requests use, by id or name, collected from one request after the other."""

    def __init__(self) -> None:
        self.pipelines: set[str] = set()
        self.data: set[str] = set()

    def add(self, body: bytes, *, data: bool = True) -> dict[str, Any]:
        """Add a request given as JSON, without its ``data`` if that is not wanted; returns it as a value."""
        request: dict[str, Any] = orjson.loads(body)
        self.pipelines.add(request["pipelineId"])
        if data:
            with_data(request, self._note, self._note)
        return request

    def _note(self, text: str, _at: DataPath) -> str:
        self.data.add(text)
        return text
