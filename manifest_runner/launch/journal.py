"""The write-ahead journal: what makes a crash harmless.

Before a batch is POSTed its key, its digests and its very bytes are appended and fsynced; after the answer has come,
the answer. The lockfile is written once at the end of a run, and only then the journal is removed. So the process
can die at these points, and the next ``run`` does this:

=====  =================================================  ==========================================================
point  died …                                             the next run …
=====  =================================================  ==========================================================
1      before the post record is whole on disk            drops the torn line; nothing was sent; plans again
2      after the post record, before the POST             POSTs the recorded bytes and key: a first execution
3      while the POST is under way, or after it, before   POSTs the same bytes and key: the API replays its stored
       the answer record is whole                         answer, or executes what never arrived; 409 while it works
4      after the answer record, before the lockfile       takes the batch id from the journal into the lockfile
5      while the lockfile is written                      finds the old lockfile, as in 4 (it is replaced, not edited)
6      after the lockfile, before the journal is removed  finds each answered batch in both; they are the same
7      after a refusal, before its record                 POSTs again and is refused again, or is let in: both are right
8      between adoption and the first post record         adopted launches are in the lockfile before anything is sent
9      while an expired batch, or one that another user   looks them up again: found ones enter the lockfile before the
       sent, is settled by its stamps                     journal lets go of the batch
=====  =================================================  ==========================================================

A record is one line: eight hex digits of CRC-32, a blank, JSON. A last line without its newline was torn by the
crash. Any other line whose checksum is wrong is damage, and nothing is sent until a person has looked.

A power cut loses what was not fsynced, names in the folder included: so the folder is fsynced when the journal is
new, and again before it is removed, or the lockfile's new name could be lost after it. What a killed process has
written may be in memory only, so whoever relies on it fsyncs it first.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import orjson
from msgspec import structs

from manifest_runner.errors import BadState
from manifest_runner.files import remove_file, sync_folder, unwritable
from manifest_runner.model import Kind

JOURNAL_VERSION = 1


class JournaledItem(NamedTuple):
    """What the lockfile needs to know of one item of a journaled batch."""

    user_reference: str
    digest: str
    kind: Kind
    revision: str
    attempt: int


class Post(msgspec.Struct, frozen=True):
    """A batch that was about to be POSTed. ``by`` tells users apart.

    ``at`` is in seconds since the epoch by our clock, ``server_at`` by the server's, None where that was not known.
    """

    key: str
    body: bytes
    at: float
    stamped: bool
    by: str
    items: tuple[JournaledItem, ...]
    server_at: float | None = None

    def __repr__(self) -> str:
        """Without the body, which may hold signed URLs."""
        return f"Post({self.key!r}, {len(self.items)} items, at={self.at!r}, by={self.by!r})"


class Answer(msgspec.Struct, frozen=True):
    """What the API answered to a post: the batch's id and its job's status."""

    post: Post
    batch_id: str
    status: str | None


class Owner(msgspec.Struct, frozen=True):
    """Whose journal it is; one of another manifest, project or server is refused."""

    name: str
    project: str
    server: str


class Journal:
    """An open journal. ``pending`` are the posts without an answer, ``answers`` those with one, in order."""

    def __init__(self, path: Path, owner: Owner) -> None:
        self.path = path
        self._owner = owner
        self._file: BinaryIO | None = None
        self.pending: dict[str, Post] = {}
        self.answers: list[Answer] = []

    @classmethod
    def read(cls, path: Path, owner: Owner) -> Journal:
        """What a crash left, or an empty journal. Raises BadState where it is damaged or belongs to another owner."""
        journal = cls(path, owner)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return journal
        except OSError as e:
            raise BadState(f"{path}: cannot be read: {e.strerror or e}") from e
        for number, record in _records(raw, path):
            try:
                journal._replay(number, record)
            except (AttributeError, KeyError, TypeError, ValueError) as e:
                raise _damaged(path, number, "not a record of a journal") from e
        return journal

    def _replay(self, number: int, record: dict[str, Any]) -> None:
        if number == 1:
            self._check_owner(record)
        elif "post" in record:
            items = tuple(JournaledItem(*item) for item in record["items"])
            post = Post(
                key=record["post"],
                body=record["body"].encode(),
                at=record["at"],
                stamped=record["stamped"],
                by=record["by"],
                items=items,
                server_at=record.get("serverAt"),
            )
            self.pending[post.key] = post
        elif "answer" in record:
            post = self.pending.pop(record["answer"])
            self.answers.append(Answer(post, record["batch"], record["status"]))
        else:
            self.pending.pop(record["released"])

    def _check_owner(self, record: dict[str, Any]) -> None:
        if record["journal"] > JOURNAL_VERSION:
            raise BadState(f"{self.path}: written by a newer manifest-runner; update manifest-runner.")
        theirs = Owner(record["name"], record["project"], record["server"])
        if theirs != self._owner:
            raise BadState(
                f"{self.path}: belongs to {theirs.name!r} in project {theirs.project} on {theirs.server}; this run is "
                f"for {self._owner.name!r} in project {self._owner.project} on {self._owner.server}. Nothing was sent. "
                "Finish that run first."
            )

    # -- writing: each record is on disk before the call returns

    def post(self, post: Post) -> None:
        """Record a batch that is about to be sent. Raises BadState, and then nothing must be sent."""
        items = [list(item) for item in post.items]
        record = {
            "post": post.key,
            "at": post.at,
            "serverAt": post.server_at,
            "stamped": post.stamped,
            "by": post.by,
            "items": items,
            "body": post.body.decode(),
        }
        self._append(record)
        self.pending[post.key] = post

    def answer(self, key: str, batch_id: str, status: str | None) -> None:
        """Record what the API answered."""
        self._append({"answer": key, "batch": batch_id, "status": status})
        self.answers.append(Answer(self.pending.pop(key), batch_id, status))

    def forget_body(self) -> None:
        """The last answer is in the lockfile in memory: a long run need not keep the bytes of all its batches."""
        last = self.answers[-1]
        self.answers[-1] = structs.replace(last, post=structs.replace(last.post, body=b""))

    def release(self, key: str) -> None:
        """Record that a batch does not exist: it was refused for certain, or its key expired and it was looked up."""
        self._append({"released": key})
        del self.pending[key]

    def sync(self) -> None:
        """A killed process may have left its last record in memory: it is on disk before anybody relies on it."""
        self._write(b"")

    def _append(self, record: dict[str, Any]) -> None:
        self._write(_line(record))

    def _write(self, line: bytes) -> None:
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as e:
            raise unwritable(self.path, e) from e

    def _open(self) -> BinaryIO:
        """Append after the last whole record: a torn one must not become the start of the next line."""
        is_new = not self.path.exists()
        file = self.path.open("ab")
        if is_new:
            owner = self._owner
            head = {
                "journal": JOURNAL_VERSION,
                "name": owner.name,
                "project": owner.project,
                "server": owner.server,
            }
            file.write(_line(head))
            sync_folder(self.path.parent)
        else:
            raw = self.path.read_bytes()
            file.truncate(raw.rfind(b"\n") + 1)
            if b"\n" not in raw:
                file.close()
                self.path.unlink()
                return self._open()
        return file

    def close(self) -> None:
        """What a full disk left in the buffer is part of a record whose failure was reported already."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def remove(self) -> None:
        """All is settled and in the lockfile. Raises BadState where the file cannot be removed."""
        self.close()
        if self.path.exists():
            remove_file(self.path)


def _line(record: dict[str, Any]) -> bytes:
    payload = orjson.dumps(record)
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def _records(raw: bytes, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    *lines, _torn = raw.split(b"\n")
    for number, line in enumerate(lines, 1):
        checksum, _, payload = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(payload):
            raise _damaged(path, number, "checksum mismatch")
        yield number, orjson.loads(payload)


def _damaged(path: Path, number: int, what: str) -> BadState:
    return BadState(
        f"{path}:{number}: {what}: the journal is damaged. Nothing was sent. The journal records which batches may "
        "have been launched: restore it from a backup. Or find them in ICA by the technical tag of the manifest's "
        "name, rebuild the lockfile with `manifest-runner import`, and only then move the journal away."
    )


def references(posts: Iterable[Post]) -> set[str]:
    """The userReferences of all items in these posts."""
    return {item.user_reference for post in posts for item in post.items}
