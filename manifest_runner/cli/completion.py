"""Shell completion of arguments. On any error it offers nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Shells ask before they show a longer list, and nobody reads one.
_MOST = 200
# Nobody waits at a prompt for the rows of a large samplesheet: these take a second.
_MOST_RENDERED = 10_000
_YAML = (".yaml", ".yml")


def manifests(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """YAML files, and the folders on the way to them."""
    folder, slash, start = incomplete.rpartition("/")
    found = []
    with suppress(OSError):
        for path in sorted(Path(folder or slash or ".").iterdir()):
            name = f"{folder}{slash}{path.name}"
            if not path.name.startswith(start) or (path.name.startswith(".") and not start):
                continue
            if path.suffix in _YAML:
                found.append(name)
            elif path.is_dir():
                found.append(f"{name}/")
    return found


def targets(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The userReferences of the manifests on the command line, those of their lockfiles included."""
    # While an option has no value yet, click has not parsed the arguments before it: they are in `context.args`.
    given = context.params.get("manifests") or [context.params.get("manifest")]
    found: dict[str, None] = {}
    for manifest in list(filter(None, given)) or context.args:
        matching = (name for name in _references(Path(manifest), context) if name.startswith(incomplete))
        found.update(dict.fromkeys(islice(matching, _MOST)))
    return list(found)[:_MOST]


def _references(manifest: Path, context: click.Context) -> Iterator[str]:
    import os

    from manifest_runner.errors import RunnerError
    from manifest_runner.items.load import load
    from manifest_runner.lockfile.file import load_lockfile
    from manifest_runner.lockfile.workspace import Workspace

    params = context.params
    with suppress(RunnerError):
        path = Workspace.of(manifest, params.get("lockfile"), is_trial=bool(params.get("emulator"))).lockfile
        lockfile = load_lockfile(path)
        yield from lockfile.items if lockfile else ()
    with suppress(RunnerError):
        given = params.get("given_vars") or {}
        loaded = load(manifest, env=os.environ, project=params.get("project"), given_vars=given)
        yield from (item.user_reference for item in islice(loaded.stream.items(), _MOST_RENDERED))


def codes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from manifest_runner.diagnostics.codes import CODES

    return [
        CompletionItem(code, help=about.title) for code, about in CODES.items() if code.startswith(incomplete.upper())
    ]
