"""Changes that are not worth paying for: accepted ones, and new names of what is launched already."""

from __future__ import annotations

import json
import re

import pytest
from studies import change, states, write_rows, write_study

from manifest_runner.emulator import parse_fault


@pytest.fixture(name="launched")
def _launched(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml", "--wait", "finished")
    return cli


def test_a_manifest_whose_file_was_renamed_or_copied_is_noticed(launched):
    study, lockfile = launched.folder / "study.yaml", launched.folder / "study.lock.json"
    assert "same name" not in launched.ok("plan", "study.yaml").err
    study.rename(launched.folder / "final.yaml")
    planned = launched.ok("plan", "final.yaml")
    assert "study.lock.json has the launches of a manifest of the same name. If final.yaml is" in planned.err
    lockfile.rename(launched.folder / "final.lock.json")
    again = launched.ok("plan", "final.yaml", "--json")
    assert (again.err, states(again.json)) == ("", {"unchanged": ["alpha", "beta"]})


def moved(cli, *entries: dict[str, str]) -> None:
    change(cli, "manifest: 1\n", f"manifest: 1\nmoved: {json.dumps(entries)}\n")


def test_a_tag_that_was_added_is_accepted_and_only_the_new_item_is_launched(launched, emulator):
    change(launched, "    analysisInput:", "    tags: {userTags: [cohort-A]}\n    analysisInput:")
    write_rows(launched, dict.fromkeys(("alpha", "beta", "gamma"), "true"))
    stopped = launched("run", "study.yaml")
    assert (stopped.code, "accept study.yaml --target alpha --target beta`" in stopped.err) == (7, True)
    launched.ok("accept", "study.yaml", "--target", "alpha", ICAV2_X_API_KEY="")
    assert states(launched.ok("plan", "study.yaml", "--json").json) == {
        "new": ["gamma"], "changed": ["beta"], "unchanged": ["alpha"],
    }  # fmt: skip
    launched.ok("accept", "study.yaml")
    launched.ok("run", "study.yaml")
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]
    change(launched, "cohort-A", "cohort-B")
    assert launched("run", "study.yaml").code == 7, "what was accepted counts until it changes again"


def test_a_renamed_sample_needs_approval_and_the_message_has_the_entry_that_keeps_its_launch(launched, emulator):
    change(launched, "alpha,fil.alpha", "omega,fil.alpha", "study.csv")
    stopped = launched("run", "study.yaml")
    assert (stopped.code, len(emulator.executed())) == (7, 2)
    assert 'moved: [{from: "alpha", to: "omega"}]' in stopped.err
    assert launched.ok("plan", "study.yaml", "--json").json["approvalNeeded"] is True
    moved(launched, {"from": "alpha", "to": "omega"})
    planned = launched.ok("plan", "study.yaml", "--json").json
    assert (states(planned), planned["renamed"]) == ({"unchanged": ["beta", "omega"]}, {"omega": "alpha"})
    assert launched.ok("plan", "study.yaml").out.startswith("> omega (was alpha)\n")
    launched.ok("run", "study.yaml", "--locked", "--wait", "finished")
    items = launched.lockfile()["items"]
    assert (sorted(items), items["omega"]["renamedFrom"], len(emulator.executed())) == (["beta", "omega"], "alpha", 2)
    before = launched.read("study.lock.json")
    launched.ok("run", "study.yaml")
    assert launched.read("study.lock.json") == before
    change(launched, "omega,fil.alpha,true", "omega,fil.alpha,false", "study.csv")
    assert states(launched.ok("plan", "study.yaml", "--json").json)["changed"] == ["omega"]


@pytest.mark.parametrize("emulator", [{"faults": (parse_fault("drop-after:1"),)}], indirect=True)
def test_a_launch_that_a_crash_left_without_an_answer_is_settled_under_its_new_name(cli, emulator):
    write_study(cli, "alpha", "beta")
    assert cli("run", "study.yaml", "--timeout", "0.3").code == 5
    change(cli, "alpha,fil.alpha", "omega,fil.alpha", "study.csv")
    moved(cli, {"from": "alpha", "to": "omega"})
    assert states(cli.ok("plan", "study.yaml", "--json").json) == {"pending": ["beta", "omega"]}
    settled = cli.ok("run", "study.yaml", "--json").json
    assert (settled["created"], settled["renamed"], sorted(emulator.executed())) == (
        2,
        {"omega": "alpha"},
        ["alpha", "beta"],
    )


def test_a_renamed_sample_is_launched_again_where_that_is_approved(launched, emulator):
    change(launched, "alpha,fil.alpha", "omega,fil.alpha", "study.csv")
    launched.ok("run", "study.yaml", "--launch-renamed")
    assert sorted(emulator.executed()) == ["alpha", "beta", "omega"]


def test_patterns_chains_and_the_name_of_the_manifest_keep_launches_and_what_else_changed_is_seen(launched, emulator):
    change(launched, '"{{ row.sample }}"', '"{{ row.sample }}-wgs"')
    change(launched, "name: study", "name: cohort")
    write_rows(launched, {"alpha": "true", "beta": "false"})
    moved(launched, {"from": "{s}", "to": "{s}-exome"}, {"from": "{s}-exome", "to": "{s}-wgs"}, {"name": "study"})
    planned = launched.ok("plan", "study.yaml", "--json").json
    assert planned["renamed"] == {"alpha-wgs": "alpha", "beta-wgs": "beta"}
    assert states(planned) == {"changed": ["beta-wgs"], "unchanged": ["alpha-wgs"]}
    assert planned["changes"]["beta-wgs"] == [
        {"path": "analysisInput.parameters[enable_sv]", "before": "true", "after": "false"}
    ]
    write_rows(launched, {"alpha": "true", "beta": "true"})
    launched.ok("run", "study.yaml")
    assert (launched.lockfile()["name"], len(emulator.executed())) == ("cohort", 2)
    for rebuild in ("run", "import"):
        (launched.folder / "study.lock.json").unlink()
        launched.ok(rebuild, "study.yaml")
        assert len(emulator.executed()) == 2, "they are found by the stamps of their former names"
        assert launched.lockfile()["items"]["alpha-wgs"]["renamedFrom"] == "alpha"
        assert states(launched.ok("plan", "study.yaml", "--json").json) == {"unchanged": ["alpha-wgs", "beta-wgs"]}


def test_an_item_that_was_renamed_twice_still_shows_what_changed(launched, emulator):
    for old, new in (("alpha", "psi"), ("psi", "omega")):
        change(launched, f"{old},fil.alpha", f"{new},fil.alpha", "study.csv")
        text = re.sub("moved: .*\n", "", launched.read("study.yaml"))
        launched.write("study.yaml", f"moved: [{{from: {old}, to: {new}}}]\n{text}")
        launched.ok("run", "study.yaml")
    change(launched, "omega,fil.alpha,true", "omega,fil.alpha,false", "study.csv")
    assert launched.ok("plan", "study.yaml", "--json").json["changes"]["omega"] == [
        {"path": "analysisInput.parameters[enable_sv]", "before": "true", "after": "false"}
    ]


@pytest.mark.parametrize("emulator", [{"creation_delay": 2.0}], indirect=True)
def test_an_item_that_was_renamed_twice_before_it_was_created_is_still_followed(cli, emulator):
    write_study(cli, "alpha", "beta")
    change(cli, "manifest: 1\n", "manifest: 1\nstamp: false\n")  # no search shows them
    cli.ok("run", "study.yaml", "--wait", "none")
    for old, new in (("alpha", "psi"), ("psi", "omega")):
        change(cli, f"{old},fil.alpha", f"{new},fil.alpha", "study.csv")
        text = re.sub("moved: .*\n", "", cli.read("study.yaml"))
        cli.write("study.yaml", f"moved: [{{from: {old}, to: {new}}}]\n{text}")
        cli.ok("run", "study.yaml", "--wait", "none", "--no-refresh")
    cli.ok("run", "study.yaml", "--timeout", "20", "--poll-interval", "0.2")
    cli.ok("run", "study.yaml", "--wait", "finished")
    ended = {name: item["analysis"]["status"] for name, item in cli.lockfile()["items"].items()}
    assert (ended, sorted(emulator.executed())) == ({"omega": "SUCCEEDED", "beta": "SUCCEEDED"}, ["alpha", "beta"])


@pytest.mark.parametrize("rebuild", ["run", "import"])
def test_a_launch_that_was_adopted_or_imported_is_not_paid_again_under_another_name(launched, emulator, rebuild):
    (launched.folder / "study.lock.json").unlink()
    launched.ok(rebuild, "study.yaml")
    change(launched, "alpha,fil.alpha", "omega,fil.alpha", "study.csv")
    assert (launched("run", "study.yaml").code, len(emulator.executed())) == (7, 2)
    moved(launched, {"from": "alpha", "to": "omega"})
    launched.ok("run", "study.yaml")
    assert (launched.lockfile()["items"]["omega"]["renamedFrom"], len(emulator.executed())) == ("alpha", 2)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{"from": "x", "to": "alpha"}, {"from": "y", "to": "alpha"}], 'error[MR203]: "alpha" has two former names'),
        ([{"from": "alpha", "to": "beta"}], 'error[MR203]: "alpha" is still in the manifest'),
        ([{"from": "x", "to": "y"}, {"from": "y", "to": "x"}], "error[MR203]"),
        ([{"from": "{a}", "to": "b"}], "error[MR203]: {a} must be in both names"),
        ([{"from": "x", "to": "y"}], 'warning[MR611]: no item is named "y"'),
    ],
)
def test_moves_that_cannot_be_followed_are_named_with_their_place(cli, entries, words):
    write_study(cli, "alpha", "beta")
    moved(cli, *entries)
    checked = cli("validate", "study.yaml")
    assert checked.code == (0 if words.startswith("warning") else 3)
    severity, _, message = words.partition(": ")
    code = severity[-6:-1]
    assert any(
        line.startswith("study.yaml:2:") and code in line and message in line for line in checked.out.splitlines()
    )
