"""How large a workbook may be: what a library would take more memory for than rows are worth is refused."""

from __future__ import annotations

import functools
from collections.abc import Collection

from manifest_runner.rows.xlsx.parts import BadWorkbook

MAX_CELLS = 5_000_000
MAX_PART = 512 * 2**20
MAX_STRINGS = 192 * 2**20
_MAX_TEXT = 4 * 2**20  # Excel has at most 32,767 characters in a cell
_MARKUP = 80  # about what a cell takes besides its text


def refuse_texts(size: int) -> None:
    """Raise BadWorkbook if the texts of a sheet would take too much memory."""
    if size > MAX_STRINGS:
        raise BadWorkbook(f"its texts may take more than {MAX_STRINGS // 2**20} MiB; save the sheet as csv")


def refuse_own_texts(size: int, cells: int) -> None:
    """Raise BadWorkbook if the texts in the cells themselves are too large, given the size of the XML so far."""
    refuse_texts(size - cells * _MARKUP)


def refuse_large(cells: int, columns: Collection[int], rows: tuple[int, int]) -> None:
    """Raise BadWorkbook if there are too many cells, or if the first and the last are too far apart."""
    area = (max(columns) - min(columns) + 1) * (rows[1] - rows[0] + 1)
    if max(cells, area) > MAX_CELLS:
        message = f"more than {MAX_CELLS:,} cells between the first and the last; save the rows as csv"
        raise BadWorkbook(message)


def refuse_long(text: bytes) -> None:
    """Raise BadWorkbook for a text that no cell can hold: putting it together takes quadratic time."""
    if len(text) > _MAX_TEXT:
        raise BadWorkbook(f"it has a text of more than {_MAX_TEXT // 2**20} MiB")


@functools.cache
def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
