"""The data of a project as rows, indexed by path, by id and by folder."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec


class DataRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file or a folder as a project sees it; the ``path`` of a folder ends with ``/``.

    ``owner`` is the project in which it is stored (empty: the one that asks). ``in_link`` marks data in a linked
    folder, which a listing by the folder's path does not show.
    """

    id: str
    path: str
    owner: str = ""
    size: int = 0
    text: str | None = None
    status: str = "AVAILABLE"
    region: str = ""
    format: str = ""
    download: str | None = None
    user_tags: tuple[str, ...] = ()
    technical_tags: tuple[str, ...] = ()
    non_indexed: bool = False
    will_be_archived_at: str | None = None
    will_be_deleted_at: str | None = None
    created: float = 0.0
    source_analysis: str | None = None
    in_link: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, whose path ends with a slash."""
        return self.path.endswith("/")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The path of its folder."""
        return self.path.rstrip("/").rpartition("/")[0] + "/"


class DataRows:
    """The data of one project, sorted by path. Without a match every query is empty."""

    def __init__(self, rows: Iterable[DataRow]) -> None:
        self.all = tuple(sorted(rows, key=_order))
        self._paths = [row.path.lower() for row in self.all]
        self._by_id: defaultdict[str, list[DataRow]] = defaultdict(list)
        self._by_parent: defaultdict[str, list[DataRow]] = defaultdict(list)
        for row in self.all:
            self._by_id[row.id].append(row)
            self._by_parent[row.parent].append(row)

    def with_id(self, data_id: str) -> list[DataRow]:
        """The rows with this id; there can be several of a folder that is linked into two places."""
        return self._by_id.get(data_id, [])

    def at(self, path: str) -> Iterator[DataRow]:
        """The rows with exactly this path, ignoring case."""
        wanted = path.lower()
        for index in range(bisect_left(self._paths, wanted), len(self._paths)):
            if self._paths[index] != wanted:
                return
            yield self.all[index]

    def below(self, prefix: str) -> Iterator[DataRow]:
        """The rows whose path starts like this, ignoring case."""
        wanted = prefix.lower()
        for index in range(bisect_left(self._paths, wanted), len(self._paths)):
            if not self._paths[index].startswith(wanted):
                return
            yield self.all[index]

    def children(self, folder: str) -> list[DataRow]:
        """The rows directly in the folder with this path."""
        return self._by_parent.get(folder, [])


def folders_above(path: str) -> Iterator[str]:
    """The paths of the folders that contain a path, the innermost first: ``/a/b/``, ``/a/``."""
    while (path := path.rstrip("/").rpartition("/")[0] + "/") != "/":
        yield path


def _order(row: DataRow) -> tuple[str, str, str]:
    return row.path.lower(), row.path, row.id


NO_ROWS = DataRows(())
