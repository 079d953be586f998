"""The logs of the failed steps of analyses: their ends, or whole, in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.outcomes.download import fetch_all, retry_policy
from manifest_runner.commands.outcomes.log_text import log_lines
from manifest_runner.commands.outcomes.output_files import MissingOutput, SignedUrls, WantedFile
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Unreachable

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.downloads import Downloads
    from manifest_runner.ica.outcome_model import Step

# The failed steps of analyses, by userReference, the first to fail first.
FailedSteps = Mapping[str, "tuple[Step, ...]"]


def ends_of_logs(run: OpenRun, seen: FailedSteps) -> dict[str, tuple[str, ...]]:
    """The last lines of the log of each analysis's first failed step, if the log is available."""
    from manifest_runner.ica.downloads import Downloads
    from manifest_runner.ica.parallel import in_parallel

    project = run.session.lockfile.project
    logs = {name: log for name, steps in seen.items() if steps and (log := _log(Path(), steps[0], project))}
    if not logs:
        return {}
    clean = run.client().cleaner
    urls = SignedUrls(run.client(), logs.values(), lenient=True)
    with Downloads(run.session.context.env, partial(retry_policy, run), lambda _bytes: None) as downloads:
        ends = in_parallel(lambda name: _end_of_log(downloads, urls, logs[name]), [*logs])
        texts = {name: end.decode(errors="replace") for name, end in ends if end is not None}
    return {name: tuple(map(clean.words, log_lines(text))) for name, text in texts.items()}


def _end_of_log(downloads: Downloads, urls: SignedUrls, log: WantedFile) -> bytes | None:
    from manifest_runner.ica.downloads import DownloadFailed

    url = urls.of(log)
    try:
        return None if url is None else downloads.tail(url, log.size)
    except (DownloadFailed, Unreachable):
        return None


def fetch_logs(run: OpenRun, seen: FailedSteps, folder: Path) -> list[MissingOutput]:
    """Fetch the logs of all failed steps into a folder; returns those that are not available."""
    project = run.session.lockfile.project
    wanted: dict[Path, WantedFile] = {}
    missing = []
    for name, steps in seen.items():
        for step in steps:
            path = _log_path(name, step, wanted)
            if log := _log(path, step, project):
                wanted[path] = log
            else:
                missing.append(MissingOutput(str(path), "the step has no log"))
    return missing + fetch_all(run, folder, [*wanted.values()], lenient=True)


def _log(path: Path, step: Step, project: str) -> WantedFile | None:
    record = step.stderr
    if record is None:
        return None
    owner = None if record.owning_project == project else record.owning_project
    return WantedFile(path, record.id, owner, record.size, record.time_modified)


def _log_path(name: str, step: Step, taken: Mapping[Path, WantedFile]) -> Path:
    """``USER_REFERENCE/STEP.stderr``; a second step of that name gets a number."""
    folder = Path(*(part for part in name.split("/") if part not in ("", ".", "..")))
    plain = "".join(each if each.isalnum() or each in "._- " else "_" for each in step.name)
    path, number = folder / f"{plain}.stderr", 2
    while path in taken:
        path, number = folder / f"{plain}.{number}.stderr", number + 1
    return path
