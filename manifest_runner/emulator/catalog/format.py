"""The format of a catalog file, as values; docs/emulator.md describes it for authors.

Keys are in camel case; unknown keys are errors.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from manifest_runner.emulator.oddities import DownloadOddity

Scalar = str | int | float | bool
DataStatus = Literal["PARTIAL", "AVAILABLE", "ARCHIVING", "ARCHIVED", "UNARCHIVING", "DELETING"]
PipelineStatus = Literal["Draft", "Released", "Deprecated", "Archived"]
StepStatus = Literal["FAILED", "DONE", "RUNNING", "INTERRUPTED", "ABORTED", "WAITING"]
Outcome = Literal["succeeded", "failed", "aborted", "notCreated"]


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A project; without ``id``, its id is a hash of its name."""

    name: str
    id: str = ""
    region: str = ""
    hidden: bool = False
    description: str = ""


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """An input parameter of a pipeline."""

    code: str
    required: bool = False
    multi_value: bool = False


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A configuration parameter of a pipeline; ``default`` is one value or a list."""

    code: str
    type: str = "stringType"
    required: bool = False
    multi_value: bool = False
    default: Scalar | list[Scalar] | None = None
    options: list[Scalar] | None = None


class ReferenceSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Reference data that a graphical CWL pipeline may choose from."""

    name: str
    id: str = ""
    data: list[str] = []


class Pipeline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A pipeline; with a ``form`` (an input form in its JSON structure) it takes JSON, otherwise XML.

    It is in all projects, or in those listed in ``projects``; ``bundle`` is the bundle that contains it.
    """

    code: str
    id: str = ""
    name: str = ""
    version: str = ""
    description: str = ""
    language: Literal["nextflow", "cwl", "unknown"] = "nextflow"
    status: PipelineStatus = "Released"
    storage: str = ""
    projects: list[str] = []
    bundle: str = ""
    proprietary: bool = False
    inputs: list[Input] = []
    parameters: list[Parameter] = []
    form: dict[str, Any] | None = None
    files: dict[str, str] = {}
    reference_sets: list[ReferenceSet] = []


class Storage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The storage of an analysis, such as ``Small``."""

    name: str
    id: str = ""
    description: str = ""


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A file, given by its content or only by its size, and what goes wrong when it is downloaded."""

    path: str
    size: int | None = None
    text: str | None = None
    download: DownloadOddity | None = None


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A file, or a folder if its path ends with ``/``; braces in the path make many of them.

    It is in ``project``, by default the first one, and linked to those in ``linkedTo``.
    """

    path: str
    size: int | None = None
    text: str | None = None
    download: DownloadOddity | None = None
    id: str = ""
    project: str = ""
    linked_to: list[str] = []
    status: DataStatus = "AVAILABLE"
    region: str = ""
    format: str = ""
    user_tags: list[str] = []
    technical_tags: list[str] = []
    non_indexed: bool = False
    will_be_archived_at: str | None = None
    will_be_deleted_at: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A step of an analysis; a log that is null does not exist."""

    name: str
    status: StepStatus = "DONE"
    exit_code: int | None = None
    technical: bool = False
    stdout: str | None = None
    stderr: str | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The outcome of the analyses that it matches: of a pipeline (its code or id), by userReference.

    With ``times`` it matches only that many launches of a userReference. What it leaves out is made up; a ``price`` of
    null means that the price is never known.
    """

    pipeline: str = ""
    user_reference: str = ""
    times: int | None = None
    outcome: Outcome = "succeeded"
    summary: str = ""
    duration: float | None = None
    price: float | msgspec.UnsetType | None = msgspec.UNSET
    outputs: dict[str, list[str | File]] | None = None
    steps: list[Step] | None = None


class Catalog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A whole catalog. A missing section is None: that kind of thing is then made up."""

    catalog: Literal[1] = 1
    region: str = "ZZ"
    projects: list[Project] | None = None
    pipelines: list[Pipeline] | None = None
    storages: list[str | Storage] | None = None
    data: list[str | Data] | None = None
    analyses: list[Rule] = []
