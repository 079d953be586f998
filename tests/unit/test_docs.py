"""The manifest reference is made from the schema, and stays so."""

from __future__ import annotations

import importlib.util
from pathlib import Path

GENERATOR = Path(__file__).parents[2] / "docs" / "generate.py"


def test_the_manifest_reference_is_what_the_schema_says():
    spec = importlib.util.spec_from_file_location("generate", GENERATOR)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.REFERENCE.read_text(encoding="utf-8") == generate.reference(), "run: python docs/generate.py"
