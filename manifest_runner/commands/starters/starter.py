"""``init``: a commented manifest and its samplesheet to start from, with the schema for editors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from manifest_runner.errors import UsageProblem
from manifest_runner.files import replace_file
from manifest_runner.validation.shipped_schemas import schema_text

# Ids of zeros only are errors until somebody replaces them.
PLACEHOLDER_UUID = "00000000-0000-0000-0000-000000000000"
PLACEHOLDER_DATA = "fil." + "0" * 32
# Beside the manifest, so that it works without a network, and for everybody who has the repository.
SCHEMA_FILE = "manifest.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"

_MANIFEST = """\
# What to launch on ICA: one analysis for each row of {samplesheet}.
#
# Replace what is marked FILL IN, and the ids in {samplesheet}. Then:
#   manifest-runner validate {file}              check it
#   manifest-runner plan {file}                  see what it would launch
#   manifest-runner run {file} --emulator        try it without ICA; there any ids will do
#   manifest-runner run {file}                   launch it; commit {lockfile} afterwards
manifest: 1
name: {quoted}          # part of each launch's identity: keep it
project: {project}{fill_in_project}

vars:                 # constants for the templates below
  reference: {data}   # FILL IN: path or id of the reference data

defaults:             # merged under every analysis
  pipelineId: {uuid}   # FILL IN: id of the pipeline, or its code as `pipeline: CODE`

analyses:
  - kind: nextflow    # or nextflowJson, cwl
    forEach:
      csv: {samplesheet}
      where: "row.status == 'ready'"
    userReference: "{{{{ row.sample }}}}-{slug}"   # the analysis's identity: unique in this file
    tags:
      userTags: [{quoted}]
    analysisInput:
      inputs:         # FILL IN: the codes of the pipeline's inputs, each with a path or id of data, or a list of them
        fastqs: "{{{{ row.fastqs | split(';') }}}}"
        reference: "{{{{ vars.reference }}}}"
      parameters:     # FILL IN: the codes of the pipeline's parameters, each with a value
        output_format: CRAM
    analysisOutput:
      - sourcePath: out/
        type: FOLDER
        targetProjectId: "{{{{ project }}}}"
        targetPath: "/{name}/{{{{ row.sample }}}}/"
"""

_SAMPLESHEET = f"""\
sample,fastqs,status
NA12878,{PLACEHOLDER_DATA},ready
NA12879,{PLACEHOLDER_DATA},waiting
"""

# Names that YAML reads as text without quotes.
_PLAIN = re.compile(r"(?!(null|true|false)$)[a-z][a-z0-9._-]*")


class Written(msgspec.Struct, frozen=True):
    """The files that ``init`` wrote, the manifest first, and in words what is still ``to_replace`` by hand."""

    files: tuple[Path, ...]
    to_replace: tuple[str, ...] = ()


def write_starter(path: Path, project: str | None) -> Written:
    """Write a starter manifest and its samplesheet. Raises UsageProblem if one of them exists."""
    samplesheet = samplesheet_of(path)
    name = name_for(path)
    text = MODELINE + _MANIFEST.format(
        file=path.name,
        lockfile=f"{path.stem}.lock.json",
        name=name,
        quoted=name if _PLAIN.fullmatch(name) else json.dumps(name),
        slug=re.sub(r"[^a-z0-9]+", "-", name),
        project=project or PLACEHOLDER_UUID,
        fill_in_project="" if project else "   # FILL IN: id of the project",
        samplesheet=samplesheet.name,
        uuid=PLACEHOLDER_UUID,
        data=PLACEHOLDER_DATA,
    )
    return Written(write_new({path: text, samplesheet: _SAMPLESHEET}), (fill_in(path), rows_of(samplesheet)))


def fill_in(path: Path) -> str:
    """What is to be replaced in a manifest with marks."""
    return f"what is marked FILL IN in {path}"


def rows_of(samplesheet: Path) -> str:
    """What is to be replaced in a samplesheet."""
    return f"the rows of {samplesheet}"


def samplesheet_of(path: Path) -> Path:
    """``germline.yaml`` → ``germline.samples.csv`` beside it."""
    return path.with_name(f"{path.stem}.samples.csv" if path.stem != "manifest" else "samples.csv")


def name_for(path: Path) -> str:
    """A valid name of a manifest, after its file."""
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:64]
    return name or "manifest"


def write_new(files: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files that do not exist yet, and beside them the schema that their modeline names; an older one stays.

    Raises UsageProblem before anything is written.
    """
    for path in files:
        if path.exists():
            raise UsageProblem(f"{path}: already exists; nothing was written")
        if not path.parent.is_dir():
            raise UsageProblem(f"{path.parent}: there is no such folder")
    schema = next(iter(files)).with_name(SCHEMA_FILE)
    written = dict(files) if schema.exists() else {**files, schema: schema_text("manifest")}
    for path, text in written.items():
        replace_file(path, text.encode())
    return tuple(written)
