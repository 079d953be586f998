"""The digests that a launch of an item may have, under its present and former names. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import msgspec
import orjson

from manifest_runner.manifest.document import Move
from manifest_runner.planning.identity import Digester, item_digester
from manifest_runner.planning.moved import Renames
from manifest_runner.signed_urls import mask_json


class Requested(Protocol):
    """An item, or a launch of it."""

    @property
    def user_reference(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def revision(self) -> str: ...


class Naming(msgspec.Struct, frozen=True):
    """The manifest's name, its former names, and the moves of its items."""

    name: str
    former_names: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.name, *(name for name in dict.fromkeys(self.former_names) if name != self.name)


class KnownDigest(NamedTuple):
    """A digest that a launch may have, and the userReference that gives that digest."""

    digest: str
    reference: str


class Identities:
    """The digests of a manifest's items."""

    def __init__(self, naming: Naming, project: str) -> None:
        self.renames = Renames(naming.moves)
        self.now: Digester = item_digester(naming.name, project)
        self._masked = [item_digester(name, project) for name in naming.names]
        self._unmasked = [item_digester(name, project, masked=False) for name in naming.names]

    def all(self, item: Requested, request: bytes, attempt: int) -> Iterator[KnownDigest]:
        """Every digest that a launch of this item may have, the present one first."""
        for reference in (item.user_reference, *self.renames.former(item.user_reference)):
            for digest in self.under(item, request, attempt, reference):
                yield KnownDigest(digest, reference)

    def under(self, item: Requested, request: bytes, attempt: int, reference: str) -> Iterator[str]:
        """The digests of an item as if it were named ``reference``: also under former names of the manifest.

        Earlier versions did not mask signatures in URLs, so a launch of theirs may have an unmasked digest.
        """
        body = request if reference == item.user_reference else with_reference(request, reference)
        digesters = self._masked if mask_json(body) == body else [*self._masked, *self._unmasked]
        for digest in digesters:
            yield digest(body, item.kind, item.revision, attempt)


def with_reference(request: bytes, reference: str) -> bytes:
    """The JCS bytes of a request under another userReference."""
    return canonical({**orjson.loads(request), "userReference": reference})


def canonical(request: dict[str, Any]) -> bytes:
    """The JCS bytes of a request: its keys are ASCII and its values text, for which sorted JSON is JCS."""
    return orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
