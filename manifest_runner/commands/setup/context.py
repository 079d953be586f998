"""What a command gets from its process: the environment, the clocks, and functions that report progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from manifest_runner.ica.connection.retry import Deadline
    from manifest_runner.lockfile.model import Lockfile

# Called while a command waits, with the lockfile and the number of its items that the command still waits for.
Watch = Callable[["Lockfile", int], None]
# Called with a stage of the work, the amount done, and the total if known.
Progress = Callable[[str, int, int | None], None]


class Context(msgspec.Struct, frozen=True):
    """The process's environment and home folder, its clocks, and functions that report progress."""

    env: Mapping[str, str] = msgspec.field(default_factory=lambda: os.environ)
    home: Path = msgspec.field(default_factory=Path.home)
    notify: Callable[[str], None] = lambda _line: None
    progress: Progress = lambda _stage, _done, _total: None
    watch: Watch = lambda _lockfile, _still_open: None
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def deadline(self, seconds: float) -> Deadline:
        from manifest_runner.ica.connection.retry import Deadline

        return Deadline.after(seconds, self.monotonic)
