"""The filters, tests and methods that the sandbox allows in templates."""

from __future__ import annotations

import inspect

import jinja2

from manifest_runner.templates import sandbox
from manifest_runner.templates.filters import FILTERS

# Filters that Jinja does not have. The first line of each docstring describes the result.
OWN = sorted(set(FILTERS) - set(jinja2.filters.FILTERS))


def reference() -> str:
    lines = ["## Filters", "", "Filters of manifest-runner:", "", "| filter | result |", "| --- | --- |"]
    lines += [f"| `{name}` | {_first_line(FILTERS[name].__doc__)} |" for name in OWN]
    others = sorted(set(FILTERS) - set(OWN))
    lines += ["", f"Filters of Jinja: {_listed(others)}.", ""]
    lines += ["## Tests", "", f"After `is`, or in filters such as `select`: {_listed(sandbox.TESTS)}.", ""]
    lines += ["## Methods", "", f"Of text: {_listed(sorted(sandbox.STRING_METHODS))}.", ""]
    lines += [f"Of mappings: {_listed(sorted(sandbox.MAPPING_METHODS))}. Of lists: `count`, `index`.", ""]
    return "\n".join(lines)


def _first_line(text: str | None) -> str:
    return inspect.cleandoc(text or "").partition("\n")[0]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
