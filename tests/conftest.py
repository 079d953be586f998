"""Rules for every test: no home folder, no credentials, no proxies, and a deterministic Hypothesis in CI."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# The real user's credentials. The home folder itself may contain the checkout, so it cannot be blocked as a whole.
_PRIVATE = tuple(str(Path.home() / name) for name in (".icav2", ".netrc", "_netrc"))
_FOREIGN = ("ICAV2_", "MANIFEST_RUNNER_")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"})
# The slowest files. Their tests are distributed one by one; those of any other file stay in one process.
_LONGEST = (
    "test_crash_sweep test_ci_recipes test_two_machines test_hostile test_killed_commands test_damage "
    "test_fault_matrix test_simultaneous_runs test_state_machine test_state"
).split()
# What imports the public SDK, which takes seconds.
_OF_LIBICA = ("test_libica", "test_libica_names", "test_payload_schema")
_touched: list[str] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.listdir", "os.mkdir") and arguments:
        path = arguments[0]
        text = os.fsdecode(path) if isinstance(path, bytes) else path
        if isinstance(text, str) and text.startswith(_PRIVATE):
            _touched.append(text)


sys.addaudithook(_watch)

# Test processes and the commands that they start are compiled once, also where the user wants no compiled files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the longest first, so that none is left alone at the end. Skip slow tests unless ``-m`` selects them."""
    items.sort(key=lambda item: item.path.stem not in (*_LONGEST, "test_report_browser"))
    if config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Run most files, and all that need S3 or libica, in one process each, which starts what they share once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, name = nodeid.partition("::")
            stem = Path(file).stem
            if "[s3" in name or stem in _OF_LIBICA:
                return "s3" if "[s3" in name else "libica"
            return nodeid if stem in _LONGEST else file

    config.option.loadscopereorder = False  # or it would begin with the files of many tests, and not with the longest
    return ByGroup(config, log)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, for ``-n auto``
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes more than processors, since the stories wait for servers half of their time."""
    return 2 + (os.cpu_count() or 1)


@pytest.fixture(name="_empty_home", scope="session")
def _make_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _nothing_of_the_user(_empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that reads the real user's credentials or writes to a home at all."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(_empty_home))
    _touched.clear()
    yield
    assert not _touched, f"the test touched the real home: {_touched}"
    assert not _emptied(_empty_home), "the test wrote to the home"


def _emptied(folder: Path) -> list[str]:
    """The content of the folder, which is removed, so that the next test is not blamed for it."""
    found = list(folder.iterdir())
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return [path.name for path in found]


# What the exactly-once stories have survived; reported here, since every way of running the tests uses this file.
_COUNTED = ("kills", "stops", "interrupts", "faults", "races")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                counts.update({name: int(value) for name, value in report.user_properties if name in _COUNTED})
    if counts:
        told = ", ".join(f"{counts[name]} {name}" for name in _COUNTED if counts[name])
        terminalreporter.write_line(f"exactly once: {told}, and after each the emulator's record was checked")
