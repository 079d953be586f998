"""The fields that an input form declares, as its file has them: read leniently, since services differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Field = Mapping[str, Any]

NO_VALUES = frozenset({"section", "text", "disclosuresection"})
# Numbers as services and people write them, without `nan` and `1_0`.
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_LONGEST_NUMBER = 100


def fields_of(declared: Any, *, hidden: bool = False) -> Iterator[Field]:
    """The fields and groups that have an id. Those in a section count as fields of the form itself."""
    for each in declared if isinstance(declared, (list, tuple)) else ():
        if not isinstance(each, Mapping):
            continue
        hides = hidden or is_hidden(each)
        if isinstance(each.get("id"), str):
            yield {**each, "hidden": True} if hides else each
        if type_of(each) != "fieldgroup":
            yield from fields_of(each.get("fields"), hidden=hides)


def sensitive_ids(declared: Any) -> frozenset[str]:
    """The ids of the fields, those of groups included, whose values are not to be printed."""
    fields = list(fields_of(declared))
    inner = (sensitive_ids(each.get("fields")) for each in fields if type_of(each) == "fieldgroup")
    return frozenset(each["id"] for each in fields if each.get("sensitive")).union(*inner)


def is_hidden(field: Field) -> bool:
    """Whether the form hides or disables a field: then it need not have a value."""
    return bool(field.get("hidden") or field.get("disabled"))


def type_of(field: Field) -> str:
    """The type of a field in lower case."""
    return str(field.get("type") or "").lower()


def least_of(field: Field) -> float:
    """The least number of values of a field or group; 0 if the form hides or disables it."""
    return 0 if is_hidden(field) else number_of(field.get("minValues")) or 0


def most_of(field: Field) -> float | None:
    """The greatest number of values of a field or group; None if there is no limit that makes sense."""
    if field.get("maxValues") is None:
        return None if type_of(field) == "fieldgroup" else max(1, number_of(field.get("minValues")) or 1)
    most = number_of(field["maxValues"])
    return most if most and most >= 1 else None


def is_required(field: Field) -> bool:
    """Whether a field must have a value; one that the form hides or disables need not."""
    return least_of(field) >= 1


def has_default(field: Field) -> bool:
    """Whether the form itself gives a field a value."""
    given = [field.get(key) for key in ("value", "values", "dataValues")]
    return any(each not in (None, "", []) for each in given) or any(each.get("selected") for each in _choices(field))


def choices_of(field: Field) -> list[str]:
    """The values that a field offers and that can be chosen, as a request has them."""
    return [_text(each["value"]) for each in _choices(field) if each.get("value") is not None]


def number_of(value: object) -> float | None:
    """A setting or a value as a number: services send numbers for text, and text for numbers."""
    if isinstance(value, bool) or not NUMBER.fullmatch(text := str(value).strip()):
        return None
    return float(text)


def is_same_number(one: str, other: str) -> bool:
    """Whether two texts are spellings of one number."""
    if not (NUMBER.fullmatch(one) and NUMBER.fullmatch(other)):
        return False
    return len(one) < _LONGEST_NUMBER and float(one) == float(other)


def _choices(field: Field) -> Iterator[Field]:
    return (each for each in field.get("choices") or () if isinstance(each, dict) and not each.get("disabled"))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
