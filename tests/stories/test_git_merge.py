"""Git: branches that each launched something are merged, by git alone or with the merge driver."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from studies import change, states, write_rows, write_study

from manifest_runner.lockfile.file import write_lockfile
from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile

LOCKFILE = "study.lock.json"
DRIVER = f"{sys.executable} -m manifest_runner lock merge %O %A %B"
WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


@pytest.fixture(name="git")
def _repository(cli):
    """Git in a repository of the study's folder, with none of the user's settings."""
    env = {**cli.env, **WHO, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}

    def git(*arguments, code=0):
        done = subprocess.run(
            ["git", *arguments], cwd=cli.folder, env=env, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    git("init", "-q", "-b", "main")
    return git


def commit(git):
    git("add", "-A")
    git("commit", "-qm", "x")


def launched(*numbers, **statuses):
    """A lockfile in which each number is a batch with one item; the lines of both are in the numbers' order."""
    batches = {f"b{n}": LockedBatch(f"mr1-{n}", 1, "SUCCEEDED", "2026-11-23T10:00:00Z") for n in numbers}
    items = {
        f"s{n}": LockedItem(
            f"{n:064x}", "nextflow", "1.1", 0, f"b{n}", f"i{n}", statuses.get(f"s{n}", "SUCCEEDED"), None, None
        )
        for n in numbers
    }
    return Lockfile("study", "p", "emulator", batches, items)


def branches(cli, git, base, ours, theirs):
    """A lockfile and its two successors, on two branches; theirs is the one checked out in the end."""
    for branch, state in (("main", base), ("theirs", theirs), ("ours", ours)):
        if branch != "main":
            git("checkout", "-q", "-b", branch, "main")
        write_lockfile(cli.folder / LOCKFILE, state)
        commit(git)


# -- git alone


def test_launches_that_are_not_adjacent_merge_without_a_conflict(cli, git):
    base = (10, 30, 50, 70)
    branches(cli, git, launched(*base), launched(*base, 20), launched(*base, 60))
    git("merge", "-q", "theirs", "-m", "both")
    assert cli.lockfile()["items"].keys() == {f"s{n}" for n in (*base, 20, 60)}
    assert cli.lockfile()["batches"].keys() == {f"b{n}" for n in (*base, 20, 60)}


def test_a_conflict_is_one_line_per_item_and_stops_every_command(cli, git):
    base = (10, 30, 50)
    branches(cli, git, launched(*base), launched(*base, s30="FAILED"), launched(*base, s30="RUNNING"))
    git("merge", "-q", "theirs", "-m", "both", code=1)
    text = cli.read(LOCKFILE)
    conflict = text[text.index("<<<<<<<") : text.index(">>>>>>>")].splitlines()
    assert [line.partition(":")[0] for line in conflict] == ["<<<<<<< HEAD", '"s30"', "=======", '"s30"']
    write_study(cli, "alpha")
    for command in ("plan", "run", "status", "report"):
        refused = cli(command, "study.yaml")
        assert (refused.code, "git conflict markers" in refused.err) == (6, True)
    assert "lock merge" in refused.err


# -- the merge driver


@pytest.fixture(name="_branches")
def _two_branches_that_run(cli, git, emulator):
    """On two branches a sample more each, neighbours, and on both the same failed analysis launched again."""
    cli.write(".gitattributes", f"{LOCKFILE} merge=manifest-runner\n")
    write_study(cli, "alpha", "failing")
    cli("run", "study.yaml", "--wait", "finished")
    commit(git)
    for branch, sample in (("theirs", "beta"), ("ours", "gamma")):
        git("checkout", "-q", "-b", branch, "main")
        cli("run", "study.yaml", "--retry-failed", "--wait", "finished", "--adopt", "never")
        write_rows(cli, {"alpha": "true", sample: "true", "failing": "true"})
        cli("run", "study.yaml", "--wait", "finished")
        commit(git)


FAILING = pytest.mark.parametrize("emulator", [{"fail_analysis": "^failing$"}], indirect=True)


@FAILING
@pytest.mark.usefixtures("_branches")
def test_the_driver_merges_adjacent_launches_and_what_both_launched(cli, git, emulator):
    sides = [json.loads(git("show", f"{branch}:{LOCKFILE}")) for branch in ("ours", "theirs")]
    git("config", "merge.manifest-runner.driver", DRIVER)
    git("merge", "-q", "theirs", "-m", "both", code=1)  # the rows of the samplesheet do conflict
    assert git("diff", "--name-only", "--diff-filter=U").split() == ["study.csv"]
    write_rows(cli, dict.fromkeys(("alpha", "beta", "gamma", "failing"), "true"))
    merged = cli.lockfile()
    assert set(analyses(merged)) == {*analyses(sides[0]), *analyses(sides[1])}
    assert len(analyses(merged)) == len(set(analyses(merged)))
    assert merged["batches"].keys() == sides[0]["batches"].keys() | sides[1]["batches"].keys()
    planned = cli.ok("plan", "study.yaml", "--json").json
    assert states(planned) == {"unchanged": ["alpha", "beta", "gamma"], "failed": ["failing"]}


def analyses(lockfile):
    """The ids of all analyses, those of replaced launches included."""
    every = [each for item in lockfile["items"].values() for each in (item, *item.get("previous", ()))]
    return [each["analysis"]["id"] for each in every]


def test_a_lockfile_that_both_branches_made_merges_without_a_base(cli):
    write_lockfile(cli.folder / "ours", launched(10))
    write_lockfile(cli.folder / "theirs", launched(20))
    cli.write("base", "")
    cli.ok("lock", "merge", "base", "ours", "theirs")
    assert cli.lockfile("ours")["items"].keys() == {"s10", "s20"}


def test_after_a_rename_of_the_manifest_an_import_adds_the_launches_of_the_other_branch(cli, git, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml", "--wait", "finished")
    commit(git)
    git("checkout", "-q", "-b", "theirs", "main")
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml", "--wait", "finished")
    commit(git)
    git("checkout", "-q", "-b", "ours", "main")
    write_study(cli, "alpha", "gamma")
    change(cli, "name: study\n", "name: new\nmoved: [{name: study}]\n")
    cli.ok("run", "study.yaml", "--wait", "finished")
    for name, branch in (("base", "main"), ("theirs", "theirs")):
        cli.write(name, git("show", f"{branch}:{LOCKFILE}"))
    refused = cli("lock", "merge", "base", LOCKFILE, "theirs")
    assert (refused.code, "`manifest-runner import` adds the launches of the other" in refused.err) == (6, True)
    write_rows(cli, dict.fromkeys(("alpha", "beta", "gamma"), "true"))
    cli.ok("import", "study.yaml")
    assert states(cli.ok("plan", "study.yaml", "--json").json) == {"unchanged": ["alpha", "beta", "gamma"]}


@pytest.mark.parametrize(("theirs", "words"), [
    ("{}", "damaged"), (None, "lockfile not found"), ("<<<<<<< HEAD\n", "git conflict markers"),
])  # fmt: skip
def test_what_is_not_a_lockfile_is_not_merged(cli, theirs, words):
    write_lockfile(cli.folder / "ours", launched(10))
    before = cli.read("ours")
    if theirs is not None:
        cli.write("theirs", theirs)
    refused = cli("lock", "merge", "ours", "ours", "theirs")
    assert (refused.code, words in refused.err, cli.read("ours")) == (6, True, before)
