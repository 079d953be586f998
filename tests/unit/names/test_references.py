"""Texts in place of ids: what they refer to, and the messages for those that refer to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.names.references import data_fault, is_data_name, parse_data_name, pipeline_id_fault

UUID = "f606f580-d476-47a8-9679-9ddb39fcb0a8"


@pytest.mark.parametrize(
    "text",
    [
        "fil.a",
        "fol.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4",
        "urn:ilmn:ica:region:1:data:fil.1#/a b",
        "/fastq/S1_R1.fastq.gz",
        "/a folder/",
        "/a#b?c+d%20é 漢字",
        "icav2://Other/path/x.txt",
        "icav2://f606f580-d476-47a8-9679-9ddb39fcb0a8/a#b",
    ],
)
def test_ids_urns_paths_and_uris_are_data(text):
    assert data_fault(text.replace(" ", "_") if text.startswith("urn") else text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "which is blank"),
        ("  ", "which is blank"),
        ("/", "the root of the project"),
        ("//", "the root of the project"),
        ("fil.", "not a complete id"),
        ("fil.a; fil.b", "it holds several: `| split(';')` makes a list of them"),
        ("fol.a,/b", "it holds several: `| split(',')` makes a list of them"),
        (" fil.a", "has whitespace around it"),
        ("FIL.a", "must be in lower case"),
        ("s3://bucket/S1.fastq.gz", "not in ICA; upload it, or give it as `externalData`"),
        ("https://host/x", "externalData"),
        ("gs://bucket/x", "upload the data first"),
        ("icav2://", "names no project"),
        ("icav2:///x", "names no project"),
        ("icav2://P/", "has no path"),
        ("icav2://P", "has no path"),
        ("#N/A", "a spreadsheet error"),
        ('["fil.a","fil.b"]', "`| from_json` makes a list of it"),
        ("fastq/S1.fastq.gz", "does not start with a slash"),
        ("S1", "which is not an id"),
        ("<path of fastqs>", "a placeholder that has not been filled in"),
    ],
)
def test_anything_else_is_a_fault_that_says_what_was_found_and_what_to_write(text, words):
    fault = data_fault(text)
    assert words in fault
    assert fault.startswith("expected data, found ")
    assert 'write a data id ("fil.…" or "fol.…")' in fault or "icav2://PROJECT/path" in fault or "split(" in fault


@given(st.text(max_size=40))
def test_every_text_is_data_or_has_a_fault_of_one_printable_line(text):
    fault = data_fault(text)
    assert fault.isprintable()
    if not fault and is_data_name(text):
        assert parse_data_name(text).path.strip("/")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1), st.text())
def test_what_follows_the_project_of_a_uri_is_literal(project, path):
    assert parse_data_name(f"icav2://P/{path}").path == "/" + path
    assert parse_data_name("/" + path) == (None, "/" + path)


def test_only_the_name_of_a_project_is_percent_encoded():
    assert parse_data_name("icav2://My%20%2F%20lab/a%20b#1?x=1+2") == ("My / lab", "/a%20b#1?x=1+2")


def test_a_pipeline_id_is_a_uuid_or_a_urn():
    assert pipeline_id_fault(UUID) == pipeline_id_fault("urn:ilmn:ica:pipeline:x") == ""
    assert 'to name a pipeline by its code, write "pipeline"' in pipeline_id_fault("DRAGEN-4")
