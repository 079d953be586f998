"""The commands as functions, for notebooks and workflow engines. They print nothing.

Each takes the manifest's path first, and the options of the command line as keyword arguments of the same names. Where
a command would exit with 2 to 8, the function raises a ``manifest_runner.errors.RunnerError`` with that ``exit_code``;
failed items are in the result. ``notify`` is called with each line that a command would report while it works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from manifest_runner.cli.views.plan import plan_document
from manifest_runner.cli.views.run import run_document
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import DEFAULT_TIMEOUT, RunOptions, Target
from manifest_runner.diagnostics.formats import finding_document
from manifest_runner.errors import NotCovered, UsageProblem
from manifest_runner.ica.model import DEFAULT_KEY_WINDOW
from manifest_runner.planning.choices import Choices
from manifest_runner.python_results import FindingResult, OutputsResult, PlanResult, RunResult, StatusResult

S = TypeVar("S", bound=msgspec.Struct)

Manifest = str | Path
Notify = Callable[[str], None]

# Options whose name on the command line differs from the field that they fill.
_FIELDS = {"targets": "target", "given_vars": "var", "key_window": "idempotency_window"}


def validate(
    path: Manifest,
    *,
    strict: bool = False,
    server_url: str | None = None,
    emulator: bool = False,
    lockfile: Manifest | None = None,
    var: Mapping[str, str] | None = None,
    project: str | None = None,
) -> list[FindingResult]:
    """Check a manifest and all its items, without the network. Returns the warnings.

    Raises InvalidManifest (exit code 3) with everything that is wrong in its ``findings``; ``strict`` treats warnings
    as errors. ``server_url`` and ``lockfile`` make no difference here.
    """
    manifest, to, _, context = _arguments("validate", locals())
    from manifest_runner.commands import validate as command

    valid = command.validate(manifest, to, context, strict=strict)
    return msgspec.convert([finding_document(each) for each in valid.findings], list[FindingResult])


def plan(
    path: Manifest,
    *,
    retry_failed: bool = False,
    where: str | None = None,
    relaunch_changed: bool = False,
    target: str | Sequence[str] = (),
    limit: int | None = None,
    batch_size: int | None = None,
    max_launches: int | None = None,
    strict: bool = False,
    no_check: bool = False,
    detailed_exitcode: bool = False,
    server_url: str | None = None,
    emulator: bool = False,
    lockfile: Manifest | None = None,
    var: Mapping[str, str] | None = None,
    project: str | None = None,
    notify: Notify | None = None,
) -> PlanResult:
    """What ``run`` would do. Writes nothing, and uses the network only for a lockfile in a store.

    With ``detailed_exitcode`` a plan with something to launch raises NotCovered (exit code 8).
    """
    arguments = _arguments("plan", locals())
    from manifest_runner.commands import preview

    seen = preview.plan(*arguments)
    if detailed_exitcode and not seen.plan.is_covered:
        raise NotCovered(f"{path}: something is new, changed or pending")
    document = plan_document(seen.plan, seen.batches, too_many=seen.too_many, waiting=seen.waiting)
    return msgspec.convert(document, PlanResult)


def run(
    path: Manifest,
    *,
    wait: Literal["none", "created", "finished"] = "created",
    timeout: float = DEFAULT_TIMEOUT,
    poll_interval: float | None = None,
    retry_failed: bool = False,
    where: str | None = None,
    relaunch_changed: bool = False,
    target: str | Sequence[str] = (),
    limit: int | None = None,
    batch_size: int | None = None,
    max_launches: int | None = None,
    strict: bool = False,
    no_check: bool = False,
    retries: int = 0,
    outputs: bool = False,
    locked: bool = False,
    no_refresh: bool = False,
    launch_renamed: bool = False,
    expect: str | None = None,
    adopt: Literal["wait", "now", "never"] = "wait",
    idempotency_window: float = DEFAULT_KEY_WINDOW,
    lock_timeout: float = 0.0,
    no_lock: bool = False,
    server_url: str | None = None,
    emulator: bool = False,
    lockfile: Manifest | None = None,
    var: Mapping[str, str] | None = None,
    project: str | None = None,
    notify: Notify | None = None,
) -> RunResult:
    """Launch what is not launched yet, and write the lockfile. Times are in seconds.

    It is always safe to run again. Raises ApprovalNeeded (exit code 7) if something needs approval.
    """
    arguments, start = _arguments("run", locals()), time.monotonic()
    from manifest_runner.commands.run import run

    outcome = run(*arguments)
    return msgspec.convert(run_document(outcome, time.monotonic() - start), RunResult)


def status(
    path: Manifest,
    *,
    target: str | Sequence[str] = (),
    failed: bool = False,
    watch: bool = False,
    usage: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
    poll_interval: float | None = None,
    server_url: str | None = None,
    emulator: bool = False,
    lockfile: Manifest | None = None,
    var: Mapping[str, str] | None = None,
    project: str | None = None,
    notify: Notify | None = None,
) -> StatusResult:
    """Update the lockfile from the API; with ``watch``, until every analysis has ended.

    ``target`` and ``failed`` choose what is in the result. While a run holds the manifest, nothing is written.
    """
    manifest, to, options, context = _arguments("status", locals())
    from manifest_runner.cli.views.status import status_json
    from manifest_runner.commands.status import chosen_items, refresh

    found = refresh(manifest, to, options, context, is_watching=watch, usage=usage)
    shown = chosen_items(found, options.choices, only_failed=failed)
    return msgspec.json.decode(status_json(shown, manifest), type=StatusResult)


def outputs(
    path: Manifest,
    *,
    download: Manifest | None = None,
    include: str | Sequence[str] = (),
    target: str | Sequence[str] = (),
    timeout: float = DEFAULT_TIMEOUT,
    poll_interval: float | None = None,
    server_url: str | None = None,
    emulator: bool = False,
    lockfile: Manifest | None = None,
    var: Mapping[str, str] | None = None,
    project: str | None = None,
    notify: Notify | None = None,
) -> OutputsResult:
    """Record the outputs of analyses that succeeded in the lockfile; with ``download``, fetch the files to that folder.

    Files that cannot be fetched raise no error: the result lists them in ``download.missing``.
    """
    arguments = _arguments("outputs", locals())
    from manifest_runner.cli.views.outputs import outputs_document
    from manifest_runner.commands.outcomes.download import download_options
    from manifest_runner.commands.outputs import outputs

    into = download_options(None if download is None else Path(download), _several(include))
    return msgspec.convert(outputs_document(outputs(*arguments, into)), OutputsResult)


def _arguments(command: str, given: Mapping[str, Any]) -> tuple[Path, Target, RunOptions, Context]:
    """The arguments of a command, from the locals of its function at its first line.

    Raises UsageProblem for a value that the command line would not accept either.
    """
    given = {**given, **_as_options(command, given)}
    try:
        choices = _filled(Choices, given)
    except ValueError as e:  # a struct may check what no single option can
        raise UsageProblem(str(e)) from e
    options = msgspec.structs.replace(_filled(RunOptions, given), choices=choices)
    notify = given.get("notify")
    context = Context() if notify is None else Context(notify=notify)
    return Path(given["path"]), _filled(Target, given), options, context


def _as_options(command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of options as the command line would parse them, so that a limit is a number."""
    import click

    from manifest_runner.cli.main import app

    context = click.Context(app)
    found = app.get_command(context, command)
    assert found is not None
    values = {}
    for option in found.params:
        name = option.opts[-1].removeprefix("--").replace("-", "_")
        if given.get(name) is None or option.multiple or not isinstance(option, click.Option) or option.is_flag:
            continue
        try:
            values[name] = option.process_value(context, given[name])
        except click.BadParameter as e:
            raise UsageProblem(f"{name}: {e.message}") from e
    return values


def _filled(struct: type[S], given: Mapping[str, Any]) -> S:
    """The struct with the given values for its fields; None means that an option was left out."""
    fields = {field: given.get(_FIELDS.get(field, field)) for field in struct.__struct_fields__}
    values = {field: value for field, value in fields.items() if value is not None}
    if "targets" in values:
        values["targets"] = _several(values["targets"])
    if "lockfile" in values:
        values["lockfile"] = Path(values["lockfile"])
    return struct(**values)


def _several(values: str | Sequence[str]) -> tuple[str, ...]:
    """A single text is one value; iterating over it would give its letters, and a ``*`` would choose everything."""
    return (values,) if isinstance(values, str) else tuple(values)
