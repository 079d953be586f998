"""Check data against JSON Schemas with jsonschema_rs: compiled once, it takes a microsecond or two, and says why."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import jsonschema_rs

from manifest_runner.errors import RunnerError
from manifest_runner.text import clean, described
from manifest_runner.validation.messages import Fault, Words, by_path
from manifest_runner.validation.plain_data import first_values, plain
from manifest_runner.validation.schema_size import schema_size

_TYPE_NAMES = {"enum": ["string", "integer", "number", "boolean", "array", "object", "null"]}
# Enough for a sheet of thousands of columns; a row must meet all of them.
MAX_SCHEMA = 10_000
_MAX_MESSAGE = 240
# The number of values of faulty data that are examined; a million errors take half a minute and a gigabyte.
MAX_VALUES = 10_000


class SchemaProblem(RunnerError):
    """A row schema is not a JSON Schema, or refers to something outside itself."""

    exit_code = 3


class Checker:
    """One compiled schema. Data is JSON: dicts, lists and scalars, also SpelledInt and SpelledFloat."""

    def __init__(self, schema: dict[str, Any] | bool, *, formats: bool = False) -> None:
        self._words = Words(schema)
        self._compiled = _compile(schema, formats)

    def is_valid(self, data: object) -> bool:
        try:
            return self._compiled.is_valid(data)
        except ValueError:  # it accepts no subclass of a built-in type
            return self._compiled.is_valid(plain(data))

    def traits(self, data: object) -> tuple[Hashable, ...]:
        """A key, equal for data with the same faults but different values, at a tenth of the cost of ``faults``."""
        try:
            errors = list(self._compiled.iter_errors(plain(data)))
        except ValueError:  # it is nested more deeply than the validator goes
            errors = list(self._compiled.iter_errors(first_values(data).data))
        return tuple((tuple(error.instance_path), error.message) for error in errors)

    def faults(self, data: object) -> list[Fault]:
        """Every fault once, by path, then message; of very large data only the faults of the first values."""
        if self.is_valid(data):
            return []
        looked_at = first_values(data, MAX_VALUES)
        errors = list(self._compiled.iter_errors(looked_at.data))
        # A shortened list may be faulty even if the whole one is not.
        found = {
            fault for error in errors for fault in self._words.faults(error, data) if fault.path not in looked_at.cut
        }
        return sorted(found or self._first_fault(data), key=by_path)

    def _first_fault(self, data: object) -> set[Fault]:
        """The first fault of data whose first values have none."""
        try:
            self._compiled.validate(first_values(data).data)
        except jsonschema_rs.ValidationError as error:
            return set(self._words.faults(error, data))
        return set()


def row_checker(schema: object) -> Checker:
    """Compile a user's JSON Schema, in the draft that its ``$schema`` names or 2020-12; formats are asserted.

    Raises SchemaProblem if it is invalid, or if a ``$ref`` leads outside it: nothing is ever fetched.
    """
    rules = plain(schema)
    if not isinstance(rules, (dict, bool)):
        raise SchemaProblem(f"expected a JSON Schema, got {described(rules)}")
    try:
        if schema_size(rules) > MAX_SCHEMA:
            raise SchemaProblem(f"its references expand to more than {MAX_SCHEMA:,} rules for one row")
        return Checker(rules, formats=True)
    except jsonschema_rs.ValidationError as e:
        raise SchemaProblem(_schema_words(e)) from e
    except (ValueError, jsonschema_rs.ReferencingError) as e:
        raise SchemaProblem(clean(str(e), _MAX_MESSAGE)) from e


def _schema_words(error: jsonschema_rs.ValidationError) -> str:
    resource, is_outside, _ = error.message.partition(" is not present in a registry")
    if is_outside:
        return clean(f"{resource} is outside the schema, and nothing is fetched", _MAX_MESSAGE)
    message = error.message
    if error.instance_path[-1:] == ["type"]:  # for which the compiled validator only says that no alternative matches
        message = next((fault.message for fault in Checker(_TYPE_NAMES).faults(error.instance)), message)
    where = ".".join(map(str, error.instance_path))
    return clean(f"{where}: {message}" if where else message, _MAX_MESSAGE)


def _compile(schema: dict[str, Any] | bool, formats: bool) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, validate_formats=formats, retriever=_refuse, mask="this value")


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")
