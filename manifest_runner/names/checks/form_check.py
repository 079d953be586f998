"""Values of an input form against the fields of the form. Pure.

A form's own scripts can change what is required or valid, so this check is necessary and not sufficient: hidden and
disabled fields are not demanded, and an unknown type or setting is not a reason to refuse.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from manifest_runner.text import near_miss, shown
from manifest_runner.validation.validator import SchemaProblem, row_checker

Fields = Mapping[str, Mapping[str, Any]]

_NO_VALUES = frozenset({"section", "text", "disclosuresection"})
_OTHER_VALUES = ("dataValues", "externalDataValues", "sampleValues", "runSampleValues")
_MAX_LISTED = 12
# As services and people write numbers; neither `nan` nor `1_0`.
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


class FormFault(NamedTuple):
    """One thing wrong with the values of a form, below ``inputFormValues``."""

    path: tuple[str | int, ...]
    code: str
    message: str


class FormCheck:
    """The fields of one form, as the pipeline's file has them."""

    def __init__(self, form: Sequence[Mapping[str, Any]]) -> None:
        fields = [each for each in form if isinstance(each.get("id"), str)]
        self._groups = {each["id"]: _by_id(each.get("fields")) for each in fields if _type(each) == "fieldgroup"}
        self._fields = {each["id"]: each for each in fields if _type(each) not in (*_NO_VALUES, "fieldgroup")}

    def faults(self, values: Mapping[str, Any]) -> Iterator[FormFault]:
        """The faults of rendered ``inputFormValues`` that meet the API's own rules."""
        yield from _faults_of(self._fields, values.get("fields") or (), ("fields",))
        for i, group in enumerate(values.get("groups") or ()):
            fields = self._groups.get(group["id"])
            if fields is None:
                yield FormFault(("groups", i, "id"), "MR703", _unknown("group", group["id"], self._groups))
                continue
            for j, row in enumerate(group.get("values") or ()):
                yield from _faults_of(fields, row.get("values") or (), ("groups", i, "values", j, "values"))


def _by_id(fields: Any) -> Fields:
    return {each["id"]: each for each in fields or () if isinstance(each, dict) and isinstance(each.get("id"), str)}


def _type(field: Mapping[str, Any]) -> str:
    return str(field.get("type") or "").lower()


def _faults_of(fields: Fields, given: Sequence[Mapping[str, Any]], path: tuple[str | int, ...]) -> Iterator[FormFault]:
    blank: dict[str, int] = {}
    seen = set()
    for i, each in enumerate(given):
        field = fields.get(each["id"])
        if field is None:
            yield FormFault((*path, i, "id"), "MR703", _unknown("field", each["id"], fields))
            continue
        if _is_filled(each):
            seen.add(each["id"])
        else:
            blank[each["id"]] = i
        yield from _faults_of_field(field, each, (*path, i))
    for name, field in fields.items():
        if name not in seen and is_required(field) and not field.get("value"):
            at = (*path, blank[name]) if name in blank else path
            words = ", found a blank" if name in blank else ""
            yield FormFault(at, "MR704", f"the form requires the field {shown(name)}{words}")


def is_required(field: Mapping[str, Any]) -> bool:
    """Whether a field must have a value; one that the form hides or disables need not."""
    least = _number(field.get("minValues"))
    return least is not None and least >= 1 and not field.get("hidden") and not field.get("disabled")


def choices_of(field: Mapping[str, Any]) -> list[str]:
    """The values that a field offers and that can be chosen."""
    choices = [each for each in field.get("choices") or () if isinstance(each, dict) and not each.get("disabled")]
    return [str(each["value"]) for each in choices if each.get("value") is not None]


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    names = [shown(each) for each in known][:_MAX_LISTED]
    return f"the form has no {what} {shown(name)}" + (
        near_miss(name, known) or (f"; it has {', '.join(names)}" if names else "")
    )


def _count(given: Mapping[str, Any]) -> int:
    return sum(len(given.get(key) or ()) for key in ("values", *_OTHER_VALUES))


def _is_filled(given: Mapping[str, Any]) -> bool:
    """Whether a field has a value; ICA takes a blank one as none."""
    return any(given.get("values") or ()) or any(given.get(key) for key in _OTHER_VALUES)


def _faults_of_field(
    field: Mapping[str, Any], given: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[FormFault]:
    name = shown(given["id"])
    most = _number(field.get("maxValues"))
    most = 1 if most is None and field.get("maxValues") is None else most
    if most is not None and _count(given) > most:
        takes = "one value" if most == 1 else f"at most {most:g} values"
        yield FormFault(path, "MR705", f"the field {name} takes {takes}, found {_count(given)}")
    if _type(field) == "data" and given.get("values"):
        words = f'the field {name} takes data: write "{given["id"]}: {{dataValues: [{{dataId: …, mountPath: …}}]}}"'
        yield FormFault(path, "MR706", words)
        return
    for i, value in enumerate(given.get("values") or ()):
        if value and (wanted := _wanted(field, value)):
            yield FormFault((*path, "values", i), "MR706", f"the field {name} takes {wanted}, found {shown(value)}")


def _wanted(field: Mapping[str, Any], value: str) -> str:
    """The values that a field takes, in words, if a value is not one; else nothing."""
    if _type(field) == "checkbox" and not field.get("choices"):
        return "" if value.lower() in ("true", "false") else "true or false"
    if choices := choices_of(field):
        return "" if value in choices else f"one of {', '.join(map(shown, choices[:_MAX_LISTED]))}"
    if _type(field) in ("number", "integer"):
        return _wanted_number(field, value)
    return _wanted_text(field, value)


def _wanted_number(field: Mapping[str, Any], value: str) -> str:
    number = _number(value)
    least, most = _number(field.get("min")), _number(field.get("max"))
    if number is None:
        return "a number"
    if _type(field) == "integer" and not number.is_integer():
        return "a whole number"
    if least is not None and number < least:
        return f"at least {least:g}"
    return f"at most {most:g}" if most is not None and number > most else ""


def _wanted_text(field: Mapping[str, Any], value: str) -> str:
    least, most = _number(field.get("minLength")), _number(field.get("maxLength"))
    if least is not None and len(value) < least:
        return f"at least {least:g} characters"
    if most is not None and len(value) > most:
        return f"at most {most:g} characters"
    pattern = field.get("regex")
    if not isinstance(pattern, str) or not pattern or _matches(pattern, value):
        return ""
    words = field.get("regexErrorMessage")
    return f"text as the form says ({words})" if isinstance(words, str) and words else f"text that matches {pattern}"


def _number(value: object) -> float | None:
    """A setting or a value as a number: services send numbers for text, and text for numbers."""
    if isinstance(value, bool) or not NUMBER.fullmatch(text := str(value).strip()):
        return None
    return float(text)


@functools.lru_cache(maxsize=4096)
def _matches(pattern: str, value: str) -> bool:
    """Through the validator, whose regular expressions cannot run away; a pattern that it cannot read matches."""
    try:
        return row_checker({"type": "string", "pattern": f"^(?:{pattern})$"}).is_valid(value)
    except SchemaProblem:
        return True
