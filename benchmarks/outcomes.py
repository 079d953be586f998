"""A study with results: a lockfile with outputs, a manifest that starts from them, and the same rows as a csv file."""

from __future__ import annotations

import csv
from hashlib import sha256
from pathlib import Path

import orjson

from benchmarks.workload import PROJECT

CODES = ("cram", "metrics", "vcf")
_HEAD = f"""\
manifest: 1
name: next
project: {PROJECT}
analyses:
  - kind: nextflow
    userReference: "{{{{ row.userReference }}}}-next"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    tags: {{userTags: ["{{{{ row.analysisId }}}}", "{{{{ row.analysisReference }}}}"]}}
"""
_FROM_LOCKFILE = """\
    forEach: {launched: first.yaml}
    analysisInput:
      inputs: {cram: "{{ row.outputs.cram[0].dataId }}", vcf: "{{ row.outputs.vcf[0].dataId }}"}
"""
_FROM_CSV = """\
    forEach: {csv: first.csv}
    analysisInput:
      inputs: {cram: "{{ row.cram }}", vcf: "{{ row.vcf }}"}
"""


def write_results(folder: Path, count: int) -> None:
    """``first.yaml`` with its lockfile, and two manifests that start from it: ``launched.yaml`` and ``table.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    items = {f"NA{number:07}-germline": _item(number) for number in range(count)}
    head = {"lockVersion": 1, "name": "first", "project": PROJECT, "server": "https://ica.illumina.com/ica/rest"}
    lines = [orjson.dumps({name: item})[1:-1] for name, item in items.items()]
    start = orjson.dumps(head, option=orjson.OPT_INDENT_2)[:-2].replace(b"\n  ", b"\n")
    body = b'%s,\n"batches": {\n},\n"items": {\n%s\n}\n}\n' % (start, b",\n".join(lines))
    (folder / "first.lock.json").write_bytes(body)
    (folder / "first.yaml").write_text(_HEAD, encoding="utf-8")
    (folder / "launched.yaml").write_text(_HEAD + _FROM_LOCKFILE, encoding="utf-8")
    (folder / "table.yaml").write_text(_HEAD + _FROM_CSV, encoding="utf-8")
    with (folder / "first.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["userReference", "analysisId", "analysisReference", *CODES])
        for name, item in items.items():
            analysis, outputs = item["analysis"], item["outputs"]
            ids = (outputs[code][0]["dataId"] for code in CODES)
            writer.writerow([name, analysis["id"], analysis["reference"], *ids])


def add_outputs(lockfile: Path) -> None:
    """Add outputs to each item of a lockfile, as `outputs` records them."""
    lines = lockfile.read_bytes().split(b"\n")
    at = lines.index(b'"items": {') + 1
    for number, line in enumerate(lines[at:-3], at):
        text = orjson.dumps(outputs_of(number)).replace(b":", b": ").replace(b",", b", ")
        lines[number] = line.replace(b', "revision"', b', "outputs": ' + text + b', "revision"', 1)
    lockfile.write_bytes(b"\n".join(lines))


def outputs_of(number: int) -> dict[str, list[dict[str, str]]]:
    return {
        code: [{"dataId": _data_id(number, code), "name": f"NA{number:07}.{code}", "type": "FILE"}] for code in CODES
    }


def _data_id(number: int, code: str) -> str:
    return f"fil.{sha256(f'{number}/{code}'.encode()).hexdigest()[:32]}"


def _item(number: int) -> dict[str, object]:
    digest = sha256(f"{number}".encode()).hexdigest()
    uuid = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    return {
        "analysis": {"id": uuid, "reference": f"NA{number:07}-germline-{uuid[:8]}", "status": "SUCCEEDED"},
        "attempt": 0,
        "batchId": None,
        "digest": digest,
        "itemId": None,
        "kind": "nextflow",
        "message": None,
        "outputs": outputs_of(number),
        "revision": "1.1",
        "status": "SUCCEEDED",
    }
