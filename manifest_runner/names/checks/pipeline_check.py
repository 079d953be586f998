"""Check requests against what their pipeline declares: codes, required ones, several values, options, types. Pure.

Declarations are read leniently: a type that is not known here, or a declaration that the credential may not see, is
never an error. The same combination of codes, and the same value, is checked only once.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from manifest_runner.model import Kind
from manifest_runner.names.checks.form_check import FormCheck
from manifest_runner.names.checks.form_fields import NUMBER, is_same_number
from manifest_runner.names.model import ParameterDeclaration, PipelineEntry
from manifest_runner.names.request_fault import RequestFault
from manifest_runner.near_miss import near_miss
from manifest_runner.text import listed, shown

MAX_REMEMBERED = 20_000
_MAX_LISTED = 12

_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_TYPE_WORDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}


class PipelineCheck:
    """Checks requests for one pipeline; ``key`` is the manifest's name for it."""

    def __init__(self, key: str, entry: PipelineEntry) -> None:
        self._key = key
        self._entry = entry
        self._inputs = {each.code: each for each in entry.inputs or ()}
        self._parameters = {each.code: each for each in entry.parameters or ()}
        self._declares = bool(self._inputs or self._parameters)
        self._form = FormCheck(entry.form) if entry.form else None
        self._right: set[Hashable] = set()

    def faults(self, request: dict[str, Any], kind: Kind) -> Sequence[RequestFault]:
        """The faults of a request that meets the API's own rules."""
        if self._entry.kind is not None and kind != self._entry.kind:
            words = f"the pipeline {shown(self._key)} is of kind {self._entry.kind}, but this analysis is {kind}"
            return [RequestFault(("kind",), "MR702", words)]
        if kind == "nextflowJson":
            return list(self._form_faults(request))
        given = request["analysisInput"]
        if not self._declares or "inputJson" in given:
            return ()
        inputs, parameters = given.get("inputs") or (), given.get("parameters") or ()
        shape = tuple([(each["parameterCode"], _data_count(each)) for each in inputs])
        codes = tuple([each.get("code") if each else None for each in parameters])  # the API takes null and no code
        found: list[RequestFault] = []
        if (shape, codes) not in self._right:
            found = [*self._input_faults(shape), *self._parameter_faults(codes)]
            self._remember((shape, codes), found)
        return [*found, *self._value_faults(parameters)] if found else list(self._value_faults(parameters))

    def _remember(self, key: Hashable, found: Sequence[RequestFault]) -> None:
        if not found and len(self._right) < MAX_REMEMBERED:
            self._right.add(key)

    # -- codes

    def _input_faults(self, shape: Sequence[tuple[str, int]]) -> Iterator[RequestFault]:
        if self._entry.inputs is None:
            return
        for i, (code, count) in enumerate(shape):
            path = ("analysisInput", "inputs", i)
            declared = self._inputs.get(code)
            if declared is None:
                words = self._unknown("input", code, self._inputs, "parameter", self._parameters)
                yield RequestFault((*path, "parameterCode"), "MR703", words, at_key=True, group=("input", code))
            elif not declared.multi_value and count > 1:
                words = f"the input {shown(code)} takes one file or folder, found {count}"
                yield RequestFault((*path, "dataIds"), "MR705", words, group=("several", code))
        given = {code for code, count in shape if count}
        for each in self._inputs.values():
            if each.required and each.code not in given:
                words = f"the pipeline {shown(self._key)} requires the input {shown(each.code)}"
                yield RequestFault(("analysisInput", "inputs"), "MR704", words, group=("required", each.code))

    def _parameter_faults(self, codes: Sequence[str | None]) -> Iterator[RequestFault]:
        if self._entry.parameters is None:
            return
        for i, code in enumerate(codes):
            if code is not None and code not in self._parameters:
                words = self._unknown("parameter", code, self._parameters, "input", self._inputs)
                path = ("analysisInput", "parameters", i, "code")
                yield RequestFault(path, "MR703", words, at_key=True, group=("parameter", code))
        for each in self._parameters.values():
            if each.required and not each.default and each.code not in codes:
                words = f"the pipeline {shown(self._key)} requires the parameter {shown(each.code)}"
                yield RequestFault(("analysisInput", "parameters"), "MR704", words, group=("required", each.code))

    def _unknown(self, what: str, code: str, known: Iterable[str], other: str, others: Iterable[str]) -> str:
        words = f"the pipeline {shown(self._key)} has no {what} {shown(code)}"
        if code in others:
            return f'{words}; {shown(code)} is one of its {other}s, which belong in "{other}s"'
        names = [shown(each) for each in known]
        if hint := near_miss(code, known):
            return words + hint
        more = ", …" if len(names) > _MAX_LISTED else ""
        return f"{words}; it has {', '.join(names[:_MAX_LISTED])}{more}" if names else words

    # -- values of parameters

    def _value_faults(self, parameters: Sequence[dict[str, Any] | None]) -> Iterator[RequestFault]:
        for i, each in enumerate(parameters):
            if each is None or each.get("code") is None:
                continue
            values = each.get("multiValue")
            key = each["code"], (each.get("value") if values is None else tuple(values))
            if key in self._right:
                continue
            found = list(self._faults_of_value(i, each)) if each["code"] in self._parameters else []
            self._remember(key, found)
            yield from found

    def _faults_of_value(self, index: int, given: dict[str, Any]) -> Iterator[RequestFault]:
        declared = self._parameters[given["code"]]
        name = "value" if given.get("multiValue") is None else "multiValue"
        values = [given.get("value")] if name == "value" else given["multiValue"]
        path = ("analysisInput", "parameters", index, name)
        if len(values) > 1 and not declared.multi_value:
            words = f"the parameter {shown(declared.code)} takes one value, found {len(values)}"
            yield RequestFault(path, "MR705", words, group=("several", declared.code))
        if declared.required and not declared.default and not any(values):
            words = f"the pipeline {shown(self._key)} requires the parameter {shown(declared.code)}, found a blank"
            yield RequestFault(path, "MR704", words, group=("required", declared.code))
        for number, value in enumerate(values):
            if value and (words := value_fault(value, declared)):
                at = path if name == "value" else (*path, number)
                words = f"the parameter {shown(declared.code)} takes {words}, found {shown(value)}"
                yield RequestFault(at, "MR706", words + _option_hint(value, declared), group=("value", declared.code))

    def _form_faults(self, request: dict[str, Any]) -> Iterator[RequestFault]:
        if self._form is None:
            return
        for path, code, message in self._form.faults(request["inputFormValues"]):
            yield RequestFault(("inputFormValues", *path), code, message, at_key=code == "MR703", group=message)


def value_fault(value: str, declared: ParameterDeclaration) -> str:
    """The values that a parameter takes, in words, if a value is not one; empty if it is, or if that is unknown."""
    if declared.options:
        if value in declared.options or any(is_same_number(value, option) for option in declared.options):
            return ""
        return listed([shown(option) for option in declared.options[:_MAX_LISTED]], "or")
    kind = plain_type(declared.type)
    return "" if kind is None or is_of_type(value, kind) else _TYPE_WORDS[kind]


def plain_type(declared: str) -> str | None:
    """``boolean``, ``integer`` or ``number`` for a type of ICA, None for text and unknown types."""
    name = declared.lower()
    if name.startswith("bool"):
        return "boolean"
    if name.startswith(("int", "long")):
        return "integer"
    return "number" if name.startswith(("double", "float", "number", "decimal")) else None


def is_of_type(value: str, kind: str) -> bool:
    """Whether a text is a value of one of the plain types."""
    if kind == "boolean":
        return value.lower() in ("true", "false")
    return (_WHOLE if kind == "integer" else NUMBER).fullmatch(value.strip()) is not None


def _option_hint(value: str, declared: ParameterDeclaration) -> str:
    return near_miss(value, declared.options) if declared.options else ""


def _data_count(given: dict[str, Any]) -> int:
    """The number of files and folders of an input, external ones included. A mount places one or names it."""
    ids = given.get("dataIds") or ()
    if mounts := given.get("mounts"):
        ids = {*ids, *(each["dataId"] for each in mounts if each)}
    return len(ids) + len(given.get("externalData") or ())
