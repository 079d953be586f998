"""The names file: one line per entry, checked when read, merged by git line by line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.errors import BadState
from manifest_runner.model import Name
from manifest_runner.names.editor_schema import schema_with_codes
from manifest_runner.names.model import DataEntry, InputDeclaration, Names, ParameterDeclaration, PipelineEntry
from manifest_runner.names.names_file import dump_names, names_path, parse_names, read_names, write_names
from manifest_runner.validation.shipped_schemas import schema_text

UUID = "f606f580-d476-47a8-9679-9ddb39fcb0a8"
NAMES = Names(
    "project-1",
    "https://ica.illumina.com/ica/rest",
    data={"/fastq/S1_R1.fastq.gz": DataEntry("fil.1", 123), "/out/": DataEntry("fol.2"), "/ü b#": DataEntry("fil.3")},
    pipelines={
        "Germline": PipelineEntry(
            UUID,
            "nextflow",
            (InputDeclaration("fastqs", multi_value=True, required=True),),
            (ParameterDeclaration("enable_sv", required=False, type="boolean", options=()),),
        )
    },
    storages={"Small": UUID},
)


def test_each_entry_is_a_line_and_the_sections_come_in_order():
    assert dump_names(NAMES).decode() == (
        '{\n"namesVersion": 1,\n"project": "project-1",\n"server": "https://ica.illumina.com/ica/rest",\n'
        '"data": {\n'
        '"/fastq/S1_R1.fastq.gz": {"id": "fil.1", "size": 123},\n'
        '"/out/": {"id": "fol.2"},\n'
        '"/ü b#": {"id": "fil.3"}\n'
        "},\n"
        '"pipelines": {\n'
        f'"Germline": {{"id": "{UUID}", "inputs": [{{"code": "fastqs", "multiValue": true, "required": true}}], '
        '"kind": "nextflow", "parameters": [{"code": "enable_sv", "options": [], "required": false, '
        '"type": "boolean"}]}\n'
        "},\n"
        '"projects": {\n},\n'
        f'"storages": {{\n"Small": "{UUID}"\n}}\n}}\n'
    )


PATHS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map("/x".__add__)
IDS = st.text("0123456789abcdef", min_size=1)


@given(
    st.dictionaries(PATHS, st.builds(DataEntry, IDS.map("fil.".__add__), st.none() | st.integers(0, 2**50))),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.uuids().map(str)),
)
def test_what_is_written_is_read_back(data, storages):
    names = Names("p", "s", data=data, storages=storages)
    assert parse_names(dump_names(names), "x") == names


def test_a_file_that_does_not_exist_holds_no_names(tmp_path):
    assert read_names(tmp_path / "m.names.json", project="p", server="s") == Names("p", "s")


def test_what_would_not_change_is_not_written(tmp_path):
    path = tmp_path / "m.names.json"
    write_names(path, NAMES)
    before = path.stat().st_mtime_ns
    write_names(path, NAMES)
    assert path.stat().st_mtime_ns == before
    assert read_names(path, project=NAMES.project, server=NAMES.server) == NAMES


def test_a_trial_has_a_file_of_its_own():
    assert names_path(Path("a/germline.yaml"), is_trial=False) == Path("a/germline.names.json")
    assert names_path(Path("a/germline.yaml"), is_trial=True) == Path("a/.manifest-runner/germline.names.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw[:90], "damaged"),
        (lambda raw: b"", "damaged"),
        (lambda raw: b"[]", "damaged"),
        (lambda raw: b"\xff" + raw, "damaged"),
        (lambda raw: raw.replace(b"{", b"<<<<<<< HEAD\n{", 1), "git conflict markers"),
        (lambda raw: raw.replace(b'"/out/"', b'=======\n"/out/"'), "x:7: git conflict markers"),
        (lambda raw: raw.replace(b'Version": 1', b'Version": 2'), "format 2 is newer than this version"),
        (lambda raw: raw.replace(b'Version": 1', b'Version": 0'), "there is no format 0"),
        (lambda raw: raw.replace(b'"fil.1"', b'"s3://x"'), "is not an id of data"),
        (lambda raw: raw.replace(b'"fil.1"', b"1"), "damaged"),
        (lambda raw: raw.replace(b'"/out/"', b'"out"'), '"out" is not a path'),
        (lambda raw: raw.replace(b'"/out/"', b'"/fastq/S1_R1.fastq.gz"'), "duplicate key"),
        (lambda raw: raw.replace(b'"Small": "f606', b'"Small": "zzzz'), "which is not a UUID"),
        (lambda raw: raw.replace(b'"size"', b'"sise"'), "damaged"),
        (lambda raw: raw.replace(b'"projects": {\n},\n', b""), "damaged"),
    ],
)
def test_a_damaged_newer_or_conflicting_file_is_refused_with_what_to_do(change, words):
    with pytest.raises(BadState) as caught:
        parse_names(change(dump_names(NAMES)), "x")
    assert words in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(("project", "server"), [("other", NAMES.server), (NAMES.project, "emulator")])
def test_a_file_of_another_project_or_server_is_refused(tmp_path, project, server):
    path = tmp_path / "m.names.json"
    write_names(path, NAMES)
    with pytest.raises(BadState, match=r"belongs to (project|server)"):
        read_names(path, project=project, server=server)


def test_only_what_is_wanted_is_kept_and_what_is_new_is_added():
    entry = DataEntry("fil.9")
    names = NAMES.with_entries({Name("data", "/new"): entry, Name("projects", "Lab"): UUID})
    assert names.id_of(Name("data", "/new")) == "fil.9"
    assert Name("projects", "Lab") in names
    kept = names.only({Name("data", "/new"), Name("storages", "Small")})
    assert (dict(kept.data), dict(kept.projects), dict(kept.storages)) == ({"/new": entry}, {}, {"Small": UUID})


def test_branches_that_each_add_names_merge_as_lines_do(tmp_path):
    def file(name: str, *numbers: int) -> str:
        data = {f"/fastq/S{number:03}": DataEntry(f"fil.{number}") for number in (*numbers, 100, 200, 300)}
        path = tmp_path / name
        path.write_bytes(dump_names(msgspec.structs.replace(NAMES, data=data)))
        return str(path)

    merged = subprocess.run(
        ["git", "merge-file", "-p", file("ours", 150), file("base"), file("theirs", 250)], capture_output=True
    )
    assert merged.returncode == 0
    assert list(parse_names(merged.stdout, "x").data) == [f"/fastq/S{number}" for number in (100, 150, 200, 250, 300)]


def test_what_is_written_meets_the_schema_that_is_shipped():
    schema = json.loads(schema_text("names"))
    jsonschema.validate(json.loads(dump_names(NAMES)), schema)
    form = PipelineEntry(UUID, "nextflowJson", None, None, ({"id": "f", "type": "text"},))
    names = NAMES.with_entries({Name("pipelines", "Form"): form, Name("projects", "Lab"): UUID})
    jsonschema.validate(json.loads(dump_names(names)), schema)


def test_editors_get_the_codes_and_options_of_the_pinned_pipelines():
    parameters = (
        ParameterDeclaration("format", True, "optionsType", ("BAM", "CRAM"), ("CRAM",)),
        ParameterDeclaration("sv", False, "booleanType", ()),
    )
    entry = PipelineEntry(UUID, "nextflow", (InputDeclaration("fastqs", True, True),), parameters)
    schema = schema_with_codes(json.loads(schema_text("manifest")), Names("p", "s", pipelines={"Germline": entry}))
    jsonschema.Draft7Validator.check_schema(schema)
    assert list(schema["definitions"]["inputs"]["properties"]) == ["fastqs"]
    given = {"kind": "nextflow", "pipeline": "Germline", "userReference": "r"}

    def faults(inputs, parameters):
        item = {**given, "analysisInput": {"inputs": inputs, "parameters": parameters}}
        manifest = {"manifest": 1, "name": "m", "analyses": [item]}
        return list(jsonschema.Draft7Validator(schema).iter_errors(manifest))

    assert faults({"fastqs": ["/a", "{{ row.b }}"]}, {"format": "BAM", "sv": True}) == []
    assert faults({"fastqs": "{{ row.b }}", "other": "/x"}, {"format": "{{ row.f }}", "sv": "{{ row.s }}"}) == []
    assert faults({}, {"format": "SAM"}) != []
