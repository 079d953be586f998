"""Blanks around cells, and error values of Excel: what samplesheets made by people contain. Pure."""

from __future__ import annotations

from manifest_runner.text import shown

# Space, tab, line ends, the other blanks of Unicode, and characters without width: a byte order mark, a soft hyphen, or
# the marks of direction that Windows puts before a path that is copied from the properties of a file.
_BLANK_RANGES = ((0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064), (0x2066, 0x2069))
BLANKS = " \t\r\n\x85\xa0\xad\u1680\u180e\u3000\ufeff" + "".join(
    chr(code) for first, last in _BLANK_RANGES for code in range(first, last + 1)
)
_MAX_SPACES = 8  # of a line, that are looked at one by one
# Joins the cells of a row that is kept as one text. No cell has it: csv files and workbooks with a NUL are refused.
CELL_SEPARATOR = "\0"
# Takes the place of a formula without a stored result: a program other than Excel wrote it and never calculated it.
NO_RESULT = "#FORMULA WITHOUT A RESULT"
ERROR_VALUES = frozenset(
    "#N/A #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #BUSY! #UNKNOWN! "
    "#GETTING_DATA".split()
) | {NO_RESULT}


def trimmed(text: str) -> str:
    """A cell without the blanks around it. Trimming twice changes nothing."""
    return text.strip(BLANKS)


def error_words(column: str, value: str) -> str:
    """The message for an error value in a column."""
    if value == NO_RESULT:
        what = "holds a formula without a stored result; open the file in Excel and save it"
    else:
        what = f"is {value}, an error value of Excel; correct the cell"
    return f"the column {shown(column)} {what}"


def has_blank_edge(line: str, edges: str) -> bool:
    """Whether a space may be the first or the last character of a cell; ``edges`` are the characters between cells."""
    at = line.find(" ")
    for _ in range(_MAX_SPACES):
        if at < 0:
            return False
        if at == 0 or line[at - 1] in edges or line[at + 1 : at + 2] in edges:
            return True
        at = line.find(" ", at + 1)
    return True
