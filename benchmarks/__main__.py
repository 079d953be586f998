"""Print the table of BENCHMARKS.md: ``python -m benchmarks [--quick | --million]``."""

from __future__ import annotations

import argparse
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Bench

SIZES = (1000, 10_000, 100_000)
PACKAGES = (
    "manifest-runner jinja2 jsonschema-rs msgspec orjson pyyaml requests check-jsonschema libica seqerakit".split()
)


def machine() -> str:
    """The processor, the system and the versions, on one line."""
    cpu = next((line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), "")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{cpu or platform.machine()}, {platform.system()}, Python {platform.python_version()}; {versions}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no more than 10,000 rows")
    parser.add_argument("--million", action="store_true", help="a million rows too; takes minutes and 500 MB of disk")
    parser.add_argument("--times", type=int, default=11, help="pairs of runs for each figure of a small size")
    chosen = parser.parse_args()
    sizes = SIZES[:2] if chosen.quick else (*SIZES, 1_000_000) if chosen.million else SIZES
    print(f"{machine()}\n\n| figure | median (quartiles) | target |\n| --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for line in Bench(Path(folder), sizes, chosen.times).lines():
            print(line, flush=True)


if __name__ == "__main__":
    main()
