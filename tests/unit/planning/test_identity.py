"""Digests, keys and stamps are pinned forever: changing one would launch again what users have paid for."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.planning.identity import batch_key, digest_stamp, item_digester, name_stamp

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "keys.json").read_text(encoding="utf-8"))

texts = st.text(st.characters(codec="utf-8"), max_size=20)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
requests = st.dictionaries(
    keys, st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
)


@pytest.mark.parametrize("vector", GOLDEN["digests"], ids=lambda vector: vector["claim"])
def test_a_digest_never_changes(vector):
    item = vector["item"]
    digest = item_digester(item["name"], item["project"])
    given_ = (rfc8785.dumps(item["request"]), item["kind"], item["revision"], item["attempt"])
    assert digest(*given_) == vector["digest"]
    assert digest_stamp(vector["digest"]) == vector["stamp"]


@pytest.mark.parametrize("vector", GOLDEN["keys"], ids=lambda vector: vector["claim"])
def test_a_key_never_changes(vector):
    assert batch_key(vector["digests"]) == vector["key"]
    assert len(vector["key"]) == 68


def test_a_name_stamp_never_changes():
    assert name_stamp(GOLDEN["name"]) == GOLDEN["nameStamp"]


@given(texts, texts, requests, st.sampled_from(["nextflow", "cwl"]), st.from_regex(r"\A[1-9]\.[0-9]\Z"), st.integers(0))
def test_a_digest_is_the_hash_of_the_jcs_bytes_of_the_whole_identity(name, project, request_, kind, revision, attempt):
    attempt %= 2**53
    identity = {
        "attempt": attempt,
        "kind": kind,
        "name": name,
        "project": project,
        "request": request_,
        "revision": revision,
    }
    digest = item_digester(name, project)(rfc8785.dumps(request_), kind, revision, attempt)
    assert digest == sha256(rfc8785.dumps(identity)).hexdigest()


@given(st.lists(st.from_regex(r"\A[0-9a-f]{64}\Z"), min_size=2, max_size=5, unique=True))
def test_a_key_depends_on_the_order_and_number_of_digests(digests):
    key = batch_key(digests)
    assert key == "mr1-" + sha256("\n".join(digests).encode("ascii")).hexdigest()
    assert key != batch_key(reversed(digests))
    assert key != batch_key(digests[:-1])
