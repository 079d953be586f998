"""The lockfile: its bytes are pinned, what is written is read again, and damage never counts as state."""

from __future__ import annotations

import json
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

import manifest_runner.lockfile.file as lockformat
from manifest_runner.errors import BadState
from manifest_runner.ica.model import Analysis, BatchItem
from manifest_runner.launch.record import launched, new_launch, updated
from manifest_runner.lockfile.file import check_owner, dump_lockfile, load_lockfile, parse_lockfile, write_lockfile
from manifest_runner.lockfile.model import (
    LockedAnalysis,
    LockedBatch,
    LockedFailure,
    LockedItem,
    LockedOutput,
    LockedPrice,
    Lockfile,
)

DIGEST = "0123456789abcdef" * 4
SERVER = "https://ica.example/ica/rest"
GOLDEN = b"""{
"lockVersion": 1,
"name": "study",
"project": "p-1",
"server": "https://ica.example/ica/rest",
"batches": {
"b-1": {"idempotencyKey": "mr1-x", "items": 2, "status": "SUCCEEDED", "submittedAt": "2026-11-23T10:00:00Z"},
"b-2": {"idempotencyKey": "mr1-y", "items": 1, "status": null, "submittedAt": "2026-11-23T10:00:01Z"}
},
"items": {
"a": {"analysis": {"id": "n-1", "reference": null, "status": "REQUESTED"}, "attempt": 0, "batchId": "b-1", \
"digest": "D", "itemId": "i-1", "kind": "nextflow", "message": null, "revision": "1.1", "status": "SUCCEEDED"},
"b": {"analysis": null, "attempt": 1, "batchId": "b-2", "digest": "D", "itemId": null, "kind": "cwl", \
"message": "no \xc3\xa4", "previous": [{"analysis": null, "attempt": 0, "batchId": "b-1", "digest": "D", \
"itemId": null, "kind": "cwl", "message": null, "revision": "1.1", "status": "FAILED"}], "removed": true, \
"revision": "1.1", "status": null}
}
}
""".replace(b'"D"', f'"{DIGEST}"'.encode())


def item(**changes: object) -> LockedItem:
    return structs.replace(new_launch(DIGEST, "nextflow", "1.1", 0, "b-1"), **changes)


def example() -> Lockfile:
    found = LockedAnalysis("n-1", None, "REQUESTED")
    failed = item(kind="cwl", status="FAILED")
    again = launched(failed, item(kind="cwl", attempt=1, batch_id="b-2", message="no ä"))
    return Lockfile(
        "study",
        "p-1",
        SERVER,
        {
            "b-2": LockedBatch("mr1-y", 1, None, "2026-11-23T10:00:01Z"),
            "b-1": LockedBatch("mr1-x", 2, "SUCCEEDED", "2026-11-23T10:00:00Z"),
        },
        {"b": structs.replace(again, removed=True), "a": item(item_id="i-1", status="SUCCEEDED", analysis=found)},
    )


def test_the_bytes_never_change():
    assert dump_lockfile(example()) == GOLDEN
    assert parse_lockfile(GOLDEN, "x") == example()


texts = st.text(st.characters(codec="utf-8"), max_size=8)
optional = st.none() | texts
digests = st.from_regex(r"\A[0-9a-f]{64}\Z")
revisions = st.from_regex(r"\A[0-9]{1,3}\.[0-9]{1,3}\Z")
counts = st.integers(0, 2**53)
analyses = st.none() | st.builds(LockedAnalysis, texts, optional, texts, optional, optional)
unknown = st.just({}) | st.just({"zest": [1, "ä", None]})
batches = st.builds(LockedBatch, texts, counts, optional, texts, optional, more=unknown)
items = st.builds(
    LockedItem,
    digests,
    st.sampled_from(["nextflow", "nextflowJson", "cwl"]),
    revisions,
    counts,
    optional,
    optional,
    optional,
    optional,
    analyses,
    st.just(()),
    st.booleans(),
    st.booleans(),
    optional,
    outputs=st.none() | st.dictionaries(texts, st.tuples(st.builds(LockedOutput, texts, texts, texts, optional))),
    price=st.none() | st.builds(LockedPrice, texts, texts),
    failure=st.none() | st.builds(LockedFailure, optional, st.none() | st.integers(-(2**31), 2**31), optional),
    accepted=st.none() | digests,
    renamed_from=optional,
    more=unknown,
)
histories = st.lists(items, min_size=1, max_size=3)
lockfiles = st.builds(
    Lockfile, texts, texts, texts, st.dictionaries(texts, batches), st.dictionaries(texts, histories, max_size=4)
)


def with_history(launches: list[LockedItem]) -> LockedItem:
    first, *later = launches
    for one in later:
        first = launched(first, one)
    return first


@given(lockfiles)
def test_what_is_written_is_read_again(lockfile):
    lockfile.items = {name: with_history(launches) for name, launches in lockfile.items.items()}
    raw = dump_lockfile(lockfile)
    again = parse_lockfile(raw, "x")
    assert again == lockfile
    assert dump_lockfile(again) == raw
    assert raw.count(b"\n") == 10 + len(lockfile.batches) + len(lockfile.items)


def test_what_a_newer_minor_version_added_is_kept():
    raw = GOLDEN.replace(b'"kind": "nextflow"', b'"kind": "nextflow", "zest": [1]').replace(
        b'"items": 1,', b'"items": 1, "more": {"a": 1},'
    )
    again = dump_lockfile(parse_lockfile(raw, "x"))
    assert json.loads(again) == json.loads(raw)


PIECES = b'" , : { } [] null 0 1 -1 1.0 true "x" \\ \\u0041 G 99999999999999999999 "a":1, \xff'.split()
PIECES += [b"", b" ", b"\n"]


@settings(max_examples=300)
@given(st.integers(0, len(GOLDEN) - 1), st.sampled_from([0, 1, 4, 9]), st.sampled_from(PIECES))
def test_what_is_read_fast_would_be_read_slowly_alike(at, length, piece):
    raw = GOLDEN[:at] + piece + GOLDEN[at + length :]
    with patch.object(lockformat, "_DECODER", msgspec.json.Decoder(int)):  # which takes no lockfile
        slowly = parsed(raw)
    assert parsed(raw) == slowly


def parsed(raw: bytes) -> Lockfile | str:
    try:
        return parse_lockfile(raw, "x")
    except BadState as e:
        return str(e)


def test_a_lockfile_cut_at_any_byte_is_damaged():
    for size in range(len(GOLDEN) - 1):
        with pytest.raises(BadState, match=r"x: damaged: .*Nothing was sent"):
            parse_lockfile(GOLDEN[:size], "x")
    assert parse_lockfile(GOLDEN[:-1], "x") == example()


@pytest.mark.parametrize("at", [0, 1, 6, 10])
def test_conflict_markers_are_named_with_their_line(at):
    lines = GOLDEN.split(b"\n")
    raw = b"\n".join([*lines[:at], b"<<<<<<< HEAD", *lines[at : at + 1], b"=======", b">>>>>>> main", *lines[at + 1 :]])
    with pytest.raises(BadState, match=rf"x:{at + 1}: git conflict markers"):
        parse_lockfile(raw, "x")


def test_a_newer_version_says_to_update():
    with pytest.raises(BadState, match=r"lockVersion 2.*update manifest-runner"):
        parse_lockfile(GOLDEN.replace(b'"lockVersion": 1', b'"lockVersion": 2'), "x")


def test_a_line_that_is_there_twice_is_damage_without_the_files_last_newline_too():
    line = next(line for line in GOLDEN.split(b"\n") if line.startswith(b'"a"'))
    with pytest.raises(BadState, match="appears twice"):
        parse_lockfile(GOLDEN.replace(line, line + b"\n" + line).removesuffix(b"\n"), "x")


@pytest.mark.parametrize("start", [b'"a"', b'"b-1"', b'"name"'])
def test_a_line_that_a_merge_left_twice_is_damage(start):
    line = next(line for line in GOLDEN.split(b"\n") if line.startswith(start))
    twice = GOLDEN.replace(line, line + b"\n" + line)
    with pytest.raises(BadState, match="appears twice"):
        parse_lockfile(twice, "x")


@pytest.mark.parametrize("key", [b'"a": {', b'"attempt": 0', b'"b-1": {"idem', b'"name": "study"'])
def test_a_key_that_is_there_twice_is_damage_in_any_other_layout_too(key):
    raw = json.dumps(json.loads(GOLDEN), indent=2).encode().replace(b"{\n      ", b"{").replace(b"{\n    ", b"{")
    laid_out = GOLDEN.replace(b"\n", b"\r\n  ")
    first = key.partition(b":")[0]
    for text in (raw, laid_out):
        at = text.index(first + b":")
        with pytest.raises(BadState, match="damaged"):
            parse_lockfile(text[:at] + first + b": {}, " + text[at:], "x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"digest": "0', b'"digest": "G'),
        (b'"attempt": 0', b'"attempt": -1'),
        (b'"attempt": 0', b'"attempt": "0"'),
        (b'"kind": "cwl"', b'"kind": "wdl"'),
        (b'"revision": "1.1"', b'"revision": "1"'),
        (b'"revision": "1.1"', b'"revision": "1.%s"' % (b"1" * 5000)),
        (b'"items": 2', b'"items": null'),
        (b'"itemId": "i-1", ', b""),
        (b'"lockVersion": 1', b'"lockVersion": 0'),
        (b'"name": "study",', b'"name": "study", "unknown": 1,'),
        (b'"removed": true', b'"removed": 1'),
        (b'"id": "n-1"', b'"id": null'),
        (b'"batches": {', b'"batches": [], "other": {'),
    ],
)
def test_what_does_not_meet_the_schema_is_damage(old, new):
    assert old in GOLDEN
    with pytest.raises(BadState, match="damaged"):
        parse_lockfile(GOLDEN.replace(old, new), "x")


@pytest.mark.parametrize("key", [b"zest", b"(more)"])
def test_what_is_nested_without_end_is_damage(key):
    deep = b'"items": 1, "' + key + b'": {"a":' + b"[" * 200_000 + b"]" * 200_000 + b"},"
    with pytest.raises(BadState, match="damaged"):
        parse_lockfile(GOLDEN.replace(b'"items": 1,', deep), "x")


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"", b"{}"])
def test_what_is_not_a_lockfile_at_all_is_damage(raw):
    with pytest.raises(BadState, match="damaged"):
        parse_lockfile(raw, "x")


@pytest.mark.parametrize(("field", "owner"), [("name", "manifest"), ("project", "project"), ("server", "server")])
def test_the_lockfile_of_another_run_is_refused_and_named(field, owner):
    mine = {"name": "study", "project": "p-1", "server": SERVER}
    check_owner(example(), "x", **mine)
    with pytest.raises(BadState, match=f"another {owner}: .*Nothing was sent"):
        check_owner(example(), "x", **{**mine, field: "other"})


def test_without_a_file_nothing_is_launched_yet(tmp_path):
    assert load_lockfile(tmp_path / "study.lock.json") is None


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    with pytest.raises(BadState, match="cannot be read"):
        load_lockfile(tmp_path)


def test_writing_replaces_the_file_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "study.lock.json"
    path.write_text("old")
    write_lockfile(path, example())
    assert path.read_bytes() == GOLDEN
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "study.lock.json"
    path.mkdir()
    with pytest.raises(BadState, match=r"study\.lock\.json: cannot be written"):
        write_lockfile(path, example())
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_launch_moves_whole_to_previous():
    first = item(status="FAILED", message="why", item_id="i-1")
    second = launched(first, item(attempt=1, digest="1" * 64, batch_id="b-2"))
    third = launched(structs.replace(second, removed=True), item(attempt=2, digest="2" * 64, batch_id="b-3"))
    assert [each.digest for each in third.previous] == [DIGEST, "1" * 64]
    assert third.previous[0].message == "why"
    assert third.previous[1].previous == ()
    assert (third.attempt, third.removed) == (2, False)


def test_to_launch_the_same_twice_keeps_what_is_known():
    first = item(status="SUCCEEDED", item_id="i-1")
    assert launched(first, item()) == first


def test_what_the_api_says_is_taken_over_and_a_known_analysis_is_not_forgotten():
    known = updated(item(), BatchItem("i-1", "a", "SUCCEEDED", None, Analysis("n-1", "ref", "REQUESTED")))
    assert known.analysis == LockedAnalysis("n-1", "ref", "REQUESTED")
    later = updated(known, BatchItem("i-1", "a", "SUCCEEDED", "odd", None))
    assert (later.analysis, later.message) == (known.analysis, "odd")


@pytest.mark.parametrize(
    ("status", "analysis", "creation", "whole"),
    [
        (None, None, False, False),
        ("WAITING_RESOURCES", None, False, False),
        ("SOMETHING_NEW", None, False, False),
        ("SUCCEEDED", None, False, False),
        ("SUCCEEDED", "IN_PROGRESS", True, False),
        ("SUCCEEDED", "SOMETHING_NEW", True, False),
        ("SUCCEEDED", "FAILED", True, True),
        ("FAILED", None, True, True),
    ],
)
def test_a_status_is_final_only_when_it_is_known_to_be(status, analysis, creation, whole):
    seen = item(status=status, analysis=analysis and LockedAnalysis("n", None, analysis))
    assert (seen.creation_is_final, seen.analysis_is_final) == (creation, whole)
