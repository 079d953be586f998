"""The outputs of analyses, as ICA lists them: recorded in the lockfile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Refused
from manifest_runner.launch.following.gone import is_gone
from manifest_runner.lockfile.model import LockedItem, LockedOutput

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.outcome_model import Output

# Answers are saved at this interval, so a crash loses little.
SAVE_SECONDS = 60.0


def record_outputs(run: OpenRun, wanted: Iterable[str]) -> None:
    """Keep the outputs of those among these items that succeeded and have none recorded."""
    from manifest_runner.ica.parallel import each_in_parallel

    session, items, context = run.session, run.session.lockfile.items, run.session.context
    names = [name for name in wanted if items[name].succeeded and items[name].outputs is None]
    if not names:
        return
    client, saved_at = run.client(), context.monotonic()
    for done, (name, found) in enumerate(each_in_parallel(lambda name: _ask(client, items[name]), names), 1):
        if found is None:
            context.notify(f"{name}: ICA no longer knows its analysis, so it has no outputs")
        else:
            items[name] = structs.replace(items[name], outputs=_locked(found, session.lockfile.project))
        context.progress("outputs", done, len(names))
        if context.monotonic() - saved_at > SAVE_SECONDS:
            session.save()
            saved_at = context.monotonic()


def _ask(client: Client, item: LockedItem) -> tuple[Output, ...] | None:
    """None if the analysis is gone."""
    from manifest_runner.ica.outcome_endpoints import list_outputs
    from manifest_runner.ica.outcome_responses import read_outputs

    assert item.analysis is not None
    try:
        return client.ask(list_outputs(item.analysis.id), read_outputs)
    except Refused as e:
        if not is_gone(e):
            raise
        return None


def _locked(found: Iterable[Output], project: str) -> dict[str, tuple[LockedOutput, ...]]:
    locked: dict[str, tuple[LockedOutput, ...]] = {}
    for output in found:
        other = None if output.project == project else output.project
        data = tuple(LockedOutput(each.id, each.name, each.type, other) for each in output.data)
        locked[output.code] = locked.get(output.code, ()) + data
    return locked
