"""The emulator as a process of its own, new and empty for each run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_ONCE = ("--creation-delay", "0", "--analysis-duration", "0")


@contextmanager
def emulator(port: int = 0) -> Iterator[str]:
    """Yield the URL, without a path. Items are created at once, and analyses end at once."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        database = str(Path(folder) / "emulator.sqlite3")
        command = [sys.executable, "-m", "manifest_runner", "emulator", "--port", str(port), "--database", database]
        with subprocess.Popen([*command, *AT_ONCE], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.terminate()
