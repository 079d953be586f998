"""Commands and options, as declared on the command line."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator

import click

from manifest_runner.cli.main import app

# An option that this many commands describe in the same words is described only once.
_MANY = 4


def reference() -> str:
    found = dict(commands(app))
    shared = shared_options(found)
    lines = [
        "## Common options",
        "",
        "Several commands have these options; the section of each command lists its own.",
        "",
    ]
    lines += table(shared.values())
    for name, command in found.items():
        lines += ["", f"## {name}", "", *section(name, command, set(shared))]
    return "\n".join(lines) + "\n"


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its full name, such as ``lock merge``; a group is shown by its commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        elif command is not None and not command.hidden:
            yield prefix + name, command


def shared_options(found: dict[str, click.Command]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The rows of options that many commands have in common."""
    rows = [row(option) for command in found.values() for option in options(command)]
    return {each: each for each, count in Counter(rows).items() if count >= _MANY}


def section(name: str, command: click.Command, shared: set[tuple[str, ...]]) -> Iterator[str]:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    pieces = ["manifest-runner", name, *(argument.make_metavar(click.Context(command)) for argument in arguments)]
    yield from ("```text", " ".join([*pieces, "[OPTIONS]"]), "```", "")
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    rows = [row(option) for option in options(command)]
    own = [each for each in rows if each not in shared]
    if own:
        yield from ("", *table(own))
    if common := [f"`{each[0].split('`')[1].split(' ')[0]}`" for each in rows if each in shared]:
        yield from ("", f"Common options: {', '.join(common)}.")
    yield from epilog(command)


def epilog(command: click.Command) -> Iterator[str]:
    """The help text below the options. Its layout matters, so it stays as it is."""
    text = inspect.cleandoc(command.epilog or "").replace("\b\n", "").strip()
    if text:
        yield from ("", "```text", text, "```")


def options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def table(rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Iterator[str]:
    yield "| option | what it does | default |"
    yield "| --- | --- | --- |"
    for cells in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def row(option: click.Option) -> tuple[str, ...]:
    names = sorted(option.opts, key=len, reverse=True)
    value = "" if option.is_flag else f" {metavar(option)}"
    shown = ", ".join([f"`{names[0]}{value}`", *(f"`{each}`" for each in names[1:])])
    return shown, option.help or "", default_of(option)


def metavar(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.make_metavar(click.Context(click.Command("any")))


def default_of(option: click.Option) -> str:
    """The default, if the help shows it, too."""
    if isinstance(option.show_default, str):
        return option.show_default
    if not option.show_default or option.default is None:
        return ""
    default = option.default
    whole = isinstance(default, float) and default.is_integer()
    return f"`{int(default) if whole else default}`"
