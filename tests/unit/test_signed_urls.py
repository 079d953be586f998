"""Signatures in URLs: masked wherever they may be, and nothing else is touched."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.signed_urls import mask_json, mask_signatures

AWS = "https://b.s3.amazonaws.com/P%201/x.gz?X-Amz-Algorithm=A&X-Amz-Credential=C%2FD&X-Amz-Signature=abc"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (AWS, "https://b.s3.amazonaws.com/P%201/x.gz?X-Amz-Algorithm=*&X-Amz-Credential=*&X-Amz-Signature=*"),
        ("https://h/x?versionId=1&x-goog-signature=s&part=2", "https://h/x?versionId=1&x-goog-signature=*&part=2"),
        (
            "HTTPS://h/x?Expires=1&Signature=a%2Bb==&AWSAccessKeyId=k",
            "HTTPS://h/x?Expires=*&Signature=*&AWSAccessKeyId=*",
        ),
        ("https://h/x?Policy=p&Key-Pair-Id=k&Signature=s#top", "https://h/x?Policy=*&Key-Pair-Id=*&Signature=*#top"),
        ("https://h/x?sv=1&se=2&sr=b&sp=r&st=0&sig=s", "https://h/x?sv=*&se=*&sr=*&sp=*&st=*&sig=*"),
        ("https://h/x?sv=1&se=2", "https://h/x?sv=1&se=2"),
        ("http://h/x?token=t&access_token=a", "http://h/x?token=*&access_token=*"),
        ("https://h/x?X%2DAmz%2DSignature=s", "https://h/x?X%2DAmz%2DSignature=*"),
        ("https://h/x?sig", "https://h/x?sig"),
        ("s3://b/x?Signature=s", "s3://b/x?Signature=s"),
        (f"a {AWS}, then 'https://h/?sig=1' end", None),
        ("https://h/a?sig=1;https://h/b?sig=2", "https://h/a?sig=*;https://h/b?sig=*"),
        ("https://h/my run/x y.gz?v=1&X-Amz-Signature=abc", "https://h/my run/x y.gz?v=1&X-Amz-Signature=*"),
        ("https://h/x?name=a b c.gz&sig=abc and more", "https://h/x?name=a b c.gz&sig=* and more"),
        ("https://h/a?v=1&sig=abc https://h/b?v=1&sig=2", "https://h/a?v=1&sig=* https://h/b?v=1&sig=*"),
        ("https://h/a?sig=abc this & that", "https://h/a?sig=* this & that"),
        ("https://proxy/https://h/a?sig=1", "https://proxy/https://h/a?sig=*"),
        ("https://h/a?sig=1,https://h/b?x=2", "https://h/a?sig=*,https://h/b?x=2"),
        (r'"https:\/\/h\/x?v=1&sig=a\/bc", "y"', r'"https:\/\/h\/x?v=1&sig=*", "y"'),
        (r"https:\\/\\/h\\/x?v=1\\u0026sig=abc\\u0026z=2\\n", r"https:\\/\\/h\\/x?v=1\\u0026sig=*\\u0026z=2\\n"),
        (r"https://h/Universit\u00e9/x?sig=abc\u002Babc\u003D&x=\u00e9", r"https://h/Universit\u00e9/x?sig=*&x=\u00e9"),
        ("https://h/a;v=1/b;c?Signature=abc&x=1", "https://h/a;v=1/b;c?Signature=*&x=1"),
        ("https://h/x?odd?Signature=abc", "https://h/x?odd?Signature=*"),
        ("https://h/get?of=https://b/x?token=abc?abc&z=1", "https://h/get?of=https://b/x?token=*&z=1"),
        (r"https://h/x?sig\u003dabc\u0026se\u003D1", r"https://h/x?sig\u003d*\u0026se\u003D*"),
    ],
)
def test_what_signs_a_url_is_masked_and_the_rest_stays(url, masked):
    found = mask_signatures(url)
    if masked is not None:
        assert found == masked
    assert "abc" not in found
    assert mask_signatures(found) == found, "masked once is masked"


def test_urls_inside_json_inside_json_are_masked():
    inner = orjson.dumps({"url": AWS, "next": "kept"}).decode()
    found = orjson.loads(mask_json(orjson.dumps({"inputJson": inner})))
    assert orjson.loads(found["inputJson"]) == {"url": mask_signatures(AWS), "next": "kept"}


json_values = st.recursive(
    st.text() | st.sampled_from([AWS, "https://h/?sig=1&x=2", "https://h/?token=%22"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(json_values)
def test_json_stays_json_of_the_same_shape(value):
    body = orjson.dumps({"x": value})
    masked = mask_json(body)
    assert _shape(orjson.loads(masked)) == _shape(orjson.loads(body))
    assert mask_json(masked) == masked


def _shape(value):
    if isinstance(value, dict):
        return [_shape(each) for each in value.values()]
    return [_shape(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("start", "more"), [("https:", "\\"), ("https://h?", "\\/"), ("https://h/", "\\"), ("", "https:\\/")]
)
def test_hostile_text_takes_linear_time(start, more):
    text = start + 200_000 * more + "?"
    assert mask_signatures(text) == text


@given(st.text())
def test_text_without_a_url_is_left_alone(text):
    if "://" not in text:
        assert mask_signatures(text) is text
