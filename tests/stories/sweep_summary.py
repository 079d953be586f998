"""Tells at the end of a test run how often commands were killed, interrupted or stopped, as counted by the tests."""

from __future__ import annotations

from collections import Counter

import pytest

COUNTED = ("kills", "interrupts", "faults")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counts.update({name: int(value) for name, value in report.user_properties if name in COUNTED})
    if counts:
        told = ", ".join(f"{counts[name]} {name}" for name in COUNTED if counts[name])
        terminalreporter.write_line(f"exactly once: {told}; the emulator's record is right after each")
