"""The rules of a catalog."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from manifest_runner.emulator import EmulatorOptions
from manifest_runner.emulator.catalog.format import Rule
from manifest_runner.emulator.outcomes.rules import Rules
from manifest_runner.emulator.store.timetable import Fate


def test_a_catalog_of_many_rules_compiles_each_once(monkeypatch):
    rules = [Rule(user_reference=f"^S{number}$", outcome="failed") for number in range(600)]
    made = Rules(rules, SimpleNamespace(find=lambda _project, _pipeline: None), EmulatorOptions(database=Path("none")))
    compiled = []
    monkeypatch.setattr(re, "compile", lambda text: compiled.append(text) or re._compiler.compile(text))
    found = [made.find("p", "urn", f"S{number}", 0, Fate.ANALYSIS_FAILS) for number in (1, 599)]
    assert found == [rules[1], rules[599]]
    assert compiled == []
