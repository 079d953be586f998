"""The corpus of broken inputs: each fault is found at its place, with a code that is documented and words that help.

``tests/broken/*.txt`` have the cases: files, and what ``validate`` reports about them. A file marked ``(escaped)``
has Python's escapes for bytes, ``(folder)`` makes one; a backslash at its end stands for a missing line end.
``python tests/stories/test_broken_inputs.py`` writes the present messages, to be read before they are committed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from manifest_runner.cli.main import app

CORPUS = Path(__file__).parents[1] / "broken"


@dataclass(frozen=True)
class Case:
    name: str
    files: tuple[tuple[str, str], ...]
    expected: tuple[str, ...]

    def write(self, folder: Path) -> None:
        for title, text in self.files:
            name, _, mark = title.partition(" ")
            text = text.removesuffix("\\\n")
            if mark == "(folder)":
                (folder / name).mkdir()
                continue
            raw = text.encode("latin-1").decode("unicode_escape").encode("latin-1") if mark else text.encode()
            (folder / name).write_bytes(raw)

    def source(self) -> str:
        files = "".join(f"--- {title}\n{text}" for title, text in self.files)
        return f"=== {self.name}\n{files}--- expected\n" + "".join(f"{line}\n" for line in self.expected)


def read_cases(path: Path) -> Iterator[Case]:
    for block in re.split(r"^\n?=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        *files, expected = [part.partition("\n") for part in re.split(r"^--- ", rest, flags=re.MULTILINE)[1:]]
        yield Case(name, tuple((title, text) for title, _, text in files), tuple(expected[2].splitlines()))


CASES = {case.name: case for path in sorted(CORPUS.glob("*.txt")) for case in read_cases(path)}


def said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, ["validate", "m.yaml", "--format", "json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.stdout, result.output
    return result.exit_code, [line_of(found) for found in json.loads(result.stdout)]


def line_of(found: dict[str, Any]) -> str:
    row = found["row"]
    at = f" (row at {':'.join(map(str, row.values()))})" if row else ""
    return (
        f"{found['file']}:{found['line']}:{found['column']} {found['code']} {found['severity']}: {found['message']}{at}"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_is_explained_at_its_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    case.write(tmp_path)
    code, lines = said(tmp_path, monkeypatch)
    assert lines == list(case.expected)
    assert code == (3 if any(" error: " in line for line in case.expected) else 0)


THROUGH_THE_COMMAND = [
    "unquoted template",
    "duplicate key",
    "latin-1",
    "misspelled key",
    "missing samplesheet",
    "ragged rows are one message",
    "unknown column",
    "where with braces",
    "same fault in ten thousand rows",
    "user reference twice",
    "five faults of five stages",
    "column that no template uses",
]


@pytest.mark.parametrize("name", THROUGH_THE_COMMAND)
def test_the_command_line_says_the_same(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    case.write(tmp_path)
    command = [sys.executable, "-m", "manifest_runner", "validate", "m.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    *lines, last = done.stdout.splitlines()
    errors = sum(" error: " in line for line in case.expected)
    assert done.returncode == (3 if errors else 0)
    assert last == (f"m.yaml: {errors} error{'s' * (errors > 1)}" if errors else "m.yaml: valid, 2 items")
    for line, expected in zip(lines, case.expected, strict=True):
        place, code, *_ = expected.split(" ")
        assert line.startswith(f"{place}: ")
        assert f"[{code}]" in line


def test_information_is_not_a_fault_also_with_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CASES["many columns that no template uses"].write(tmp_path)
    code, (found,) = said(tmp_path, monkeypatch)
    assert (code, " MR602 info: no template uses 12 of the columns" in found) == (0, True)
    result = CliRunner().invoke(app, ["validate", "m.yaml"])
    info, count = result.stdout.splitlines()
    assert "info: no template uses 12 of the columns" in info
    assert count == "m.yaml: valid, 1 item"
    strict = CliRunner().invoke(app, ["validate", "m.yaml", "--strict"])
    assert (strict.exit_code, strict.stdout) == (0, result.stdout)


def test_the_count_of_items_is_shown_for_each_manifest_that_is_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CASES["column that no template uses"].write(tmp_path)
    (tmp_path / "bad.yaml").write_text("manifest: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def told(*arguments: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(app, ["validate", *arguments])
        return result.exit_code, [line for line in result.stdout.splitlines() if " valid, " in line]

    assert told("m.yaml", "bad.yaml") == (3, ["m.yaml: valid, 2 items"])
    assert told("m.yaml", "--strict") == (3, [])
    assert told("m.yaml", "--quiet") == (0, [])


def test_with_strict_a_warning_is_an_error_in_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CASES["column that no template uses"].write(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = {}
    for style in ("text", "json", "github"):
        result = CliRunner().invoke(app, ["validate", "m.yaml", "--strict", "--format", style])
        assert result.exit_code == 3
        found[style] = result.stdout
    assert "warning" not in found["text"] + found["github"]
    assert {each["severity"] for each in json.loads(found["json"])} == {"error"}
    plan = CliRunner().invoke(app, ["plan", "m.yaml", "--project", "p"])
    assert (plan.exit_code, "warning: " in plan.stderr) == (0, True)


def test_a_manifest_that_does_not_exist_does_not_hide_what_is_wrong_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("manifest: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["validate", "gone.yaml", "bad.yaml", "--json"])
    findings = json.loads(result.stdout)["error"]["findings"]
    assert (result.exit_code, {each["file"] for each in findings}) == (2, {"bad.yaml"})
    assert "gone.yaml: this manifest does not exist" in result.stderr
    near = CliRunner().invoke(app, ["validate", "bad.yml"])
    assert (near.exit_code, 'did you mean "bad.yaml"?' in near.stderr) == (2, True)


def rewrite(folder: Path) -> None:
    for path in sorted(CORPUS.glob("*.txt")):
        cases = []
        for number, case in enumerate(read_cases(path)):
            place = folder / f"{path.stem}-{number}"
            place.mkdir()
            case.write(place)
            with pytest.MonkeyPatch.context() as monkeypatch:
                lines = said(place, monkeypatch)[1]
            cases.append(replace(case, expected=tuple(lines)).source())
        path.write_text("\n".join(cases), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        rewrite(Path(scratch))
