"""Commands on a terminal, as a person sees them: a pseudo-terminal of the standard library."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import Any, NamedTuple

SECONDS = 60
# The terminal must be the command's own, or ^C would be a character like any other.
_CONTROLLED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")


class Seen(NamedTuple):
    """What the terminal got: ``raw`` as it came, ``text`` without escapes."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")


def on_terminal(
    cli: Any, *arguments: str, answers: dict[str, str] | None = None, columns: int = 100, **env: str
) -> Seen:
    """Run one command with its three streams on a terminal; ``answers`` are typed when their question is there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _CONTROLLED, sys.executable, "-m", "manifest_runner", *arguments],
        cwd=cli.folder,
        env={**cli.env, "TERM": "xterm-256color", **env},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        raw = _talk(master, dict(answers or {}))
        return Seen(process.wait(SECONDS), raw)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _talk(master: int, answers: dict[str, str]) -> str:
    seen = b""
    end = time.monotonic() + SECONDS
    while piece := _read(master, end):
        seen += piece
        for question in [each for each in answers if each.encode() in seen]:
            os.write(master, answers.pop(question).encode())
    assert not answers, f"never asked: {list(answers)}\n{seen.decode(errors='replace')}"
    return seen.decode("utf-8", "backslashreplace")


def _read(master: int, end: float) -> bytes:
    if not select.select([master], [], [], max(0.0, end - time.monotonic()))[0]:
        return b""
    try:
        return os.read(master, 65536)
    except OSError as e:
        if e.errno == errno.EIO:  # Linux says so when the other end is closed
            return b""
        raise
