"""``import``: a lost lockfile comes back from what ICA knows."""

from __future__ import annotations

import pytest
from studies import change, states, write_rows, write_study


def lose_lockfile(cli):
    """The ids of the batches that it held, the latest first."""
    lost = cli.lockfile()
    (cli.folder / "study.lock.json").unlink()
    return sorted(lost["batches"], key=lambda each: lost["batches"][each]["submittedAt"], reverse=True), lost


def plan(cli):
    return states(cli.ok("plan", "study.yaml", "--json").json)


@pytest.fixture(name="_retried")
def _launch_in_two_batches(cli, emulator):
    """Beta's analysis failed and was tried again; then alpha was changed in the manifest, and gamma left it."""
    write_study(cli, "alpha", "beta", "gamma", "omega")
    cli("run", "study.yaml", "--wait", "finished")
    assert cli("run", "study.yaml", "--retry-failed").code == 1
    write_rows(cli, {"alpha": "false", "beta": "true", "omega": "true"})


RETRIED = pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$"}], indirect=True)
AS_IT_IS = {"changed": ["alpha"], "unchanged": ["omega"], "removed": ["gamma"], "failed": ["beta"]}


@RETRIED
@pytest.mark.usefixtures("_retried")
def test_stamps_bring_back_every_launch_as_it_compares_with_the_manifest(cli, emulator):
    _, lost = lose_lockfile(cli)
    done = cli.ok("import", "study.yaml", "--json").json
    assert done == {"imported": 4, "changed": 1, "removed": 1, "lockfile": "study.lock.json"}
    assert plan(cli) == AS_IT_IS
    beta = cli.lockfile()["items"]["beta"]
    assert (beta["attempt"], len(beta["previous"])) == (1, 1)
    assert beta["analysis"]["id"] == lost["items"]["beta"]["analysis"]["id"]
    assert "nothing to import" in cli.ok("import", "study.yaml").out


@RETRIED
@pytest.mark.usefixtures("_retried")
def test_batches_bring_back_theirs_in_whatever_order_they_are_named(cli, emulator):
    batches, lost = lose_lockfile(cli)
    cli.ok("import", "study.yaml", *(f"--batch-id={batch}" for batch in batches))
    assert plan(cli) == AS_IT_IS
    now = cli.lockfile()
    assert {key: batch["idempotencyKey"] for key, batch in now["batches"].items() if batch["items"] == 1} == {
        key: batch["idempotencyKey"] for key, batch in lost["batches"].items() if batch["items"] == 1
    }
    for name in ("beta", "omega"):
        known, before = now["items"][name], lost["items"][name]
        assert {key: known[key] for key in ("attempt", "batchId", "digest", "itemId", "status")} == {
            key: before[key] for key in ("attempt", "batchId", "digest", "itemId", "status")
        }


def test_all_is_unchanged_after_an_import_and_a_run_launches_nothing(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml")
    lose_lockfile(cli)
    cli.ok("import", "study.yaml")
    assert plan(cli) == {"unchanged": ["alpha", "beta"]}
    cli.ok("run", "study.yaml")
    assert len(emulator.executed()) == 2


def test_without_stamps_only_batches_can_be_imported(cli, emulator):
    write_study(cli, "alpha")
    change(cli, "name: study\n", "name: study\nstamp: false\n")
    cli.ok("run", "study.yaml")
    batches, lost = lose_lockfile(cli)
    refused = cli("import", "study.yaml")
    assert (refused.code, "--batch-id" in refused.err, "study.lock.json" in cli.files()) == (2, True, False)
    cli.ok("import", "study.yaml", "--batch-id", *batches)
    assert plan(cli) == {"unchanged": ["alpha"]}
    assert cli.lockfile()["items"]["alpha"]["digest"] == lost["items"]["alpha"]["digest"]


def test_there_may_be_nothing_to_import(cli, emulator):
    write_study(cli, "alpha")
    assert cli.ok("import", "study.yaml").out.startswith("nothing to import: ICA shows no launch of this manifest")
    assert cli("import", "study.yaml", "--batch-id", "00000000-0000-4000-8000-000000000000").code == 4
    assert cli.files() == ["study.csv", "study.yaml"]
