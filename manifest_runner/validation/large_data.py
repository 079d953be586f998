"""jsonschema's keywords for what lists and mappings hold, made fit for very large ones.

jsonschema takes a tenth of a millisecond for an element, be it right or wrong. Here the compiled validator says which
elements are wrong, jsonschema has to word the first of them only, and the others are counted.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MAX_WORDED = 50
# The keyword that an error about all further elements claims to be of.
MORE = "more"

IsValid = Callable[[object], bool]
# Compiles a schema; None where it is not one by itself.
Compile = Callable[[dict[str, Any]], IsValid | None]
Keyword = Callable[[Any, Any, Any, Any], Iterator[Any]]
# The elements that a keyword is about, each with the step that leads to it; None where the usual keyword has to decide.
_Elements = Callable[[Any, Any], Iterable[tuple[str | int | None, Any]] | None]


def large_data_keywords(
    dialect: Any, root: dict[str, Any] | bool, compile_part: Compile, error: Callable[..., Any]
) -> dict[str, Keyword]:
    """The keywords to extend a jsonschema dialect with, for the validator of the schema ``root``.

    ``error`` is jsonschema's ValidationError.
    """
    top = {} if isinstance(root, bool) else root
    shared: dict[str, Any] = {name: top[name] for name in ("$schema", "$defs", "definitions") if name in top}

    @functools.cache
    def is_valid(part: str) -> IsValid | None:
        return compile_part({**shared, "allOf": [json.loads(part)]})

    found = {"items": _listed, "additionalProperties": _others, "propertyNames": _names}
    usual = dialect.VALIDATORS
    return {name: _bounded(usual[name], found[name], is_valid, error) for name in found.keys() & usual.keys()}


def _bounded(
    usual: Keyword, elements_of: _Elements, compiled: Callable[[str], IsValid | None], error: Callable[..., Any]
) -> Keyword:
    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        is_large = isinstance(wanted, dict) and isinstance(instance, (list, dict)) and len(instance) > MAX_WORDED
        elements = elements_of(instance, schema) if is_large else None
        is_valid = None if elements is None else compiled(json.dumps(wanted))
        if elements is None or is_valid is None:
            yield from usual(validator, wanted, instance, schema)
        else:
            faulty = [each for each in elements if not is_valid(each[1])]
            for step, element in faulty[:MAX_WORDED]:
                yield from validator.descend(element, wanted, path=step)
            for step, _ in faulty[MAX_WORDED : MAX_WORDED + 1]:
                words = f"{len(faulty) - MAX_WORDED:,} more have problems, starting with this one"
                yield error(words, validator=MORE, path=() if step is None else (step,))

    return check


def _listed(instance: Any, schema: Any) -> Iterable[tuple[int, Any]] | None:
    return enumerate(instance) if isinstance(instance, list) and "prefixItems" not in schema else None


def _others(instance: Any, schema: Any) -> Iterable[tuple[str, Any]] | None:
    if not isinstance(instance, dict) or "patternProperties" in schema:
        return None
    known = schema.get("properties", {})
    return ((key, value) for key, value in instance.items() if key not in known)


def _names(instance: Any, _schema: Any) -> Iterable[tuple[None, Any]] | None:
    """A name at fault has no path: the error is the mapping's."""
    return ((None, name) for name in instance) if isinstance(instance, dict) else None
