"""Every folder of examples/ works as it is, and what it launches is pinned.

After a wanted change of an example: MANIFEST_RUNNER_UPDATE_GOLDEN=1 pytest tests/stories/test_examples.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import lazy_libica as libica
import pytest
from conftest import digests_of

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "examples"
EXAMPLES = sorted({path.parent for path in (ROOT / "examples").glob("*/*.yaml")})
UPDATE_GOLDEN = "MANIFEST_RUNNER_UPDATE_GOLDEN" in os.environ

pytestmark = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)


def manifest_of(example: Path) -> str:
    """The name of an example's manifest; of several, of the one that the others start from."""
    found = [path for path in example.glob("*.yaml") if "\nmanifest: 1\n" in path.read_text(encoding="utf-8")]
    (first,) = (path for path in found if "launched:" not in path.read_text(encoding="utf-8"))
    return first.name


def without_nulls(value: Any) -> Any:
    """The SDK writes a null for each field that was not set."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def has_names(example: Path) -> bool:
    """Whether an example has names, which must be looked up before anything can be rendered."""
    return "\n  pipeline:" in (example / manifest_of(example)).read_text(encoding="utf-8").replace("    ", "  ")


def render(cli: Any, example: Path) -> Any:
    """The batches of an example, its names looked up in the emulator, whose catalog says what they stand for."""
    if has_names(example):
        cli.ok("resolve", manifest_of(example), "--emulator")
    return cli.ok("render", manifest_of(example), "--emulator").json


def test_it_is_valid_and_planned_without_a_network(example, cli, copy_example):
    copy_example(example)
    before = cli.files()
    cli.ok("validate", manifest_of(example), *([] if has_names(example) else ["--strict"]))
    planned = cli.ok("plan", manifest_of(example), "--json").json
    assert planned["new"]
    assert not any(planned[state] for state in ("changed", "unchanged", "failed", "removed", "pending"))
    assert cli.files() == before


def test_it_runs_and_a_second_run_leaves_the_lockfile_byte_for_byte(example, emulator, cli, copy_example):
    copy_example(example)
    manifest = manifest_of(example)
    lockfile = cli.folder / Path(manifest).with_suffix(".lock.json")
    planned = cli.ok("plan", manifest, "--json").json["new"]
    cli.ok("run", manifest)
    first = lockfile.read_bytes()
    assert sorted(emulator.executed()) == sorted(planned) == sorted(json.loads(first)["items"])
    again = cli.ok("run", manifest, "--json").json
    assert (again["new"], again["created"], sorted(again["unchanged"])) == ([], 0, sorted(planned))
    assert lockfile.read_bytes() == first
    assert len(emulator.executed()) == len(planned)


def test_its_payloads_are_what_the_public_sdk_sends(example, cli, copy_example):
    copy_example(example)
    for batch in render(cli, example):
        body = batch["body"]
        through_the_sdk = libica.CreateAnalysisCreationBatch.from_dict(body).to_dict()
        assert without_nulls(json.loads(json.dumps(through_the_sdk, default=str))) == body


def test_its_keys_and_digests_never_change(example, cli, copy_example):
    copy_example(example)
    batches = render(cli, example)
    seen = {"idempotencyKeys": [batch["idempotencyKey"] for batch in batches], "digests": digests_of(batches)}
    golden = GOLDEN / f"{example.name}.json"
    if UPDATE_GOLDEN:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
    assert seen == json.loads(golden.read_text(encoding="utf-8"))


def test_it_names_its_schema_and_says_what_it_shows(example):
    first = (example / manifest_of(example)).read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (example / named).resolve() == ROOT / "schemas" / "manifest.schema.json"
    assert (example / "README.md").read_text(encoding="utf-8").startswith("# ")
