"""Text of others, made fit for terminals, logs and files: no control characters, no credential of ours."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

MARK = "***"
# A shorter key (the emulator takes any) is a word like "test": no secret, and too common to be struck out.
SHORTEST_SECRET = 4
# Names decide which item is meant. A short key can be part of an honest name, a real one cannot.
SHORTEST_SECRET_IN_NAMES = 12


def plain_text(text: str, limit: int = 2000) -> str:
    """``text`` on one line, with everything that a terminal could act on written as an escape.

    That is control characters, line ends, bidirectional marks and lone surrogates. Longer text than ``limit``
    characters ends in "…".
    """
    shortened = text if len(text) <= limit else text[:limit] + "…"
    # Nearly all text is harmless, and a large batch brings a million strings.
    return shortened if shortened.isprintable() else "".join(map(_plain, shortened))


def _plain(character: str) -> str:
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Cleans what a server says before it is kept or shown; ``secret`` is the credential that it was sent."""

    secret: str = field(repr=False)

    def words(self, text: str) -> str:
        """Free text: messages, titles, details."""
        return self._clean(text, SHORTEST_SECRET)

    def name(self, text: str) -> str:
        """References, statuses, tags and times, which are compared with others."""
        return self._clean(text, SHORTEST_SECRET_IN_NAMES)

    def _clean(self, text: str, shortest: int) -> str:
        hidden = text.replace(self.secret, MARK) if len(self.secret) >= shortest else text
        return plain_text(hidden)
