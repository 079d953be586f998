"""The value of a string in a manifest: an expression's own value or text, and the names that it uses."""

from __future__ import annotations

import pytest

from manifest_runner.templates.model import Lookup, TemplateFault, has_delimiters
from manifest_runner.templates.sandbox import Sandbox
from manifest_runner.templates.scope import Scope
from manifest_runner.templates.template import Template
from manifest_runner.templates.used_names import unknown_names
from manifest_runner.values import SpelledFloat, SpelledInt

ROW = {
    "a": "x",
    "n": SpelledFloat("0.10"),
    "z": SpelledInt("-0"),
    "t": True,
    "none": None,
    "l": [1, "b"],
    "m": {"k": 1},
}


def scope() -> dict[str, object]:
    return {
        "row": Scope(ROW, 'the row has no column "{}"'),
        "vars": Scope({"ref": "r"}, 'there is no var "{}" here'),
        "env": Scope({}, '{} is not listed under "env"', {"RUN": "RUN is not set"}),
        "project": "p",
        "name": "m",
        "index": 3,
    }


def template(text: str, *, expression: bool = False) -> Template:
    return Template(text, Sandbox(), expression=expression)


def fault(text: str, *, expression: bool = False) -> TemplateFault:
    with pytest.raises(TemplateFault) as raised:
        template(text, expression=expression).render(scope())
    return raised.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ row.l }}", [1, "b"]),
        ("{{ row.m }}", {"k": 1}),
        ("{{ row.none }}", None),
        ("{{ row.t }}", True),
        ("{{ index }}", 3),
        ("{{ row.l }}\n", [1, "b"]),
        ("{{- row.l -}}", [1, "b"]),
        ("{{ row.n * 2 }}", 0.2),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ row.l }} ", None),
        (" {{ row.t }}", " true"),
        ("{{ row.t }}{{ row.t }}", "truetrue"),
        ("{{ row.t }}\n\n", "true\n\n"),
        ("a{{ row.n }}b{{ row.z }}", "a0.10b-0"),
        ("{{ 1.5 }}x", "1.5x"),
        ("{% if row.t %}y{% endif %}", "y"),
        ("{# note #}", ""),
        ("plain", "plain"),
        ("{{ 'a' }}{# note #}", "a"),
        ("{{ '%s' | format(row.t) }}{{ '%s' % row.t }}", "truetrue"),
        ("{{ 'tumor-normal' | wordcount }}", 2),
    ],
)
def test_one_whole_expression_keeps_its_type_and_all_else_is_text(text, value):
    if value is None and text.endswith(" "):
        assert fault(text).code == "MR403"
        return
    rendered = template(text).render(scope())
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize("name", ["n", "z"])
def test_a_number_keeps_its_spelling(name):
    assert str(template("{{ row." + name + " }}").render(scope())) == ROW[name].spelling


@pytest.mark.parametrize("name", ["none", "l", "m"])
def test_null_and_containers_cannot_be_part_of_a_text(name):
    assert fault("x{{ row." + name + " }}").code == "MR403"


def test_what_one_string_sets_the_next_does_not_see():
    sandbox = Sandbox()
    Template("{% set secret = 1 %}{{ secret }}", sandbox).render(scope())
    with pytest.raises(TemplateFault, match='"secret" is not defined'):
        Template("{{ secret }}", sandbox).render(scope())


def test_a_render_is_the_same_each_time():
    again = template("{% for k, v in row.items() %}{{ k }}{% endfor %}{{ index }}")
    assert len({again.render(scope()) for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{{ row.b }}", "MR402", 'the row has no column "b"'),
        ("{{ vars.rf }}", "MR402", 'there is no var "rf" here; did you mean "ref"?'),
        ("{{ env.RUN }}", "MR402", "RUN is not set"),
        ("{{ env.X }}", "MR402", 'X is not listed under "env"'),
        ("{{ rwo.a }}", "MR402", '"rwo" is not defined; did you mean "row"?'),
        ("{{ row.m.q }}", "MR402", 'this mapping has no "q"; it has "k"'),
        ("{{ row.a", "MR401", 'not a template: it is not closed with "}}"'),
        ("{{ row.a row.b }}", "MR401", "not a template: an operator is missing or superfluous, got 'row'"),
        ("{{ " + "1 + " * 250 + "1 }}", "MR401", "not a template: it is nested too deeply"),
        ("{{ " + "1 or " * 2000 + "1 }}", "MR401", "not a template: it is nested too deeply"),
        ("{% if %}", "MR401", "not a template: Expected an expression, got 'end of statement block'"),
        ("{% break %}", "MR401", "not a template: {% break %} is outside of a loop"),
        ("{{ row.a ? 1 : 2 }}", "MR401", 'not a template: "?" is not an operator here; write "A if CONDITION else B"'),
        ("{{ row.a | }}", "MR401", "not a template: a name is missing at the end"),
        ("{{ null }}", "MR402", '"null" is not defined; write "none"'),
        ("{{ [row.b] | to_json }}", "MR402", 'the row has no column "b"'),
        ("{{ row.copy.x }}", "MR402", 'the row has no column "copy"'),
        ("{{ [row.b] | sum }}", "MR402", 'the row has no column "b"'),
        ("{{ ['1'] | sum }}", "MR403", "sum works on numbers, not on text; `map('int')` or `map('float')` makes"),
        ("{{ [row.m].k }}", "MR402", "a list has no k, but its elements have; write `| map(attribute='k') | list`"),
        ("{{ {'38': 1}[38] }}", "MR402", 'this mapping has "38" as text, not as a number; use `| string`'),
        ("{{ row.none[0] }}", "MR402", "null has no element [0]"),
        ("{{ row.m.q[0].x }}", "MR402", 'this mapping has no "q"; it has "k"'),
        ("{{ [] | first }}", "MR402", "an empty list has no first element"),
        ("{{ row.items }}", "MR403", 'the row has no column "items"; known: '),
        ("{{ row.a is even }}", "MR403", "even is for numbers, not for text; use `| int`"),
        ("{{ row.a + 1 }}", "MR404", '"+" cannot add a number to text; the cells of a table are text'),
        ("{{ row.a * row.a }}", "MR404", '"*" takes a number, not text; the cells of a table are text'),
        ("{{ row.a % 2 }}", "MR404", "the text has fewer places, such as %s, than there are values; the cells"),
        ("{{ row.n - row.a }}", "MR404", '"-" does not work on a number and text; the cells of a table are text'),
        ("{{ row.l + row.a }}", "MR404", '"+" cannot add text to a list'),
        ("{{ row.m < none }}", "MR404", '"<" cannot compare a mapping with null'),
        ("{{ [row.l] | unique }}", "MR404", "a list cannot be a key, nor be counted once by `unique`"),
        ("{% for k, v in {'key': 1} %}{% endfor %}", "MR404", "expected 2 values for the 2 names; to loop"),
        ("{{ row.l | map('uper') }}", "MR404", 'there is no filter "uper" in manifests; did you mean "upper"?'),
        ("{{ 1 / 0 }}", "MR404", "division by zero"),
        ("{{ 1e308 * 10 }}", "MR405", "the template makes a number that is too large"),
        ("{{ 2.0 ** 99999 }}", "MR405", "the template makes a number that is too large"),
        ("{{ 'L1' | int }}", "MR403", '"L1" is not a whole number'),
    ],
)
def test_a_fault_says_what_is_wrong(text, code, words):
    found = fault(text)
    assert (found.code, str(found)[: len(words)]) == (code, words)


def test_where_is_an_expression_without_braces():
    assert template("row.a == 'x'", expression=True).render(scope()) is True
    assert template("row.a == '}}'", expression=True).render(scope()) is False
    assert "leave out the {{ }}" in str(fault("{{ row.a }}", expression=True))
    for text in ("row.a }}{{ row.b", "row.a ==", "", "row.a; row.b"):
        assert fault(text, expression=True).code == "MR401"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{ row.a }}", (Lookup("row", "a"),)),
        ("x-{{ row['a'] }}", ("x-", Lookup("row", "a"))),
        ("{{ index }}", (Lookup("index", None),)),
        ("{{ row.a | split(';') }}\n", (Lookup("row", "a", (("split", (";",)),)),)),
        ("{{ row.a.b[0]['c'] }}", (Lookup("row", "a", (), ("b", 0, "c")),)),
        ("{{ row.a.items }}", None),
        ("{{ row.a[true] }}", None),
        ("{{ row.a.b | upper }}", None),
        ("{{ row.a ~ 'x' }}", None),
        ("{% if row.a %}x{% endif %}", None),
        ("{{ row[index] }}", None),
        ("{{ row.a | default(row.b) }}", None),
    ],
)
def test_mere_lookups_are_recognized(text, parts):
    assert template(text).parts == parts


def test_what_a_template_reads_is_known():
    used = template("{{ row.a }}{{ row['b'] }}{{ vars.ref }}").used
    assert (used.columns, used.vars, used.whole_row, used.whole_vars) == ({"a", "b"}, {"ref"}, False, False)
    assert template("{{ row | to_json }}").used.whole_row
    assert template("{{ row.get('a') }}").used.whole_row
    assert template("{{ row[name] }}").used.whole_row


def test_only_strings_with_delimiters_are_templates():
    assert [has_delimiters(each) for each in ("{{ a }}", "{% a %}", "{# a #}", "{a}", "a", "{")] == [True] * 3 + [
        False
    ] * 3


# -- names that are checked before any row is


def unknown(text: str) -> list[str]:
    known = {
        **dict.fromkeys(("index", "project", "name")),
        **{k: v for k, v in scope().items() if isinstance(v, Scope)},
    }
    return list(unknown_names(template(text), known))


@pytest.mark.parametrize(
    "text",
    [
        "{{ row.a }}",
        "{{ row.b | default('') }}",
        "{{ row.b is defined }}",
        "{{ row.b if 'b' in row else '' }}",
        "{% if row.b %}{{ row.c }}{% endif %}",
        "{{ row.get('b') }}",
        "{{ row.items() | list }}",
        "{% set x = 1 %}{{ x }}",
        "{% for x in row.l %}{{ x }}{{ loop.index }}{% endfor %}",
        "{% macro m(x) %}{{ x }}{{ varargs }}{% endmacro %}{{ m(1) }}",
        "{% set row = row.m %}{{ row.anything }}",
        "{{ range(3) | list }}{{ namespace() }}{{ dict() }}",
        "{{ nope | default('x') }}",
        "{{ (nope ~ 'x') | d('x') }}",
    ],
)
def test_what_may_be_there_is_left_to_the_rows(text):
    assert unknown(text) == []


NO_B = 'the row has no column "b"; known: "a", "n", "z", "t", "none", "l", …'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ a }}", ['"a" is not defined; did you mean "row.a"?']),
        ("{{ row['l x'] }}", ['the row has no column "l x"; known: "a", "n", "z", "t", "none", "l", …']),
        ("{{ row.b }}", [NO_B]),
        ("{{ (row.b ~ row.b) | upper }}", [NO_B]),
        (
            "{{ row.b }}{{ vars.reff }}",
            [NO_B, 'there is no var "reff" here; did you mean "ref"?'],
        ),
        ("{{ rwo.a }}", ['"rwo" is not defined; did you mean "row"?']),
        (
            "{% for x in y %}{{ x }}{% endfor %}",
            ['"y" is not defined; templates know row, rows, index, source, vars, tables, env, project, name'],
        ),
    ],
)
def test_what_no_row_can_supply_is_reported_before_them(text, found):
    assert sorted(unknown(text)) == sorted(found)


def test_without_a_row_there_is_no_row():
    assert list(unknown_names(template("{{ row.a }}"), {"vars": None})) == ['"row" is known only where there is a row']


@pytest.mark.parametrize("text", ["a{#", "{#", "{#-", "{{ row.a }}{#"])
def test_a_comment_that_opens_at_the_end_is_not_dropped(text):
    with pytest.raises(TemplateFault, match="not closed"):
        Template(text, Sandbox())
