"""The files that a pattern such as ``runs/**/*.csv`` matches.

Like a shell, it does not match hidden files and folders unless the pattern says so: editors and notebooks keep copies
in them. Each folder is read once for each part of the pattern, however many ``**`` there are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

# A pattern that finds more than this on its way names too large a folder, such as the root.
MAX_SEEN = 200_000
_WILDCARD = re.compile(r"[*?[]")


class TooManyFiles(Exception):
    """A pattern looks at more files and folders than ``MAX_SEEN``."""


def is_pattern(name: str) -> bool:
    """Whether a path has wildcards."""
    return _WILDCARD.search(name) is not None


def matching_files(folder: Path, pattern: str) -> Iterator[Path]:
    """The matching files in any order, relative to ``folder`` unless the pattern is absolute. Raises TooManyFiles."""
    return _Search(folder).files(Path(), PurePath(pattern).parts)


class _Search:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: set[tuple[Path, int]] = set()
        self._seen = 0

    def files(self, below: Path, parts: Sequence[str]) -> Iterator[Path]:
        """The files below a folder that match these parts of the pattern."""
        if not self._is_first_time(below, parts):
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self._files_at_any_depth(below, parts)
        elif not is_pattern(part):
            yield from self._files_of(below / part, rest)
        else:
            for entry in self._entries(below):
                if fnmatch(entry.name, part) and (part[0] == "." or not entry.name.startswith((".", "~$"))):
                    yield from self._files_of(below / entry.name, rest)

    def _is_first_time(self, below: Path, parts: Sequence[str]) -> bool:
        before = len(self._done)
        self._done.add((below, len(parts)))
        return len(self._done) > before

    def _files_at_any_depth(self, below: Path, parts: Sequence[str]) -> Iterator[Path]:
        """Folders may be nested more deeply than Python recurses."""
        folders = [below]
        while folders:
            folder = folders.pop()
            if len(parts) > 1:
                yield from self.files(folder, parts[1:])
            for entry in self._entries(folder):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    inner = folder / entry.name
                    if self._is_first_time(inner, parts):
                        folders.append(inner)

    def _files_of(self, path: Path, rest: Sequence[str]) -> Iterator[Path]:
        if rest:
            yield from self.files(path, rest)
        elif os.path.lexists(found := self._folder / path) and not found.is_dir():
            yield path

    def _entries(self, below: Path) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder / below) as entries:
                for entry in entries:
                    self._seen += 1
                    if self._seen > MAX_SEEN:
                        raise TooManyFiles
                    yield entry
        except (OSError, ValueError):  # not a folder, one that this user may not read, or no name in this locale
            return
