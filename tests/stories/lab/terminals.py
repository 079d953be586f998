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
SILENCE = 2.0
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
    """Everything that is shown until the other end closes.

    After a silence the last answer is typed once more: Python's readline misses a ^C that comes just before it
    begins to wait, and a person would press it again, too.
    """
    seen, typed = b"", b""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([master], [], [], SILENCE)[0]:
            os.write(master, typed)
            continue
        piece = _read(master)
        if not piece:
            break
        seen += piece
        for question in [each for each in answers if each.encode() in seen]:
            typed = answers.pop(question).encode()
            os.write(master, typed)
    assert not answers, f"never asked: {list(answers)}\n{seen.decode(errors='replace')}"
    return seen.decode("utf-8", "backslashreplace")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError as e:
        if e.errno == errno.EIO:  # Linux says so when the other end is closed
            return b""
        raise
