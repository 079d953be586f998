"""Several runs of one study that start in the same moment on machines of their own: each digest is paid for once.

They have other users, other batch sizes and other rows. Without a lease they may pay twice, and then say so.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from crash_lab import Checkout, Place
from machines import Shared

pytest_plugins = ["lab_plugin"]

ROWS = [f"s{number}" for number in range(9)]
SECONDS = 240


def started(checkout: Checkout, *arguments: str) -> subprocess.Popen[str]:
    case = checkout.case(*arguments)
    return subprocess.Popen(
        [sys.executable, "-m", "manifest_runner", *case["argv"], "--timeout", str(SECONDS)],
        cwd=checkout.folder,
        env=case["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def race(shared: Shared, place: Place, number: int) -> Checkout:
    """The last of as many machines as are asked for, when all have ended well."""
    machines = shared.machines(place, *[f"user-{each % 3}" for each in range(number)])
    for each, checkout in enumerate(machines):
        checkout.write(ROWS[each % 3 :] if each % 2 else ROWS[: 9 - each % 3], head=shared.head(), size=1 + each % 4)
    runs = [started(checkout, "--lock-timeout", str(SECONDS)) for checkout in machines]
    for run in runs:
        output, _ = run.communicate(timeout=SECONDS)
        assert run.returncode == 0, output
    return machines[0]


def check(shared: Shared, checkout: Checkout) -> None:
    checkout.assert_executed_once(len(ROWS))
    assert (lease := shared.lease(checkout))["since"] == lease["until"]
    if shared.kind != "git":
        assert shared.names(checkout) == ["study.lease.json", "study.lock.json"]
        assert sorted(shared.locked(checkout)["items"]) == ROWS


@pytest.mark.parametrize(
    "shared",
    ["s3", *[pytest.param(kind, marks=pytest.mark.slow) for kind in ("file", "git", "seaweed", "azure")]],
    indirect=True,
)
def test_of_four_runs_at_once_each_digest_is_launched_once(shared, place, record_property):
    check(shared, race(shared, place, 4))
    record_property("races", 4)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "times"), [(2, 3), (8, 1)], ids=["two", "eight"])
def test_of_many_runs_at_once_each_digest_is_launched_once(shared, place, number, times, record_property):
    for _ in range(times):
        check(shared, race(shared, place, number))
    record_property("races", times * number)
