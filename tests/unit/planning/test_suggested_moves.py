"""The `moved` that a plan suggests for renamed items."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.planning.suggested_moves import moves_to_add

SAMPLES = [f"S{number:03d}" for number in range(30)]


def suggested(old: str, new: str, samples: list[str], *others: str) -> str:
    guarded = {new.format(s=sample): old.format(s=sample) for sample in samples}
    return moves_to_add(guarded, {*guarded, *others})


def test_a_few_renamed_items_are_listed_and_many_are_one_pattern():
    assert suggested("{s}-wgs", "{s}-germline", SAMPLES[:2]) == (
        '`moved: [{from: "S000-wgs", to: "S000-germline"}, {from: "S001-wgs", to: "S001-germline"}]`'
    )
    assert suggested("{s}-wgs", "{s}-germline", SAMPLES) == ('`moved: [{from: "{name}-wgs", to: "{name}-germline"}]`')
    assert suggested("{s}", "cohort/{s}", SAMPLES, "other") == (
        '`moved: [{from: "S0{name}", to: "cohort/S0{name}"}]`'
    ), "the pattern matches no item that was not renamed"


def test_renames_that_no_pattern_describes_are_listed_with_their_number():
    guarded = {f"new{index}-{sample}": sample for index, sample in enumerate(SAMPLES)}
    text = moves_to_add(guarded, set(guarded))
    assert (text.count("from:"), text.endswith("]` and 10 more")) == (20, True)
    assert suggested("{s}-wgs", "{s}-wgs-2", SAMPLES, "S00x-wgs").count("from:") == 20, "S00x-wgs is still there"


words = st.text("ab1-", max_size=3)


@given(words, words, words, words, st.sets(st.text("ab1-", min_size=1, max_size=3), min_size=21, max_size=25))
def test_a_suggested_pattern_never_fails_whatever_the_names_are(before, after, new_before, new_after, samples):
    guarded = {f"{new_before}{sample}{new_after}": f"{before}{sample}{after}" for sample in sorted(samples)}
    assert "from:" in moves_to_add(guarded, set(guarded))
