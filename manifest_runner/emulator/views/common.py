"""Members that many objects of the API share, with neutral values for required ones that are unknown here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.timestamps import timestamp

TENANT = derive("tenant")
EPOCH = timestamp(0)


def stamped(*names: str, newer: bool = False) -> dict[str, Any]:
    """The members of most objects; the emulator's own objects belong to its tenant."""
    return {"id": derive(*names), "timeCreated": EPOCH, "timeModified": EPOCH, **ownership(TENANT, newer=newer)}


def ownership(owner: str, *, newer: bool) -> dict[str, Any]:
    """The owner, in the form of version 4 or of version 3."""
    if newer:
        return {"owner": {"id": owner}, "tenant": {"id": TENANT, "name": "emulator"}}
    return {"ownerId": owner, "tenantId": TENANT, "tenantName": "emulator"}


@lru_cache(maxsize=100)
def region_view(code: str) -> orjson.Fragment:
    """A Region as JSON text."""
    country = {**stamped("country"), "code": "ZZ", "name": "Nowhere", "region": "None"}
    view = {**stamped("region", code), "code": code, "country": country, "cityName": code}
    return orjson.Fragment(orjson.dumps(view))


@lru_cache(maxsize=100)
def format_view(code: str) -> orjson.Fragment:
    """A DataFormat as JSON text."""
    view = {**stamped("format", code), "code": code, "description": None, "mimeType": None}
    return orjson.Fragment(orjson.dumps(view))
