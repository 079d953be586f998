"""Check the values of an input form against the fields of the form. Pure.

A form's own scripts can change what is required or valid, so this check is necessary but not sufficient: hidden and
disabled fields are not required, and an unknown type or setting is not an error.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from manifest_runner.names.checks.form_fields import (
    NO_VALUES,
    Field,
    choices_of,
    fields_of,
    has_default,
    is_hidden,
    is_required,
    is_same_number,
    least_of,
    most_of,
    number_of,
    type_of,
)
from manifest_runner.near_miss import near_miss
from manifest_runner.text import shown
from manifest_runner.validation.validator import SchemaProblem, row_checker

Fields = Mapping[str, Field]
Path = tuple[str | int, ...]

_OTHER_VALUES = ("dataValues", "externalDataValues", "sampleValues", "runSampleValues")
_OF_TEXT = frozenset({"textbox", "checkbox", "radio", "select", "number", "integer"})
_MAX_LISTED = 12


class FormFault(NamedTuple):
    """A fault in the values of a form, below ``inputFormValues``."""

    path: Path
    code: str
    message: str


class FormCheck:
    """The fields of one form, as in the pipeline's file."""

    def __init__(self, form: Sequence[Mapping[str, Any]]) -> None:
        declared = _by_id(form)
        self._groups = {name: each for name, each in declared.items() if type_of(each) == "fieldgroup"}
        self._inner = {name: _by_id(each.get("fields"), is_hidden(each)) for name, each in self._groups.items()}
        self._fields = {
            name: each for name, each in declared.items() if type_of(each) not in (*NO_VALUES, "fieldgroup")
        }

    def faults(self, values: Mapping[str, Any]) -> Iterator[FormFault]:
        """The faults of rendered ``inputFormValues`` that meet the API's own rules."""
        yield from _faults_of(self._fields, values.get("fields") or (), ("fields",))
        given = values.get("groups") or ()
        for i, group in enumerate(given):
            yield from self._faults_of_group(group, ("groups", i))
        filled = {group["id"] for group in given if group.get("values")}
        for name, group in self._groups.items():
            has_values = name in filled or any(map(has_default, (group, *self._inner[name].values())))
            if is_required(group) and not has_values:
                yield FormFault(("groups",), "MR704", f"the form requires the group {shown(name)}")

    def _faults_of_group(self, given: Mapping[str, Any], path: Path) -> Iterator[FormFault]:
        declared = self._groups.get(given["id"])
        if declared is None:
            yield FormFault((*path, "id"), "MR703", _unknown("group", given["id"], self._groups))
            return
        rows = given.get("values") or ()
        yield from _faults_of_count(declared, f"the group {shown(given['id'])}", len(rows), path)
        for i, row in enumerate(rows):
            yield from _faults_of(self._inner[given["id"]], row.get("values") or (), (*path, "values", i, "values"))


def _by_id(declared: Any, hidden: bool = False) -> Fields:
    return {each["id"]: each for each in fields_of(declared, hidden=hidden)}


def _faults_of(fields: Fields, given: Sequence[Mapping[str, Any]], path: Path) -> Iterator[FormFault]:
    blank: dict[str, int] = {}
    seen = set()
    for i, each in enumerate(given):
        field = fields.get(each["id"])
        if field is None:
            yield FormFault((*path, i, "id"), "MR703", _unknown("field", each["id"], fields))
            continue
        if _is_filled(each) or (field.get("emptyValuesAllowed") and each.get("values")):
            seen.add(each["id"])
        else:
            blank[each["id"]] = i
        yield from _faults_of_field(field, each, (*path, i))
    for name, field in fields.items():
        if name not in seen and is_required(field) and not has_default(field):
            at = (*path, blank[name]) if name in blank else path
            words = ", found a blank" if name in blank else ""
            yield FormFault(at, "MR704", f"the form requires the field {shown(name)}{words}")


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    names = [shown(each) for each in known][:_MAX_LISTED]
    return f"the form has no {what} {shown(name)}" + (
        near_miss(name, known) or (f"; it has {', '.join(names)}" if names else "")
    )


def _count(given: Mapping[str, Any]) -> int:
    return sum(len(given.get(key) or ()) for key in ("values", *_OTHER_VALUES))


def _is_filled(given: Mapping[str, Any]) -> bool:
    """Whether a field has a value; for ICA a blank is none."""
    return any(given.get("values") or ()) or any(given.get(key) for key in _OTHER_VALUES)


def _faults_of_count(field: Field, what: str, count: int, path: Path) -> Iterator[FormFault]:
    """Faults in the number of values; none at all is a different fault."""
    most, least = most_of(field), least_of(field)
    if most is not None and count > most:
        takes = "one value" if most == 1 else f"at most {most:g} values"
        yield FormFault(path, "MR705", f"{what} takes {takes}, found {count}")
    elif 0 < count < least:
        yield FormFault(path, "MR704", f"{what} takes at least {least:g} values, found {count}")


def _faults_of_field(field: Field, given: Mapping[str, Any], path: Path) -> Iterator[FormFault]:
    name = shown(given["id"])
    yield from _faults_of_count(field, f"the field {name}", _count(given), path)
    if type_of(field) in _OF_TEXT and (other := next(filter(given.get, _OTHER_VALUES), None)):
        words = f"the field {name} takes values, not {other}: write {shown(given['id'] + ': VALUE')}"
        yield FormFault((*path, other), "MR706", words)
        return
    if type_of(field) == "data" and given.get("values"):
        words = f'the field {name} takes data: write "{given["id"]}: {{dataValues: [{{dataId: …, mountPath: …}}]}}"'
        yield FormFault(path, "MR706", words)
        return
    for i, value in enumerate(given.get("values") or ()):
        if value and (wanted := _wanted(field, value)):
            found = "" if field.get("sensitive") else f", found {shown(value)}"  # not to be printed
            yield FormFault((*path, "values", i), "MR706", f"the field {name} takes {wanted}{found}")


def _wanted(field: Field, value: str) -> str:
    """The values that a field takes, in words, if a value is not one; else nothing."""
    if type_of(field) == "checkbox" and not field.get("choices"):
        return "" if value.lower() in ("true", "false") else "true or false"
    if choices := choices_of(field):
        return "" if _is_among(value, choices) else f"one of {', '.join(map(shown, choices[:_MAX_LISTED]))}"
    if type_of(field) in ("number", "integer"):
        return _wanted_number(field, value)
    return _wanted_text(field, value)


def _is_among(value: str, choices: Sequence[str]) -> bool:
    return value in choices or any(is_same_number(value, each) for each in choices)


def _wanted_number(field: Field, value: str) -> str:
    number = number_of(value)
    least, most = number_of(field.get("min")), number_of(field.get("max"))
    if number is None:
        return "a number"
    if type_of(field) == "integer" and not number.is_integer():
        return "a whole number"
    if least is not None and number < least:
        return f"at least {least:g}"
    return f"at most {most:g}" if most is not None and number > most else ""


def _wanted_text(field: Field, value: str) -> str:
    least, most = number_of(field.get("minLength")), number_of(field.get("maxLength"))
    if least is not None and len(value) < least:
        return f"at least {least:g} characters"
    if most is not None and len(value) > most:
        return f"at most {most:g} characters"
    pattern = field.get("regex")
    if not isinstance(pattern, str) or not pattern or _matches(pattern, value):
        return ""
    words = field.get("regexErrorMessage")
    return f"text as the form says ({words})" if isinstance(words, str) and words else f"text that matches {pattern}"


@functools.lru_cache(maxsize=4096)
def _matches(pattern: str, value: str) -> bool:
    """Match with the validator, whose regular expressions always end; a pattern that it cannot read matches."""
    try:
        return row_checker({"type": "string", "pattern": f"^(?:{pattern})$"}).is_valid(value)
    except SchemaProblem:
        return True
