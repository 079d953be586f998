"""Templates come from pull requests: none escapes the sandbox, none differs from run to run, none runs forever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manifest_runner.templates.model import TemplateFault
from manifest_runner.templates.sandbox import Sandbox, bounded_range
from manifest_runner.templates.scope import Scope
from manifest_runner.templates.template import Template


def scope(row: dict | None = None, **more: object) -> dict[str, object]:
    return {
        "row": Scope(
            {"sample": "NA1", "fastqs": "a;b", "n": "3"} if row is None else row, 'the row has no column "{}"'
        ),
        "vars": Scope({"list": [1, 2, 3], "map": {"k": [1]}, "big": ["x"] * 20_000}, 'there is no var "{}" here'),
        "env": Scope({"SITE": "lab"}, 'the environment variable {} is not listed under "env"'),
        "project": "p",
        "name": "n",
        "index": 0,
        **more,
    }


def render(text: str, **more: object) -> object:
    return Template(text, Sandbox()).render(scope(**more))


def refusal(text: str) -> TemplateFault:
    with pytest.raises(TemplateFault) as raised:
        render(text)
    return raised.value


# Published escapes and their kin. Each must fail with words, not with a value and not with Python's own error.
ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ row.__class__.__init__.__globals__ }}",
    "{{ row.__init__.__globals__ }}",
    "{{ row['__class__'] }}",
    "{{ vars.list.__class__ }}",
    "{{ [].__class__.__base__ }}",
    "{{ {}.__class__ }}",
    "{{ ().__class__.__bases__[0] }}",
    "{{ (1).__class__ }}",
    "{{ 1.5.hex() }}",
    "{{ none.__class__ }}",
    "{{ range.__class__ }}",
    "{{ dict.__class__ }}",
    "{{ dict.__subclasses__() }}",
    "{{ dict.fromkeys }}",
    "{{ namespace.__init__ }}",
    "{{ namespace().__class__ }}",
    "{{ namespace(a=1).__dict__ }}",
    "{{ undefined_name.__class__ }}",
    "{{ undefined_name._undefined_obj }}",
    "{{ row.nope._fail_with_undefined_error }}",
    "{{ (row.nope | default(row)).__class__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ cycler('a').next() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ joiner()() }}",
    "{{ lipsum.__globals__ }}",
    "{{ lipsum() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self }}",
    "{{ self.x() }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ g.pop.__globals__ }}",
    "{{ __import__('os') }}",
    "{{ open('/etc/passwd') }}",
    "{{ caller() }}",
    "{% macro m() %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{% endmacro %}{{ m.__class__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{% endmacro %}{{ m }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for x in [1] %}{{ loop }}{% endfor %}",
    "{% for x in [1] %}{{ loop.cycle.__func__ }}{% endfor %}",
    "{% for x in [[1]] recursive %}{{ loop(x) }}{% endfor %}",
    # str.format and its relatives: CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({'0': 1}) }}",
    "{{ '{x.__class__}'['format_map']({'x': 1}) }}",
    "{{ '{a.__class__}' | attr('format') }}",
    "{{ ''|attr('__class__') }}",
    "{{ ('{0.__class__}'.format)(1) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "{{ ['{0.__class__}'] | map(attribute='format') | list }}",
    "{{ (['{0.__class__}'] | map(attribute='format') | first)(1) }}",
    "{% for f in ['{0.__class__}'] | map(attribute='format') %}{{ f(1) }}{% endfor %}",
    "{{ '%(a)s' | format(a=row) }}",
    "{{ '%r' | format(range) }}",
    "{{ '%s' % row }}",
    "{{ '%s' % [1] }}",
    # attributes by way of filters
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ [''] | map(attribute='__class__.__mro__') | list }}",
    "{{ [''] | selectattr('__class__') | list }}",
    "{{ [''] | rejectattr('__class__.__init__', 'none') | list }}",
    "{{ [''] | groupby('__class__') }}",
    "{{ ['', 'a'] | sort(attribute='__class__') }}",
    "{{ [''] | sum(attribute='__class__') }}",
    "{{ ['', 'a'] | max(attribute='__class__') }}",
    "{{ [''] | unique(attribute='__class__') | list }}",
    "{{ [''] | join(attribute='__class__') }}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ 'a' | map('nosuch') | list }}",
    # filters that are not there
    "{{ {'a': 1} | xmlattr }}",  # CVE-2024-22195, CVE-2024-34064
    "{{ {'a b': 1} | xmlattr }}",
    "{{ row | pprint }}",
    "{{ '<' | escape }}",
    "{{ '<' | e }}",
    "{{ '<' | safe }}",
    "{{ 'x' | forceescape }}",
    "{{ 'http://x' | urlize }}",
    "{{ '<a>' | striptags }}",
    "{{ [1, 2] | random }}",
    "{{ 'a' | filesizeformat }}",
    "{{ 'a' | indent(1000000000) }}",
    "{{ 'a' | wordwrap(1) }}",
    # statements: other templates, blocks, CVE-2024-56201's file names
    "{% include '/etc/passwd' %}",
    "{% include ['a', 'b'] ignore missing %}",
    "{% import 'os' as os %}",
    "{% from 'os' import system %}",
    "{% extends 'base' %}",
    "{% block a %}{% endblock %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% autoescape true %}{{ '<' }}{% endautoescape %}",
    "{% do row.clear() %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    # methods that change or leak
    "{{ vars.list.append(1) }}",
    "{{ vars.map.update({'a': 1}) }}",
    "{{ vars.map.pop('k') }}",
    "{{ vars.map.__setitem__('a', 1) }}",
    "{{ row.sample.encode() }}",
    "{{ row.sample.translate({}) }}",
    "{{ row.sample.maketrans }}",
    "{{ dict['a'] }}",
    "{{ row.sample('x') }}",
    "{{ 5() }}",
    "{{ none() }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_an_escape_is_refused_with_words(text):
    fault = refusal(text)
    assert fault.code in ("MR401", "MR402", "MR403", "MR404")
    assert " at 0x" not in str(fault)
    assert "Traceback" not in str(fault)


ADDRESSES = [
    "{{ row.sample.split }}",
    "{{ row.sample['upper'] }}",
    "{{ ['a'] | map(attribute='upper') | list }}",
    "{{ ['a'] | map(attribute='upper') | list | string }}",
    "{{ ['a'] | map(attribute='upper') | list | upper }}",
    "{{ ['a'] | map(attribute='upper') | join }}",
    "{{ ['a'] | map(attribute='upper') | first }}",
    "{{ namespace(a=1) }}",
    "{{ [namespace(a=1)] }}",
    "{{ namespace(a=1) | string }}",
    "{{ range }}",
    "{{ dict }}",
    "{{ [range] }}",
    "{{ {'a': range} }}",
    "x{{ vars.list | map('string') }}",
    "x{{ [1, 2] }}",
    "x{{ {'a': 1} }}",
    "{{ 'x' ~ [1] }}",
    "{{ 'x' ~ none }}",
    "{{ [1] | string }}",
    "{{ {'a': 1} | upper }}",
    "{{ none | lower }}",
    "{{ [1] | title }}",
    "{{ [1] | urlencode }}",
    "{{ [1] | trim }}",
    "{{ [[1]] | join }}",
    "{{ [{'a': [1]}] | join(attribute='a') }}",
    "{{ {1: 2} }}",
    "{{ none ~ '' }}",
]


@pytest.mark.parametrize("text", ADDRESSES)
def test_what_python_would_print_of_its_objects_never_reaches_text(text):
    assert refusal(text).code == "MR403"


def test_a_method_is_not_json():
    assert refusal("{{ [['a'] | map(attribute='upper') | list] | to_json }}").code == "MR404"


BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ [1] * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ 9**999999999 }}",
    "{{ 2**-99999999999 }}",
    "{{ (9**999)**999 }}",
    "{{ range(10**9) | list }}",
    "{{ range(-10**9, 10**9, 1) | length }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%-1000000000s' % 'a' }}",
    "{{ '%.1000000000f' % 1.5 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ ('%(a)999d' * 100000) | format(a=1) }}",
    "{{ ('%(a)s' * 1000) | format(a='x' * 100000) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'['center'](10**9) }}",
    "{{ 'a'.center(*[10**9]) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.rjust(10**9, 'b') }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a' | center(*[10**9]) }}",
    "{{ 'a' | center(width=10**9) }}",
    "{{ ['a'] | map('center', 10**9) | list }}",
    "{{ [1] | batch(10**9, 0) | list }}",
    "{{ [1] | slice(10**9) | list }}",
    "{{ 1.5 | round(10**9) }}",
    "{{ 'ab' | replace('', 'x' * 1000000) }}",
    "{{ ('a' * 1000).replace('a', 'b' * 10000) }}",
    "{{ ('a' * 1000000) ~ ('b' * 1000000) }}",
    "{{ (['a' * 100000] * 100) | join }}",
    "{{ ''.join(['a' * 100000] * 100) }}",
    "{{ ('a' * 100000).join(['b'] * 100) }}",
    "{{ ([[1] * 100000] * 1000) | sum(start=[]) }}",
    "{% set s = namespace(x='a') %}{% for i in range(99) %}{% set s.x = s.x ~ s.x %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x='a') %}{% for i in range(99) %}{% set s.x = s.x + s.x %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x='a') %}{% for i in range(99) %}{% set s.x = s.x.replace('a', 'aa') %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x=[1]) %}{% for i in range(99) %}{% set s.x = s.x + s.x %}{% endfor %}{{ s.x | length }}",
    "{% set s = namespace(x=[1]) %}{% for i in range(99) %}{% set s.x = [s.x, s.x] %}{% endfor %}{{ s.x | to_json }}",
    "{% set s = namespace(x=[1]) %}{% for i in range(99) %}{% set s.x = [s.x, s.x] %}{% endfor %}{{ s.x == [] }}",
    "{% set s = namespace(x=(1,)) %}{% for i in range(99) %}{% set s.x = (s.x, s.x) %}{% endfor %}{{ {s.x: 1} }}",
    "{% set s = namespace(x={}) %}{% for i in range(99) %}{% set s.x = {'a': s.x, 'b': s.x} %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x={}) %}{% for i in range(99) %}{% set s.x = dict(a=s.x, b=s.x) %}{% endfor %}{{ s.x }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for i in range(400) %}{% for j in range(400) %}{% set x = 1 %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{{ vars.big | length }}{% endfor %}",
    "{% for i in range(99999) %}{{ 'b' in vars.big }}{% endfor %}",
    "{% for i in range(99999) %}{{ vars.big == vars.list }}{% endfor %}",
    "{% for i in range(99999) %}{{ ('a' * 1000000).count('b') }}{% endfor %}",
    "{% for i in range(99999) %}{{ ('a' * 1000000) is lower }}{% endfor %}",
    "{% set s = 'a' * 1000000 %}{% for i in range(9999) %}{{ s }}{% endfor %}",
    "{% for i in range(9999) %}" + "a" * 1000 + "{% endfor %}",
    "{% set x %}{% for i in range(9999) %}" + "a" * 1000 + "{% endfor %}{% endset %}{{ x }}",
    "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n else 'x' }}{% endmacro %}{{ m(40) }}",
    "{% macro m() %}" + "a" * 1000 + "{% endmacro %}{% for i in range(9999) %}{{ m() }}{% endfor %}",
    "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "{{ " + "not " * 20_000 + "1 }}",
    "{{ 1" + " + 1" * 20_000 + " }}",
    "{{ row" + ".a" * 20_000 + " }}",
    "{{ 'a'" + " | upper" * 20_000 + " }}",
    "{% if 1 %}" * 5_000 + "{% endif %}" * 5_000,
    "{% for i in [1] %}" * 50 + "{% endfor %}" * 50,
    "{{ " + "9" * 5_000 + " }}",
    "{{ 1e999 }}",
    "{{ 'a' }}" * 50_000,
]
_RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.path[:0] = {folders!r}
from memory import peak_mb
from test_sandbox import BOMBS, refusal
from yardstick import LIMIT, units
for number, text in enumerate(BOMBS):
    cost = units(lambda: refusal(text))
    assert cost < LIMIT, (number, text[:200], cost)
print(peak_mb())
"""


def test_bombs_are_refused_before_they_go_off():
    """All of them in one process whose memory is measured; each in about 4 s of processor time."""
    script = _RUN.format(folders=[str(folder) for folder in Path(__file__).parents[:2]])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 300


ALLOWED = [
    ("{{ row.fastqs | split(';') }}", ["a", "b"]),
    ("{{ row.fastqs.split(';') }}", ["a", "b"]),
    ("{{ row.fastqs.split(';')[0] }}", "a"),
    ("{{ row['sample'] }}", "NA1"),
    ("{{ row.get('nope', 'd') }}", "d"),
    ("{{ row.keys() }}", ["sample", "fastqs", "n"]),
    ("{% for k, v in row.items() %}{{ k }}={{ v }},{% endfor %}", "sample=NA1,fastqs=a;b,n=3,"),
    ("{{ row.nope | default('d') }}", "d"),
    ("{{ ('a' if false) | default('d') }}", "d"),
    ("{{ ('a' if false) is defined }}", False),
    ("{{ 'a' if true }}", "a"),
    ("{{ 'yes' if row.nope is defined else 'no' }}", "no"),
    ("{{ vars.list[1:] }}", [2, 3]),
    ("{{ vars.list | map('string') | join('-') }}", "1-2-3"),
    ("{{ vars.list | select('gt', 1) | list }}", [2, 3]),
    ("{{ vars.list | sum }}", 6),
    ("{{ [{'a': [1]}, {'a': []}, {'a': [2, 3]}] | map(attribute='a') | sum(start=[]) }}", [1, 2, 3]),
    ("{{ [{'a': [1]}, {'a': [2]}] | sum('a', [0]) }}", [0, 1, 2]),
    ("{{ vars.list | batch(2) | list }}", [[1, 2], [3]]),
    ("{{ vars.map | items | list }}", [["k", [1]]]),
    ("{{ vars.map | to_json }}", '{"k":[1]}'),
    ("{{ [{'a': 'x'}, {'a': 'y'}] | map(attribute='a') | join(',') }}", "x,y"),
    ("{{ [{'a': 'x'}, {'a': 'y'}] | join(',', attribute='a') }}", "x,y"),
    ("{{ [{'a': 'x', 'b': 1}] | groupby('a') | list }}", [["x", [{"a": "x", "b": 1}]]]),
    ("{{ [3, 1, 2] | sort | reverse | list }}", [3, 2, 1]),
    ("{{ dict(a=1) }}", {"a": 1}),
    ("{{ range(3) }}", [0, 1, 2]),
    ("{{ row.n | int + 1 }}", 4),
    ("{{ '1e3' | int }}", 1000),
    ("{{ 'L1' | int(0) }}", 0),
    ("{{ 'ff' | int(base=16) }}", 255),
    ("{{ '2.5' | float * 2 }}", 5.0),
    ("{{ '%s-%05d' % (row.sample, 7) }}", "NA1-00007"),
    ("{{ '%05.1f' | format(2.25) }}", "002.2"),
    ("{{ '%(a)s' | format(a='x') }}", "x"),
    ("{{ 'ab'.upper() ~ 1 ~ true }}", "AB1true"),
    ("{{ 'a' in vars.big }}", False),
    ("{{ 'a-b'.partition('-') }}", ["a", "-", "b"]),
    ("{{ 7.zfill(3) if false else '7'.zfill(3) }}", "007"),
    ("{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "13"),
    ("{% for i in [1, 2] %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{{ loop.last }} {% endfor %}", "1afalse 2btrue "),
    ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') }}{{ m('b') }}", "<a><b>"),
    ("{% set x = row.sample | lower %}{{ x }}-{{ x }}", "na1-na1"),
    ("{% filter upper %}a{{ row.sample }}{% endfilter %}", "ANA1"),
    ("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
    ("{% with a = 1 %}{{ a }}{% endwith %}", "1"),
    ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ("{% for i in range(9999) %}{{ vars.big[3] }}{% endfor %}", "x" * 9999),
]


@pytest.mark.parametrize(("text", "value"), ALLOWED)
def test_what_manifests_need_works(text, value):
    assert render(text) == value


def test_a_column_wins_over_a_method_of_its_name():
    assert render("{{ row.items }}", row={"items": "three"}) == "three"
    assert render("{{ row['get'] }}", row={"get": "x"}) == "x"
    assert render("{{ row.sample.count('a') }}", row={"sample": "banana"}) == 3


def test_a_budget_is_for_one_rendering_only():
    sandbox = Sandbox()
    template = Template("{% for i in range(40000) %}{% endfor %}x", sandbox)
    assert {template.render(scope()) for _ in range(5)} == {"x"}


def test_a_filter_that_is_misspelled_is_named():
    assert "did you mean" in str(refusal("{{ row.sample | uper }}"))


def test_the_names_of_the_guards_are_of_no_use_to_a_template():
    for name in ("__seen", "__made", "__used", "__text"):
        assert render("{{ 'a' | " + name + " }}") == "a"
    assert refusal("{{ row.sample.upper | __used }}").code == "MR403"


@pytest.mark.parametrize(("limits", "count"), [((0, 100_000), 100_000), ((5, 1), 0), ((10, 0, -2), 5)])
def test_a_range_is_as_long_as_python_has_it(limits, count):
    assert len(bounded_range(*limits)) == count
