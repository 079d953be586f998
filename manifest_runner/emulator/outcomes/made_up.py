"""Made-up outcomes of an analysis that no rule decides: always the same for the same userReference."""

from __future__ import annotations

import zlib

from manifest_runner.emulator.catalog.format import File, Step
from manifest_runner.emulator.outcomes.details import Details
from manifest_runner.emulator.store.timetable import Fate

_FIRST = Step(name="prepare", technical=True, exit_code=0, stdout="Inputs are in place.\n", stderr="")
_LAST = Step(name="upload", technical=True, exit_code=0, stdout="Outputs are in place.\n", stderr="")
_MAIN = Step(name="main", exit_code=0, stdout="Done.\n", stderr="")
_FAILURES = (
    Step(
        name="align",
        status="FAILED",
        exit_code=137,
        stdout="Aligning {userReference}\n",
        stderr="[00:12:31] 61 of 64 GB in use\n[00:12:47] 64 of 64 GB in use\nKilled\n",
    ),
    Step(
        name="call_variants",
        status="FAILED",
        exit_code=1,
        stdout="Calling {userReference}\n",
        stderr="reading the reference\nERROR: contig chr17_KI270857v1_alt is not in the reference\n",
    ),
    Step(
        name="unpack",
        status="FAILED",
        exit_code=2,
        stdout="Unpacking {userReference}\n",
        stderr="gzip: {userReference}_R2.fastq.gz: unexpected end of file\n",
    ),
)
_OUTPUTS: dict[str, list[str | File]] = {
    "results": ["results/{userReference}.vcf.gz", "results/metrics.csv"],
    "report": ["report.html"],
}


def steps(user_reference: str, fate: int) -> list[Step]:
    """The steps of an analysis; if it fails, its last step failed, in one of three ways."""
    if fate == Fate.ANALYSIS_FAILS:
        return [_FIRST, _FAILURES[_number(user_reference) % len(_FAILURES)]]
    if fate == Fate.ANALYSIS_IS_ABORTED:
        return [_FIRST, Step(name="main", status="ABORTED", stdout="", stderr="")]
    return [_FIRST, _MAIN, _LAST]


def outputs(details: Details) -> dict[str, list[str | File]]:
    """The outputs of an analysis: a few files in each place that its request names."""
    named: list[str | File] = []
    for mapping in details.outputs:
        is_file = "." in mapping.source.rpartition("/")[2]
        folder = f"{mapping.source}/" if mapping.source else ""
        inside: list[str | File] = [f"{folder}{{userReference}}.vcf.gz", f"{folder}metrics.csv"]
        named += [mapping.source] if is_file else inside
    return {"output": named} if named else _OUTPUTS


def price(user_reference: str) -> float:
    """What an analysis cost, in iCredits: the same for every launch of a userReference."""
    return round(2 + _number(user_reference) % 1000 / 100, 2)


def _number(text: str) -> int:
    return zlib.crc32(text.encode())
