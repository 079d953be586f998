"""Turn an expected failure, ^C and a bug into exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from manifest_runner.cli.console import Console
from manifest_runner.errors import RunnerError, UsageProblem
from manifest_runner.version import __version__

BUG_EXIT = 70
INTERRUPTED_EXIT = 130
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


@contextmanager
def error_handler(console: Console) -> Iterator[None]:
    """Report why a command ends early, and exit with the code for that."""
    try:
        yield
    except RunnerError as e:
        console.failure(e)
        sys.exit(e.exit_code)
    except (KeyboardInterrupt, click.Abort):  # click makes an Abort of ^C at a prompt
        words = "interrupted. What was launched is safe: run the same command again to continue."
        console.stop(words, INTERRUPTED_EXIT)
        sys.exit(INTERRUPTED_EXIT)
    except click.ClickException as e:
        e.show()
        console.stop(None, e.exit_code, e.format_message())
        sys.exit(e.exit_code)
    except BrokenPipeError:  # the reader has gone
        _drop_output()
        sys.exit(1)
    except Exception as e:  # noqa: BLE001 - a bug ends here, and leaves its traceback in a file
        if isinstance(e, OSError) and e.errno in _NO_ROOM:  # files have errors of their own, so this is stdout
            _drop_output()
            console.stop(f"error: the output could not be written: {e.strerror}", UsageProblem.exit_code)
            sys.exit(UsageProblem.exit_code)
        words = f"error: a bug in manifest-runner ({type(e).__name__}). Please report it with {crash_log()}"
        console.stop(words, BUG_EXIT)
        sys.exit(BUG_EXIT)


def _drop_output() -> None:
    """The interpreter flushes stdout when it exits, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def crash_log() -> str:
    """Write the current traceback to a file. Returns the file's name, or says why there is none."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="manifest-runner-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"manifest-runner {__version__}, Python {sys.version}\n{traceback.format_exc()}")
            return file.name
    except OSError as e:
        return f"its traceback, which could not be saved ({e.strerror or e})"
