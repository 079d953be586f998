"""libyaml's errors in words that a manifest's author understands. Pure."""

from __future__ import annotations

import re

import msgspec

# A template that is not quoted reads as a mapping in a mapping, or as a directive.
_BARE_TEMPLATE = re.compile(r"(?::\s+|^\s*-\s+)[{][{%]")
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
# Quoted text that is followed by something else.
_CLOSED_DOUBLE = re.compile(r'(?:^|[\s\[{,])"(?:[^"\\]|\\.)*"[^\s,\]}:#]')
_CLOSED_SINGLE = re.compile(r"(?:^|[\s\[{,])'[^']*'[^\s,\]}:#']")
# Characters that end a line for libyaml, as in YAML 1.1; they are invisible in most editors and come with copied text.
_HIDDEN_BREAK = re.compile("[\x85\u2028\u2029]")
# libyaml's complaints about what is inside quoted text, which is closed.
_ESCAPE = re.compile("escape|hexdecimal")
_QUOTE_TEMPLATE = 'quote a template: "{{ … }}"'


class Complaint(msgspec.Struct, frozen=True):
    """An error of libyaml: its context and its problem, and the offset of each in the text (None if it has none)."""

    context: str
    context_at: int | None
    problem: str
    problem_at: int | None


def explained(complaint: Complaint, text: str) -> tuple[int, str]:
    """The place of a mistake in the text, and a message about it."""
    at = complaint.problem_at or 0
    start = at if complaint.context_at is None else complaint.context_at
    line = _line(text, at)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return at, "a tab cannot indent; use spaces"
    if _BARE_TEMPLATE.search(line):
        return at, _QUOTE_TEMPLATE
    if hidden := _HIDDEN_BREAK.search(text, text.rfind("\n", 0, start) + 1, at + 1):
        return hidden.start(), f"the invisible character U+{ord(hidden[0]):04X} ends a line here; remove it"
    if conflict := _CONFLICT.search(text):
        return conflict.start(), "an unresolved merge conflict; keep one side, and delete the lines with the markers"
    is_escape = _ESCAPE.search(complaint.problem) is not None
    if not is_escape and _CLOSED_DOUBLE.search(line):
        return at, "a double quote inside double-quoted text ends it; in a template use single quotes: split(';')"
    if not is_escape and _CLOSED_SINGLE.search(line):
        return at, "a single quote inside single-quoted text ends it; put the text in double quotes"
    for phrase, words, at_start in _PHRASES:
        if phrase in f"{complaint.context}: {complaint.problem}":
            opened = text.count("\n", 0, start) + 1
            return start if at_start else at, words.format(character=_character(text, at), line=opened)
    return at, ": ".join(part for part in (complaint.context, complaint.problem) if part)


def bare_template_hint(text: str, at: int) -> str:
    return f"; {_QUOTE_TEMPLATE}" if _BARE_TEMPLATE.search(_line(text, at)) else ""


# libyaml's words, what they mean, and whether the mistake is where the construct starts.
_PHRASES = (
    ("scanning a quoted scalar: found unexpected end", "the quote that opens here is never closed", True),
    ("mapping values are not allowed", 'unexpected ": "; quote text that contains it, or fix the indentation', False),
    ("sequence entries are not allowed", 'unexpected "- "; quote the whole text, or fix the indentation', False),
    ("cannot start any token", "text cannot start with {character} unless it is quoted", False),
    ("scanning an alias", 'text that starts with "*" must be quoted', True),
    ("scanning an anchor", 'text that starts with "&" must be quoted', True),
    ("expected ',' or ']'", 'expected "," or "]": the list opened on line {line} continues here', False),
    ("expected ',' or '}'", 'expected "," or "}}": the mapping opened on line {line} continues here', False),
    (
        "expected '-' indicator",
        'expected "- " or other indentation: this is in the list that starts on line {line}',
        False,
    ),
    ("expected key", "this does not fit the mapping that starts on line {line}: fix its indentation or quotes", False),
    ("could not find expected ':'", 'expected "key: value"; a text of several lines needs "|" or quotes', True),
    ("expected node content", "a value is missing here", False),
    ("unknown escape", 'unknown escape; in double quotes write a backslash as "\\\\", or use single quotes', False),
    (
        "expected hexdecimal number",
        'after \\x, \\u or \\U come 2, 4 or 8 hexadecimal digits; write a backslash as "\\\\", or use single quotes',
        False,
    ),
    (
        "invalid Unicode character escape",
        "this escape is not a character; write the character itself, also for a pair such as \\ud83d\\ude00",
        False,
    ),
    (
        "block scalar: did not find expected comment",
        'nothing can follow "|" or ">" on this line; the text starts on the next one',
        False,
    ),
    ("scanning a directive", 'a line that starts with "%" is a directive; quote text that starts with it', True),
    ("expected <document start>", "what is above is complete without this; fix its indentation or quotes", False),
    ("incompatible YAML document", "this is not YAML 1.2; remove the line that starts with %YAML", False),
    ("scanning a tag", 'text that starts with "!" must be quoted', True),
    ("maximum nesting depth", "nested too deeply", False),
)


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : len(text) if end < 0 else end]


def _character(text: str, at: int) -> str:
    return f'"{text[at : at + 1]}"' if text[at : at + 1].isprintable() else "this character"
