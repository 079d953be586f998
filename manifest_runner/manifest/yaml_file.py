"""YAML files as plain values, with the place of each value for messages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest.input_file import decode_utf8, read_bytes
from manifest_runner.manifest.yaml_loader import Builder
from manifest_runner.manifest.yaml_places import Places
from manifest_runner.near_miss import near_miss

MAX_BYTES = 24 * 2**20
# So much is read again at once.
_SHORT = 2**20


class YamlFile(msgspec.Struct, frozen=True, dict=True):
    """A YAML file that has been read: ``data`` is made of dict, list, str, int, float, bool and None.

    ``faults`` are those of the YAML that leave the rest readable.
    Places are not kept while reading, since most files have no faults: the first request for one reads the text again.
    """

    file: str
    text: str
    data: Any
    faults: tuple[Finding, ...] = ()

    def place(self, path: Sequence[str | int], *, at_key: bool = False) -> Place:
        """The place of the value at ``path``, or of its key; of its nearest ancestor where there is no such value."""
        return self._places.find(path, at_key=at_key)

    def aliased(self, path: Sequence[str | int]) -> frozenset[str]:
        """The keys of the mapping at ``path`` whose value, or a part of it, is used elsewhere by an alias."""
        return frozenset(self._places.aliased(path))

    @cached_property
    def _places(self) -> Places:
        builder = Builder(self.file, self.text, keep_places=True)
        builder.build()
        return builder.places()


def read_manifest(path: Path) -> YamlFile:
    """Read a manifest. Raises UsageProblem if there is no such file, InvalidManifest if it is not YAML."""
    require_manifest(path)
    return read_yaml(path, str(path), lenient=True)


def require_manifest(path: Path) -> None:
    """Raises UsageProblem if there is no such file."""
    if not os.path.lexists(path):
        hint = near_miss(path.name, sorted(each.name for each in path.parent.glob("*.y*ml")))
        raise UsageProblem(f"{path}: this manifest does not exist{hint or '; `manifest-runner init` writes a starter'}")


def read_mapping(path: Path, *, binary: bool = False) -> dict[str, Any]:
    """A settings file as a mapping; an empty file is an empty one."""
    data = read_yaml(path, str(path), binary=binary, empty=True).data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidManifest.at(Place(str(path), 1), "MR105", "expected a mapping at the top")
    return data


def read_yaml(path: Path, label: str, *, binary: bool = False, empty: bool = False, lenient: bool = False) -> YamlFile:
    """Read one YAML document; ``label`` is the file's name in messages.

    Raises InvalidManifest with each fault; with ``lenient`` only where the rest cannot be read.
    """
    hint = "; put the rows into a csv file, which is streamed"
    text = decode_utf8(read_bytes(path, label, MAX_BYTES, hint), label)
    builder = Builder(label, text, binary=binary)
    data = builder.build()
    if builder.findings and len(text) < _SHORT:  # with places, a duplicate key is reported with the first one
        builder = Builder(label, text, keep_places=True, binary=binary)
        data = builder.build()
    if builder.findings and not lenient:
        raise InvalidManifest(builder.findings)
    if builder.is_empty and not empty:
        raise InvalidManifest.at(Place(label, 1), "MR104", "the file is empty; it must contain a document")
    return YamlFile(label, text, data, tuple(builder.findings))
