"""Hostile files: each is read or refused in about 4 s of processor time, all of them within 300 MB in one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "manifest: 1\nname: m\nproject: p\n"
ITEM = "- {kind: nextflow, userReference: a, pipelineId: urn:p, analysisInput: {inputs: []}}\n"

# name: (the start of the file, what is repeated, how often, the end)
MANIFESTS = {
    "alias bomb": (HEAD + "vars:\n  a0: &a0 x\n", "", 0, "".join(
        f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 20))),
    "alias bomb of mappings": (HEAD + "vars:\n  a0: &a0 x\n", "", 0, "".join(
        f"  a{i}: &a{i} {{a: *a{i - 1}, b: *a{i - 1}}}\n" for i in range(1, 60))),
    "merge bomb": (HEAD + "vars:\n  a0: &a0 {k: v}\n", "", 0, "".join(
        f"  a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}], k{i}: v}}\n" for i in range(1, 60))),
    "chain of merges": (HEAD + "vars:\n  a0: &a0 {k: v}\n", "", 0, "".join(
        f"  a{i}: &a{i} {{<<: *a{i - 1}, k{i}: v}}\n" for i in range(1, 5000))),
    "alias in its anchor": (HEAD + "vars: &v {a: *v}\n", "", 0, ""),
    "flow lists": ("a: ", "[", 2_000_000, ""),
    "flow mappings": ("a: ", "{a: ", 2_000_000, ""),
    "block lists": ("", "- ", 2_000_000, "\n"),
    "explicit keys": ("", "? ", 2_000_000, "\n"),
    "colons": ("", "a: ", 2_000_000, "\n"),
    "many values": ("", "- []\n", 1_001_000, ""),
    "many keys": ("a: 1\n", "a: 1\n", 1_000_000, ""),
    "documents": ("", "---\n", 2_000_000, ""),
    "comments": ("", "# c\n", 2_000_000, ""),
    "spaces": ("", " ", 10_000_000, ""),
    "line ends": ("", "\n", 10_000_000, ""),
    "huge plain text": (HEAD + "analyses:\n" + ITEM + "vars:\n  a: ", "x", 10_000_000, "\n"),
    "huge quoted text": (HEAD + "analyses:\n" + ITEM + 'vars:\n  a: "', "x ", 5_000_000, '"\n'),
    "huge escapes": ('a: "', "\\u00e9", 1_000_000, '"'),
    "huge key": ("", "x", 5_000_000, ": a\n"),
    "huge anchor": ("a: &", "x", 2_000_000, " b\n"),
    "huge tag": ("a: !", "x", 2_000_000, " b\n"),
    "huge number": ("a: ", "9", 10_000_000, "\n"),
    "huge file": ("a: x\n", "b: x\n", 3_000_000, ""),
    "expanded as far as may be": (
        HEAD + "analyses:\n" + ITEM + "vars:\n  a: &a [", "x, ", 1000, "]\n  b: [" + "*a, " * 990 + "]\n"),
    "huge template": (HEAD + "analyses:\n" + ITEM + 'vars:\n  a: "', "{{ name }}", 1_000_000, '"\n'),
    "many templates": (
        HEAD + "analyses:\n" + ITEM + "vars:\n  a:\n", "    - '{{ name }} {{ name | upper }}'\n", 5_000, ""),
    "many different templates": (
        HEAD + "analyses:\n" + ITEM + "vars:\n", "", 0, "".join(
            f"  k{i}: '{{{{ {i} + 1 }}}}'\n" for i in range(4_000))),
    "matrix": (HEAD + "analyses:\n- {kind: nextflow, forEach: {matrix: {", "", 0, ", ".join(
        f"k{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" for i in range(20)) + "}}}\n"),
    "faulty analyses": (HEAD + "analyses:\n", "- {kind: nextflow, x: y}\n", 10_000, ""),
    "elements of a list at fault": (
        HEAD + "analyses:\n" + ITEM[:-2] + ", tags: {userTags: [", "{a: 1}, ", 20_000, "]}}\n"),
    "values of a mapping at fault": (HEAD + "analyses:\n- {kind: nextflow, forEach: {matrix: {", "", 0, ", ".join(
        f"k{i}: 1" for i in range(15_000)) + "}}}\n"),
    "items at fault": (HEAD + "analyses:\n", ITEM.replace("userReference: a", "userReference: a+"), 2_500, ""),
    "unknown keys": (HEAD + "analyses:\n" + ITEM, "", 0, "".join(f"k{i}: 1\n" for i in range(30_000))),
    "vars that nothing uses": (HEAD + "analyses:\n" + ITEM + "vars:\n", "", 0, "".join(
        f"  k{i}: 1\n" for i in range(40_000))),
}  # fmt: skip
# name: (what is in the samplesheet, how often, the userReference, the condition)
ROWS = {
    "loop in each row": ("x\n", 1_000, "{% for i in range(90000) %}{% endfor %}{{ row.a }}", "true"),
    "row with a fault": ("x+\n", 10_000, "{{ row.a }}", "true"),
    "template that fails": ("x\n", 5_000, "{{ row.a + 1 }}", "true"),
    "sort in each condition": ("x\n", 50, "{{ row.a }}", "range(99999) | list | sort | length > 0"),
}
SHEETS = {
    "json lists": ("json", '[{"a": ', "[", 10_000_000, ""),
    "json objects": ("json", "[", '{"a":', 2_000_000, ""),
    "json text": ("json", '[{"a": "', "x", 40_000_000, '"}]'),
    "json row": ("json", '[{"a": [', "1,", 2_000_000, "1]}]"),
    "json number": ("json", '[{"a": ', "9", 10_000_000, "}]"),
    "json spaces": ("json", "[", " ", 50_000_000, "]"),
    "json keys": ("json", '[{"a": 1', ', "a": 1', 500_000, "}]"),
    "csv quote that is not closed": ("csv", 'a,b\n1,"', "x,y\n", 12_000_000, ""),
    "csv of one line": ("csv", "a,b\n", "x", 50_000_000, ""),
    "csv of many cells": ("csv", "a,b\n", "x,", 10_000_000, "\n"),
    "csv of many columns": ("csv", "a", ",b", 50_000, "\n"),
    "csv of line ends": ("csv", "a,b\n", "\n", 1_500_000, ""),
    "csv of NULs": ("csv", "", "\0", 50_000_000, ""),
    "tsv that is ragged": ("tsv", "a\tb\n", "1\n", 150_000, ""),
}
# What one process reads. The manifests are three groups, for as many processes at once.
GROUPS = {**{f"manifests {part}": list(MANIFESTS)[part::3] for part in range(3)}, "sheets": SHEETS, "rows": ROWS}
_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_hostile import run
print(run(Path({place!r}), {group!r}))
"""


def run(place: Path, group: str) -> int:
    """Read each file of a group; the peak of the memory in MB. Runs in a process of its own."""
    from memory import peak_mb
    from yardstick import LIMIT, units

    from manifest_runner.diagnostics.finding import InvalidManifest
    from manifest_runner.items.load import load

    def read() -> None:
        try:
            loaded = load(place / "m.yaml", env={})
            for _ in loaded.stream.items():
                pass
        except InvalidManifest:
            pass

    for name in GROUPS[group]:
        written(place, name)
        cost = units(read)
        assert cost < LIMIT, f"{name}: {cost:.0f} units of work"
    return peak_mb()


def written(place: Path, name: str) -> None:
    if name in MANIFESTS:
        filled(place / "m.yaml", *MANIFESTS[name])
        return
    if name in ROWS:
        repeated, times, reference, where = ROWS[name]
        kind, parts = "csv", ("a\n", repeated, times, "")
    else:
        kind, *parts = SHEETS[name]
        reference, where = "a", "false"
    each = f"{{{kind}: s, where: '{where}'}}"
    rest = f"pipelineId: urn:p, userReference: '{reference}', analysisInput: {{inputs: []}}"
    (place / "m.yaml").write_text(f"{HEAD}analyses:\n- {{kind: nextflow, forEach: {each}, {rest}}}\n")
    filled(place / "s", *parts)


def filled(path: Path, start: str, repeated: str, times: int, end: str) -> None:
    """In pieces, so that writing the file takes no memory that reading it is blamed for."""
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        for done in range(0, times, 10_000):
            file.write(repeated * min(10_000, times - done))
        file.write(end)


@pytest.mark.parametrize("group", GROUPS)
def test_hostile_files_cost_little(tmp_path, group):
    script = _RUN.format(folder=str(Path(__file__).parent), place=str(tmp_path), group=group)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) < 300
