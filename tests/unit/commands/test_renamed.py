"""Items that were renamed or launched twice while something else was in progress."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
import requests
from commands.outcome_lab import PROJECT, Study, study
from msgspec import structs

from manifest_runner.commands.doubles import find_doubles
from manifest_runner.commands.import_ import import_lockfile
from manifest_runner.emulator.execution_record import executions

V3 = "application/vnd.illumina.v3+json"


def rename(lab: Study, old: str, new: str) -> None:
    """Rename the item and nothing else of its request."""
    text = lab.path.read_text().replace(f"{{s: {old}}}", f"{{s: {new}}}").replace("fil.{{ row.s }}", f"fil.{old}")
    lab.path.write_text(text.replace("analyses:", f"moved: [{{from: {old}, to: {new}}}]\nanalyses:"))


def abort(lab: Study, analysis: str) -> None:
    """Abort it, and wait until that shows."""
    url = f"{lab.target.server_url}/api/projects/{PROJECT}/analyses/{analysis}"
    headers = {"Accept": V3, "Content-Type": V3, "X-API-Key": "k"}
    requests.post(f"{url}:abort", headers=headers, timeout=10).raise_for_status()
    while not requests.get(url, headers=headers, timeout=10).json()["status"].startswith("ABORT"):
        time.sleep(0.05)


@pytest.fixture(name="doubled")
def _doubled(tmp_path):
    """A launch of two users, neither of whom saw the other's; the lockfile has the younger one."""
    with study(tmp_path, "a", analysis_duration=6.0) as lab:
        lab.run(wait="created")
        older = lab.items()["a"]["analysis"]["id"]
        (tmp_path / "study.lock.json").unlink()
        lab.context = structs.replace(lab.context, env={"ICAV2_X_API_KEY": "of-another-user"})
        lab.run(wait="created", adopt="never")
        yield lab, older


def test_doubles_of_an_item_that_was_renamed_have_its_present_name(doubled):
    lab, older = doubled
    rename(lab, "a", "z")
    lab.run(wait="created")
    (double,) = find_doubles(lab.path, lab.target, 30, lab.context).doubles
    assert (double.user_reference, double.analyses[0].id) == ("z", older)


def test_an_import_prefers_the_one_of_two_launches_that_was_not_aborted(doubled):
    lab, older = doubled
    younger = lab.items()["a"]["analysis"]["id"]
    abort(lab, older)
    (lab.folder / "study.lock.json").unlink()
    import_lockfile(lab.path, lab.target, (), 30, lab.context)
    assert lab.items()["a"]["analysis"]["id"] == younger


def test_two_launches_of_a_batch_whose_items_have_one_name_by_now_are_both_imported(tmp_path):
    with study(tmp_path, "a", "z") as lab:
        lab.run()
        (batch,) = {item["batchId"] for item in lab.items().values()}
        ids = {name: item["analysis"]["id"] for name, item in lab.items().items()}
        (tmp_path / "study.lock.json").unlink()
        lab.write("z")
        lab.path.write_text(lab.path.read_text().replace("analyses:", "moved: [{from: a, to: z}]\nanalyses:"))
        import_lockfile(lab.path, lab.target, (batch,), 30, lab.context)
        item = lab.items()["z"]
        assert (item["analysis"]["id"], [each["analysis"]["id"] for each in item["previous"]]) == (ids["z"], [ids["a"]])


def test_of_several_attempts_in_one_second_an_import_takes_the_last(tmp_path):
    with study(tmp_path, "a", fail_analysis=".") as lab:
        lab.run(retries=4)
        last = lab.items()["a"]
        with closing(sqlite3.connect(lab.database)) as database, database:
            database.execute("UPDATE items SET settled = (SELECT max(settled) FROM items)")
            database.execute("UPDATE batches SET created = (SELECT max(created) FROM batches)")
        by_id = sorted({each["batchId"] for each in (*last["previous"], last)})
        for batches in ((), by_id):  # all by stamp, then each batch by its id, then what is known already
            (tmp_path / "study.lock.json").unlink()
            for again in (batches, batches[:1]):
                import_lockfile(lab.path, lab.target, again, 30, lab.context)
                item = lab.items()["a"]
                assert (item["attempt"], item["message"], len(item["previous"])) == (4, last["message"], 4)
                assert item["analysis"]["id"] == last["analysis"]["id"]


def test_what_fails_after_it_was_renamed_is_tried_again(tmp_path):
    with study(tmp_path, "a", fail_analysis=".", analysis_duration=0.3) as lab:
        lab.run(wait="none")
        rename(lab, "a", "z")
        lab.run(retries=1)
        assert [each.user_reference for each in executions(lab.database)] == ["a", "z"]
        assert lab.items()["z"]["attempt"] == 1
