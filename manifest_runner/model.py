"""The values that cross modules. Pure: no files, no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["nextflow", "nextflowJson", "cwl"]
KINDS: tuple[Kind, ...] = ("nextflow", "nextflowJson", "cwl")

FINAL_CREATION = frozenset({"SUCCEEDED", "FAILED"})
# Version 3 of the API writes some names without underscores; both spellings end an analysis.
FINAL_ANALYSIS = frozenset({"SUCCEEDED", "FAILED", "FAILED_FINAL", "FAILEDFINAL", "ABORTED"})

NAME_STAMP = "manifest-runner-name:"
DIGEST_STAMP = "manifest-runner:"


# Of a long list so many are shown, unless all are asked for.
FEW = 10


class Place(NamedTuple):
    """Where something was written: a file as the user named it, line and column from 1."""

    file: str
    line: int
    column: int = 1

    def brief(self) -> str:
        """``FILE:LINE``, with the column where it is not the first: of a row, where its line holds several."""
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column > 1 else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the input. ``code`` is stable (``MR101`` …), ``row`` is the samplesheet's place.

    ``is_of_row`` where it is what that row holds that is at fault, rather than what the manifest makes of every row.
    """

    place: Place
    code: str
    message: str
    severity: Literal["error", "warning", "info"] = "error"
    row: Place | None = None
    is_of_row: bool = False

    @property
    def places(self) -> tuple[Place, Place | None]:
        """The place to mend, and the other one, if any; a tool that shows one place shows the first."""
        if self.row is not None and self.is_of_row and self.row.file != self.place.file:
            return self.row, self.place
        return self.place, None if self.row == self.place else self.row


class SpelledInt(int):
    """An integer that was not written as ``str()`` would write it (``-0``)."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledInt:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __str__(self) -> str:
        return self.spelling


class SpelledFloat(float):
    """A number that was written with a fraction or an exponent; ``str()`` gives it back as written."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledFloat:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __str__(self) -> str:
        return self.spelling


class Item(NamedTuple):
    """One analysis to create. ``request`` is the API's item before stamping, as JCS bytes (RFC 8785).

    ``analysis`` is the index of its analysis in the manifest, ``row`` the number its source gave its row.
    """

    user_reference: str
    kind: Kind
    revision: str
    request: bytes
    analysis: int
    row: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What the API says of a batch: its id, and its job's status and creation time (None where it sends no job)."""

    id: str
    status: str | None
    time_created: str | None = None


class Analysis(NamedTuple):
    """An analysis of the API, as much of it as the lockfile and adoption need. Times are RFC 3339 text."""

    id: str
    reference: str | None
    status: str
    user_reference: str = ""
    start_date: str | None = None
    end_date: str | None = None
    time_created: str | None = None
    technical_tags: tuple[str, ...] = ()


class BatchItem(NamedTuple):
    """One item of a batch as the API reports it; ``analysis`` is None until there is one. Tags are the request's."""

    id: str
    user_reference: str
    status: str
    message: str | None
    analysis: Analysis | None
    technical_tags: tuple[str, ...] = ()
