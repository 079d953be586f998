"""Data against the JSON schemas.

Two validators share the work. jsonschema_rs, compiled once, says yes or no in a microsecond or two; only
after a no is jsonschema imported, which takes about a second and gives errors that can be worded one by one.
It leaves patterns and formats to the compiled one, so both read a regex alike, and none can blow up.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import jsonschema_rs

from manifest_runner.errors import RunnerError
from manifest_runner.text import clean, described
from manifest_runner.validation.large_data import large_data_keywords
from manifest_runner.validation.messages import Error, Fault, by_path, faults_of
from manifest_runner.validation.schema_size import schema_size

_TYPE_NAMES = {"enum": ["string", "integer", "number", "boolean", "array", "object", "null"]}
# As many as a sheet of thousands of columns needs; a row has to meet each of them.
MAX_SCHEMA = 10_000
_MAX_MESSAGE = 240


class SchemaProblem(RunnerError):
    """A row schema is not a JSON Schema, or refers to something outside itself."""

    exit_code = 3


class Checker:
    """One compiled schema. Data are JSON: dicts, lists and scalars, also SpelledInt and SpelledFloat."""

    def __init__(self, schema: dict[str, Any] | bool, *, formats: bool = False) -> None:
        self._schema = schema
        self._formats = formats
        self._compiled = _compile(schema, formats)

    def is_valid(self, data: object) -> bool:
        try:
            return self._compiled.is_valid(data)
        except ValueError:  # it takes no subclass of a built-in type
            return self._compiled.is_valid(_plain(data))

    def traits(self, data: object) -> tuple[Hashable, ...]:
        """Equal for data with the same faults but other values, at a tenth of the cost of ``faults``."""
        return tuple((tuple(e.instance_path), e.message) for e in self._compiled.iter_errors(_plain(data)))

    def faults(self, data: object) -> list[Fault]:
        """Every fault once, by path, then message."""
        if self.is_valid(data):
            return []
        return sorted(self._worded_faults(data) or set(self._bare_faults(data)), key=by_path)

    def _worded_faults(self, data: object) -> set[Fault]:
        """None where jsonschema fails on a schema that loops, a vast number or a regex that is not Python's."""
        try:
            return {fault for error in self._slow.iter_errors(data) for fault in faults_of(error)}
        except (RecursionError, ValueError, ArithmeticError, re.error):
            return set()

    @functools.cached_property
    def _slow(self) -> Any:
        """jsonschema's validator of the same schema."""
        from jsonschema import Draft202012Validator, ValidationError, validators
        from referencing import Registry

        dialect = validators.validator_for(self._schema, default=Draft202012Validator)
        judges = {"pattern": _judge("pattern", dialect)}
        judges |= large_data_keywords(dialect, self._schema, self._part, ValidationError)
        if self._formats:  # jsonschema itself asserts none unless it is given a checker
            judges["format"] = _judge("format", dialect)
        extend: Any = validators.extend  # its stub is not typed
        return extend(dialect, judges)(self._schema, registry=Registry())

    def _part(self, schema: dict[str, Any]) -> Callable[[object], bool] | None:
        """Whether data meet a part of the schema; None where that part refers to another one."""
        try:
            return Checker(schema, formats=self._formats).is_valid
        except (ValueError, jsonschema_rs.ValidationError):
            return None

    def _bare_faults(self, data: object) -> Iterator[Fault]:
        """The compiled validator's own words, for the rare case that jsonschema has none."""
        for error in self._compiled.iter_errors(_plain(data)):
            yield Fault(tuple(error.instance_path), clean(error.message, _MAX_MESSAGE))


class RowChecker(Checker):
    """A user's own rules for rows."""


def row_checker(schema: object) -> RowChecker:
    """Compile a user's JSON Schema: the draft that its ``$schema`` names, else 2020-12; formats are asserted.

    Raises SchemaProblem where it is invalid, or where a ``$ref`` leaves it: nothing is ever fetched.
    """
    plain = _plain(schema)
    if not isinstance(plain, (dict, bool)):
        raise SchemaProblem(f"expected a JSON Schema, got {described(plain)}")
    try:
        if schema_size(plain) > MAX_SCHEMA:
            raise SchemaProblem(f"its references come to more than {MAX_SCHEMA:,} rules for one row")
        return RowChecker(plain, formats=True)
    except jsonschema_rs.ValidationError as e:
        raise SchemaProblem(_schema_words(e)) from e
    except (ValueError, jsonschema_rs.ReferencingError) as e:
        raise SchemaProblem(clean(str(e), _MAX_MESSAGE)) from e


def _schema_words(error: jsonschema_rs.ValidationError) -> str:
    resource, is_outside, _ = error.message.partition(" is not present in a registry")
    if is_outside:
        return clean(f"{resource} is outside the schema, and nothing is fetched", _MAX_MESSAGE)
    message = error.message
    if error.instance_path[-1:] == ["type"]:  # for which the compiled validator only says that no alternative fits
        message = next((fault.message for fault in Checker(_TYPE_NAMES).faults(error.instance)), message)
    where = ".".join(map(str, error.instance_path))
    return clean(f"{where}: {message}" if where else message, _MAX_MESSAGE)


def _compile(schema: dict[str, Any] | bool, formats: bool) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, validate_formats=formats, retriever=_refuse, mask="this value")


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")


def _plain(data: Any) -> Any:
    """The same data in exact built-in types."""
    if isinstance(data, dict):
        return {_plain(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(each) for each in data]
    if isinstance(data, str):
        return str.__str__(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return int(data)
    if not isinstance(data, float):
        return data
    # Beyond a double there is only infinity, which is not JSON; the largest double stands for such a number.
    return float(min(max(data, -sys.float_info.max), sys.float_info.max))


def _judge(keyword: str, dialect: Any) -> Callable[..., Iterator[Error]]:
    """jsonschema's check of a keyword for text, left to the compiled validator."""
    from jsonschema import ValidationError

    def check(_validator: Any, wanted: str, instance: object, _schema: Any) -> Iterator[Error]:
        if isinstance(instance, str):
            compiled = _compiled_keyword(dialect.META_SCHEMA["$schema"], keyword, wanted)
            if not compiled.is_valid(str.__str__(instance)):
                yield ValidationError(keyword)

    return check


@functools.lru_cache(maxsize=256)
def _compiled_keyword(dialect: str, keyword: str, wanted: str) -> jsonschema_rs.Validator:
    return _compile({"$schema": dialect, keyword: wanted}, formats=True)
