"""The choices of a command line, as values. The options themselves are in ``cli.options``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from manifest_runner.ica.model import DEFAULT_KEY_WINDOW
from manifest_runner.planning.choices import Choices

if TYPE_CHECKING:
    from manifest_runner.items.load import Loaded
    from manifest_runner.launch.adoption import AdoptMode
    from manifest_runner.planning.plan import Plan

WaitMode = Literal["none", "created", "finished"]

DEFAULT_TIMEOUT = 3600.0


class Target(msgspec.Struct, frozen=True):
    """The server, project, lockfile and vars that a command line names."""

    server_url: str | None = None
    emulator: bool = False
    lockfile: Path | None = None
    project: str | None = None
    given_vars: Mapping[str, str] = msgspec.field(default_factory=dict)


class RunOptions(msgspec.Struct, frozen=True):
    """How to run. Times are in seconds.

    ``detail`` is the number of changed items whose changes are listed, None for all of them. ``approve`` receives the
    plan, with the changed items among its launches, and decides whether to launch them again; None if nobody can
    be asked. With ``no_refresh`` a run relies on the lockfile as it is. ``launch_renamed`` launches new items
    that differ from removed ones only in name; ``expect`` is the digest of the plan to follow.
    """

    choices: Choices = Choices()
    no_refresh: bool = False
    launch_renamed: bool = False
    expect: str | None = None
    wait: WaitMode = "created"
    timeout: float = DEFAULT_TIMEOUT
    locked: bool = False
    adopt: AdoptMode = "wait"
    batch_size: int | None = None
    max_launches: int | None = None
    poll_interval: float | None = None
    key_window: float = DEFAULT_KEY_WINDOW
    strict: bool = False
    lock_timeout: float = 0.0
    no_lock: bool = False
    no_check: bool = False
    retries: int = 0
    outputs: bool = False
    detail: int | None = None
    approve: Callable[[Plan], bool] | None = None

    def batch_size_of(self, loaded: Loaded) -> int:
        return self.batch_size or loaded.document.batch_size


class ResolveOptions(msgspec.Struct, frozen=True):
    """``update`` looks everything up again; ``check`` does so, too, and writes nothing. ``timeout`` is in seconds."""

    update: bool = False
    check: bool = False
    no_check: bool = False
    timeout: float = DEFAULT_TIMEOUT
    strict: bool = False
