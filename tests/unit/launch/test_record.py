"""How answers enter the lockfile, and how users are distinguished, since keys are honoured per user."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import orjson
import pytest

from manifest_runner.ica.connection.config import Credential
from manifest_runner.launch.journal.journal import JournaledItem, Post, PostAnswer
from manifest_runner.launch.record import record_answer
from manifest_runner.lockfile.model import Lockfile

A, B, AGAIN = (JournaledItem(name, f"{n:064}", "nextflow", "1.1", n) for n, name in enumerate(("a", "b", "a")))


def answer_of(batch_id: str, *items: JournaledItem) -> PostAnswer:
    body = orjson.dumps({"nextflowItems": [{"userReference": each.user_reference} for each in items]})
    return PostAnswer(Post(f"mr1-{batch_id}", body, 1_800_000_000.0, True, "one", items), batch_id, None)


def test_to_record_an_answer_twice_changes_nothing_also_after_later_launches():
    lockfile = Lockfile("study", "p-1", "s")
    first, second = answer_of("b-1", A, B), answer_of("b-2", AGAIN)
    for answer in (first, second):
        record_answer(lockfile, answer)
    before = lockfile.copy()
    for answer in (first, second, first):
        record_answer(lockfile, answer)
    assert lockfile == before
    assert (lockfile.items["a"].digest, len(lockfile.items["a"].previous)) == (AGAIN.digest, 1)


class Interrupted(dict):
    """Takes one item; then comes ^C."""

    def __setitem__(self, key, value):
        if self:
            raise KeyboardInterrupt
        super().__setitem__(key, value)


def test_an_answer_that_was_recorded_halfway_is_completed():
    whole = Lockfile("study", "p-1", "s")
    half = Lockfile("study", "p-1", "s", items=Interrupted())
    answer = answer_of("b-1", A, B)
    record_answer(whole, answer)
    with pytest.raises(KeyboardInterrupt):
        record_answer(half, answer)
    half.items = dict(half.items)
    record_answer(half, answer)
    assert half == whole


def token(claims: object, signature: str = "x") -> Credential:
    payload = urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return Credential("Authorization", f"Bearer e30.{payload}.{signature}", "a test")


def test_a_renewed_token_is_of_the_same_user_and_another_subject_is_not():
    user = token({"sub": "one", "iat": 1}).user
    assert token({"sub": "one", "iat": 2}, "y").user == user
    assert token({"sub": "two", "iat": 1}).user != user
    assert len(user) == 8


@pytest.mark.parametrize("secret", ["key", "a.b.c", "..", "e30.W10.x", "e30.e30.x", "é.é.é"])
def test_a_token_without_a_subject_is_compared_as_a_whole(secret):
    one, two = Credential("X-API-Key", secret, "a test"), Credential("X-API-Key", secret + "x", "a test")
    assert one.user == Credential("Authorization", f"Bearer {secret}", "elsewhere").user != two.user
    assert secret not in one.user
