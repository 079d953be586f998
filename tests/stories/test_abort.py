"""``abort``: end what still runs, after a yes, and remember that it was asked for."""

from __future__ import annotations

import pytest
from studies import change, write_study
from terminals import on_terminal

# The emulator shows an abort after a twentieth of the duration and ends it after three.
RUNNING = pytest.mark.parametrize("emulator", [{"creation_delay": 0.0, "analysis_duration": 12.0}], indirect=True)


@pytest.fixture(autouse=True)
def _study(cli):
    write_study(cli, "alpha", "beta")


def aborting(cli):
    """Which items an abort was asked for, as the lockfile has it."""
    return [name for name, item in cli.lockfile()["items"].items() if "abortRequestedAt" in item]


@RUNNING
def test_nothing_is_aborted_without_a_yes(cli, emulator):
    cli.ok("run", "study.yaml")
    refused = cli("abort", "study.yaml")
    assert (refused.code, "--yes" in refused.err) == (7, True)
    seen = on_terminal(cli, "abort", "study.yaml", answers={"[y/N]": "n\n"})
    asked = seen.text[: seen.text.index("[y/N]")]
    assert (seen.code, asked.splitlines()[-3:]) == (7, ["x alpha", "x beta", "Abort 2 analyses? "])
    assert aborting(cli) == []


@RUNNING
def test_what_is_aborted_is_recorded_followed_and_can_be_launched_again(cli, emulator):
    cli.ok("run", "study.yaml")
    done = cli.ok("abort", "study.yaml", "--target", "al*", "--yes", "--json").json
    assert (done["aborted"], done["tooEarly"], aborting(cli)) == (["alpha"], [], ["alpha"])
    cli("run", "study.yaml", "--wait", "finished", "--target", "al*", "--timeout", "20", "--poll-interval", "0.2")
    items = cli.lockfile()["items"]
    assert items["alpha"]["analysis"]["status"] == "ABORTED"
    assert items["beta"]["analysis"]["status"] not in ("ABORTING", "ABORTED")
    cli.ok("run", "study.yaml", "--retry-failed")
    assert emulator.executed().count("alpha") == 2
    assert cli.lockfile()["items"]["alpha"]["previous"] == [items["alpha"]]


@RUNNING
def test_a_launch_that_was_replaced_while_it_ran_is_aborted_too(cli, emulator):
    cli.ok("run", "study.yaml")
    change(cli, "caller: fast", "caller: exact")
    cli.ok("run", "study.yaml", "--relaunch-changed", "--target", "alpha")
    done = cli.ok("abort", "study.yaml", "--yes", "--target", "alpha", "--json").json
    assert done["aborted"] == ["alpha", "alpha"]
    alpha = cli.lockfile()["items"]["alpha"]
    assert ["abortRequestedAt" in launch for launch in (alpha, *alpha["previous"])] == [True, True]


@RUNNING
def test_a_person_may_agree_to_an_abort(cli, emulator):
    cli.ok("run", "study.yaml")
    seen = on_terminal(cli, "abort", "study.yaml", answers={"[y/N]": "y\n"})
    assert (seen.code, "asked ICA to abort 2 analyses" in seen.text) == (0, True)
    assert aborting(cli) == ["alpha", "beta"]


@pytest.mark.parametrize("emulator", [{"creation_delay": 60.0}], indirect=True)
def test_an_item_without_an_analysis_is_reported_as_too_early(cli, emulator):
    cli.ok("run", "study.yaml", "--wait", "none")
    done = cli.ok("abort", "study.yaml", "--yes")
    assert "2 items have no analysis yet" in done.out
    assert aborting(cli) == []


def test_there_is_nothing_to_abort_when_all_has_ended(cli, emulator):
    cli.ok("run", "study.yaml", "--wait", "finished")
    assert "no analysis is running" in cli.ok("abort", "study.yaml").out
    assert cli("abort", "study.yaml", "--target", "nobody").code == 2
