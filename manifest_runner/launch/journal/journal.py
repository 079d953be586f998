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
       sent, is settled by its stamps                     batch leaves the journal
=====  =================================================  ==========================================================

Where the state is in a store, "on disk" is "in the store", and the next run may be on another machine: there the whole
table holds for it just the same. ``docs/exactly-once.md`` has what else can happen to a run with a lease.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import structs

from manifest_runner.errors import BadState
from manifest_runner.launch.journal.records import Record, Records, damaged
from manifest_runner.lockfile.model import SourceCommit
from manifest_runner.model import Kind

JOURNAL_VERSION = 1


class JournaledItem(NamedTuple):
    """One item of a journaled batch, as far as the lockfile needs it."""

    user_reference: str
    digest: str
    kind: Kind
    revision: str
    attempt: int


class Origin(msgspec.Struct, frozen=True):
    """Who sends a batch, the commit that is checked out, and the digest of the expected plan, each if known."""

    by: str | None = None
    source: SourceCommit | None = None
    plan: str | None = None

    @classmethod
    def read(cls, record: Record) -> Origin:
        source = record.get("source")
        return cls(
            record.get("name"), SourceCommit(source["commit"], source["dirty"]) if source else None, record.get("plan")
        )

    def record(self) -> Record:
        source = self.source and {"commit": self.source.commit, "dirty": self.source.dirty}
        members = {"name": self.by, "source": source, "plan": self.plan}
        return {key: value for key, value in members.items() if value is not None}


NOWHERE = Origin()


class Post(msgspec.Struct, frozen=True):
    """A batch that was about to be POSTed. ``by`` distinguishes users, ``retry`` is what --retries launched again.

    ``at`` is in seconds since the epoch by our clock, ``server_at`` by the server's, None if that was not known.
    ``again_at`` is when it was last sent again, by the server's clock if that was known; None if it never was.
    """

    key: str
    body: bytes
    at: float
    stamped: bool
    by: str
    items: tuple[JournaledItem, ...]
    server_at: float | None = None
    origin: Origin = NOWHERE
    retry: bool = False
    again_at: float | None = None

    def __repr__(self) -> str:
        """Without the body, which may hold signed URLs."""
        return f"Post({self.key!r}, {len(self.items)} items, at={self.at!r}, by={self.by!r})"


class PostAnswer(msgspec.Struct, frozen=True):
    """What the API answered to a post: the batch's id and its job's status."""

    post: Post
    batch_id: str
    status: str | None


class Owner(msgspec.Struct, frozen=True):
    """The owner of a journal. A journal of another manifest, project or server is refused."""

    name: str
    project: str
    server: str


class Journal:
    """An open journal. ``pending`` are the posts without an answer, ``answers`` those with one, in order."""

    def __init__(self, records: Records, owner: Owner) -> None:
        self._records = records
        self._owner = owner
        self.pending: dict[str, Post] = {}
        self.answers: list[PostAnswer] = []

    @classmethod
    def read(cls, records: Records, owner: Owner) -> Journal:
        """The journal that a crash left, or an empty one. Raises BadState if it is damaged or another owner's."""
        journal = cls(records, owner)
        for chain in records.read():
            for number, (place, record) in enumerate(chain):
                try:
                    journal._replay(number, place, record)
                except (AttributeError, KeyError, TypeError, ValueError) as e:
                    raise damaged(place, "not a record of a journal") from e
        return journal

    @property
    def where(self) -> str:
        """The path or URL of the journal, for messages."""
        return self._records.where

    def _replay(self, number: int, place: str, record: Record) -> None:
        if number == 0:
            self._check_owner(place.rpartition(":")[0], record)
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
                origin=Origin.read(record.get("origin", {})),
                retry=record.get("retry", False),
            )
            self.pending[post.key] = post
        elif "again" in record:
            key = record["again"]
            self.pending[key] = structs.replace(self.pending[key], again_at=record["at"])
        elif "answer" in record:
            post = self.pending.pop(record["answer"])
            self.answers.append(PostAnswer(post, record["batch"], record["status"]))
        else:
            self.pending.pop(record["released"])

    def _check_owner(self, where: str, record: Record) -> None:
        if record["journal"] > JOURNAL_VERSION:
            raise BadState(f"{where}: written by a newer manifest-runner; update manifest-runner.")
        theirs = Owner(record["name"], record["project"], record["server"])
        if theirs != self._owner:
            raise BadState(
                f"{where}: belongs to {theirs.name!r} in project {theirs.project} on {theirs.server}; this run is "
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
            "origin": post.origin.record(),
            **({"retry": True} if post.retry else {}),
            "body": post.body.decode(),
        }
        self._append(record)
        self.pending[post.key] = post

    def send_again(self, key: str, at: float) -> None:
        """Record that a batch is about to be sent again: what that launches is younger than the first try."""
        self._append({"again": key, "at": at})
        self.pending[key] = structs.replace(self.pending[key], again_at=at)

    def answer(self, key: str, batch_id: str, status: str | None) -> None:
        """Record what the API answered."""
        self._append({"answer": key, "batch": batch_id, "status": status})
        self.answers.append(PostAnswer(self.pending.pop(key), batch_id, status))

    def forget_body(self) -> None:
        """Drop the bytes of the last batch once the lockfile in memory has its answer, or a long run would keep all."""
        last = self.answers[-1]
        self.answers[-1] = structs.replace(last, post=structs.replace(last.post, body=b""))

    def release(self, key: str) -> None:
        """Record that a batch does not exist: it was refused for certain, or its key expired and it was looked up."""
        self._append({"released": key})
        del self.pending[key]

    def sync(self) -> None:
        """Flush what a killed process may have left in the system's cache, before relying on it."""
        self._records.sync()

    def _append(self, record: Record) -> None:
        owner = self._owner
        head = {"journal": JOURNAL_VERSION, "name": owner.name, "project": owner.project, "server": owner.server}
        self._records.append(record, head)

    def close(self) -> None:
        self._records.close()

    def forget_answered(self) -> None:
        """Remove the answers: the lockfile on disk has them all. Raises BadState if they cannot be removed."""
        self._records.forget_all_but(self.pending.keys())
        self.answers.clear()


def references(posts: Iterable[Post]) -> set[str]:
    """The userReferences of all items in these posts."""
    return {item.user_reference for post in posts for item in post.items}
