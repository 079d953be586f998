"""What a template may cost, counted rather than timed, so that every machine refuses the same templates. Pure."""

from __future__ import annotations

from typing import Any

MAX_TEXT = 1_000_000
MAX_CHARGE = 4_000_000
MAX_STEPS = 100_000
# All renderings of an expansion together: some may be dear, most must be cheap.
MAX_STEPS_OF_ALL = 2_000_000
MAX_STEPS_OF_EACH = 2_000
WALKED_PER_STEP = 8  # charged characters and values that are walked through as fast as one step is taken
MAX_SMALL = 1_000
MAX_BITS = 4096

_WEIGHT_OF_VALUE = 4  # a value takes more time and memory than a character does


class TemplateRefused(Exception):
    """A template does what manifests may not do; the message says what."""


def weight(value: Any, limit: int = MAX_TEXT) -> int:
    """The values, times four, and the characters that a walk through a value meets; counting stops at ``limit``.

    A list can hold another many times, so that what is small in memory has no end for whoever walks it.
    """
    total, waiting = 0, [value]
    while waiting and total <= limit:
        each = waiting.pop()
        total += _WEIGHT_OF_VALUE
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, dict):
            waiting.extend(each)
            waiting.extend(each.values())
        elif isinstance(each, (list, tuple)):
            waiting.extend(each)
    return total + len(waiting)


def refuse_large(size: int) -> None:
    if size > MAX_TEXT:
        raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")


def refuse_wide(*arguments: Any) -> None:
    """For widths, counts and what is repeated that often."""
    for each in arguments:
        size = len(each) if isinstance(each, str) else abs(each) if isinstance(each, (int, float)) else 0
        if size > MAX_SMALL:
            raise TemplateRefused(f"a width or count of more than {MAX_SMALL:,}")


def refuse_long_number(bits: int) -> None:
    if bits > MAX_BITS:
        raise TemplateRefused("the template makes a number of more than a thousand digits")
