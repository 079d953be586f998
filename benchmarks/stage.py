"""Write the inputs of a figure in a process of its own: a child starts with the peak memory of its parent.

``python -m benchmarks.stage study FOLDER ROWS`` | ``inline FOLDER COUNT`` | ``launches FOLDER COUNT`` |
``bodies FOLDER`` | ``sheets FOLDER`` | ``names FOLDER ROWS`` | ``results FOLDER COUNT`` | ``requests FOLDER LAYOUT
SAMPLES``, which counts them | ``outputs FOLDER``, which adds them to a lockfile
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson

from benchmarks.inline import write_inline
from benchmarks.names import layout, requests_for, write_pairs
from benchmarks.outcomes import add_outputs, write_results
from benchmarks.peer_seqerakit import write_launches
from benchmarks.sheets import write_sheets
from benchmarks.workload import write_study


def write_bodies(folder: Path) -> None:
    """Write the requests of a run, as ``floor_submit`` reads them."""
    command = [sys.executable, "-m", "manifest_runner", "render", "study.yaml"]
    rendered = subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
    with (folder / "bodies").open("wb") as file:
        for batch in orjson.loads(rendered):
            body = orjson.dumps(batch["body"], option=orjson.OPT_SORT_KEYS)
            file.write(batch["idempotencyKey"].encode() + b"\n" + body + b"\n")


def main(what: str, folder: Path, *count: str) -> None:
    if what == "study":
        write_study(folder, int(count[0]))
    elif what == "inline":
        write_inline(folder / "inline.yaml", int(count[0]))
    elif what == "sheets":
        write_sheets(folder)
    elif what == "results":
        write_results(folder, int(count[0]))
    elif what == "outputs":
        add_outputs(folder / "study.lock.json")
    elif what == "names":
        write_pairs(folder, int(count[0]))
    elif what == "requests":
        (folder / "requests").write_text(str(requests_for(*layout(count[0], int(count[1])))))
    elif what == "launches":
        write_launches(folder, int(count[0]))
    else:
        write_bodies(folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
