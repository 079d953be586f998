"""Each code that can be raised is documented, and each documented one is shown by a broken input."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

from click.testing import CliRunner

from manifest_runner.cli.main import app
from manifest_runner.diagnostics.codes import CODES

ROOT = Path(__file__).parents[3]
_CODE = re.compile(r"MR[1-7][0-9]{2}")

# One is about the settings of the icav2 CLI, some are information, which JSON leaves out, one needs a workbook, and the
# others a look into ICA.
NOT_IN_THE_CORPUS = {"MR105", "MR316", "MR610", "MR612", "MR701", "MR707", "MR708", "MR709", "MR710", "MR711"}


def raised() -> set[str]:
    sources = (ROOT / "manifest_runner").rglob("*.py")
    return {code for path in sources for code in _CODE.findall(path.read_text(encoding="utf-8"))}


def test_each_code_that_is_raised_is_documented_and_none_else():
    assert raised() == set(CODES)


def test_each_documented_code_is_shown_by_a_broken_input():
    corpus = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "broken").glob("*.txt"))
    shown = set(re.findall(r"^\S+:\d+:\d+ (MR\d{3}) ", corpus, flags=re.MULTILINE))
    assert set(CODES) - shown <= NOT_IN_THE_CORPUS


def test_the_codes_are_in_order():
    assert list(CODES) == sorted(CODES)


def test_the_page_is_what_the_table_says():
    spec = importlib.util.spec_from_file_location("generate_errors", ROOT / "docs" / "generate_errors.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.PAGE.read_text(encoding="utf-8") == generate.page(), "run: python docs/generate_errors.py"


def test_explain_shows_what_a_code_means():
    shown = CliRunner().invoke(app, ["explain", "mr103"])
    assert (shown.exit_code, shown.output.splitlines()[0]) == (0, "MR103: Invalid YAML")
    assert CODES["MR103"].cure in shown.output


def test_explain_alone_lists_the_codes():
    shown = CliRunner().invoke(app, ["explain"])
    assert (shown.exit_code, len(shown.output.splitlines())) == (0, len(CODES))
    listed = json.loads(CliRunner().invoke(app, ["explain", "--json"]).stdout)
    assert [each["code"] for each in listed] == list(CODES)


def test_the_command_line_knows_no_other_codes():
    shown = CliRunner().invoke(app, ["explain", "MR999"])
    assert (shown.exit_code, "unknown code" in shown.output) == (2, True)
