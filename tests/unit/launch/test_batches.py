"""Launches in batches: each one once, in order, as canonical bytes under a key derived from them."""

from __future__ import annotations

import json
from functools import partial

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.launch.batches import make_batches, rebuilt_batch, stamped
from manifest_runner.launch.lease.in_flight import START, batches_in, entry_of
from manifest_runner.planning.identity import batch_key
from manifest_runner.planning.plan import Launch

MEMBERS = {"cwl": "cwlItems", "nextflow": "nextflowItems", "nextflowJson": "nextflowJsonItems"}


def launch(number: int, kind: str = "nextflow", **request: object) -> Launch:
    body = rfc8785.dumps({"userReference": f"s{number}", **request})
    return Launch(f"s{number}", kind, "1.1", 0, f"{number:012x}{number:052x}", body)


def batches(launches: list[Launch], size: int, name: str | None = "study"):
    return list(make_batches(launches, size, stamp_name=name, fetch=lambda request: request))


@given(st.lists(st.sampled_from(sorted(MEMBERS)), max_size=12), st.integers(1, 5), st.booleans())
def test_each_launch_is_in_one_batch_in_the_manifests_order(kinds, size, is_stamped):
    launches = [launch(number, kind) for number, kind in enumerate(kinds)]
    made = batches(launches, size, "study" if is_stamped else None)
    assert [each for batch in made for each in batch.launches] == launches
    assert all(len(batch.launches) == size for batch in made[:-1])
    for batch in made:
        assert batch.key == batch_key(each.digest for each in batch.launches)
        body = json.loads(batch.body)
        assert batch.body == rfc8785.dumps(body)
        for kind, member in MEMBERS.items():
            expected = [each.user_reference for each in batch.launches if each.kind == kind]
            assert [request["userReference"] for request in body.get(member, [])] == expected
            assert (member in body) == bool(expected)


def test_the_same_launches_make_the_same_bytes():
    launches = [launch(1), launch(2, "cwl")]
    assert batches(launches, 500) == batches(launches, 500)


@given(st.lists(st.sampled_from(sorted(MEMBERS)), min_size=1, max_size=12), st.integers(1, 5), st.randoms())
def test_a_batch_of_another_run_is_rebuilt_from_whatever_is_due_here_if_that_has_all_of_it(kinds, size, dice):
    launches = [launch(number, kind) for number, kind in enumerate(kinds)]
    sent = dice.choice(batches(launches, size))
    (known,) = batches_in([entry_of(sent.key, "1a2b", 0.0, (each.digest for each in sent.launches))])
    due = [*launches, launch(99)]
    dice.shuffle(due)
    again = partial(rebuilt_batch, known, stamp_name="study", fetch=lambda request: request)
    assert again(due) == sent
    missing = dice.choice(sent.launches)
    assert again([each for each in due if each != missing]) is None
    changed = missing._replace(digest=missing.digest[:START] + "f" * (64 - START))
    assert again([changed if each == missing else each for each in due]) is None


def test_stamps_are_appended_to_the_technical_tags():
    request = orjson.loads(stamped(b'{"tags":{"technicalTags":["own"],"userTags":["u"]}}', "ab" * 32, "study"))
    assert request["tags"] == {
        "technicalTags": ["own", "manifest-runner:" + "ab" * 16, "manifest-runner-name:study"],
        "userTags": ["u"],
    }


@pytest.mark.parametrize("request_", [b"{}", b'{"tags":{}}', b'{"tags":{"userTags":[]}}'])
def test_an_item_without_technical_tags_gets_its_stamps_too(request_):
    assert orjson.loads(stamped(request_, "cd" * 32, "study"))["tags"]["technicalTags"] == [
        "manifest-runner:" + "cd" * 16,
        "manifest-runner-name:study",
    ]


def test_an_item_that_is_not_stamped_is_sent_as_it_is():
    (batch,) = batches([launch(1, tags={"technicalTags": ["own"]})], 1, None)
    assert batch.body == b'{"nextflowItems":[{"tags":{"technicalTags":["own"]},"userReference":"s1"}]}'


texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(st.dictionaries(names, texts | st.lists(texts) | st.dictionaries(names, texts), max_size=5))
def test_a_stamped_request_is_canonical_json(request_):
    request_.pop("tags", None)
    made = stamped(rfc8785.dumps(request_), "ef" * 32, "study")
    assert made == rfc8785.dumps(json.loads(made))


def test_only_one_batch_is_made_at_a_time():
    fetched = []
    made = make_batches([launch(n) for n in range(6)], 2, stamp_name=None, fetch=lambda r: fetched.append(r) or r)
    next(made)
    assert len(fetched) == 2
