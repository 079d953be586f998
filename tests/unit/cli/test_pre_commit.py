"""The pre-commit hook checks manifests, and leaves other YAML files alone."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from manifest_runner.cli.pre_commit import chosen

ROOT = Path(__file__).parents[3]
OTHERS = {
    "rows.yaml": "- {sample: a}\n- {sample: b}\n",
    "service.yaml": "apiVersion: v1\nkind: Service\nspec:\n  manifest: 1\n",
    "west.yml": "manifest:\n  projects: []\n",
    "flow.yaml": "manifest: {a: 1}\n",
    "comment.yaml": "# manifest: 1\nother: 2\n",
    "empty.yaml": "",
}
MANIFESTS = {
    "plain.yaml": "name: a\nmanifest: 1\n",
    "later.yaml": "# yaml-language-server: $schema=x\n\nmanifest: 2\n",
    "one-line.yaml": "{manifest: 1, name: a}\n",
    "json.yaml": '{\n  "manifest": 1\n}\n',
    "quoted.yml": "'manifest' : '1'\n",
    "crlf.yaml": "name: a\r\nmanifest: 1\r\n",
    "bom.yaml": "\ufeffmanifest: 1\n",
    "binary.yaml": "manifest: 1\n\x00\udcff",
}


@pytest.mark.parametrize(("name", "text"), [*OTHERS.items(), *MANIFESTS.items()])
def test_only_a_file_with_a_top_level_key_manifest_is_checked(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert chosen(["--strict", str(path)]) == (["--strict", str(path)] if name in MANIFESTS else ["--strict"])


def test_a_file_that_is_gone_is_left_for_validate_to_report():
    assert chosen(["gone.yaml"]) == ["gone.yaml"]


def hook(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "manifest_runner.cli.pre_commit", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def test_a_commit_without_manifests_passes_and_one_with_a_broken_manifest_does_not(tmp_path):
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    passed = hook(tmp_path, "--strict", *OTHERS)
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, "", "")
    (tmp_path / "plain.yaml").write_text("manifest: 1\nnme: a\n", encoding="utf-8")
    refused = hook(tmp_path, *OTHERS, "plain.yaml")
    assert refused.returncode == 3
    assert 'unknown key "nme"' in refused.stdout + refused.stderr


def test_the_hook_is_a_program_of_the_package_and_sees_all_yaml():
    (declared,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert declared["entry"] in scripts
    assert all(re.search(declared["files"], f"any/{name}") for name in [*OTHERS, *MANIFESTS])
