"""Bodies of answers as values, and the cleaning of foreign text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.ica.connection.problem import MAX_PARAMETERS, Problem, describe, read_problem
from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.model import Analysis, BatchItem
from manifest_runner.ica.responses import read_analysis, read_batch, read_item, read_item_page
from manifest_runner.ica.wire import Page, WireError
from manifest_runner.text import plain_text

SECRET = "s3cr3t-k3y-0123456789"
CLEAN = Cleaner((SECRET,))

ANALYSIS = {
    "id": "a-1",
    "reference": "NA12878-germline-abc",
    "userReference": "NA12878-germline",
    "status": "GENERATING_OUTPUTS",
    "timeCreated": "2026-11-23T10:00:00Z",
    "startDate": "2026-11-23T10:01:00Z",
    "endDate": None,
    "tags": {"technicalTags": ["one", "two"], "userTags": [], "referenceTags": []},
    "pipeline": {"whatever": 1},
}
ITEM = {
    "id": "i-1",
    "request": {"userReference": "NA12878-germline", "pipelineId": "urn:p", "tags": {}},
    "processing": {"status": "SUCCEEDED", "additionalStatusInformation": "done"},
    "createdAnalysis": ANALYSIS,
}


def raw(document):
    return json.dumps(document).encode()


def changed(document, path, value):
    """A copy with the value at ``path`` replaced, or left out where it is ``...``."""
    copy = json.loads(json.dumps(document))
    *parents, last = path
    inner = copy
    for name in parents:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return raw(copy)


def test_an_item_and_its_analysis_are_read_whole():
    analysis = Analysis(
        id="a-1",
        reference="NA12878-germline-abc",
        status="GENERATING_OUTPUTS",
        user_reference="NA12878-germline",
        start_date="2026-11-23T10:01:00Z",
        end_date=None,
        time_created="2026-11-23T10:00:00Z",
        technical_tags=("one", "two"),
    )
    assert read_analysis(raw(ANALYSIS), CLEAN) == analysis
    item = BatchItem("i-1", "NA12878-germline", "SUCCEEDED", "done", analysis, ("one", "two"))
    assert read_item(raw(ITEM), CLEAN) == item, "a request without tags has those of its analysis"


@pytest.mark.parametrize("gone", [..., None])
@pytest.mark.parametrize("path", [("createdAnalysis",), ("processing", "additionalStatusInformation")])
def test_what_the_api_calls_optional_may_be_missing(path, gone):
    item = read_item(changed(ITEM, path, gone), CLEAN)
    assert None in (item.message, item.analysis)


@pytest.mark.parametrize("path", [("reference",), ("startDate",), ("timeCreated",), ("userReference",)])
def test_an_analysis_needs_no_more_than_id_and_status(path):
    assert read_analysis(changed(ANALYSIS, path, ...), CLEAN).id == "a-1"


@pytest.mark.parametrize("tags", [..., None, {}, {"technicalTags": None}, {"technicalTags": []}])
def test_an_analysis_may_have_no_tags(tags):
    assert read_analysis(changed(ANALYSIS, ("tags",), tags), CLEAN).technical_tags == ()


@pytest.mark.parametrize("status", ["TELEPORTING", "in progress"])
def test_a_status_of_the_future_is_kept_as_it_is(status):
    assert read_item(changed(ITEM, ("processing", "status"), status), CLEAN).status == status


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), ...),
        (("id",), "a/b"),
        (("id",), ".."),
        (("id",), SECRET),
        (("id",), "i" * 300),
        (("request",), ...),
        (("request", "userReference"), None),
        (("processing",), []),
        (("processing", "status"), ...),
        (("processing", "status"), 1),
        (("processing", "additionalStatusInformation"), {}),
        (("createdAnalysis",), "a-1"),
        (("createdAnalysis", "id"), ...),
        (("createdAnalysis", "status"), None),
        (("createdAnalysis", "endDate"), 5),
        (("createdAnalysis", "tags"), []),
        (("createdAnalysis", "tags", "technicalTags"), "one"),
    ],
)
def test_an_item_that_is_not_as_promised_cannot_be_read(path, value):
    with pytest.raises(WireError):
        read_item(changed(ITEM, path, value), CLEAN)


def test_a_page_says_where_the_next_one_is():
    page = read_item_page(raw({"items": [ITEM], "nextPageToken": "t", "totalItemCount": 7}), CLEAN)
    assert (len(page.items), page.next_token, page.total) == (1, "t", 7)


@pytest.mark.parametrize("token", [..., None, ""])
def test_the_last_page_has_no_token(token):
    body = changed({"items": [], "nextPageToken": "t"}, ("nextPageToken",), token)
    assert read_item_page(body, CLEAN) == Page((), None, None)


@pytest.mark.parametrize("items", [None, {}, [None], [[]], ["i-1"]])
def test_a_page_without_proper_items_cannot_be_read(items):
    with pytest.raises(WireError):
        read_item_page(raw({"items": items}), CLEAN)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: raw(text)))
def test_no_body_breaks_the_reading(body):
    with pytest.raises(WireError):
        read_batch(body, CLEAN)
    assert isinstance(read_problem(body, CLEAN), Problem)


@pytest.mark.parametrize("member", ["job", "other"])
def test_a_body_nested_very_deeply_cannot_be_read(member):
    deep = b"[" * 200_000 + b"]" * 200_000
    with pytest.raises(WireError):
        read_batch(b'{"' + member.encode() + b'": ' + deep + b"}", CLEAN)


# Problems


def test_a_problem_is_reported_in_one_line():
    body = raw({"title": "Bad", "detail": "items: too\nmany", "parameters": {"max": "5"}})
    assert describe(400, read_problem(body, CLEAN)) == "400: Bad: items: too\\nmany [max=5]"


def test_a_page_of_a_proxy_is_not_a_problem_document():
    assert describe(502, read_problem(b"<html>secret words</html>", CLEAN)) == "502: Bad Gateway"
    assert describe(599, read_problem(b"", CLEAN)) == "599"


@pytest.mark.parametrize("document", [[], {"title": 5, "detail": [], "parameters": []}, "title"])
def test_what_a_problem_has_wrong_is_left_out(document):
    assert read_problem(raw(document), CLEAN) == Problem()


def test_a_flood_of_parameters_is_cut_short():
    problem = read_problem(raw({"parameters": {str(n): "x" * 9999 for n in range(1000)}}), CLEAN)
    assert len(problem.parameters) == MAX_PARAMETERS
    assert len(describe(400, problem)) < 5000


# Plain text


@given(st.text())
def test_plain_text_is_printable_and_can_be_written(text):
    plain = plain_text(text, limit=1000)
    assert plain.isprintable()
    assert plain.encode("utf-8").decode("utf-8") == plain


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_harmless_text_stays_as_it_is(text):
    assert plain_text(text, limit=1000) == text


def test_what_a_terminal_would_act_on_is_written_out():
    assert plain_text("a\x1b[2J\nb\u202ec\ud800\u2028\u00a0d") == "a\\x1b[2J\\nb\\u202ec\\ud800\\u2028 d"


def test_long_text_is_shortened():
    assert plain_text("a" * 11, limit=10) == "a" * 10 + "…"


def test_a_secret_is_removed_wherever_it_occurs():
    assert CLEAN.words(f"x{SECRET}y{SECRET}") == "x***y***"
    assert CLEAN.name(f"ref-{SECRET}") == "ref-***"
    # Also where the limit would leave only half of it to be recognised.
    assert SECRET[:5] not in CLEAN.words("a" * 1990 + SECRET)


def test_a_short_key_of_the_emulator_does_not_change_names():
    clean = Cleaner(("test",))
    assert clean.words("the key test") == "the key ***"
    assert clean.name("test-1") == "test-1"
    assert Cleaner(("",)).words("abc") == "abc"


def test_the_secret_does_not_show_in_the_cleaner():
    assert SECRET not in repr(CLEAN)


def test_a_message_is_kept_as_it_is_but_for_the_secret():
    clean = Cleaner(("s3cret-key",))
    assert clean.message("line one\n\tline two \u200d s3cret-key") == "line one\n\tline two \u200d ***"
    assert len(clean.message("x" * 100_000)) == 10_000


def test_a_key_of_usual_length_is_removed_from_names_but_not_from_labels():
    clean = Cleaner(("my-key-1",))
    assert clean.name("ref-my-key-1") == "ref-***"
    assert clean.label("ref-my-key-1\n") == "ref-my-key-1\\n"
    assert CLEAN.label(f"ref-{SECRET}") == "ref-***"
