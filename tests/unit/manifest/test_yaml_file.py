"""YAML as manifests read it: YAML 1.2's core schema, spelled numbers, places, and nothing that is more than data."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest.yaml_dump import dump_yaml
from manifest_runner.manifest.yaml_file import read_manifest, read_mapping, read_yaml
from manifest_runner.manifest.yaml_scalars import Binary
from manifest_runner.values import SpelledFloat, SpelledInt


@pytest.fixture(name="read")
def _read(tmp_path):
    def read(text: str | bytes):
        path = tmp_path / "m.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_yaml(path, "m.yaml")

    return read


@pytest.fixture(name="faults")
def _faults(read):
    def faults(text: str | bytes) -> list[Finding]:
        with pytest.raises(InvalidManifest) as raised:
            read(text)
        return list(raised.value.findings)

    return faults


# -- scalars

NULLS = ["null", "Null", "NULL", "~", ""]
TRUES = ["true", "True", "TRUE"]
FALSES = ["false", "False", "FALSE"]
NUMBERS = [*"0 -0 7 -7 0.10 1e5 1E+2 1e-5 100.0 -0.0 9007199254740993 1e400 0e0".split(), "9" * 400]
TEXTS = (
    "NO No no yes Yes on off y n 012 -012 0x1F 0o17 0b1 +1 +1.5 .5 5. 1. -.5 1_000 12:30 1:2:3 2026-11-23 "
    "2026-11-23T10:00:00Z nULL tRUE Nan NaN nan Inf inf Infinity 1e 1e+ e5 1.e5 -- - 1-2 1.2.3 0.1.2 00 - "
    "=1+1 <= NA12878 fil.0f a/b c:d"
).split()


@pytest.mark.parametrize("text", NULLS)
def test_null_is_that_of_the_core_schema(read, text):
    assert read(f"a: {text}\n").data == {"a": None}


@pytest.mark.parametrize(("text", "value"), [(t, True) for t in TRUES] + [(t, False) for t in FALSES])
def test_booleans_are_those_of_the_core_schema(read, text, value):
    assert read(f"a: {text}\n").data["a"] is value


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_one_of_json_and_keeps_its_spelling(read, text):
    value = read(f"a: {text}\n").data["a"]
    assert value == json.loads(text)
    assert str(value) == text


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in ("-", "--")])
def test_everything_else_is_text(read, text):
    assert read(f"a: {text}\n").data["a"] == text


@pytest.mark.parametrize("text", NULLS + TRUES + FALSES + ["1", "1.0", ".inf", "<<"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_what_is_quoted_is_text(read, text, quote):
    assert read(f"a: {quote}{text}{quote}\n").data["a"] == text


@pytest.mark.parametrize("text", [".inf", "-.inf", "+.Inf", ".INF", ".nan", ".NaN", ".NAN"])
def test_what_json_has_no_number_for_is_an_error(faults, text):
    assert faults(f"a: {text}\n")[0] == Finding(
        Place("m.yaml", 1, 4), "MR107", f"{text} cannot be written in JSON; quote it if it is meant as text"
    )


@pytest.mark.parametrize("text", ["9" * 1001, "9" * 5000, "0." + "1" * 5000, "1e" + "1" * 5000])
def test_a_number_of_many_digits_is_an_error(faults, text):
    assert faults(f"a: {text}\n")[0].code == "MR107"


def test_spelled_numbers_are_numbers(read):
    data = read("[-0, 1.50, 3]").data
    assert [type(each) for each in data] == [SpelledInt, SpelledFloat, int]
    assert data[1] * 2 == 3.0


PLAIN = st.one_of(
    st.sampled_from(NULLS + TRUES + FALSES + NUMBERS + TEXTS),
    st.text("0123456789+-.eE_:xob", min_size=1, max_size=8),
    st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{0,3})?([eE][-+]?[0-9]{0,2})?", fullmatch=True),
    st.text("nulltrefasNULTREFS~", min_size=1, max_size=6),
)


def reference(text: str) -> object:
    """The same rule written in another way: json.loads decides what a number is."""
    if text in NULLS:
        return None
    if text in TRUES + FALSES:
        return text in TRUES
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        return InvalidManifest
    try:
        return text if text in ("NaN", "Infinity", "-Infinity") else json.loads(text)
    except ValueError:
        return text


@given(text=PLAIN)
def test_scalars_are_those_of_the_reference_table(tmp_path_factory, text):
    source = f"a: {text}\n"
    try:
        assume(yaml.load(source, yaml.BaseLoader) == {"a": text})
    except yaml.YAMLError:
        assume(False)
    path = tmp_path_factory.getbasetemp() / "scalar.yaml"
    path.write_text(source)
    wanted = reference(text)
    if wanted is InvalidManifest:
        with pytest.raises(InvalidManifest):
            read_yaml(path, "x")
        return
    value = read_yaml(path, "x").data["a"]
    assert value == wanted
    assert isinstance(value, type(wanted))
    assert not isinstance(value, (int, float)) or isinstance(value, bool) or str(value) == text


# -- structure


def test_aliases_and_merges_work(read):
    text = """
base: &base {a: 1, b: {c: 2}}
one: {<<: *base, a: 9}
many: {<<: [{x: 1, y: 1}, {y: 2, z: 2}], z: 0}
late: {a: 5, <<: *base}
again: *base
"""
    data = read(text).data
    assert data["one"] == {"a": 9, "b": {"c": 2}}
    assert data["many"] == {"z": 0, "x": 1, "y": 1}
    assert data["late"] == {"a": 5, "b": {"c": 2}}
    assert data["again"] is data["base"]


def test_an_anchor_can_be_on_a_scalar_or_a_key_and_be_set_again(read):
    assert read("[&a x, *a, &a y, *a]").data == ["x", "x", "y", "y"]
    assert read("{&k key: 1, other: *k, list: [*k]}").data == {"key": 1, "other": "key", "list": ["key"]}
    assert read("&k key: 1\nmap:\n  *k : 2\n").data == {"key": 1, "map": {"key": 2}}


def test_a_quoted_merge_is_a_key_like_any_other(read):
    assert read('{"<<": {a: 1}}').data == {"<<": {"a": 1}}


def test_keys_are_text_as_they_are_spelled(read):
    assert read("{1: a, 0.10: b, true: c, 2026-11-23: d}").data == {
        "1": "a",
        "0.10": "b",
        "true": "c",
        "2026-11-23": "d",
    }


def test_standard_tags_say_what_a_value_is(read):
    assert read("[!!str 1, !!int 2, !!float 2, !!null ~, !!bool true, ! 3]").data == ["1", 2, 2, None, True, "3"]
    assert read("{a: !!map {}, b: !!seq []}").data == {"a": {}, "b": []}


@pytest.mark.parametrize("text", ["a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r", "\ufeffa: 1\nb: 2\n", "a: 1\nb: 2"])
def test_line_ends_and_a_bom_do_not_matter(read, text):
    file = read(text)
    assert file.data == {"a": 1, "b": 2}
    assert file.place(("b",)) == Place("m.yaml", 2, 4)


def test_text_of_all_planes_is_kept(read):
    assert read('[é, 𝄞, "\\u00e9\\U0001D11E\\n"]').data == ["é", "𝄞", "é𝄞\n"]


@given(
    data=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))
        ),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<é ~1", max_size=4), inner, max_size=4),
        max_leaves=12,
    )
)
@example(data="0E0")
def test_what_is_written_as_yaml_is_read_back(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "dump.yaml"
    path.write_text(dump_yaml(data), encoding="utf-8")
    assert read_yaml(path, "x").data == data


# -- places


def test_places_are_those_of_values_or_of_their_keys(read):
    file = read("a: 1\nb:\n  - x\n  - {c: y}\n")
    assert file.place(()) == Place("m.yaml", 1, 1)
    assert file.place(("b", 1, "c")) == Place("m.yaml", 4, 9)
    assert file.place(("b", 1, "c"), at_key=True) == Place("m.yaml", 4, 6)
    assert file.place(("b", 5)) == Place("m.yaml", 3, 3)
    assert file.place(("b", "nope", "deep")) == Place("m.yaml", 3, 3)
    assert file.place(("nope",)) == Place("m.yaml", 1, 1)


def test_the_place_of_a_merged_value_is_where_it_was_written(read):
    file = read("x: &x\n  a: 1\ny:\n  b: 2\n  <<: *x\n  c: 3\n")
    assert file.place(("y", "a")) == Place("m.yaml", 2, 6)
    assert file.place(("y", "a"), at_key=True) == Place("m.yaml", 2, 3)
    assert file.place(("y", "c"), at_key=True) == Place("m.yaml", 6, 3)


def test_the_place_of_an_alias_is_where_it_is_written(read):
    assert read("x: &x [1]\ny: *x\n").place(("y",)) == Place("m.yaml", 2, 4)
    assert read("x: &x [1]\ny: *x\n").place(("y", 0)) == Place("m.yaml", 1, 8)


def test_lines_are_counted_as_editors_do(read):
    file = read('a: "x\u2028y\u0085z"\n𝄞é: 1\n')
    assert file.place(("𝄞é",)) == Place("m.yaml", 2, 5)


# -- what is refused

TAGS = [
    "!!python/name:os.system",
    "!!python/object/apply:os.system [ls]",
    "!!python/object/new:os.system [ls]",
    "!!python/object:object {}",
    "!!python/module:os",
    "!!python/tuple [1]",
    "!!python/str x",
    "!!python/dict {}",
    "!!binary aGk=",
    "!!timestamp 2026-11-23",
    "!!set {a}",
    "!!omap [a: 1]",
    "!!pairs [a: 1]",
    "!!value x",
    "!Ref x",
    "!<tag:example.com,2026:x> y",
    "!!map [1]",
    "!!seq {a: 1}",
]


@pytest.mark.parametrize("text", TAGS)
def test_tags_are_never_constructed(faults, text):
    assert faults(f"a: {text}\n")[0].code == "MR108"
    assert faults(f"? {text}\n: b\n")[0].code in ("MR108", "MR110")


def test_a_tag_on_a_key_is_refused(faults):
    assert faults("!!python/name:os.system a: 1\n")[0].code == "MR108"


def test_binary_is_read_for_the_settings_of_the_icav2_cli_only(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("x-api-key: !!binary aGk=\n")
    assert isinstance(read_mapping(path, binary=True)["x-api-key"], Binary)
    with pytest.raises(InvalidManifest):
        read_mapping(path)


def test_settings_may_be_empty_but_no_list(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# nothing\n")
    assert read_mapping(path) == {}
    path.write_text("- a\n")
    with pytest.raises(InvalidManifest) as raised:
        read_mapping(path)
    assert raised.value.findings[0].code == "MR105"


def test_all_faults_are_found_up_to_a_hundred(faults):
    assert [(each.code, each.place.line) for each in faults("a: .inf\na: 2\nb: !x 1\n")] == [
        ("MR107", 1),
        ("MR109", 2),
        ("MR108", 3),
    ]
    assert len(faults("a: 1\n" * 500)) == 100


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [(b"a: \xff\n", 1, 4), (b"\xef\xbb\xbfa: 1\nb: \xc3\xa9\xc3(\n", 2, 5), ("é: ö\n".encode("latin-1"), 1, 1)],
)
def test_bytes_that_are_not_utf8_are_reported_at_their_place(faults, raw, line, column):
    assert faults(raw)[0].place == Place("m.yaml", line, column)
    assert faults(raw)[0].code == "MR102"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-32"])
def test_other_unicode_encodings_are_not_utf8(faults, codec):
    assert faults("a: 1\n".encode(codec))[0].code in ("MR102", "MR103")


@pytest.mark.parametrize("raw", [b"a: \x00\n", b"a: '\x07'\n", b"a: \x1b[31m\n", "a: \ufffe\n".encode()])
def test_control_characters_are_refused_at_their_place(faults, raw):
    fault = faults(b"# \xc3\xa9\n" + raw)[0]
    assert fault.code == "MR103"
    assert (fault.place.line, fault.place.column) == (2, 5 if raw[3:4] == b"'" else 4)


def test_a_surrogate_cannot_be_escaped_into_a_text(faults):
    assert faults('a: "\\ud800"\n')[0].code == "MR103"


# -- files


def test_a_manifest_that_does_not_exist_is_wrong_use(tmp_path):
    for path in (tmp_path / "m.yaml", tmp_path / "no" / "m.yaml", tmp_path / "a\0b", tmp_path / ("x" * 300)):
        with pytest.raises(UsageProblem, match="manifest does not exist"):
            read_manifest(path)


def unreadable(tmp_path: Path) -> dict[str, Path]:
    places = {name: tmp_path / name for name in ("folder", "pipe", "loop", "nowhere")}
    places["folder"].mkdir()
    os.mkfifo(places["pipe"])
    places["loop"].symlink_to(places["loop"])
    places["nowhere"].symlink_to(tmp_path / "missing")
    return {**places, "device": Path("/dev/zero")}


@pytest.mark.parametrize("what", ["folder", "pipe", "loop", "nowhere", "device"])
def test_a_path_that_is_not_a_file_is_reported_without_waiting(tmp_path, what):
    with pytest.raises(InvalidManifest) as raised:
        read_manifest(unreadable(tmp_path)[what])
    assert raised.value.findings[0].code == "MR101"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_reported(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("a: 1")
    path.chmod(stat.S_IWUSR)
    with pytest.raises(InvalidManifest, match=""):
        read_manifest(path)
