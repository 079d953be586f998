"""The pages say what the code knows: generated parts, exit codes, options, keys, and links that lead somewhere."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import generate
import generate_commands
import pytest
import yaml

from manifest_runner import plan
from manifest_runner.cli.error_handler import BUG_EXIT, INTERRUPTED_EXIT
from manifest_runner.cli.main import app
from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.errors import RunnerError

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]
COMMANDS = dict(generate_commands.commands(app))
# Options that click adds to every command.
OF_CLICK = {"--help", "--version"}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def manifest_keys() -> list[str]:
    schema = json.loads(text_of(ROOT / "schemas" / "manifest.schema.json"))
    return sorted(schema["properties"])


def options() -> set[str]:
    found = {name for command in COMMANDS.values() for parameter in command.params for name in parameter.opts}
    return {name for name in found if name.startswith("--")}


@pytest.mark.parametrize("page", [path.name for path in generate.pages()])
def test_the_generated_part_of_a_page_is_what_the_code_says(page):
    (path,) = (path for path in generate.pages() if path.name == page)
    assert text_of(path) == generate.pages()[path], "run: python docs/generate.py"


def test_the_readme_is_short():
    assert len(text_of(README).splitlines()) <= 150


def test_the_readme_begins_with_the_commands_that_try_it_and_test_it():
    try_it, test_it = re.findall(r"^```sh\n(.*?)^```$", text_of(README), re.MULTILINE | re.DOTALL)[:2]
    assert "--emulator" in try_it
    assert test_it.rstrip().endswith("/pytest -n auto")


def test_the_page_of_exit_codes_lists_each_one_and_no_other():
    ours = {0, 1, BUG_EXIT, INTERRUPTED_EXIT} | {error.exit_code for error in RunnerError.__subclasses__()}
    listed = re.findall(r"^\| (\d+) \|", text_of(ROOT / "docs" / "exit-codes.md"), re.MULTILINE)
    assert [int(code) for code in listed] == sorted(ours)


@pytest.mark.parametrize("key", manifest_keys())
def test_the_manifest_page_explains_each_key(key):
    assert f"`{key}`" in text_of(ROOT / "docs" / "manifest.md")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_readme_and_the_page_of_commands_name_each_command(name):
    assert re.search(rf"`{name}\b|`{name.split()[0]} [^`]*\b{name.split()[-1]}\b", text_of(README))
    assert f"\n## {name}\n" in text_of(ROOT / "docs" / "commands.md")


def test_the_page_of_commands_names_each_option():
    assert options() <= options_named(text_of(ROOT / "docs" / "commands.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_no_option_that_does_not_exist(page):
    assert options_named(text_of(page)) - OF_CLICK <= options()


def options_named(text: str) -> set[str]:
    """The options in inline code, but for those of other programs."""
    ours = (code for code in re.findall(r"`([^`\n]+)`", text) if not re.match(r"(git|pip|pipx|uv|docker) ", code))
    return {option for code in ours for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", code)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_line_of_a_page_is_one_that_the_command_takes(page):
    for line in command_lines(page):
        words = shlex.split(line.partition(" > ")[0], comments=True)
        name = next(name for name in COMMANDS if words[: len(name.split())] == name.split())
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts} | OF_CLICK
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, line


def command_lines(page: Path) -> list[str]:
    """What a reader types after the name of the program, but for what is generated from the command line itself."""
    text = text_of(page).partition(generate.BEGIN)[0]
    blocks = re.findall(r"^ *```(?:sh|console|yaml)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^[ ]*(?:\$ |- run: )?manifest-runner (.+)$", "\n".join(blocks), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_json_of_a_page_is_json(page):
    for block in re.findall(r"^```json\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL):
        json.loads(block)


def test_the_constants_of_the_page_on_templates_can_be_looked_up(tmp_path):
    _, _, section = text_of(ROOT / "docs" / "templates.md").partition("## Look up a constant")
    manifest = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    head = "manifest: 1\nname: study\nproject: 7595e8f2-32d3-4c76-a324-c6a85dae87b5\n"
    pipeline = "defaults: {pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8}\n"
    (tmp_path / "study.yaml").write_text(head + pipeline + manifest, encoding="utf-8")
    (tmp_path / "samples.csv").write_text("sample,genome\nS1,hg38\nS2,chm13\n", encoding="utf-8")
    assert plan(tmp_path / "study.yaml").new == ["S1", "S2"]
    (tmp_path / "samples.csv").write_text("sample,genome\nS1,hg19\n", encoding="utf-8")
    with pytest.raises(InvalidManifest) as refused:
        plan(tmp_path / "study.yaml")
    assert [finding.code for finding in refused.value.findings] == ["MR402"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_s_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", prose):
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_the_page_on_ci_explains_the_action(part):
    action = yaml.safe_load(text_of(ROOT / "action.yml"))
    rows = re.findall(r"^\| (`.*?) \|", text_of(ROOT / "docs" / "teams-and-ci.md"), re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\S+?)`", row)}
    assert action[part].keys() <= explained
