"""How a command ends: an expected failure, ^C and a bug as exit codes."""

from __future__ import annotations

import sys
from typing import Any

import click

from manifest_runner import __version__
from manifest_runner.errors import RunnerError

INTERRUPTED_EXIT = 130
BUG_EXIT = 70


class _App(click.Group):
    """All commands, with the one place where an expected failure, ^C and a bug become exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RunnerError as e:
            ctx.obj.failure(e)
            sys.exit(e.exit_code)
        except (KeyboardInterrupt, click.Abort):  # click makes an Abort of ^C at a question
            ctx.obj.error("interrupted. What was launched is safe: run the same command again to go on.")
            sys.exit(INTERRUPTED_EXIT)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # whoever read us has gone; the interpreter would complain when it flushes
            sys.exit(1)
        except Exception as e:  # noqa: BLE001 - a bug ends here, and leaves its traceback in a file
            ctx.obj.error(f"error: a bug in manifest-runner ({type(e).__name__}). Please report it with {crash_log()}")
            sys.exit(BUG_EXIT)
        finally:
            ctx.obj.close()


def crash_log() -> str:
    """Write the traceback at hand to a file; gives its name, or says why there is none."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="manifest-runner-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"manifest-runner {__version__}, Python {sys.version}\n{traceback.format_exc()}")
            return file.name
    except OSError as e:
        return f"its details, for which no file could be written ({e.strerror or e})"
