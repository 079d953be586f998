"""The filters of manifests: an allow-list of Jinja's, strict versions of those that would guess, and a few of our own.

Jinja's text filters use Python's spelling of whatever they get (``True``, ``['a']``, an object with its address);
here a number or a boolean is spelled as the API wants it, and anything else is refused.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
from jinja2 import filters as builtin
from jinja2.runtime import Undefined

from manifest_runner.templates.limits import MAX_TEXT, TemplateRefused, refuse_large, refuse_wide, weight
from manifest_runner.text import kind_of, shown, uncapitalized
from manifest_runner.values import json_decoder, spelled_json, text_of

_AS_THEY_ARE = (
    "abs count d default dictsort first groupby items last length list map max min reject rejectattr reverse select "
    "selectattr sort unique"
).split()
_HOW_TO_SUM: Mapping[type, str] = {
    list: "; `sum(start=[])` makes one list of lists",
    str: "; `map('int')` or `map('float')` makes numbers of texts",
}
_WIDTHS = r"%(?:\([^)]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?"


def in_text(value: Any) -> Any:
    """The text of a value that is put into other text."""
    if isinstance(value, (str, Undefined)):
        return value
    if value is None:
        raise TemplateRefused(
            "null cannot be put into text; use `default('…', true)` or leave the field to one expression"
        )
    if not isinstance(value, (bool, int, float)):
        hint = "; use `join` or `to_json`" if isinstance(value, (list, tuple, range, dict)) else ""
        raise TemplateRefused(f"{kind_of(value)} cannot be put into text{hint}")
    return text_of(value)


def as_text(value: Any, filter_name: str) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, with a message about what is missing
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    raise TemplateRefused(f"{filter_name} works on text, not on {kind_of(value)}")


def split(value: Any, separator: str | None = None) -> list[str]:
    """The parts of a text; an empty text has none."""
    text = as_text(value, "split")
    return text.split(separator) if text else []


def slug(value: Any) -> str:
    """A valid userReference: each run of characters that are not allowed becomes one hyphen."""
    text = re.sub(r"[^A-Za-z0-9_-]+", "-", as_text(value, "slug")).strip("-")[:255]
    if not text:
        raise TemplateRefused("`slug` leaves nothing of this text")
    return text


def basename(value: Any) -> str:
    """The part of a path after the last slash, as in basename(1)."""
    text = as_text(value, "basename")
    return posixpath.basename(text.rstrip("/")) or text[:1]


def from_json(value: Any) -> Any:
    """The value of JSON text, such as a cell with a list. Numbers keep their spelling."""
    text = as_text(value, "from_json")
    try:
        return json_decoder().decode(text)
    except RecursionError as e:
        raise TemplateRefused("from_json: nested too deeply") from e
    except ValueError as e:
        reason = uncapitalized(getattr(e, "msg", str(e)))
        raise TemplateRefused(f"from_json: {shown(text)} is not JSON: {reason}") from e


def to_json(value: Any) -> str:
    """Compact JSON with keys in the order of RFC 8785 (UTF-16 code units), nulls kept, numbers as spelled."""
    refuse_undefined(value)
    return spelled_json(value)


def refuse_undefined(value: Any) -> None:
    """Raise, with a message about what is missing, if there is an undefined value in a value."""
    if isinstance(value, Undefined):
        str(value)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        refuse_undefined(each)


def lower(value: Any) -> str:
    return as_text(value, "lower").lower()


def upper(value: Any) -> str:
    return as_text(value, "upper").upper()


def trim(value: Any, chars: str | None = None) -> str:
    return as_text(value, "trim").strip(chars)


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = as_text(value, "replace"), as_text(old, "replace"), as_text(new, "replace")
    refuse_large(len(text) + text.count(old) * max(0, len(new) - len(old)))
    return text.replace(old, new, -1 if count is None else count)


@jinja2.pass_environment
def join(environment: Any, value: Any, d: Any = "", attribute: str | int | None = None) -> str:
    """Texts, numbers and booleans as one text, with a delimiter between them."""
    if isinstance(value, Undefined):
        return str(value)
    values = list(value)
    refuse_large(weight(values))
    if attribute is not None:
        values = list(map(builtin.make_attrgetter(environment, attribute), values))
    return joined(values, as_text(d, "join"))


def joined(values: Iterable[Any], delimiter: str) -> str:
    texts = [str(in_text(each)) for each in values]
    refuse_large(sum(map(len, texts)) + len(texts) * len(delimiter))
    return delimiter.join(texts)


def formatted(value: Any, *args: Any, **kwargs: Any) -> str:
    """printf-style formatting of texts and numbers."""
    text = as_text(value, "format")
    args = tuple(map(_boolean_as_text, args))
    kwargs = {key: _boolean_as_text(each) for key, each in kwargs.items()}
    widths = [width for match in re.finditer(_WIDTHS, text) for width in match.groups() if width]
    if any(width == "*" or len(width) > 3 for width in widths):
        refuse_wide(MAX_TEXT)
    for each in (*args, *kwargs.values()):
        if not isinstance(each, (str, int, float, Undefined)) or (isinstance(each, float) and not math.isfinite(each)):
            raise TemplateRefused(f"format works on text and numbers, not on {kind_of(each)}")
    longest = max([*map(int, widths), *(len(each) for each in (*args, *kwargs.values()) if isinstance(each, str)), 0])
    refuse_large(len(text) + text.count("%") * longest)
    return text % (kwargs or args)


def _boolean_as_text(value: Any) -> Any:
    return text_of(value) if isinstance(value, bool) else value


_NO_DEFAULT = object()


def to_int(value: Any, default: Any = _NO_DEFAULT, base: int = 10) -> Any:
    """A whole number. Jinja's own filter returns 0 for other text, which here would launch something wrong."""
    text = as_text(value, "int").strip()
    try:
        return int(text, base) if base != 10 or not re.search(r"[.eE]", text) else int(float(text))
    except (ValueError, OverflowError) as e:
        return _default(default, text, "a whole number", e)


def to_float(value: Any, default: Any = _NO_DEFAULT) -> Any:
    """A number; other text is refused unless there is a default."""
    text = as_text(value, "float").strip()
    try:
        number = float(text)
        if math.isfinite(number):
            return number
        raise ValueError(text)
    except ValueError as e:
        return _default(default, text, "a number", e)


def _default(default: Any, text: str, wanted: str, error: Exception) -> Any:
    if default is _NO_DEFAULT:
        raise TemplateRefused(f'"{text[:40]}" is not {wanted}') from error
    return default


@jinja2.pass_environment
def total(environment: Any, iterable: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    """The sum of numbers, or with ``start=[]`` one list of the values of lists, in linear time."""
    get = builtin.make_attrgetter(environment, attribute) if attribute is not None else lambda each: each
    values = [start, *map(get, iterable)]
    if isinstance(start, list):
        return _one_list(values)
    for each in values:
        if not isinstance(each, (int, float)):
            refuse_undefined(each)
            hint = next((words for kind, words in _HOW_TO_SUM.items() if isinstance(each, kind)), "")
            raise TemplateRefused(f"sum works on numbers, not on {kind_of(each)}{hint}")
    return sum(values)


def _one_list(lists: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in lists:
        if isinstance(each, Undefined):
            str(each)  # an undefined name is an error that names it
        if not isinstance(each, (list, tuple)):
            raise TemplateRefused(f"sum(start=[]) works on lists, not on {kind_of(each)}")
        refuse_large(len(found) + len(each))
        found += each
    return found


def rounded(value: Any, precision: int = 0, method: Any = "common") -> Any:
    refuse_wide(precision)
    return builtin.do_round(value, precision, method)


def batches(value: Any, linecount: int, fill_with: Any = None) -> list[Any]:
    refuse_wide(linecount)
    return list(builtin.do_batch(value, linecount, fill_with))


def slices(value: Any, slices: int, fill_with: Any = None) -> list[Any]:
    refuse_wide(slices)
    return list(builtin.sync_do_slice(value, slices, fill_with))


@jinja2.pass_environment
def truncated(environment: Any, value: Any, *args: Any, **kwargs: Any) -> str:
    return builtin.do_truncate(environment, as_text(value, "truncate"), *args, **kwargs)


def centered(value: Any, width: int = 80) -> str:
    refuse_wide(width)
    return as_text(value, "center").center(width)


def _of_text(name: str, act: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: act(as_text(value, name))


_STRICT: Mapping[str, Callable[..., Any]] = {
    "basename": basename,
    "batch": batches,
    "capitalize": _of_text("capitalize", str.capitalize),
    "center": centered,
    "float": to_float,
    "format": formatted,
    "from_json": from_json,
    "int": to_int,
    "join": join,
    "lower": lower,
    "replace": replace,
    "round": rounded,
    "slice": slices,
    "slug": slug,
    "split": split,
    "string": _of_text("string", str),
    "sum": total,
    "title": _of_text("title", builtin.do_title),
    "to_json": to_json,
    "tojson": to_json,
    "trim": trim,
    "truncate": truncated,
    "upper": upper,
    "urlencode": _of_text("urlencode", builtin.do_urlencode),
    "wordcount": _of_text("wordcount", builtin.do_wordcount),
}
FILTERS: Mapping[str, Callable[..., Any]] = {name: builtin.FILTERS[name] for name in _AS_THEY_ARE} | dict(_STRICT)
