"""The cells of a sheet, packed, which takes a quarter of the memory of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from manifest_runner.rows.cells import CELL_SEPARATOR, has_blank_edge
from manifest_runner.rows.sheet import Record

_EDGES = CELL_SEPARATOR + " \t\r\n"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[list[str]])


class Piece(msgspec.Struct, frozen=True):
    """Rows that follow each other, of ``width`` cells each; the first cell is at ``line`` and ``column``, from 1."""

    line: int
    column: int
    width: int
    packed: bytes

    @property
    def end(self) -> int:
        """The column after the last one."""
        return self.column + self.width

    def rows(self) -> list[list[str]]:
        return _DECODER.decode(self.packed)


def packed(rows: Sequence[Sequence[str]], line: int, column: int) -> Piece:
    return Piece(line, column, len(rows[0]), _ENCODER.encode(rows))


class SheetCells(msgspec.Struct, frozen=True):
    """The cells of a sheet: a rectangle, in pieces that may be narrower."""

    pieces: Sequence[Piece]

    @property
    def first_column(self) -> int:
        return min((piece.column for piece in self.pieces), default=1)

    def records(self, mark: str) -> Iterator[Record]:
        """The rows that are not blank, all of the same width; a row with ``mark`` may be a comment."""
        first, end = self.first_column, max((piece.end for piece in self.pieces), default=1)
        for piece in self.pieces:
            before, after = [""] * (piece.column - first), [""] * (end - piece.end)
            for line, cells in enumerate(piece.rows(), piece.line):
                text = CELL_SEPARATOR.join(cells)
                if text.strip(CELL_SEPARATOR):
                    is_marked = "#" in text or mark in text or not text.isascii() or "\n" in text or "\t" in text
                    is_odd = is_marked or (" " in text and has_blank_edge(text, _EDGES))
                    yield line, before + cells + after if before or after else cells, is_odd
