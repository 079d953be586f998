"""The figures of BENCHMARKS.md. Each is a line with its name, its value and its target."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Cost, alternate, cost, memory, processor, ratio
from benchmarks.names import LAYOUTS
from benchmarks.plain import plain_python
from benchmarks.server import emulator

HERE = Path(__file__).parent
SCHEMA = HERE.parent / "schemas" / "manifest.schema.json"
PYTHON = sys.executable
RUNNER = (PYTHON, "-m", "manifest_runner")
NO_LOCKFILE = ("--lockfile", "none.lock.json")
PORT = 18431
LIBRARIES = "click, jinja2.sandbox, jsonschema_rs, msgspec, yaml"
EXAMPLE = HERE.parent / "examples" / "germline" / "germline.yaml"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    what: str
    value: str
    target: str

    def __str__(self) -> str:
        return f"| {self.what} | {self.value} | {self.target} |"


class Bench:
    """Measures all figures, in temporary folders. Cheap ones are measured in ``times`` pairs of runs."""

    def __init__(self, folder: Path, sizes: Sequence[int], times: int) -> None:
        self._folder = folder
        self._sizes = sizes
        self._times = times
        self._plans: dict[int, list[Cost]] = {}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package comes with its bytecode
        os.environ |= {"ICAV2_X_API_KEY": "0123456789abcdef", "PYTHONPATH": str(HERE.parent), "TMPDIR": str(folder)}

    def lines(self) -> Iterator[Line]:
        """Yield every figure as soon as it is known, the cheap ones first."""
        yield from self._start()
        for size in self._sizes:
            yield self._over_floor(size)
        yield from self._memory()
        yield from self._growth()
        yield from self._names()
        yield from self._sheets()
        yield from self._inline()
        yield self._seqerakit()
        yield from self._libica()
        for size in self._sizes:
            if 1000 < size <= 100_000:
                yield from self._submission(size)
                yield from self._outcomes(size)

    # -- starting

    def _start(self) -> Iterator[Line]:
        folder = self._folder
        python = (plain_python(folder), "-I")  # isolated: PYTHONPATH would lead back to the checkout
        nothing = (*python, "-c", "pass")
        libraries = (*python, "-c", f"import {LIBRARIES}")
        version = (*python, "-m", "manifest_runner", "--version")
        validate = (*python, "-m", "manifest_runner", "validate", str(EXAMPLE))
        for what, command, base, target in (
            ("`--version` over `python -c pass`", version, nothing, "≤ 1.5"),
            ("`validate` of 24 items over `python -c pass`", validate, nothing, "≤ 10"),
            ("the same over an import of the libraries that it needs", validate, libraries, ""),
        ):
            pairs = alternate(lambda c=command: cost(c, folder), lambda b=base: cost(b, folder), 3 * self._times)
            yield Line(what, str(processor(pairs)), target)

    # -- rendering

    def _study(self, size: int) -> Path:
        folder = self._folder / str(size)
        if not folder.exists():
            _stage("study", str(folder), str(size))
        return folder

    def _plan(self, size: int) -> Cost:
        return cost((*RUNNER, "plan", "study.yaml", *NO_LOCKFILE), self._study(size))

    def _pairs(self, size: int) -> int:
        return max(3, min(2 * self._times, self._times * 50_000 // size))

    def _over_floor(self, size: int) -> Line:
        folder = self._study(size)
        floor = (PYTHON, str(HERE / "floor_render.py"), "samples.csv")
        pairs = alternate(lambda: self._plan(size), lambda: cost(floor, folder), self._pairs(size))
        self._plans[size] = [first for first, _ in pairs]
        target = {1000: "≤ 4", 10_000: "≤ 3"}.get(size, "≤ 2.5")
        return Line(f"`plan` of {size:,} rows over the f-string floor", str(processor(pairs)), target)

    def _memory(self) -> Iterator[Line]:
        for size in self._sizes:
            if size >= 100_000:
                target = "≤ 80" if size == 100_000 else "≤ 300"
                yield Line(f"peak of `plan`, {size:,} rows, MiB", f"{memory(self._plans[size]):.0f}", target)

    def _growth(self) -> Iterator[Line]:
        """The cost of one more item between two sizes, without that of the smallest size. The sizes are run in turn."""
        small = self._sizes[0]
        for middle, large in itertools.pairwise(self._sizes[1:]):
            pairs = []
            for _ in range(self._pairs(large)):
                least, less, more = (self._plan(size).processor for size in (small, middle, large))
                pairs.append(((more - least) / (large - small), (less - least) / (middle - small)))
            between = f"from {middle:,} to {large:,} rows"
            yield Line(f"processor time of one more item, {between}", str(ratio(pairs)), "≤ 1.15")
            grown = (memory(self._plans[large]) - memory(self._plans[middle])) * 2**20 / (large - middle)
            yield Line(f"memory of one more item, {between}, bytes", f"{grown:.0f}", "< 300")

    # -- names

    def _names(self) -> Iterator[Line]:
        size = min(100_000, self._sizes[-1])
        folder = self._folder / "names"
        _stage("names", str(folder), str(size))
        plan = (*RUNNER, "plan", "m.yaml", "--quiet")
        pairs = alternate(lambda: cost(plan, folder / "paths"), lambda: cost(plan, folder / "ids"), self._pairs(size))
        yield Line(
            f"`plan` of {size:,} rows with two pinned paths each over the same with ids", str(processor(pairs)), "≤ 1.5"
        )
        for name, (few, many) in LAYOUTS.items():
            yield self._requests(name, 1000, few)
            if size == 100_000 and many is not None:
                yield self._requests(name, 100_000, many)

    def _requests(self, name: str, samples: int, most: int) -> Line:
        _stage("requests", str(self._folder), name, str(samples))
        count = (self._folder / "requests").read_text()
        return Line(f"requests for {2 * samples:,} paths {name}", count, f"≤ {most}")

    def _sheets(self) -> Iterator[Line]:
        """The same items from other samplesheets, over plain rows; the largest of the usual sizes."""
        small, size = self._sizes[0], max(size for size in self._sizes if size <= 100_000)
        for each in (small, size):
            _stage("sheets", str(self._study(each)))
        for name, what, target in (
            ("grouped", "with `groupBy` of two rows an item", "≤ 1.5"),
            ("table", "with a table of as many rows", "≤ 1.5"),
            ("workbook", "from an xlsx file", "≤ 3"),
        ):
            command = (*RUNNER, "plan", f"{name}.yaml", *NO_LOCKFILE)
            pairs = alternate(lambda c=command: cost(c, self._study(size)), lambda: self._plan(size), 3)
            yield Line(f"`plan` of {size:,} items {what} over plain rows", str(processor(pairs)), target)
            grown = memory([first for first, _ in pairs]) * 2**20 - cost(command, self._study(small)).memory
            rows = (size - small) * (2 if name == "grouped" else 1)
            yield Line("the same, memory of one more row, bytes", f"{grown / rows:.0f}", "≤ 1,024")

    # -- peers

    def _inline(self) -> Iterator[Line]:
        folder = self._folder / "inline"
        _stage("inline", str(folder), "10000")
        peer = (PYTHON, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), "inline.yaml")
        ours = (*RUNNER, "validate", "inline.yaml")
        pairs = [(cost(peer, folder), cost(ours, folder)) for _ in range(2)]
        size = (folder / "inline.yaml").stat().st_size / 1e6
        what = f"check-jsonschema over `validate`, 10,000 inline analyses, {size:.0f} MB"
        yield Line(what, str(processor(pairs)), "≥ 15")
        yield Line("the same, peak memory", str(ratio([(a.memory, b.memory) for a, b in pairs])), "≥ 4")

    def _seqerakit(self) -> Line:
        """Must follow ``_inline``, which writes the manifest of the same analyses."""
        folder = self._folder / "launches"
        _stage("launches", str(folder), "10000")
        peer = ("env", f"PATH={folder}:{os.environ['PATH']}", PYTHON, "-m", "seqerakit.cli", "launches.yml", "--dryrun")
        ours = (*RUNNER, "plan", "inline.yaml", *NO_LOCKFILE)
        pairs = alternate(lambda: cost(peer, folder), lambda: cost(ours, self._folder / "inline"), 2)
        return Line("seqerakit `--dryrun` over `plan`, 10,000 launches written out", str(processor(pairs)), "")

    def _libica(self) -> Iterator[Line]:
        folder = self._study(10_000)
        peer = (PYTHON, "-m", "benchmarks.peer_libica", "samples.csv")
        pairs = alternate(lambda: cost(peer, folder), lambda: self._plan(10_000), 3)
        yield Line("libica's models built and serialised over `plan`, 10,000 rows", str(processor(pairs)), "")

    # -- submitting

    def _submission(self, size: int) -> Iterator[Line]:
        folder = self._study(size)
        _stage("bodies", str(folder))
        pairs, shared = [], []
        for _ in range(3):
            kept, ran, posted = self._run_with_state(folder), self._run(folder), self._posted(folder)
            pairs.append((ran.clock, posted.clock + self._plan(size).clock))
            shared.append((kept.clock, ran.clock))
        yield Line(
            f"`run --wait created` of {size:,} rows over bare POSTs and pages plus `plan`", str(ratio(pairs)), "≤ 1.5"
        )
        yield Line("the same `run` with `state: file://` over one without", str(ratio(shared)), "≤ 1.1")
        yield from self._with_lockfile(folder, size)

    def _run(self, folder: Path) -> Cost:
        (folder / "study.lock.json").unlink(missing_ok=True)
        with emulator(PORT) as url:
            return cost((*RUNNER, "run", "study.yaml", "--server-url", url, "--quiet"), folder)

    def _run_with_state(self, folder: Path) -> Cost:
        """The same run with its lease, journal and lockfile in a store that is a folder."""
        state, manifest = folder / "state", folder / "shared.yaml"
        shutil.rmtree(state, ignore_errors=True)
        manifest.write_text(f"{(folder / 'study.yaml').read_text()}state: file://{state}\n")
        with emulator(PORT) as url:
            return cost((*RUNNER, "run", "shared.yaml", "--server-url", url, "--quiet"), folder)

    def _posted(self, folder: Path) -> Cost:
        with emulator(PORT) as url:
            return cost((PYTHON, str(HERE / "floor_submit.py"), url, "bodies"), folder)

    def _with_lockfile(self, folder: Path, size: int) -> Iterator[Line]:
        """Must follow a run, whose lockfile it uses. The emulator has ended, so any request would fail."""
        server = ("--server-url", f"http://127.0.0.1:{PORT}")
        with_it = (*RUNNER, "plan", "study.yaml", *server)
        pairs = alternate(lambda: cost(with_it, folder), lambda: self._plan(size), self._pairs(size))
        yield Line(
            f"`plan` of {size:,} rows with a complete lockfile over `plan` without", str(processor(pairs)), "≤ 1.5"
        )
        cost((*RUNNER, "status", "study.yaml", *server), folder)
        yield Line(f"requests of `status` on {size:,} finished items", "0", "0")

    # -- results

    def _outcomes(self, size: int) -> Iterator[Line]:
        """Must follow a run: outputs are added to its lockfile. Another lockfile has the rows of a second manifest."""
        folder = self._study(size)
        server = ("--server-url", f"http://127.0.0.1:{PORT}")
        _stage("outputs", str(folder))
        with_it = (*RUNNER, "plan", "study.yaml", *server)
        pairs = alternate(lambda: cost(with_it, folder), lambda: self._plan(size), self._pairs(size))
        what = f"`plan` of {size:,} rows with a complete lockfile that has outputs over `plan` without"
        yield Line(what, str(processor(pairs)), "≤ 1.5")
        results = self._folder / f"results-{size}"
        _stage("results", str(results), str(size))
        launched, table = ((*RUNNER, "plan", name, *NO_LOCKFILE) for name in ("launched.yaml", "table.yaml"))
        pairs = alternate(lambda: cost(launched, results), lambda: cost(table, results), self._pairs(size))
        yield Line(
            f"`plan` of {size:,} `launched` rows over `plan` of a csv of as many", str(processor(pairs)), "≤ 1.2"
        )
        if size <= 10_000:
            yield self._asking(folder, size)

    def _asking(self, folder: Path, size: int) -> Line:
        lockfile = folder / "study.lock.json"
        lockfile.unlink()
        pairs = []
        with emulator(PORT) as url:
            wait = ("--wait", "finished", "--quiet")
            cost((*RUNNER, "run", "study.yaml", "--server-url", url, *wait), folder)
            before = lockfile.read_bytes()
            for _ in range(3):
                lockfile.write_bytes(before)
                asked = cost((*RUNNER, "outputs", "study.yaml", "--server-url", url, "--quiet"), folder)
                floor = cost((PYTHON, str(HERE / "floor_outputs.py"), url, lockfile.name), folder)
                pairs.append((asked.clock, floor.clock))
        return Line(f"`outputs` of {size:,} analyses over bare GETs, four at a time", str(ratio(pairs)), "≤ 1.5")


def _stage(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "benchmarks.stage", *arguments], check=True)
