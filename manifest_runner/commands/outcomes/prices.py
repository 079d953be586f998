"""The prices of analyses that have ended, asked for once and recorded in the lockfile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Refused
from manifest_runner.launch.following.gone import is_gone
from manifest_runner.lockfile.model import LockedItem, LockedPrice

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

# An analysis that was aborted has no price.
_PRICED = frozenset({"SUCCEEDED", "FAILED", "FAILED_FINAL", "FAILEDFINAL"})


def record_prices(run: OpenRun, wanted: Iterable[str]) -> int:
    """Keep the prices of these items' launches, earlier ones too. Returns how many ICA does not know yet."""
    from manifest_runner.ica.parallel import each_in_parallel

    items, progress = run.session.lockfile.items, run.session.context.progress
    launches = [
        (name, number, launch)
        for name in wanted
        for number, launch in enumerate((*items[name].previous, items[name]))
        if _has_price(launch)
    ]
    if not launches:
        return 0
    client = run.client()
    waiting = 0
    for done, ((name, number, _), price) in enumerate(
        each_in_parallel(lambda each: _price(client, each[2]), launches), 1
    ):
        waiting += price is None
        if price is not None:
            items[name] = _priced(items[name], number, price)
        progress("prices", done, len(launches))
    return waiting


def _has_price(launch: LockedItem) -> bool:
    return launch.price is None and launch.analysis is not None and launch.analysis.status in _PRICED


def _price(client: Client, launch: LockedItem) -> LockedPrice | None:
    """None until ICA knows it, some minutes after the end."""
    from manifest_runner.ica.outcome_endpoints import get_usage
    from manifest_runner.ica.outcome_responses import read_usage

    assert launch.analysis is not None
    try:
        price = client.ask(get_usage(launch.analysis.id), read_usage)
    except Refused as e:
        if not is_gone(e):
            raise
        return None
    return None if price is None else LockedPrice(price.amount, price.currency)


def _priced(item: LockedItem, number: int, price: LockedPrice) -> LockedItem:
    """``number`` counts the earlier launches; the current one comes after them."""
    if number == len(item.previous):
        return structs.replace(item, price=price)
    previous = [*item.previous]
    previous[number] = structs.replace(previous[number], price=price)
    return structs.replace(item, previous=tuple(previous))
