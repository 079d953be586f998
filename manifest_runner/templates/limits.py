"""Limits on the cost of templates, counted rather than timed, so that every machine refuses the same ones. Pure."""

from __future__ import annotations

from typing import Any

from manifest_runner.templates.scope import RowScope

MAX_TEXT = 1_000_000
MAX_CHARGE = 4_000_000
MAX_STEPS = 100_000
# All renderings of an item stream together: some may be expensive, most must be cheap.
MAX_STEPS_OF_ALL = 2_000_000
MAX_STEPS_OF_EACH = 2_000
WALKED_PER_STEP = 8  # the number of charged characters and values that take as long as one step
MAX_SMALL = 1_000
MAX_BITS = 4096

_WEIGHT_OF_VALUE = 4  # a value takes more time and memory than a character


class TemplateRefused(Exception):
    """A template does something that is not allowed in manifests; the message says what."""


class Budget:
    """What renderings may still cost: each one, which ``start`` resets, and all of them together."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Reset the cost of all renderings, before the rows are expanded the first time or again."""
        self._left = MAX_STEPS_OF_ALL
        self._charge = self._steps = self._walked = 0

    def start(self) -> None:
        """Start a rendering. Raises TemplateRefused if earlier ones have used up everything."""
        if not self.is_spent:
            self._left += MAX_STEPS_OF_EACH - self._steps - self._walked // WALKED_PER_STEP
        self._charge = self._steps = self._walked = 0
        if self.is_spent:
            raise TemplateRefused(
                f"the templates of all rows take more than {MAX_STEPS_OF_ALL:,} steps and {MAX_STEPS_OF_EACH:,} for "
                "each rendering; this row and the rows after it were not checked"
            )

    @property
    def is_spent(self) -> bool:
        """Whether the renderings since ``restart`` have cost more than allowed; then all further ones are refused."""
        return self._left <= 0

    def charge(self, size: int, *, is_walked: bool = True) -> None:
        """Pay for a value of this weight. Raises TemplateRefused if the rendering costs too much."""
        self._charge += size
        self._walked += size if is_walked else 0
        self.step()
        if size > MAX_TEXT or self._charge > MAX_CHARGE:
            raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")

    def step(self) -> None:
        """Pay for one operation. Raises TemplateRefused if the rendering takes too many."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TemplateRefused(f"the template takes more than {MAX_STEPS:,} steps")


def weight(value: Any) -> int:
    """The number of characters in a walk through a value, plus four for each value; counting stops at ``MAX_TEXT``.

    A list can contain another one many times, so walking through a value that is small in memory can take forever.
    """
    total, waiting = 0, [value]
    while waiting and total <= MAX_TEXT:
        each = waiting.pop()
        total += _WEIGHT_OF_VALUE
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, RowScope):
            continue  # is as large as a row of a file, and cannot contain itself
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
    """Refuse large widths, counts and repetitions."""
    for each in arguments:
        size = len(each) if isinstance(each, str) else abs(each) if isinstance(each, (int, float)) else 0
        if size > MAX_SMALL:
            raise TemplateRefused(f"a width or count of more than {MAX_SMALL:,}")


def refuse_long_number(bits: int) -> None:
    if bits > MAX_BITS:
        raise TemplateRefused("the template makes a number of more than a thousand digits")
