"""``init``: a commented manifest and samplesheet to start from, or a manifest made of an existing launch body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manifest_runner.errors import InvalidManifest, UsageProblem
from manifest_runner.files import replace_file
from manifest_runner.inputfile import decode_utf8, read_bytes
from manifest_runner.manifest import dump_yaml
from manifest_runner.model import Finding, Place
from manifest_runner.templating import has_delimiters

MAX_PAYLOAD_BYTES = 64 * 2**20
PLACEHOLDER_PROJECT = "00000000-0000-0000-0000-000000000000"

_MANIFEST = """\
# A manifest of manifest-runner: what shall be launched on ICA, one analysis a row of the samplesheet.
#
#   manifest-runner validate {file}                check it
#   manifest-runner plan {file}                    see what would be launched
#   manifest-runner run {file} --emulator          try it, without ICA; remove {lockfile} then
#   manifest-runner run {file}                     launch it; commit {lockfile} afterwards
manifest: 1
name: {quoted}                     # part of each launch's identity: keep it
project: {project}

vars:                                # constants for the templates below
  reference: fil.00000000000000000000000000000000

defaults:                            # merged under every analysis
  pipelineId: 00000000-0000-0000-0000-000000000000

analyses:
  - kind: nextflow                   # or nextflowJson, cwl
    forEach:
      csv: {samplesheet}               # one analysis for each row
      where: "row.status == 'ready'"
    userReference: "{{{{ row.sample }}}}-{slug}"    # unique: it is how a launch is known
    tags:
      userTags: [{quoted}]
    analysisInput:
      inputs:                        # CODE: data id, or a list of them
        fastqs: "{{{{ row.fastqs | split(';') }}}}"
        reference: "{{{{ vars.reference }}}}"
      parameters:                    # CODE: value
        output_format: CRAM
    analysisOutput:
      - sourcePath: out/
        type: FOLDER
        targetProjectId: "{{{{ project }}}}"
        targetPath: "/{name}/{{{{ row.sample }}}}/"
"""

_SAMPLESHEET = """\
sample,fastqs,status
NA12878,fil.11111111111111111111111111111111;fil.22222222222222222222222222222222,ready
NA12879,fil.33333333333333333333333333333333;fil.44444444444444444444444444444444,waiting
"""

# Names that YAML reads as text without quotes.
_PLAIN = re.compile(r"(?!(null|true|false)$)[a-z][a-z0-9._-]*")
_ITEMS = {"nextflowItems": "nextflow", "nextflowJsonItems": "nextflowJson", "cwlItems": "cwl"}


def write_starter(path: Path, project: str | None) -> list[Path]:
    """Write a starter manifest and its samplesheet. Raises UsageProblem where a file is there already."""
    samplesheet = path.with_name(f"{path.stem}.samples.csv" if path.stem != "manifest" else "samples.csv")
    name = _name(path)
    text = _MANIFEST.format(
        file=path.name,
        lockfile=f"{path.stem}.lock.json",
        name=name,
        quoted=name if _PLAIN.fullmatch(name) else json.dumps(name),
        slug=re.sub(r"[^a-z0-9]+", "-", name),
        project=project or PLACEHOLDER_PROJECT,
        samplesheet=samplesheet.name,
    )
    return _write({path: text, samplesheet: _SAMPLESHEET})


def write_from_payload(path: Path, payload: Path, project: str | None) -> list[Path]:
    """Write a manifest that launches what a body of the API launches: of a batch, or of a single analysis."""
    data = _read_payload(payload)
    analyses = [
        {"kind": kind, **_literal(item)} for member, kind in _ITEMS.items() for item in data.get(member) or ()
    ] or [{"kind": _kind(data), **_literal(data)}]
    head = {"manifest": 1, "name": _name(path), "project": project or PLACEHOLDER_PROJECT}
    return _write({path: dump_yaml({**head, "analyses": analyses})})


def _read_payload(payload: Path) -> dict[str, Any]:
    text = decode_utf8(read_bytes(payload, str(payload), MAX_PAYLOAD_BYTES), str(payload))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as e:
        line = getattr(e, "lineno", 1)
        raise InvalidManifest([Finding(Place(str(payload), line), "MR306", f"not JSON: {getattr(e, 'msg', e)}")]) from e
    if not isinstance(data, dict):
        raise InvalidManifest([Finding(Place(str(payload), 1), "MR306", "expected the body of a launch, an object")])
    return data


def _kind(item: Mapping[str, Any]) -> str:
    """The kind of a single analysis, told by the fields that only one kind has."""
    if "inputFormValues" in item:
        return "nextflowJson"
    given = item.get("analysisInput")
    return "cwl" if isinstance(given, dict) and "objectType" in given else "nextflow"


def _literal(value: Any) -> Any:
    """The same value where strings are templates."""
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    if isinstance(value, str) and has_delimiters(value):
        # A raw block reads best, but ends where the text says so; a literal in an expression holds anything.
        return f"{{{{ {_jinja_text(value)} }}}}" if "endraw" in value else f"{{% raw %}}{value}{{% endraw %}}"
    return value


def _jinja_text(value: str) -> str:
    """A Jinja literal, in whose quotes no delimiter is left."""
    escaped = {"{": "\\x7b", "}": "\\x7d", "'": "\\x27", "\\": "\\x5c", "%": "\\x25", "#": "\\x23"}
    return "'" + "".join(escaped.get(character, character) for character in value) + "'"


def _name(path: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:64]
    return name or "manifest"


def _write(files: Mapping[Path, str]) -> list[Path]:
    for path in files:
        if path.exists():
            raise UsageProblem(f"{path}: is there already; nothing was written")
        if not path.parent.is_dir():
            raise UsageProblem(f"{path.parent}: there is no such folder")
    for path, text in files.items():
        replace_file(path, text.encode())
    return list(files)
