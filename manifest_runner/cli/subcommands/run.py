"""``run``: launch what is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from manifest_runner.cli.console import Console, error_document
from manifest_runner.cli.options import (
    choice_options,
    console_options,
    many_manifests,
    run_options,
    target_options,
)
from manifest_runner.cli.progress import Progress, context_of, progress_on
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.errors import RunnerError, UsageProblem
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted

if TYPE_CHECKING:
    from manifest_runner.cli.views.run import Ended
    from manifest_runner.commands.run import RunOutcome
    from manifest_runner.planning.plan import Plan

EPILOG = """\b
An item that ...
  is new                     is launched.
  was launched as it is now  is left alone, so the command is safe to repeat, even after ^C.
  changed since its launch   stops the run before anything is sent. To approve the change: use
                             --relaunch-changed, answer yes at the prompt, or raise `revision`
                             in the manifest. To keep its launch: `manifest-runner accept`.
  failed                     is left alone until --retry-failed. An item that was never created
                             is also launched again once its row or the manifest is fixed.
  was renamed                keeps its launch once `moved` names it; until then it needs approval.
  left the manifest          stays in the lockfile, marked as removed.

\b
Examples:
  manifest-runner run germline.yaml --limit 3          try the first three before the rest
  manifest-runner run germline.yaml --target 'NA12*'   launch only some items
  manifest-runner run germline.yaml --wait finished    wait until every analysis has ended
  manifest-runner run one.yaml two.yaml                each with its own lockfile

\b
Exit codes: 0 success, 1 some items failed, 2 wrong usage, 3 the manifest is invalid, 4 ICA
refused, 5 ICA could not be reached or took too long (safe to repeat), 6 the lockfile is damaged
or in use, 7 approval is needed, 8 --locked and something is not launched, 130 interrupted.
"""


@click.command(epilog=EPILOG)
@many_manifests
@choice_options
@run_options
@target_options
@console_options
def command(
    manifests: tuple[Path, ...], target: Target, choices: Choices, options: RunOptions, console: Console
) -> int:
    """Launch what is not launched yet; write the lockfile."""
    from manifest_runner.cli.views.run import summary_lines
    from manifest_runner.commands import run

    if len(manifests) > 1 and target.lockfile:
        raise UsageProblem("--lockfile takes one manifest; several manifests each have their own lockfile")
    options = structs.replace(options, choices=choices, detail=console.detail)
    with progress_on(console) as progress:

        def run_one(manifest: Path) -> RunOutcome:
            progress.begin(f"== {manifest}" if len(manifests) > 1 else None)
            asked = structs.replace(options, approve=_approval(manifest, console, progress))
            return run.run(manifest, target, asked, context_of(progress))

        in_turn = options.wait == "finished" and len(manifests) > 1
        if in_turn:
            run.check_manifests(manifests, target, context_of(progress))
        ended: dict[Path, Ended] = {}
        for manifest in manifests:
            ended[manifest] = _ended(manifest, run_one, console, progress, len(manifests))
            if in_turn and ended[manifest].exit_code:  # the next one may start from what this one made
                break
    if left := [str(manifest) for manifest in manifests if manifest not in ended]:
        console.error(f"not run, because {manifest} did not succeed: {', '.join(left)}")
    documents = [_documented(each, console) for each in ended.values()]
    console.result(summary_lines(ended), documents[0] if len(manifests) == 1 else documents)
    return max(each.exit_code for each in ended.values())


def _ended(
    manifest: Path, run_one: Callable[[Path], RunOutcome], console: Console, progress: Progress, manifests: int
) -> Ended:
    """How one manifest's run ended. If there are several, a failure does not stop the others."""
    from manifest_runner.cli.views.run import Ended

    start = time.monotonic()
    try:
        return Ended(run_one(manifest), time.monotonic() - start)
    except RunnerError as e:
        if manifests == 1:
            raise
        progress.close()
        console.error(f"{manifest}:")
        console.explain(e)
        return Ended(e, time.monotonic() - start)


def _documented(ended: Ended, console: Console) -> dict[str, object]:
    """The JSON of one manifest's run; its findings, and with --quiet its failures, go to stderr."""
    from manifest_runner.cli.views.run import failure_lines, run_document

    if isinstance(ended.end, RunnerError):
        return error_document(ended.end)
    console.findings(ended.end.findings)
    for line in failure_lines(ended.end) if console.quiet else ():
        console.error(line)
    return run_document(ended.end, ended.seconds)


def _approval(manifest: Path, console: Console, progress: Progress) -> Callable[[Plan], bool] | None:
    """How to ask a person, who first sees what would be launched; None if nobody can be asked."""
    from manifest_runner.cli.views.plan import item_lines

    def approve(plan: Plan) -> bool:
        changed = len(plan.changed)
        they = "it" if changed == 1 else "they"
        some = f"{changed:,} of them " if changed < len(plan.launches) else ""
        again = f"{some}again because {they} changed"
        question = f"{manifest}: launch {counted(len(plan.launches), 'analysis', 'analyses')}, {again}?"
        return progress.ask(item_lines(plan, verbose=console.verbose), question)

    return approve if console.is_interactive else None
