"""The emulator on the command line: its catalog beside a manifest, and options that make no sense."""

from __future__ import annotations

import pytest
from studies import write_study


def test_the_embedded_emulator_reads_the_catalog_beside_the_manifest(cli):
    write_study(cli, "alpha", "beta")
    cli.write(
        "emulator.yaml", "catalog: 1\nanalyses: [{userReference: beta, outcome: notCreated, summary: No luck.}]\n"
    )
    ran = cli("run", "study.yaml", "--emulator")
    assert ran.code == 1
    assert "beta: No luck." in ran.out


THREE_KINDS = """
catalog: 1
analyses:
  - {userReference: ^a, outcome: failed, summary: Out of memory.}
  - {userReference: ^b, outcome: aborted, summary: Aborted by the tenant.}
  - {userReference: ^c, outcome: notCreated, summary: No such reference.}
"""


@pytest.mark.parametrize("emulator", [{"catalog": THREE_KINDS}], indirect=True)
def test_a_catalog_plays_kinds_of_failures_that_a_run_shows_with_their_reasons(cli, emulator):
    write_study(cli, "alpha", "beta", "charlie", "delta")
    ran = cli("run", "study.yaml", "--wait", "finished")
    assert ran.code == 1
    assert "charlie: No such reference." in ran.out
    statuses = {name: (item["analysis"] or {}).get("status") for name, item in cli.lockfile()["items"].items()}
    assert statuses == {"alpha": "FAILED", "beta": "ABORTED", "charlie": None, "delta": "SUCCEEDED"}
    posts = emulator.requests()["POST /api/projects/{projectId}/analysisCreationBatch"]
    assert (posts, emulator.most_unfinished()) == (1, 0)


def test_a_mistake_in_that_catalog_is_named_with_its_line(cli):
    write_study(cli, "alpha")
    cli.write("emulator.yaml", "catalog: 1\npipelines:\n  - {cod: x}\n")
    ran = cli("run", "study.yaml", "--emulator")
    assert ran.code == 2
    assert 'emulator.yaml:3: pipelines[0]: unknown key "cod"' in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--odd", "no-v5"], "'no-v5' is not an oddity; write one of"),
        (["--fault", "503"], "'503' is not a fault: write KIND:NTH"),
        (["--catalog", "nowhere.yaml"], "nowhere.yaml: the catalog cannot be read"),
        (["--fail-analysis", "("], "'(' is not a regular expression"),
    ],
)
def test_options_that_make_no_sense_end_the_emulator_with_2(cli, arguments, message):
    ran = cli("emulator", "--port", "0", *arguments)
    assert ran.code == 2
    assert message in ran.err
