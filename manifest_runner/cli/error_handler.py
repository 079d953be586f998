"""Turn an expected failure, ^C and a bug into exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from manifest_runner.cli.console import Console, drop_output
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
        with _ending(e.exit_code):
            console.failure(e)
    except (KeyboardInterrupt, click.Abort):  # click makes an Abort of ^C at a prompt
        words = "interrupted. What was launched is safe: run the same command again to continue."
        with _ending(INTERRUPTED_EXIT):
            console.stop(words, INTERRUPTED_EXIT)
    except click.ClickException as e:
        with _ending(e.exit_code):
            e.show()
            console.stop(None, e.exit_code, e.format_message())
    except BrokenPipeError:  # the reader has gone
        drop_output(sys.stdout)
        sys.exit(1)
    except Exception as e:  # noqa: BLE001 - a bug ends here, and leaves its traceback in a file
        if isinstance(e, OSError) and e.errno in _NO_ROOM:  # files have errors of their own, so this is stdout
            drop_output(sys.stdout)
            with _ending(UsageProblem.exit_code):
                console.stop(f"error: the output could not be written: {e.strerror}", UsageProblem.exit_code)
        words = f"error: a bug in manifest-runner ({type(e).__name__}). Please report it with {crash_log()}"
        with _ending(BUG_EXIT):
            console.stop(words, BUG_EXIT)


@contextmanager
def _ending(code: int) -> Iterator[None]:
    """Exit with this code after the report, even if that cannot be written."""
    try:
        yield
    except OSError:
        drop_output(sys.stdout)
        drop_output(sys.stderr)
    sys.exit(code)


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
