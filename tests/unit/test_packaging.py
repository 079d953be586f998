"""What is shipped: packages, schemas, the two ways to start, and a README that names every option."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest

from manifest_runner import __version__
from manifest_runner.cli import main
from manifest_runner.cli.error_handler import BUG_EXIT, INTERRUPTED_EXIT
from manifest_runner.errors import RunnerError
from manifest_runner.manifest import document

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What click gives every command.
NOT_OURS = {"--help", "--version"}


def python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=True).stdout


def manifest_schema() -> dict:
    return json.loads((ROOT / "schemas" / "manifest.schema.json").read_text(encoding="utf-8"))


def commands(group: click.Group = main.app, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield path + name, command


def options() -> set[str]:
    found = {name for _, command in commands() for parameter in command.params for name in parameter.opts}
    return {name for name in found if name.startswith("--")}


def test_every_package_of_the_source_is_shipped():
    sources = {path.parent for path in (ROOT / "manifest_runner").rglob("*.py")}
    packages = {".".join(path.relative_to(ROOT).parts) for path in sources}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages | {"manifest_runner.schemas"}


@pytest.mark.parametrize("schema", sorted((ROOT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_the_installed_package_holds_each_schema(schema):
    assert files("manifest_runner.schemas").joinpath(schema.name).read_bytes() == schema.read_bytes()


def test_the_installed_package_is_typed():
    assert files("manifest_runner").joinpath("py.typed").is_file()


def test_the_version_is_told_without_importing_the_command_line():
    program = (
        "import runpy, sys; sys.argv[1:] = ['--version']; runpy.run_module('manifest_runner', run_name='__main__');"
        "print({'click', 'manifest_runner.cli.main'} & sys.modules.keys())"
    )
    assert python("-c", program) == f"manifest-runner {__version__}\nset()\n"


def test_the_version_is_the_changelog_s_newest():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\d.*?)\]", changelog, re.MULTILINE)[0] == __version__


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("revision", document.DEFAULT_REVISION),
        ("batchSize", document.DEFAULT_BATCH_SIZE),
        ("stamp", document.DEFAULT_STAMP),
    ],
)
def test_defaults_are_those_of_the_schema(key, default):
    assert manifest_schema()["properties"][key]["default"] == default


def test_the_schema_has_no_default_that_the_code_lacks():
    with_default = {key for key, schema in manifest_schema()["properties"].items() if "default" in schema}
    assert with_default == {"revision", "batchSize", "stamp"}


def test_the_readme_begins_with_the_commands_that_try_it_and_test_it():
    try_it, test_it = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[:2]
    assert "--emulator" in try_it
    assert test_it.rstrip().endswith("/pytest -n auto")


def test_the_readme_lists_each_exit_code_and_no_other():
    ours = {0, 1, BUG_EXIT, INTERRUPTED_EXIT} | {error.exit_code for error in RunnerError.__subclasses__()}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == ours


@pytest.mark.parametrize("key", sorted(manifest_schema()["properties"]))
def test_the_readme_explains_each_key_of_the_manifest(key):
    assert f"`{key}`" in README


@pytest.mark.parametrize("name", sorted(name for name, _ in commands()))
def test_the_readme_explains_each_command(name):
    assert re.search(rf"`{name}\b", README)


def test_the_readme_names_every_option_and_no_other():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(re.findall(r"`[^`\n]+`", README))))
    assert named - NOT_OURS == options()
