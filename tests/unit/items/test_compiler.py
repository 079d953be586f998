"""The compiled function gives what the slow way gives, for whatever templates and rows; or it gives up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manifest_runner.items.compiler import NOTHING_BESIDE, what_it_gives
from manifest_runner.items.renderer import Renderer, Unrendered
from manifest_runner.items.shorthands import TemplateSlot, shape_item
from manifest_runner.rows.base import Rows
from manifest_runner.templates.model import TemplateFault, has_delimiters
from manifest_runner.templates.sandbox import Sandbox
from manifest_runner.templates.scope import Scope
from manifest_runner.templates.template import Template
from manifest_runner.values import SpelledFloat

COLUMNS = ("a", "b", "items")
VARS = {"word": "x{y}", "number": SpelledFloat("0.10"), "list": ["p", "q"], "nothing": None}

TEXTS = st.text(st.sampled_from("aB;/ 'é{}%\\\n"), max_size=6)
CELLS = st.one_of(
    TEXTS,
    st.integers(-3, 3),
    st.sampled_from([SpelledFloat("1.50"), True, False, None]),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(st.sampled_from(["dataIds", "k"]), TEXTS, max_size=2),
    st.dictionaries(st.sampled_from(["b", "copy", "0"]), st.one_of(TEXTS, st.lists(TEXTS), st.just({"b": ["x"]}))),
    st.lists(st.dictionaries(st.sampled_from(["c", "b"]), TEXTS, max_size=2), max_size=2),
)
MAPPINGS = st.dictionaries(st.sampled_from(COLUMNS), CELLS)
TABLES = st.tuples(TEXTS, TEXTS, TEXTS).map(list)

NESTED = ["row.a.b", "row['b'][0].c", "row.a[0]", "row.a.copy", "row.b.b.b", "row.a['0']", "row.a[1][0]", "row.a.upper"]
NAMES = [
    "row.a",
    *NESTED,
    "row['b']",
    "row.items",
    "index",
    "vars.word",
    "vars.number",
    "vars.list",
    "vars.nothing",
    "name",
]
FILTERS = [
    "",
    " | split(';')",
    " | split",
    " | split(';') | lower",
    " | lower",
    " | upper",
    " | trim",
    " | trim('a')",
    " | slug",
    " | basename",
    " | replace('a', '{b}')",
    " | lower | split('b')",
    " | default('z')",
    " | length",
    " ~ '!'",
]
EXPRESSIONS = st.builds(lambda name, then: f"{{{{ {name}{then} }}}}", st.sampled_from(NAMES), st.sampled_from(FILTERS))
LITERALS = st.text(st.sampled_from("aB;/ 'é}\\"), max_size=4)
STATEMENTS = st.sampled_from(["{% if row.a %}yes{% endif %}", "{# nothing #}", "{{ '{{' }}", "{{ row }}"])
STRINGS = st.one_of(EXPRESSIONS, st.lists(st.one_of(EXPRESSIONS, LITERALS, STATEMENTS), max_size=4).map("".join))
SCALARS = st.one_of(STRINGS, st.sampled_from([True, None, 3, SpelledFloat("2.0"), "plain"]))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
CODED = st.dictionaries(st.sampled_from(["alpha", "beta", "gamma"]), VALUES, max_size=3)
FIELDS = st.fixed_dictionaries(
    {"userReference": STRINGS},
    optional={
        "tags": st.fixed_dictionaries({}, optional={"userTags": st.one_of(CODED, VALUES), "technicalTags": VALUES}),
        "analysisInput": st.fixed_dictionaries(
            {},
            optional={"inputs": st.one_of(CODED, STRINGS), "parameters": CODED, "inputJson": st.one_of(CODED, STRINGS)},
        ),
        "analysisOutput": st.lists(st.dictionaries(st.sampled_from(["targetPath", "type"]), SCALARS), max_size=2),
        "inputFormValues": st.fixed_dictionaries({}, optional={"fields": CODED}),
    },
)
KINDS = st.sampled_from(["nextflow", "nextflowJson", "cwl"])


def renderer(kind: Any, fields: Any, row: Any) -> tuple[Renderer, Any]:
    """The renderer of an analysis, and its fields with leaves; for a table where the row is a list."""
    columns = COLUMNS if isinstance(row, list) else None
    sandbox = Sandbox()
    scope = {"vars": Scope(VARS, "no var {}"), "project": "p", "name": "study"}
    leaves = resolved(fields, sandbox, scope, columns)
    return Renderer(kind, leaves, columns, scope), leaves


def resolved(value: Any, sandbox: Sandbox, scope: Any, columns: Any) -> Any:
    if isinstance(value, dict):
        return {key: resolved(each, sandbox, scope, columns) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, sandbox, scope, columns) for each in value]
    if not isinstance(value, str) or not has_delimiters(value):
        return value
    template = Template(value, sandbox)
    if template.constant:
        return template.render(scope)
    gives = what_it_gives(template, Rows(columns, lambda _report: iter(()), lambda _row: None))
    return TemplateSlot(template, (), gives == "text", gives == "texts")


def by_template(value: Any, scope: Any) -> Any:
    """The oracle: each string rendered by Jinja on its own."""
    if isinstance(value, dict):
        return {key: by_template(each, scope) for key, each in value.items()}
    if isinstance(value, list):
        return [by_template(each, scope) for each in value]
    return value.template.render(scope) if isinstance(value, TemplateSlot) else value


@given(KINDS, FIELDS, st.one_of(TABLES, MAPPINGS), st.integers(0, 3))
@example("nextflow", {"userReference": "{{ row.a | split(';') | lower }}"}, ["", "", ""], 0)
@example("nextflow", {"userReference": "x", "analysisInput": {"inputs": {"alpha": "{{ row.a }}"}}}, {"a": None}, 0)
def test_the_compiled_function_gives_what_each_template_gives_by_itself(kind, fields, row, index):
    try:
        made, leaves = renderer(kind, fields, row)
    except TemplateFault:
        return
    try:
        expected = shape_item(kind, by_template(leaves, made.scope(row, index)))
    except TemplateFault:
        expected = None
    try:
        found = made.compiled()(row, index, NOTHING_BESIDE)
    except Exception:  # noqa: BLE001 - it may give up on any row, and then the slow way decides
        try:
            found = made.render_slowly(row, index)
        except Unrendered:
            found = None
    assert found == expected
    assert found is None or list(found) == sorted(found)


CONDITIONS = st.recursive(
    st.builds(
        lambda left, operator, right: f"{left} {operator} {right}",
        st.sampled_from(["row.a", "row['b']", "row.items | lower", "index", "vars.word", "vars.number", "row.none"]),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]),
        st.sampled_from(["'a'", "1", "row.b", "['a', 'B']", "('a',)", "none", "true", "[row.a]"]),
    ),
    lambda inner: st.one_of(
        inner.map(lambda each: f"not ({each})"),
        st.builds(lambda left, word, right: f"({left}) {word} ({right})", inner, st.sampled_from(["and", "or"]), inner),
    ),
    max_leaves=3,
)


@given(CONDITIONS, st.one_of(TABLES, MAPPINGS), st.integers(0, 2))
@example("row.a < ('a',)", {"a": []}, 0)
def test_a_compiled_condition_decides_as_jinja_does(text, row, index):
    made, _ = renderer("nextflow", {}, row)
    template = Template(text, Sandbox(), expression=True)
    condition = made.condition(template)
    if condition is None:
        return
    try:
        found = bool(condition(row, index, NOTHING_BESIDE))
    except Exception:  # noqa: BLE001 - it may give up on any row, and then Jinja decides
        return
    assert found == bool(template.render(made.scope(row, index)))


@pytest.mark.parametrize(
    "text", ["row.a == 'x'", "row.a in ['x', 'y'] and not row.b", "index < 5 or row.a != vars.word"]
)
def test_a_condition_that_only_compares_is_compiled(text):
    made, _ = renderer("nextflow", {}, ["x", "", ""])
    condition = made.condition(Template(text, Sandbox(), expression=True))
    assert condition is not None
    assert condition(["x", "", ""], 0, NOTHING_BESIDE)


@pytest.mark.parametrize("text", ["row.a is defined", "row.a | length > 3", "row.a.startswith('x')", "row.nope == 'x'"])
def test_a_condition_that_does_more_is_left_to_jinja(text):
    made, _ = renderer("nextflow", {}, ["x", "", ""])
    assert made.condition(Template(text, Sandbox(), expression=True)) is None


def test_a_row_that_cannot_be_rendered_reports_each_template():
    fields = {"userReference": "{{ row.a }}", "logs": {"path": "{{ row.b }}-{{ index }}"}, "pipelineId": "{{ row.a }}"}
    made, _ = renderer("nextflow", fields, {})
    with pytest.raises(Unrendered) as raised:
        made.render_slowly({"a": "x"}, 0)
    assert [(leaf.template.text, fault.code) for leaf, fault in raised.value.faults] == [
        ("{{ row.b }}-{{ index }}", "MR402")
    ]


def test_a_number_without_end_is_the_fault_of_its_template():
    fields = {"userReference": "x", "analysisInput": {"parameters": {"p": "{{ 1e308 * (index + 10) }}"}}}
    made, _ = renderer("nextflow", fields, {})
    with pytest.raises(Unrendered) as raised:
        made.render_slowly({}, 0)
    assert [fault.code for _, fault in raised.value.faults] == ["MR405"]


def test_what_no_row_changes_is_one_value_for_all_items():
    fields = {"userReference": "{{ row.a }}", "analysisInput": {"parameters": {"p": [1, 2]}}}
    made, _ = renderer("nextflow", fields, ["x", "", ""])
    render = made.compiled()
    first, second = (render([cell, "", ""], 0, NOTHING_BESIDE) for cell in "xy")
    assert first["analysisInput"] is second["analysisInput"]


def test_text_of_the_manifest_is_never_code():
    quotes = """'"{row[0]}\\N{DASH}'''\n""" + '"""'
    fields = {"userReference": quotes + "{{ row.a }}" + quotes, quotes: quotes + "{{ row['\"' + \"'\"] }}"}
    made, _ = renderer("nextflow", {"userReference": fields["userReference"]}, ["x", "", ""])
    assert made.compiled()(["x", "", ""], 0, NOTHING_BESIDE) == {"userReference": quotes + "x" + quotes}
