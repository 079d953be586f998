"""Former names: followed through chains and patterns, and refused if they contradict each other."""

from __future__ import annotations

import pytest

from manifest_runner.manifest.document import Move
from manifest_runner.planning.moved import Renames, move_faults


def moves(*pairs: tuple[str, str]) -> list[Move]:
    return [Move(old, new, index) for index, (old, new) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pairs", "reference", "former"),
    [
        ([("a", "b")], "b", ["a"]),
        ([("a", "b")], "a", []),
        ([("a", "b"), ("b", "c")], "c", ["b", "a"]),
        ([("{s}-germline", "{s}-wgs")], "NA1-wgs", ["NA1-germline"]),
        ([("{s}", "{s}-wgs")], "NA1-wgs", ["NA1"]),
        ([("{a}-{b}", "{b}.{a}")], "x.y", ["y-x"]),
        ([("{s}-germline", "{s}-wgs"), ("old-wgs", "new-wgs")], "new-wgs", ["old-wgs", "new-germline", "old-germline"]),
        ([("{s}-{s}", "{s}+{s}")], "x+x", ["x-x"]),
        ([("{s}-{s}", "{s}+{s}")], "x+y", []),
        ([("a.c", "b.c")], "bxc", []),
        ([("{s}-wgs", "{s}")], "x", ["x-wgs"]),
        ([("{s}", "{s}-b"), ("{s}-b", "{s}")], "x-b", ["x", "x-b-b"]),
    ],
)
def test_former_names_are_found_through_chains_and_patterns(pairs, reference, former):
    assert Renames(moves(*pairs)).former(reference) == former


@pytest.mark.parametrize(
    ("pairs", "references", "words"),
    [
        ([("a", "c"), ("b", "c")], {"c"}, '"c" has two former names, "a" and "b"'),
        ([("a", "b"), ("a", "c")], {"b", "c"}, '"a" has two new names, "b" and "c"'),
        ([("{s}-a", "{s}-c"), ("x-b", "x-c")], {"x-c"}, '"x-c" has two former names'),
        ([("a", "b")], {"a", "b"}, '"a" is still in the manifest'),
        ([("{s}-a", "{s}-b")], {"x-b", "y-a"}, '"y-a" is still in the manifest'),
        ([("{s}-a", "{s}")], {"x", "y-a"}, '"y-a" is still in the manifest'),
        ([("{s}", "{s}-b")], {"x-b", "x-b-b"}, '"x-b" is still in the manifest'),
        ([("a", "b"), ("b", "a")], {"b"}, "cycle"),
        ([("a", "a")], {"a"}, "renamed to itself"),
    ],
)
def test_what_says_two_things_at_once_is_an_error(pairs, references, words):
    errors = [fault.message for fault in move_faults(moves(*pairs), references) if fault.is_error]
    assert [words in message for message in errors].count(True) == 1, errors


@pytest.mark.parametrize(
    ("pairs", "references"),
    [
        ([("a", "b"), ("b", "c")], {"c"}),
        ([("{s}", "{s}-wgs")], {"x-wgs", "y-wgs"}),
        ([("{s}-a", "{s}")], {"x", "y"}),
        ([("a-{n}", "b-{n}"), ("b-{k}", "c-{k}")], {"c-1"}),
        ([("a-{n}", "b-{n}"), ("b-1", "c")], {"c"}),
        ([("a", "b-1"), ("b-{n}", "c-{n}")], {"c-1"}),
    ],
)
def test_a_chain_and_a_suffix_are_in_order(pairs, references):
    assert list(move_faults(moves(*pairs), references)) == []


def test_hundreds_of_patterns_and_a_long_chain_in_any_order_are_followed():
    chain = [(f"n{i}", f"n{i + 1}") for i in reversed(range(20_000))]
    patterns = [(f"old{i}-{{s}}", f"new{i}-{{s}}") for i in range(300)]
    references = {"n20000", *(f"new{i}-x" for i in range(300)), *(f"row{i}" for i in range(5_000))}
    assert list(move_faults(moves(*chain, *patterns), references)) == []
    found, *_ = move_faults(moves(*chain, *patterns, ("n20000", "n0")), references)
    assert found.message.startswith('"n20000" would be renamed to itself')


def test_a_move_to_a_name_that_no_item_has_is_a_warning():
    (fault,) = move_faults(moves(("a", "b")), {"c"})
    assert (fault.is_error, fault.message) == (False, 'no item is named "b"; the entry does nothing')
