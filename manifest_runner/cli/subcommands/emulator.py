"""``emulator``: serve the embedded emulator."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.option_groups import option_group
from manifest_runner.cli.parameter_types import FILE, SECONDS
from manifest_runner.emulator.oddities import Oddities, parse_oddities
from manifest_runner.emulator.options import CatalogError, EmulatorOptions, Fault, parse_fault
from manifest_runner.errors import UsageProblem


def _faults(_context: click.Context, _parameter: click.Parameter, faults: tuple[str, ...]) -> tuple[Fault, ...]:
    try:
        return tuple(map(parse_fault, faults))
    except ValueError as e:
        raise click.BadParameter(str(e)) from e


def _oddities(_context: click.Context, _parameter: click.Parameter, oddities: tuple[str, ...]) -> Oddities:
    try:
        return parse_oddities(oddities)
    except ValueError as e:
        raise click.BadParameter(str(e)) from e


emulator_options = option_group(
    "options",
    EmulatorOptions,
    click.option(
        "--host", default="127.0.0.1", metavar="ADDRESS", show_default=True, help="Listen on this local address."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8787,
        metavar="PORT",
        show_default=True,
        help="0 picks a free one.",
    ),
    click.option(
        "--database",
        type=FILE,
        default=Path("emulator.sqlite3"),
        show_default=True,
        help="Keep the state in this file.",
    ),
    click.option(
        "--api-key",
        metavar="KEY",
        envvar="MANIFEST_RUNNER_EMULATOR_KEY",
        show_default="any",
        help="Accept this key only.",
    ),
    click.option(
        "--project",
        "projects",
        multiple=True,
        metavar="ID",
        show_default="any",
        help="Only this project exists; repeatable.",
    ),
    click.option(
        "--catalog",
        type=FILE,
        show_default="anything",
        help="Only the projects, pipelines and data of this file exist, and analyses end as it says.",
    ),
    click.option(
        "--creation-delay",
        type=SECONDS,
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="Create the items of a batch within this time.",
    ),
    click.option(
        "--analysis-duration",
        type=SECONDS,
        default=8.0,
        show_default=True,
        metavar="SECONDS",
        help="Let an analysis run for this long.",
    ),
    click.option("--fail-creation", metavar="REGEX", help="Fail the creation of these userReferences."),
    click.option("--fail-analysis", metavar="REGEX", help="Fail the analysis of these userReferences."),
    click.option("--abort-analysis", metavar="REGEX", help="Abort the analysis of these userReferences."),
    click.option(
        "--search-lag",
        type=SECONDS,
        default=0.0,
        metavar="SECONDS",
        help="Hide new analyses from searches for this long.",
    ),
    click.option(
        "--usage-delay",
        type=SECONDS,
        default=0.0,
        metavar="SECONDS",
        help="Hide the prices of analyses for this long.",
    ),
    click.option("--latency", type=SECONDS, default=0.0, metavar="SECONDS", help="Delay every answer."),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="KIND:NTH",
        callback=_faults,
        help="Make the NTH POST of a batch fail: 503, drop-before, … Also KIND:FIRST-LAST, KIND:NTH@get, @search, …",
    ),
    click.option(
        "--idempotency-ttl",
        type=SECONDS,
        default=7 * 86400.0,
        metavar="SECONDS",
        help="Remember idempotency keys for this long.",
    ),
    click.option(
        "--odd",
        "oddities",
        multiple=True,
        metavar="ODDITY",
        callback=_oddities,
        help="Behave like another kind of server: no-v4, max-url=BYTES, … Repeatable.",
    ),
    click.option(
        "--token-lifetime", type=SECONDS, default=86400.0, metavar="SECONDS", help="Let tokens expire after this long."
    ),
)


@click.command
@emulator_options
def command(options: EmulatorOptions) -> None:
    """Serve the emulator. The first line of stdout is its URL."""
    import sqlite3

    from manifest_runner.emulator import serve

    try:
        serve(options, click.echo)
    except sqlite3.Error as e:
        raise UsageProblem(f"{options.database}: cannot be used as the emulator's database: {e}") from e
    except (CatalogError, OSError) as e:
        raise UsageProblem(str(e)) from e
