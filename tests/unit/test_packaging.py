"""What is shipped: packages, schemas, and the two ways to start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from manifest_runner import __version__
from manifest_runner.manifest import document

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=True).stdout


def manifest_schema() -> dict:
    return json.loads((ROOT / "schemas" / "manifest.schema.json").read_text(encoding="utf-8"))


def test_every_package_of_the_source_is_shipped():
    sources = {path.parent for path in (ROOT / "manifest_runner").rglob("*.py")}
    packages = {".".join(path.relative_to(ROOT).parts) for path in sources}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages | {"manifest_runner.schemas"}


@pytest.mark.parametrize("schema", sorted((ROOT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_the_installed_package_holds_each_schema(schema):
    assert files("manifest_runner.schemas").joinpath(schema.name).read_bytes() == schema.read_bytes()


def test_the_installed_package_is_typed():
    assert files("manifest_runner").joinpath("py.typed").is_file()


def test_the_version_is_shown_without_importing_the_command_line():
    program = (
        "import runpy, sys; sys.argv[1:] = ['--version']; runpy.run_module('manifest_runner', run_name='__main__');"
        "print({'click', 'manifest_runner.cli.main'} & sys.modules.keys())"
    )
    assert python("-c", program) == f"manifest-runner {__version__}\nset()\n"


def test_the_version_needs_hardly_more_than_the_interpreter():
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = ['--version'];"
        "from manifest_runner.__main__ import main; main(); print({'re', 'typing'} & sys.modules.keys())"
    )
    assert python("-I", "-S", "-c", program) == f"manifest-runner {__version__}\nset()\n"


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
