"""Download the files of outputs: resumed, checked by size, under their final names only when complete."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.outcomes.output_files import MissingOutput, SignedUrls, WantedFile, find_files
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Unreachable, UsageProblem
from manifest_runner.files import unwritable
from manifest_runner.ica.connection.retry import RetryPolicy
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.timestamps import seconds_of

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.downloads import Downloads

_MEGABYTE = 10**6


class DownloadOptions(msgspec.Struct, frozen=True):
    """The folder to download to, and globs that select the files; all files without globs."""

    folder: Path
    include: tuple[str, ...] = ()


def download_options(folder: Path | None, include: Sequence[str]) -> DownloadOptions | None:
    """None without a folder. Raises UsageProblem if there are globs but no folder."""
    if folder is None and include:
        raise UsageProblem("--include needs --download DIR")
    return None if folder is None else DownloadOptions(folder, tuple(include))


class Downloaded(msgspec.Struct, frozen=True):
    """How many files were fetched, how many already existed, and which are not available.

    ``matches_nothing``: there are outputs, but no glob matches any of their files.
    """

    folder: Path
    fetched: int
    present: int
    missing: tuple[MissingOutput, ...]
    matches_nothing: bool = False


def download(run: OpenRun, items: Mapping[str, LockedItem], options: DownloadOptions) -> Downloaded:
    """Fetch the files of these items' outputs, four at a time."""
    found = find_files(run.client(), items, options.include) if items else []
    files = [each for each in found if isinstance(each, WantedFile)]
    missing = [each for each in found if isinstance(each, MissingOutput)]
    due = [file for file in files if not _is_there(options.folder / file.path, file)]
    failed = fetch_all(run, options.folder, due)
    return Downloaded(
        options.folder,
        fetched=len(due) - len(failed),
        present=len(files) - len(due),
        missing=(*missing, *failed),
        matches_nothing=bool(items and options.include and not found),
    )


def fetch_all(run: OpenRun, folder: Path, files: list[WantedFile], *, lenient: bool = False) -> list[MissingOutput]:
    """Fetch files into a folder; returns those that are not available.

    With ``lenient`` that includes files that the credential may not download, or whose server does not answer.
    """
    from manifest_runner.ica.downloads import Downloads
    from manifest_runner.ica.parallel import in_parallel

    if not files:
        return []
    urls, bar = SignedUrls(run.client(), files, lenient=lenient), _Bar(run, files)
    with Downloads(run.session.context.env, partial(retry_policy, run), bar.arrived) as downloads:
        ends = in_parallel(lambda file: _fetch(downloads, urls, folder, file, lenient=lenient), files)
        return [missing for _, missing in ends if missing is not None]


def retry_policy(run: OpenRun) -> RetryPolicy:
    """--timeout starts again with each file, since a large download is not time spent waiting."""
    context = run.session.context
    return RetryPolicy(context.deadline(run.options.timeout), context.notify, context.sleep, random.random)


def _fetch(
    downloads: Downloads, urls: SignedUrls, folder: Path, file: WantedFile, *, lenient: bool
) -> MissingOutput | None:
    from manifest_runner.ica.downloads import DownloadFailed

    target = folder / file.path
    url = urls.of(file)
    if url is None:
        return MissingOutput(str(file.path), "ICA gives no download URL for it")
    part = target.with_name(f".{file.data_id}.part")
    try:
        _make_folder(target.parent)
        try:
            downloads.fetch(url, part, file.size)
        except DownloadFailed as e:
            renewed = urls.renewed(file) if e.expired else None
            if renewed is None:
                raise
            downloads.fetch(renewed, part, file.size)
    except DownloadFailed as e:
        return MissingOutput(str(file.path), str(e))
    except Unreachable as e:
        if not lenient:
            raise
        return MissingOutput(str(file.path), str(e))
    _finish(part, target, file)
    return None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise unwritable(folder, e) from e


def _finish(part: Path, target: Path, file: WantedFile) -> None:
    """Give the file ICA's time, so that the next download can tell it from another file of the same size."""
    try:
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        if (modified := seconds_of(file.time_modified)) is not None:
            os.utime(part, (modified, modified))
        part.replace(target)
    except OSError as e:
        raise unwritable(target, e) from e


def _is_there(target: Path, file: WantedFile) -> bool:
    try:
        found = target.stat()
    except OSError:
        return False
    modified = seconds_of(file.time_modified)
    return found.st_size == file.size and (modified is None or int(found.st_mtime) == int(modified))


class _Bar:
    """A progress bar of the bytes that all threads together have received."""

    def __init__(self, run: OpenRun, files: list[WantedFile]) -> None:
        self._progress = run.session.context.progress
        self._total = sum(file.size or 0 for file in files) // _MEGABYTE
        self._bytes = 0
        self._lock = Lock()

    def arrived(self, count: int) -> None:
        with self._lock:
            self._bytes += count
            self._progress("MB", self._bytes // _MEGABYTE, self._total)
