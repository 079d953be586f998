"""The checkers, their messages, row schemas of users, and the lockfile's schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import manifest_runner
from manifest_runner.model import KINDS
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.shipped_schemas import item_checker, lockfile_faults, schema_text
from manifest_runner.validation.validator import SchemaProblem, row_checker
from manifest_runner.values import SpelledFloat, SpelledInt

ITEM = {"userReference": "a", "pipelineId": "urn:p", "analysisInput": {"inputs": []}}


def said(checker: Any, data: Any) -> list[str]:
    return [fault.message for fault in checker.faults(data)]


# -- the shipped schemas


@pytest.mark.parametrize("name", ["manifest", "lockfile", "payload", "names"])
def test_a_shipped_schema_is_valid_in_its_own_draft(name: Any) -> None:
    schema = json.loads(schema_text(name))
    jsonschema.validators.validator_for(schema).check_schema(schema)


def test_only_one_module_imports_the_validators():
    package = Path(manifest_runner.__file__).parent
    importing = {
        p.name
        for p in package.rglob("*.py")
        if "import jsonschema" in (text := p.read_text("utf-8")) or "from jsonschema" in text
    }
    assert importing == {"validator.py"}


# -- checkers


@pytest.mark.parametrize("kind", KINDS)
def test_a_checker_is_compiled_once_a_process(kind: Any) -> None:
    assert item_checker(kind) is item_checker(kind)


def test_numbers_that_keep_their_spelling_are_checked():
    checker = row_checker({"properties": {"a": {"type": "integer", "maximum": 5}, "b": {"type": "number"}}})
    assert checker.is_valid({"a": SpelledInt("-0"), "b": SpelledFloat("0.10")})
    assert said(checker, {"a": SpelledFloat("1.50")}) == ["expected a whole number, got the number 1.50"]
    assert said(checker, {"a": SpelledInt("6")}) == ["expected at most 5, got the number 6"]


def test_a_number_too_long_for_words_is_still_a_fault():
    (fault,) = item_checker("nextflow").faults({**ITEM, "pipelineId": 10**5000})
    assert fault.path == ("pipelineId",)
    assert len(fault.message) < 300


def test_a_fault_has_its_place_and_its_words():
    broken = {"userReference": "a.b", "pipelineID": "p", "analysisStorageId": "x", "analysisInput": {"inputs": {}}}
    assert item_checker("nextflow").faults(broken) == [
        Fault((), '"pipelineId" is missing', lacks="pipelineId"),
        Fault(("analysisInput", "inputs"), 'expected a list, got a mapping; an element of a list starts with "- "'),
        Fault(("analysisStorageId",), 'expected a UUID, got text "x"'),
        Fault(("pipelineID",), 'unknown key "pipelineID"; did you mean "pipelineId"?', at_key=True),
        Fault(
            ("userReference",),
            'expected letters, digits, spaces, "_" and "-", in parts that a single "/" separates, got text "a.b"',
        ),
    ]


def test_of_a_cwl_input_only_the_shape_that_was_meant_is_checked():
    def faults(given: dict[str, Any]) -> list[str]:
        return said(item_checker("cwl"), {**ITEM, "analysisInput": given})

    assert faults({"inputs": []}) == ['"objectType" is missing']
    assert faults({"objectType": "JSO", "inputs": 5}) == [
        'expected "STRUCTURED" or "JSON", got text "JSO"; did you mean "JSON"?'
    ]
    assert faults({"objectType": "JSON", "inputs": []}) == [
        '"inputJson" is missing',
        '"inputs" does not go with "objectType" "JSON"',
    ]


def test_value_and_multi_value_exclude_each_other():
    both = {"inputs": [], "parameters": [{"code": "c", "value": "a", "multiValue": ["b"]}]}
    assert item_checker("nextflow").faults({**ITEM, "analysisInput": both}) == [
        Fault(("analysisInput", "parameters", 0), '"value" and "multiValue" exclude each other; keep one of them')
    ]


# -- values in messages


def test_a_long_value_is_shortened():
    (message,) = said(row_checker({"properties": {"a": {"type": "integer"}}}), {"a": "x" * 10_000})
    assert message == 'expected a whole number, got text "' + "x" * 59 + '…"'


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\x9b", "\u202eabc", "\ud800", "\u2028", "\x00"])
def test_what_does_not_print_is_escaped(text: str) -> None:
    checker = row_checker({"properties": {"a": {"type": "integer"}}, "additionalProperties": False})
    for message in said(checker, {"a": text, "b" + text: 1}):
        assert message.isprintable()
        assert "\\" in message


def test_what_a_list_or_a_mapping_holds_is_not_shown():
    checker = row_checker(
        {"properties": {"a": {"type": "string"}, "b": {"const": {"k": 1}}, "c": {"contains": {"const": 1}}}}
    )
    faults = said(checker, {"a": {"secret": 1}, "b": ["secret"], "c": ["secret"]})
    assert len(faults) == 3
    assert "secret" not in " ".join(faults)


# -- schemas of users


@pytest.mark.parametrize(
    ("schema", "row", "message"),
    [
        ({"required": ["sample"]}, {}, '"sample" is missing'),
        (
            {"properties": {"a": {"enum": ["ready", "done"]}}},
            {"a": "redy"},
            'expected "ready" or "done", got text "redy"; did you mean "ready"?',
        ),
        ({"properties": {"a": {"enum": [1, None]}}}, {"a": 2}, "expected 1, got the number 2"),
        (
            {"properties": {"a": {"pattern": "^[AB]$"}}},
            {"a": "A\n"},
            'expected text that matches ^[AB]$, got text "A\\n"',
        ),
        (
            {"properties": {"a": {"pattern": "^\\p{Lu}+$"}}},
            {"a": "a"},
            'expected text that matches ^\\p{Lu}+$, got text "a"',
        ),
        (
            {"properties": {"a": {"format": "date"}}},
            {"a": "2026-13-01"},
            'expected a date such as 2026-11-23, got text "2026-13-01"',
        ),
        ({"properties": {"a": {"format": "ipv4"}}}, {"a": "x"}, 'expected the format ipv4, got text "x"'),
        ({"properties": {"a": {"minLength": 1}}}, {"a": ""}, "must not be empty"),
        ({"properties": {"a": {"maxLength": 2}}}, {"a": "abc"}, "expected at most 2 characters, got 3"),
        ({"properties": {"a": {"multipleOf": 2}}}, {"a": 3}, 'expected what meets "multipleOf": 2, got the number 3'),
        ({"properties": {"a": False}}, {"a": 1}, "is not allowed here"),
        (
            {"properties": {"a": {"not": {"const": 1}}}},
            {"a": 1},
            'expected what meets "not": {"const": 1}, got the number 1',
        ),
        ({"properties": {"a": {"type": ["string", "null"]}}}, {"a": 1}, "expected text, got the number 1"),
        (
            {"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}}},
            {"a": "x"},
            'expected a whole number or true or false, got text "x"',
        ),
        (
            {"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]}}},
            {"a": "xx"},
            "expected at most 1 character, got 2",
        ),
        (
            {"properties": {"a": {"oneOf": [{"minimum": 1}, {"minimum": 2}]}}},
            {"a": 3},
            "expected a value that matches exactly one of the schema's alternatives, got one that matches several",
        ),
        (
            {
                "oneOf": [
                    {"properties": {"k": {"const": "a"}, "v": {"type": "integer"}}},
                    {"properties": {"k": {"const": "b"}, "v": {"type": "boolean"}}},
                ]
            },
            {"k": "b", "v": 1},
            "expected true or false, got the number 1",
        ),
        (
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "properties": {"a": {"minimum": 5, "exclusiveMinimum": True}},
            },
            {"a": 5},
            "expected more than 5, got the number 5",
        ),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "definitions": {"n": {"type": "integer"}},
                "properties": {"a": {"$ref": "#/definitions/n"}},
            },
            {"a": ""},
            'expected a whole number, got text ""',
        ),
        ({"$ref": "#/$defs/r", "$defs": {"r": {"required": ["a"]}}}, {}, '"a" is missing'),
        (False, {}, "is not allowed here"),
    ],
)
def test_a_row_schema_is_applied_and_worded(schema: Any, row: Any, message: str) -> None:
    checker = row_checker(schema)
    assert not checker.is_valid(row)
    assert said(checker, row) == [message]


def test_all_faults_of_a_row_are_found_by_path_and_once():
    schema = {
        "allOf": [{"required": ["x"]}, {"required": ["x", "y"]}],
        "properties": {"b": {"type": "integer"}, "a": {"type": "integer"}},
    }
    assert row_checker(schema).faults({"b": "1", "a": "2"}) == [
        Fault((), '"x" is missing', lacks="x"),
        Fault((), '"y" is missing', lacks="y"),
        Fault(("a",), 'expected a whole number, got text "2"'),
        Fault(("b",), 'expected a whole number, got text "1"'),
    ]


def test_an_unknown_column_differs_from_those_of_a_pattern():
    checker = row_checker(
        {"properties": {"sample": True}, "patternProperties": {"^x-": True}, "additionalProperties": False}
    )
    assert checker.faults({"x-a": 1, "smaple": 1}) == [
        Fault(("smaple",), 'unknown key "smaple"; did you mean "sample"?', at_key=True)
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strng"}, "type: "),
        ({"properties": {"a": {"pattern": "("}}}, 'not a "regex"'),
        ({"$ref": "other.json"}, "other.json"),
        ({"$ref": "#/$defs/gone"}, "gone"),
        ({"$schema": "https://example.com/meta"}, "https://example.com/meta"),
        ([], "expected a JSON Schema, got a list"),
        ('{"type": "object"}', "expected a JSON Schema, got text"),
        (None, "expected a JSON Schema, got null"),
    ],
)
def test_a_bad_row_schema_is_a_problem_with_words(schema: Any, words: str) -> None:
    with pytest.raises(SchemaProblem) as caught:
        row_checker(schema)
    assert words in str(caught.value)
    assert len(str(caught.value)) <= 240
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["file", "relative", "https"])
def test_a_row_schema_is_never_fetched_from_elsewhere(where: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("true", "utf-8")
    uri = {"file": other.as_uri(), "relative": "other.json", "https": "https://example.com/other.json"}[where]
    base = {"$id": tmp_path.as_uri() + "/rows.json"} if where == "relative" else {}
    with pytest.raises(SchemaProblem, match="outside the schema, and nothing is fetched"):
        row_checker({**base, "$ref": uri})


def test_a_row_schema_may_have_numbers_that_keep_their_spelling():
    assert not row_checker({"properties": {"a": {"maximum": SpelledFloat("0.50")}}}).is_valid({"a": 0.6})


def test_a_row_schema_that_loops_still_gives_a_fault():
    (fault,) = row_checker({"$ref": "#", "type": "string"}).faults(["secret"])
    assert fault.path == ()
    assert "secret" not in fault.message


def test_a_regex_that_only_one_validator_knows_still_gives_a_fault():
    checker = row_checker({"patternProperties": {"^\\p{L}$": {"type": "integer"}}})
    assert [fault.path for fault in checker.faults({"ä": "x"})] == [("ä",)]


def test_a_slow_regex_does_not_delay_the_message():
    checker = row_checker({"properties": {"a": {"pattern": "^(a+)+$"}}})
    assert len(checker.faults({"a": "a" * 5000 + "!"})) == 1


# -- the lockfile

LAUNCH: dict[str, Any] = {
    "analysis": {"id": "a", "reference": "r", "status": "REQUESTED"},
    "attempt": 0,
    "batchId": "b",
    "digest": "0" * 64,
    "itemId": "i",
    "kind": "nextflow",
    "message": None,
    "revision": "1.1",
    "status": "SUCCEEDED",
}
BATCH = {"idempotencyKey": "mr1-0", "items": 1, "status": "SUCCEEDED", "submittedAt": "2026-11-23T10:00:00Z"}


def lockfile(launch: Any = None, batch: Any = None, **top: Any) -> dict[str, Any]:
    return {
        "lockVersion": 1,
        "name": "m",
        "project": "p",
        "server": "emulator",
        "batches": {"b": BATCH if batch is None else batch},
        "items": {"ref": LAUNCH if launch is None else launch},
        **top,
    }


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"analysis": None, "itemId": None, "status": None, "message": "x"},
        {"analysis": {**LAUNCH["analysis"], "startDate": "2026-11-23T10:00:00Z", "endDate": None}},
        {"batchId": None, "adopted": True, "removed": True},
        {"previous": [LAUNCH, {**LAUNCH, "attempt": 1}]},
        {"more": {"of": ["it"]}},
        {"revision": "12.34"},
    ],
)
def test_a_launch_is_taken(change: dict[str, Any]) -> None:
    assert lockfile_faults(lockfile({**LAUNCH, **change})) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"analysis": {"id": "a"}}, ("analysis",)),
        ({"attempt": -1}, ("attempt",)),
        ({"attempt": True}, ("attempt",)),
        ({"digest": "0" * 63}, ("digest",)),
        ({"digest": "F" * 64}, ("digest",)),
        ({"digest": "0" * 64 + "\n"}, ("digest",)),
        ({"kind": "wdl"}, ("kind",)),
        ({"revision": "1"}, ("revision",)),
        ({"revision": 1.1}, ("revision",)),
        ({"removed": "yes"}, ("removed",)),
        ({"previous": [{**LAUNCH, "status": 1}]}, ("previous", 0, "status")),
    ],
)
def test_a_broken_launch_is_refused(change: dict[str, Any], path: tuple[Any, ...]) -> None:
    assert {fault.path for fault in lockfile_faults(lockfile({**LAUNCH, **change}))} == {("items", "ref", *path)}


@pytest.mark.parametrize("key", LAUNCH)
def test_a_launch_is_complete(key: str) -> None:
    rest = {name: value for name, value in LAUNCH.items() if name != key}
    assert lockfile_faults(lockfile(rest)) == [Fault(("items", "ref"), f'"{key}" is missing', lacks=key)]


@pytest.mark.parametrize("batch", [{**BATCH, "status": None}, {**BATCH, "more": 1}, {**BATCH, "items": 0}])
def test_a_batch_is_taken(batch: Any) -> None:
    assert lockfile_faults(lockfile(batch=batch)) == []


@pytest.mark.parametrize("key", BATCH)
def test_a_batch_is_complete(key: str) -> None:
    rest = {name: value for name, value in BATCH.items() if name != key}
    assert lockfile_faults(lockfile(batch=rest)) == [Fault(("batches", "b"), f'"{key}" is missing', lacks=key)]


def test_a_lockfile_of_another_version_is_refused():
    assert lockfile_faults(lockfile(lockVersion=2)) == [
        Fault(("lockVersion",), "expected the number 1, got the number 2")
    ]


@pytest.mark.parametrize("key", ["lockVersion", "name", "project", "server", "batches", "items"])
def test_a_lockfile_has_all_its_keys(key: str) -> None:
    rest = {name: value for name, value in lockfile().items() if name != key}
    assert lockfile_faults(rest) == [Fault((), f'"{key}" is missing', lacks=key)]


def test_formats_of_rows_are_judged():
    rules = {"date": "2026-13-01", "uuid": "x", "uri": "a b", "email": "@", "duration": "P", "hostname": "-"}
    checker = row_checker({"properties": {name: {"format": name} for name in rules}})
    assert [fault.path for fault in checker.faults(rules)] == sorted((name,) for name in rules)
