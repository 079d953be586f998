"""Find faults of a catalog beyond its form: references to nothing, and contradictions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from manifest_runner.emulator.catalog.braces import count
from manifest_runner.emulator.catalog.format import Catalog, Data, File, Project, Rule
from manifest_runner.emulator.protocol.identifiers import is_uuid

LARGEST = 1_000_000
Mistake = tuple[str, str]


def find_mistakes(catalog: Catalog) -> Iterator[Mistake]:
    """Each mistake with its place, such as ``data[3].project``."""
    yield from _ids(catalog)
    known = _known(catalog.projects or [])
    for index, pipeline in enumerate(catalog.pipelines or []):
        yield from _projects(f"pipelines[{index}].projects", pipeline.projects, known)
    for index, data in enumerate(catalog.data or []):
        if isinstance(data, str):
            yield from _path(f"data[{index}]", data)
        else:
            yield from _data(f"data[{index}]", data, known)
    if sum(count(each if isinstance(each, str) else each.path) for each in catalog.data or []) > LARGEST:
        yield "data", f"the data of the catalog is more than {LARGEST:,} files"
    for index, rule in enumerate(catalog.analyses):
        yield from _rule(f"analyses[{index}]", rule)


def _known(projects: Iterable[Project]) -> frozenset[str]:
    return frozenset(name for project in projects for name in (project.name, project.id) if name)


def _ids(catalog: Catalog) -> Iterator[Mistake]:
    """Ids that are not UUIDs, or that two entries have."""
    sections = {
        "projects": [each.id for each in catalog.projects or []],
        "pipelines": [each.id for each in catalog.pipelines or []],
        "storages": ["" if isinstance(each, str) else each.id for each in catalog.storages or []],
    }
    for section, ids in sections.items():
        for index, each in enumerate(ids):
            if each and not is_uuid(each):
                yield f"{section}[{index}].id", f"the id {each!r} must be a UUID"
            if each and each in ids[:index]:
                yield f"{section}[{index}].id", f"the id {each} already belongs to another entry"


def _projects(place: str, names: Iterable[str], known: frozenset[str]) -> Iterator[Mistake]:
    for name in names:
        if name and name not in known:
            yield place, f"there is no project {name!r} in projects"


def _path(place: str, path: str) -> Iterator[Mistake]:
    if not path.startswith("/") or "//" in path or path == "/":
        yield place, f"the path {path!r} must start with / and have no empty parts"


def _data(place: str, data: Data, known: frozenset[str]) -> Iterator[Mistake]:
    yield from _path(f"{place}.path", data.path)
    yield from _projects(f"{place}.project", [data.project], known)
    yield from _projects(f"{place}.linkedTo", data.linked_to, known)
    yield from _content(place, data)
    is_folder = data.path.endswith("/")
    if is_folder and any(each is not None for each in (data.size, data.text, data.download)):
        yield place, "a folder has no size, text or download"
    if data.non_indexed and not is_folder:
        yield place, "only a folder can be nonIndexed; end its path with /"
    if data.id and count(data.path) > 1:
        yield place, "an id cannot belong to all the paths that the braces make"
    if data.id and not _is_data_id(data.id, is_folder=is_folder):
        yield f"{place}.id", f"the id {data.id!r} must start with {'fol.' if is_folder else 'fil.'}"


def _is_data_id(text: str, *, is_folder: bool) -> bool:
    return re.fullmatch(r"fol\.\S+" if is_folder else r"fil\.\S+", text) is not None


def _content(place: str, file: Data | File) -> Iterator[Mistake]:
    if file.size is not None and file.text is not None:
        yield place, "size and text exclude each other; keep one of them"
    if file.size is not None and file.size < 0:
        yield f"{place}.size", "the size must not be negative"


def _rule(place: str, rule: Rule) -> Iterator[Mistake]:
    try:
        re.compile(rule.user_reference)
    except re.error as error:
        yield f"{place}.userReference", f"{rule.user_reference!r} is not a regular expression: {error}"
    if rule.times is not None and rule.times < 1:
        yield f"{place}.times", "times must be at least 1"
    if rule.duration is not None and rule.duration < 0:
        yield f"{place}.duration", "the duration must not be negative"
    for code, files in (rule.outputs or {}).items():
        for index, file in enumerate(files):
            where = f"{place}.outputs.{code}[{index}]"
            yield from _output(where, file if isinstance(file, str) else file.path)
            if not isinstance(file, str):
                yield from _content(where, file)


def _output(place: str, path: str) -> Iterator[Mistake]:
    if not path.strip("/") or path.startswith("/") or "//" in path:
        yield place, f"the path {path!r} must be relative to the analysis and have no empty parts"
