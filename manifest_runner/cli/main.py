"""The command line: the group of all commands. Only ``cli`` prints or exits."""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper

import click

from manifest_runner.cli.lazy_group import LazyGroup
from manifest_runner.version import __version__

EPILOG = """\b
First steps:
  manifest-runner init germline.yaml              write a manifest and a samplesheet to start from
  manifest-runner validate germline.yaml          list what is wrong, with file and line
  manifest-runner plan germline.yaml              show what would be launched, and what changed
  manifest-runner run germline.yaml --emulator    try it without ICA
  manifest-runner run germline.yaml               launch it; then commit germline.lock.json
  manifest-runner status germline.yaml --watch    follow it

\b
Shell completion (also zsh_source and fish_source):
  eval "$(_MANIFEST_RUNNER_COMPLETE=bash_source manifest-runner)"
"""

# In the order of --help. A name that Python reserves has an underscore after it in its module's name.
COMMANDS = (
    "init",
    "validate",
    "plan",
    "render",
    "resolve",
    "run",
    "status",
    "outputs",
    "failures",
    "report",
    "accept",
    "abort",
    "doubles",
    "import",
    "lock",
    "schema",
    "explain",
    "emulator",
)
_RESERVED = {"import": "import_"}
MODULES = {name: f"manifest_runner.cli.subcommands.{_RESERVED.get(name, name)}" for name in COMMANDS}


@click.group(
    cls=LazyGroup,
    modules=MODULES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="manifest-runner", message="%(prog)s %(version)s")
def app() -> None:
    """Launch analyses on Illumina Connected Analytics from a manifest, each exactly once."""


def main() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in the background of a shell script
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a CI system cancels a job with SIGTERM: treat it as ^C
    _open_closed_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for characters that it cannot show
    app(prog_name="manifest-runner")


def _open_closed_streams() -> None:
    """A stream that the caller has closed (``>&-``) is None in Python, and its number would go to the next file."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
