"""Vars that no template uses."""

from __future__ import annotations

from items.items_lab import HEAD

from manifest_runner.items.load import load


def test_of_many_unused_vars_twenty_are_reported_and_the_rest_counted(study):
    head = HEAD.replace("analyses:", "vars: {" + ", ".join(f"v{number}: x" for number in range(100)) + "}\nanalyses:")
    items, findings = study.expand("  - {kind: nextflow, userReference: a}\n", head)
    assert len(items) == 1
    assert [finding.code for finding in findings] == ["MR603"] * 21
    assert findings[20].message == "no template uses this var and 79 more below"


def test_a_var_of_the_command_line_that_no_template_uses_is_a_warning(study):
    study.loaded(
        "  - {kind: nextflow, userReference: '{{ vars.reference }}-{{ vars.more }}'}\n",
        HEAD.replace("analyses:", "vars: {reference: x}\nanalyses:"),
    )
    loaded = load(study.folder / "study.yaml", env={}, given_vars={"refrence": "y", "more": "z"})
    (finding,) = loaded.findings.all()
    words = 'no template uses the var "refrence", which --var gives; did you mean "reference"?'
    assert (finding.severity, finding.message) == ("warning", words)


def test_a_var_of_the_command_line_for_a_manifest_without_vars_is_a_warning(study):
    study.loaded("  - {kind: nextflow, userReference: a}\n", HEAD)
    (finding,) = load(study.folder / "study.yaml", env={}, given_vars={"x": "y"}).findings.all()
    assert finding.message == 'no template uses the var "x", which --var gives'
