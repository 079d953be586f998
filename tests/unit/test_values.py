"""Scalars as the API's text and mappings as JSON text: RFC 8785, but for numbers that are spelled in the file."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.values import SpelledFloat, SpelledInt, jcs_sorted, spelled_json, spelled_number, text_of

TEXT = st.text(st.characters(codec="utf-8"))
SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(value=JSON)
def test_json_without_spellings_is_that_of_rfc_8785(value):
    assert spelled_json(value).encode() == rfc8785.dumps(value)


@given(number=st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,3})?", fullmatch=True))
def test_a_spelled_number_stays_as_it_is_in_text_and_json(number):
    value = spelled_number(number, whole=not set(number) & set(".eE"))
    assert text_of(value) == number
    assert spelled_json({"a": [value]}) == f'{{"a":[{number}]}}'
    assert value == json.loads(number)


@given(keys=st.lists(TEXT, unique=True))
def test_keys_are_in_the_order_of_utf_16(keys):
    assert jcs_sorted(keys) == list(json.loads(rfc8785.dumps(dict.fromkeys(keys))))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (2**70, str(2**70)),
        (1.0, "1"),
        (1e21, "1e+21"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (SpelledFloat("1E+2"), "1E+2"),
        (SpelledInt("-0"), "-0"),
    ],
)
def test_scalars_are_the_apis_text(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_has_no_text(value):
    with pytest.raises(ValueError, match="cannot be written in JSON"):
        text_of(value)


@pytest.mark.parametrize("value", [{1: 2}, {None: 1}, object(), {"a": {1, 2}}, b"x"])
def test_what_is_not_json_is_reported(value):
    with pytest.raises(TypeError):
        spelled_json(value)
