"""The nearest of some known names, and how many of them are looked for."""

from __future__ import annotations

import pytest

from manifest_runner import near_miss as near_misses
from manifest_runner.items.load import load
from manifest_runner.near_miss import near_miss, start_over
from manifest_runner.templates.model import TemplateFault
from manifest_runner.templates.sandbox import Sandbox
from manifest_runner.templates.template import Template

SAMPLES = [f"SAMPLE_{i:05d}_L001" for i in range(100)]
COMPARED = 3


@pytest.fixture(autouse=True)
def _few_comparisons(monkeypatch):
    monkeypatch.setattr(near_misses, "_MAX_COMPARED", COMPARED * sum(len(each) ** 2 for each in SAMPLES))
    start_over()
    yield
    start_over()


def missing(number: int) -> str:
    return f"SAMPLE_{number:05d}_X001"


def test_a_near_miss_looks_past_case():
    assert near_miss("SAMPEL", ["sample", "lane"]) == '; did you mean "sample"?'
    assert near_miss("zzz", ["sample"]) == ""
    assert near_miss("x" * 10_000_000, ["sample"]) == ""


def test_only_the_first_of_many_missing_names_are_compared_with_all_known_ones():
    lookup, row = Template("{{ known[row] }}", Sandbox()), {"known": dict.fromkeys(SAMPLES, 1)}
    messages = []
    for i in range(100):
        with pytest.raises(TemplateFault) as raised:
            lookup.render({**row, "row": missing(i)})
        messages.append(str(raised.value))
    assert 'did you mean "SAMPLE_00000_L001"?' in messages[0]
    assert sum("did you mean" in message for message in messages) == COMPARED


def test_what_a_process_did_before_changes_no_message_about_a_manifest(tmp_path):
    manifest = tmp_path / "m.yaml"
    manifest.write_text("manifest: 1\nname: m\nanalyses: [{kind: nextflow, userReference: a}]\n")
    before = [near_miss(missing(i), SAMPLES) for i in range(100)]
    assert sum(map(bool, before)) == COMPARED
    load(manifest, env={}, project="p")
    assert [near_miss(missing(i), SAMPLES) for i in range(100)] == before
