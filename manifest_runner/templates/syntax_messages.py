"""Jinja2's syntax errors in plain words."""

from __future__ import annotations

import re

from manifest_runner.near_miss import near_miss
from manifest_runner.templates.filters import FILTERS
from manifest_runner.templates.sandbox import TESTS

NO_END_OF_COMMENT = 'it is not closed with "#}"'
# Filters by their names elsewhere. The most similar name would be that of a filter that does the opposite.
_FROM_JSON, _TO_JSON = '"from_json"', '"to_json"'
_OTHER_NAMES = {
    **dict.fromkeys(("fromjson", "json_decode", "parse_json", "parsejson", "loads", "json_loads"), _FROM_JSON),
    **dict.fromkeys(("json_encode", "dumps", "json_dumps", "jsonify"), _TO_JSON),
    "json": f"{_FROM_JSON} or {_TO_JSON}",
}
_NO_OPERATORS = {"&": "and", "|": "or", "!": "not", "=": "=="}


def _plainer(message: str, text: str) -> str:
    if message.startswith("unexpected end of template, expected 'end of print") or text.count("{{") > text.count("}}"):
        return 'it is not closed with "}}"'
    if message.startswith("Expected an expression, got 'end of print"):
        return "nothing is between the braces"
    if block := re.search(r"needs to be closed is '(\w+)'", message):
        return f"{{% {block[1]} %}} is not closed with {{% end{block[1]} %}}"
    if unknown := re.search(r"unknown tag '(\w+)'", message):
        return f"{{% {unknown[1]} %}} " + ("closes nothing" if unknown[1].startswith("end") else "is unknown")
    if message.startswith("Missing end of comment"):
        return NO_END_OF_COMMENT
    operator = re.search(r"unexpected char '([&!])'|(?:got|unexpected) '([=|])'", message)
    if operator:
        used = next(filter(None, operator.groups()))
        return f'"{used}" is not an operator here; write "{_NO_OPERATORS[used]}"'
    if message.startswith("unexpected char '?'"):
        return '"?" is not an operator here; write "A if CONDITION else B"'
    if message.startswith("expected token 'name', got 'end of print"):
        return 'a name is missing at the end, such as that of a filter after "|"'
    return message.rstrip(".").replace(
        "expected token 'end of print statement'", "an operator is missing or superfluous"
    )


def syntax_words(message: str, text: str) -> str:
    match = re.fullmatch(r"No (filter|test) named '(.*)'\.?", message)
    if match is None:
        return _plainer(message, text)
    known = FILTERS if match[1] == "filter" else TESTS
    other = _OTHER_NAMES.get(match[2]) if match[1] == "filter" else None
    hint = f"; did you mean {other}?" if other else near_miss(match[2], known)
    return f'there is no {match[1]} "{match[2]}" in manifests{hint}'
