"""A group whose commands are imported when they are called, so that each command starts as fast as it can."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.error_handler import error_handler
from manifest_runner.text import shown

# What commands of other tools are called here.
_OF_OTHER_TOOLS = {
    "apply": "run",
    "cancel": "abort",
    "check": "validate",
    "diff": "plan",
    "download": "outputs --download",
    "help": "--help",
    "launch": "run",
    "logs": "failures --logs",
    "retry": "run --retry-failed",
    "submit": "run",
    "version": "--version",
    "watch": "status --watch",
}
_DRY_RUN = ("--dry-run", "--dryrun", "-n")


class LazyGroup(click.Group):
    """``modules`` has the module of each command by name; its command is ``command`` there."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.modules = modules

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        found = import_module(self.modules[cmd_name]).command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.modules and not args[0].startswith("-"):
            from manifest_runner.near_miss import near_miss  # which few command lines need

            ours = _OF_OTHER_TOOLS.get(args[0])
            meant = near_miss(args[0], self.modules) if ours is None else f'; use "{ours}"'
            ctx.fail(f"No such command {shown(args[0])}{meant}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command and exit with its code; without ``standalone_mode`` return it."""
        arguments = sys.argv[1:] if args is None else list(args)
        with error_handler(Console.of_arguments(arguments)):
            try:
                code = super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
            except click.NoSuchOption as e:
                if e.option_name not in _DRY_RUN:
                    raise
                words = f"No such option {e.option_name!r}; `manifest-runner plan` shows what a run would do"
                raise click.NoSuchOption(e.option_name, words, ctx=e.ctx) from e
            sys.stdout.flush()  # now, since the interpreter could only complain of a full disk when it exits
        return sys.exit(code) if standalone_mode else code
