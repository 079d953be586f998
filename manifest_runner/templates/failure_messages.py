"""Python's and Jinja's errors in evaluating an expression, in the words of a manifest's author."""

from __future__ import annotations

import re

from manifest_runner.templates.syntax_messages import syntax_words

_CELLS_ARE_TEXT = "; the cells of a table are text: use `| int` or `| float`"
_KINDS = {
    "str": "text",
    "bool": "true or false",
    "list": "a list",
    "range": "a list",
    "tuple": "a list in parentheses",
    "NoneType": "null",
    "Table": "a table (it is only for looking up rows)",
    **dict.fromkeys(("int", "float", "SpelledInt", "SpelledFloat"), "a number"),
    **dict.fromkeys(("dict", "Scope", "RowScope"), "a mapping"),
}
# What an error says, and what it means; {1} is its first group, and the name of a type becomes that of a kind of value.
_PHRASES = (
    (r"'([<>]=?)' not supported between instances of '(\w+)' and '(\w+)'", '"{1}" cannot compare {2} with {3}'),
    (r'can only concatenate (\w+) \(not "(\w+)"\) to \w+', '"+" cannot add {2} to {1}'),
    (r"unsupported operand type\(s\) for (\S+)[^:]*: '(\w+)' and '(\w+)'", '"{1}" does not work on {2} and {3}'),
    (r"can't multiply sequence by non-int of type '(\w+)'", '"*" takes a number, not {1}'),
    (r"bad operand type for unary (.): '(\w+)'", '"{1}" does not work on {2}'),
    (r"bad operand type for abs\(\): '(\w+)'", "abs works on numbers, not on {1}"),
    (r"type (\w+) doesn't define __round__ method", "round works on numbers, not on {1}"),
    (r"'(\w+)' object cannot be interpreted as an integer", "expected a whole number, got {1}"),
    (r"%(.) format: .* is required, not (\w+)", "%{1} takes a number, not {2}"),
    (r"'in <string>' requires string as left operand, not (\w+)", '"in" looks for text in text, not for {1}'),
    (r"argument of type '(\w+)' is not iterable", '"in" looks into text, a list or a mapping, not into {1}'),
    (r"'(\w+)' object is not iterable|cannot unpack non-iterable (\w+) object", "expected a list, got {1}"),
    (r"object of type '(\w+)' has no len\(\)", "{1} has no length"),
    (r"'(\w+)' object has no attribute 'items'", "expected a mapping, got {1}"),
    (r"unhashable type: '(\w+)'", "{1} cannot be a key, nor be counted once by `unique`"),
    (
        r"(?:not enough|too many) values to unpack \(expected (\d+).*",
        "expected {1} values for the {1} names; to loop over a mapping, write `.items()`",
    ),
    (r"not enough arguments for format string", "the text has more places, such as %s, than there are values"),
    (
        r"not all arguments converted during string formatting",
        f"the text has fewer places, such as %s, than there are values{_CELLS_ARE_TEXT}",
    ),
    (r"No (first|last) item, sequence was empty\.", "an empty list has no {1} element"),
    (r"No aggregated item, sequence was empty\.", "an empty list has no smallest or largest element"),
    (r"(No (?:filter|test) named '.*')\.", "{1}"),
)


def failure_words(error: Exception) -> str:
    """What is wrong with an expression that cannot be evaluated, with a hint for the most common mistake."""
    said = str(error) or type(error).__name__
    for pattern, words in _PHRASES:
        if match := re.fullmatch(pattern, said):
            groups = [group for group in match.groups() if group]
            meant = words.format("", *(_KINDS.get(group, group) for group in groups))
            return syntax_words(meant, "") + (_CELLS_ARE_TEXT if _mixes_up_numbers(groups, meant) else "")
    return said


def _mixes_up_numbers(types: list[str], meant: str) -> bool:
    """Whether a text is where a number is meant."""
    return "str" in types and ("number" in meant or re.match(r'"[-*/%]', meant) is not None)
