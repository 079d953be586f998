"""Items read in pieces are the same as those of the whole lockfile."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.errors import BadState
from manifest_runner.lockfile import launches as module
from manifest_runner.lockfile.launches import EMPTY, End, read_launches

STATUSES = st.sampled_from([None, "SUCCEEDED", "FAILED", "ABORTED", "INPROGRESS"])
OUTPUTS = st.sampled_from([None, {}, {"vcf": [{"dataId": "fil.a", "name": "\u00e9\n", "type": "FILE"}]}])
NAMES = st.text(st.sampled_from('aZ0 _-\u00e9"'), min_size=1, max_size=6)


def item(status, outputs, removed=False):
    analysis = None if status is None else {"id": "i", "reference": None, "status": status}
    found = {"analysis": analysis, "kind": "cwl", "status": "SUCCEEDED"}
    return found | ({} if outputs is None else {"outputs": outputs}) | ({"removed": True} if removed else {})


def laid_out(found):
    lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(each)}" for name, each in found.items())
    head = (
        '{\n"lockVersion": 1,\n"name": "n",\n"project": "p",\n"server": "s",\n"batches": {\n"b": {}\n},\n"items": {\n'
    )
    return (head + lines + "\n}\n}\n").encode()


@given(st.dictionaries(NAMES, st.builds(item, STATUSES, OUTPUTS, st.booleans()), min_size=1, max_size=12))
def test_pieces_of_any_size_give_what_the_whole_gives(found):
    found = dict(sorted(found.items()))
    content = laid_out(found)
    whole = read_launches(json.dumps(json.loads(content)).encode(), "l")
    for size in (1, 150, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_PIECE", size)
            launches = read_launches(content, "l")
        assert (list(launches), list(launches.ends)) == (list(whole), list(whole.ends))
        assert [name for name, _ in launches] == list(found)
        lines = content.decode().split("\n")
        for index, name in enumerate(found):
            assert lines[launches.line(index) - 1].startswith(json.dumps(name, ensure_ascii=False))


def test_a_lockfile_without_items_has_none():
    assert list(read_launches(EMPTY, "l")) == []
    assert list(read_launches(laid_out({}).replace(b"{\n\n}", b"{\n}"), "l").ends) == []


def test_items_out_of_order_or_twice_are_read_as_json_has_them():
    ok = item("SUCCEEDED", {})
    swapped = laid_out({"b": ok, "a": item("FAILED", None)})
    assert [(name, End(end)) for (name, _), end in zip(read_launches(swapped, "l"), [3, 1], strict=True)] == [
        ("a", End.FAILED),
        ("b", End.RECORDED),
    ]
    assert read_launches(swapped, "l").line(1) == 1


@pytest.mark.parametrize("content", [b"{", laid_out({"a": {"kind": 1}}), EMPTY.replace(b"1", b"2")])
def test_a_damaged_or_newer_lockfile_is_reported(content):
    with pytest.raises(BadState):
        read_launches(content, "first.lock.json")
