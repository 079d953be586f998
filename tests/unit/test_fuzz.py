"""Whatever the bytes: only expected errors are raised, and what is read can be written as the API wants it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, Verbosity, given, settings
from hypothesis import strategies as st

from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.errors import UsageProblem
from manifest_runner.items.load import load
from manifest_runner.manifest.yaml_dump import dump_yaml
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.rows.csv_rows import CsvReading, csv_rows
from manifest_runner.rows.json_rows import json_rows
from manifest_runner.templates.model import TemplateFault
from manifest_runner.templates.sandbox import Sandbox
from manifest_runner.templates.scope import Scope
from manifest_runner.templates.template import Template

SHORT, LONG = 60, 5_000


def soup(words: str, *more: str, joined: str = "", size: int = 40) -> st.SearchStrategy[str]:
    """Texts put together from these pieces."""
    return st.lists(st.sampled_from([*words.split(), *more]), max_size=size).map(joined.join)


YAML = soup(
    """a b 1 -0 1e5 .inf ~ null true << *a *b &a &b : - ? , [ ] { } | > ' " # % @ ` ! !!str !!python/name:os --- ...""",
    *(" ", "  ", "\n", "\n  ", "\t", "\r\n", "\0", "\u2028", "é", "𝄞", "\x07"),
    *(": ", "- ", "{{ row.a }}", "<<: *a", "a: &a "),
)
CSV = soup("""a b , , "  "" é [a] ;""", "\n", "\r\n", "\r", "\t", " ", "\0")
JSON = soup(
    """[ ] { } , : "a" "b" 1 -0 0.10 1e400 NaN true null "\\ud800" "\\u00e9" " \\ é""",
    *(" ", "\t", "\n", ' "a": ', "[{"),
)
TEMPLATES = soup(
    """{{ }} {% %} {# #} {%- -%} row vars env index .a .b ['a'] [0] [1:] | upper |join |split(';') |default('') |map
    |list |int |to_json |attr('a') |tojson |sum |sort |batch(2) |first if else endif for in endfor set x = == + - * **
    / // % ~ not and or is defined ( ) [ ] , 'a' '' 1 0 1.5 9 99999 none true range(3) dict(a=1) namespace() loop self
    macro m() endmacro .split .items() .__class__ .format : { } < > raw endraw""",
    *(" ", "\n", "é", "\\"),
    joined=" ",
    size=25,
)
NOISE = st.binary(max_size=200)


def scope() -> dict[str, object]:
    row = Scope({"a": "x;y", "b": 1, "l": [1, "2", None]}, 'the row has no column "{}"')
    return {"row": row, "vars": Scope({}, "{}"), "env": Scope({}, "{}"), "project": "p", "name": "n", "index": 0}


def try_yaml(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    try:
        file = read_yaml(path, "f")
    except InvalidManifest as e:
        found = e.findings
    else:
        found = ()
        json.dumps(file.data)
        file.place(("a", 0, "b"))
    lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(1 <= finding.place.line <= lines and finding.place.column >= 1 for finding in found)


def try_rows(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    for rows in (
        lambda: csv_rows(path, "f", CsvReading()),
        lambda: csv_rows(path, "f", CsvReading("\t", "a")),
        lambda: json_rows(path, "f"),
    ):
        try:
            source = rows()
            for number, row in source.read(lambda finding, group: None):
                assert source.place(number).line >= 1
                assert isinstance(row, dict) or len(row) == len(source.columns)
        except InvalidManifest:
            pass


def try_template(text: str) -> None:
    for expression in (False, True):
        try:
            template = Template(text, Sandbox(), expression=expression)
            template.check()
            value = json.dumps(template.render(scope()))
            assert json.dumps(template.render(scope())) == value
        except TemplateFault as e:
            value = str(e)
        assert " at 0x" not in value


def try_manifest(folder: Path, raw: bytes) -> None:
    (folder / "m.yaml").write_bytes(raw)
    try:
        loaded = load(folder / "m.yaml", env={}, project="p")
        items = list(loaded.stream.items())
    except (InvalidManifest, UsageProblem):
        return
    for item in items:
        assert item.request == rfc8785.dumps(json.loads(item.request))


NAMES = st.sampled_from("a kind csv rows matrix where inputs parameters userTags objectType {{".split())
# A manifest that is right, of which a part is replaced by whatever.
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEMPLATES
    | st.text("aé~ /{", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("a kind csv rows matrix where inputs parameters userTags objectType {{".split()),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
KEYS = (
    "manifest name project revision batchSize stamp maxLaunches env vars defaults analyses "
    "analyses.kind analyses.forEach analyses.forEach.rows analyses.forEach.where analyses.userReference "
    "analyses.pipelineId analyses.tags analyses.tags.userTags analyses.analysisInput analyses.analysisInput.inputs "
    "analyses.analysisInput.parameters analyses.analysisOutput analyses.revision analyses.logs defaults.tags vars.v"
).split()


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    rows = [{"a": "x", "n": 1.5}, {"a": "y", "n": 2}]
    analysis = {
        "kind": draw(st.sampled_from(["nextflow", "nextflowJson", "cwl"])),
        "forEach": {"rows": rows, "where": "row.n"},
        "userReference": "{{ row.a }}-{{ index }}",
        "pipelineId": "{{ vars.v }}",
        "analysisInput": {"inputs": {"i": "{{ row.a }}"}, "parameters": {"p": "{{ row.n }}"}},
    }
    data = {"manifest": 1, "name": "m", "project": "p", "vars": {"v": "x"}, "defaults": {}, "analyses": [analysis]}
    for path in draw(st.lists(st.sampled_from(KEYS), max_size=2)):
        *steps, last = path.split(".")
        target = data
        for step in steps:
            target = target.get(step, {}) if isinstance(target, dict) else {}
            target = target[0] if isinstance(target, list) and target else target
        if isinstance(target, dict):
            target[last] = draw(ANYTHING)
    return dump_yaml(data).encode("utf-8", "replace")


def fuzz(strategy: st.SearchStrategy, act, examples: int) -> None:
    """Run ``act`` on that many examples."""

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet, deadline=None)
    @given(strategy)
    def run(value: object) -> None:
        act(value)

    run()


TARGETS = {
    "yaml": (YAML.map(str.encode) | NOISE, try_yaml, "m.yaml"),
    "rows": (CSV.map(str.encode) | JSON.map(str.encode) | NOISE, try_rows, "s"),
    "manifests": (manifests(), try_manifest, ""),
    "broken manifests": (YAML.map(lambda text: b"manifest: 1\nname: m\nanalyses:\n" + text.encode()), try_manifest, ""),
}


@pytest.mark.parametrize("examples", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
@pytest.mark.parametrize("target", TARGETS)
def test_no_file_raises_what_is_not_expected(tmp_path, target, examples):
    strategy, act, name = TARGETS[target]
    fuzz(strategy, lambda raw: act(tmp_path / name, raw), examples)


@pytest.mark.parametrize("examples", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
def test_no_template_raises_what_is_not_expected(examples):
    fuzz(TEMPLATES | st.text(max_size=30).map("{{{{ {} }}}}".format), try_template, examples)
