"""Outputs, steps, prices and data are read leniently, and never trusted."""

from __future__ import annotations

import pytest

from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.data_endpoints import MAX_QUERY, chunked, create_download_urls, list_data
from manifest_runner.ica.data_responses import read_data_page, read_download_urls
from manifest_runner.ica.name_responses import read_declared
from manifest_runner.ica.outcome_model import OutputData, Price
from manifest_runner.ica.outcome_responses import read_outputs, read_steps, read_usage
from manifest_runner.ica.wire import WireError

CLEAN = Cleaner("a-secret-key")


def test_outputs_are_read_without_what_is_inside_folders():
    body = b"""{"items": [{"code": "vcf", "projectId": "p-2", "data": [
        {"dataId": "fol.1", "name": "vcf", "dataType": "FOLDER", "children": [{"dataId": "fil.2", "name": "a"}]}]},
        {"code": "none"}, {"code": "old", "analysisData": [{"dataId": "fil.3", "name": "b", "dataType": "FILE"}]}]}"""
    vcf, none, old = read_outputs(body, CLEAN)
    assert (vcf.project, vcf.data) == ("p-2", (OutputData("fol.1", "vcf", "FOLDER"),))
    assert (none.data, old.data) == ((), (OutputData("fil.3", "b", "FILE"),))


def test_an_id_that_could_change_a_path_is_refused():
    with pytest.raises(WireError):
        read_outputs(b'{"items": [{"code": "vcf", "data": [{"dataId": "../x"}]}]}', CLEAN)


def test_a_step_may_lack_its_log_and_its_exit_code():
    body = b"""{"items": [{"id": "1", "name": "run-1#dragen", "status": "FAILED", "technical": false, "exitCode": null,
        "logs": {"stdErrData": null}}, {"id": "2", "name": "plain", "status": "DONE", "technical": true, "exitCode": 1,
        "logs": {"stdErrData": {"id": "fil.1", "details": {"name": "e", "path": "/x/e", "fileSizeInBytes": 3}}}}]}"""
    dragen, plain = read_steps(body, CLEAN)
    assert (dragen.name, dragen.exit_code, dragen.stderr) == ("dragen", None, None)
    assert plain.stderr is not None
    assert (plain.name, plain.exit_code, plain.stderr.id, plain.stderr.size) == ("plain", 1, "fil.1", 3)


@pytest.mark.parametrize(("amount", "read"), [("12.40", "12.40"), ('"3.5"', "3.5"), ("1e2", "1e2"), ("0", "0")])
def test_a_price_keeps_its_spelling(amount, read):
    assert read_usage(b'{"price": {"amount": %s}}' % amount.encode(), CLEAN) == Price(read, "iCredit")


@pytest.mark.parametrize("body", [b"{}", b'{"price": null}', b'{"price": {"amount": null}}'])
def test_a_price_may_be_absent(body):
    assert read_usage(body, CLEAN) is None


@pytest.mark.parametrize("amount", [b'"free"', b"[1]", b'"NaN"', b'"' + b"9" * 50 + b'"'])
def test_a_price_that_is_not_a_number_is_refused(amount):
    with pytest.raises(WireError):
        read_usage(b'{"price": {"amount": %s}}' % amount, CLEAN)


@pytest.mark.parametrize(("path", "read"), [
    ("/a/b.txt", "/a/b.txt"), ("/a", "/a/b.txt"), ("/a/", "/a/b.txt"), ("/a/b.txt/", "/a/b.txt"), ("/", "/b.txt"),
])  # fmt: skip
def test_a_path_is_the_full_one_whichever_the_server_gives(path, read):
    body = b'{"items": [{"projectId": "p", "data": {"id": "fil.1", "details": {"name": "b.txt", "path": "%s"}}}]}'
    (record,) = read_data_page(body % path.encode(), CLEAN).items
    assert record.path == read


def test_a_file_with_the_name_of_its_folder_is_in_the_folder():
    details = b'{"name": "b.txt", "path": "/a/b.txt/", "dataType": "FILE"}'
    (record,) = read_data_page(b'{"items": [{"data": {"id": "fil.1", "details": %s}}]}' % details, CLEAN).items
    assert record.path == "/a/b.txt/b.txt"


def test_an_input_takes_several_values_unless_the_server_says_otherwise():
    body = b'{"items": [{"code": "a", "multiValue": null}, {"code": "b"}, {"code": "c", "multiValue": false}]}'
    assert [each.multi_value for each in read_declared(body, CLEAN)] == [True, True, False]


def test_urls_are_known_by_the_ids_of_their_data():
    body = b'{"items": [{"dataId": "fil.1", "dataPath": "/a", "dataUrn": "urn:x", "url": "https://store/a?sig=1"}]}'
    assert read_download_urls(body, CLEAN) == {"fil.1": "https://store/a?sig=1"}
    assert read_download_urls(b'{"items": [{"dataId": "fil.1", "url": null}]}', CLEAN) == {}


def test_values_of_a_filter_are_repeated_and_split_where_a_url_would_be_too_long():
    call = list_data(id=["fil.1", "fil.2"], type=["FILE"])
    assert (call.path, call.params) == ("/data", (("id", "fil.1"), ("id", "fil.2"), ("type", "FILE")))
    ids = [f"fil.{number:032}" for number in range(1000)]
    chunks = list(chunked(ids, "id"))
    assert [each for chunk in chunks for each in chunk] == ids
    assert len(chunks) <= 12
    assert all(sum(len(each) + 4 for each in chunk) <= MAX_QUERY for chunk in chunks)


def test_a_call_to_another_project_names_it():
    call = create_download_urls(["fil.1"], "p-2")
    assert (call.path, call.body) == ("/api/projects/p-2/data:createDownloadUrls", b'{"dataIds":["fil.1"]}')
