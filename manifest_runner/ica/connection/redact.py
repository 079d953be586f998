"""Remove credentials, and signatures in URLs, from the text of a server."""

from __future__ import annotations

import msgspec

from manifest_runner.signed_urls import mask_signatures
from manifest_runner.text import plain_text

MARK = "***"
# A shorter key (the emulator accepts any) is a word like "test": not a secret, and too common to be removed.
SHORTEST_SECRET = 4
# A short key can happen to be part of a name; a real key cannot.
SHORTEST_SECRET_IN_NAMES = 6
SHORTEST_SECRET_IN_LABELS = 16
LONGEST_MESSAGE = 10_000


class Cleaner(msgspec.Struct, frozen=True):
    """Cleans text of a server before it is kept or shown. ``secrets`` are the credentials that were sent to it."""

    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def for_text_of(self, body: bytes) -> Cleaner:
        """The cleaner for the texts of a JSON body, of which there can be a million: none where all of it is harmless.

        Control characters below DEL are escaped in JSON (RFC 8259, 7), so that without a backslash there are none.
        """
        harmless = body.isascii() and b"\\" not in body and b"\x7f" not in body
        echoed = any(secret.isascii() and secret.encode() in body for secret in self.secrets)
        return _Untouched(()) if harmless and not echoed else self

    def words(self, text: str) -> str:
        """Free text for a person: titles, details."""
        return plain_text(self._hidden(text, SHORTEST_SECRET))

    def message(self, text: str) -> str:
        """Free text to be kept as it is, line ends and all: make it plain before showing it."""
        return mask_signatures(self._hidden(text, SHORTEST_SECRET)[:LONGEST_MESSAGE])

    def name(self, text: str) -> str:
        """Ids, statuses and times."""
        return plain_text(self._hidden(text, SHORTEST_SECRET_IN_NAMES))

    def label(self, text: str) -> str:
        """userReferences and tags: ours come back, to be compared with what we know; an import keeps them."""
        return plain_text(self._hidden(text, SHORTEST_SECRET_IN_LABELS))

    def _hidden(self, text: str, shortest: int) -> str:
        for secret in self.secrets:
            text = text.replace(secret, MARK) if len(secret) >= shortest else text
        return text


class _Untouched(Cleaner, frozen=True):
    """The cleaner for texts that have nothing to clean."""

    def name(self, text: str) -> str:
        return text

    def label(self, text: str) -> str:
        return text
