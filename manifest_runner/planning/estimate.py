"""Estimate the cost of launches from that of earlier ones. Pure."""

from __future__ import annotations

from decimal import Decimal
from statistics import median

import msgspec

from manifest_runner.lockfile.model import Lockfile


class Estimate(msgspec.Struct, frozen=True):
    """``amount`` is the median of ``known`` prices times the number of launches."""

    amount: Decimal
    currency: str
    known: int


def estimate(lockfile: Lockfile, launches: int) -> Estimate | None:
    """None if no price is known, or if there are several currencies."""
    prices = [launch.price for item in lockfile.items.values() for launch in (*item.previous, item) if launch.price]
    currencies = {price.currency for price in prices}
    amounts = [amount for price in prices if (amount := price.number) is not None]
    if not launches or not amounts or len(currencies) != 1:
        return None
    return Estimate(median(amounts) * launches, currencies.pop(), len(amounts))
