"""Measure processes in pairs: each is run in turn, so that other load of the machine affects both alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Run = Callable[[], "Cost"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: seconds by the clock and of the processor, and its peak resident memory in bytes."""

    clock: float
    processor: float
    memory: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of paired ratios, and the quartiles around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratio(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """The first over the second of each pair."""
    values = [first / second for first, second in pairs]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Ratio(median, low, high)


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run one command to its end. Raises RuntimeError with the end of its stderr if it fails."""
    with (folder / "stderr").open("w+b") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        clock = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            stderr.seek(0)
            words = stderr.read()[-400:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}: {words}")
    return Cost(clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def alternate(first: Run, second: Run, times: int) -> list[tuple[Cost, Cost]]:
    """Run both ``times`` times in turn, after one run of each that warms the caches and is not counted."""
    first(), second()
    return [(first(), second()) for _ in range(times)]


def processor(pairs: Sequence[tuple[Cost, Cost]]) -> Ratio:
    """The ratio of processor times, for programs that only compute; other load does not count."""
    return ratio([(first.processor, second.processor) for first, second in pairs])


def memory(runs: Sequence[Cost]) -> float:
    """The median of peaks, in MiB."""
    return statistics.median(run.memory for run in runs) / 2**20
