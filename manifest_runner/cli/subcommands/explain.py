"""``explain``: the meaning of an error's or a warning's code."""

from __future__ import annotations

import click

from manifest_runner.cli.completion import codes
from manifest_runner.cli.console import Console
from manifest_runner.cli.option_groups import ignored
from manifest_runner.cli.options import console_options, target_options
from manifest_runner.errors import UsageProblem


@click.command
@click.argument("code", required=False, shell_complete=codes)
@console_options
@ignored("target", target_options)
def command(code: str | None, console: Console) -> None:
    """Explain the code of an error or warning, and how to fix it.

    Without a code, lists all codes.
    """
    from manifest_runner.cli.views.explained import code_document, code_lines, list_lines
    from manifest_runner.diagnostics.codes import CODES

    if code is None:
        console.result(list_lines(CODES), [code_document(each, about) for each, about in CODES.items()])
        return
    about = CODES.get(code.upper())
    if about is None:
        raise UsageProblem(f"{code}: unknown code; `manifest-runner explain` lists them")
    console.result(code_lines(code.upper(), about), code_document(code.upper(), about))
