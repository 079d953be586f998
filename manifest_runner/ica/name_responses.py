"""Answers to look-ups of names, as values. Pure. Services sometimes send numbers where text is specified."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any

import msgspec

from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.wire import (
    Page,
    PagedList,
    Text,
    Wire,
    WireError,
    Word,
    cleaned_name,
    decode,
    page_of,
    plain_id,
)


class Named(msgspec.Struct, frozen=True):
    """A project or a storage: its id and name. ``detail`` helps to distinguish two with the same name."""

    id: str
    name: str
    detail: str = ""
    region_id: str | None = None


class PipelineRecord(msgspec.Struct, frozen=True):
    """A pipeline, from a list or from its own call. ``bundles`` are those through which the project has it."""

    id: str
    code: str
    name: str | None
    status: str | None
    language: str | None
    form_type: str | None
    bundles: tuple[str, ...]
    description: str | None
    storage: str | None


class Declared(msgspec.Struct, frozen=True):
    """An input or a parameter of a pipeline."""

    code: str
    required: bool
    multi_value: bool
    type: str
    default: tuple[str, ...]
    options: tuple[str, ...]


class _Region(Wire, frozen=True):
    id: Any = None
    city_name: Any = None


class _Named(Wire, frozen=True):
    id: Word
    name: Text | None = None
    tenant_name: Any = None
    region: _Region | None = None


class _Pipeline(Wire, frozen=True):
    id: Word
    code: Text | None = None
    name: Text | None = None
    status: Any = None
    status_as_string: Any = None
    language: Any = None
    input_form_type: Any = None
    description: Any = None
    analysis_storage: Any = None


class _ProjectPipeline(Wire, frozen=True):
    pipeline: _Pipeline
    bundle_links: Any = None


class _Declared(Wire, frozen=True):
    code: Text
    required: Any = None
    multi_value: Any = None
    type: Any = None
    settings: Any = None


_NAMED = msgspec.json.Decoder(PagedList[_Named])
_ONE = msgspec.json.Decoder(_Named)
_PIPELINES = msgspec.json.Decoder(PagedList[_ProjectPipeline])
_FOUND_PIPELINES = msgspec.json.Decoder(PagedList[_Pipeline])
_PIPELINE = msgspec.json.Decoder(_ProjectPipeline)
_DECLARED = msgspec.json.Decoder(PagedList[_Declared])


def read_named(body: bytes, clean: Cleaner) -> Page[Named]:
    """A page of projects, or the list of storages. Raises WireError."""
    page = decode(body, _NAMED)
    return page_of(page, tuple([_named(each, clean) for each in page.items]))


def read_project(body: bytes, clean: Cleaner) -> Named:
    """One project. Raises WireError."""
    return _named(decode(body, _ONE), clean)


def read_pipelines(body: bytes, clean: Cleaner) -> tuple[PipelineRecord, ...]:
    """The pipelines of a project. Raises WireError."""
    return tuple([_pipeline(each.pipeline, each.bundle_links, clean) for each in decode(body, _PIPELINES).items])


def read_found_pipelines(body: bytes, clean: Cleaner) -> tuple[PipelineRecord, ...]:
    """What a search for pipelines found. Raises WireError."""
    return tuple([_pipeline(each, None, clean) for each in decode(body, _FOUND_PIPELINES).items])


def read_pipeline(body: bytes, clean: Cleaner) -> PipelineRecord:
    """One pipeline. Raises WireError."""
    found = decode(body, _PIPELINE)
    return _pipeline(found.pipeline, found.bundle_links, clean)


def read_declared(body: bytes, clean: Cleaner) -> tuple[Declared, ...]:
    """The inputs or the parameters of a pipeline. Raises WireError."""
    return tuple([_declared(each, clean) for each in decode(body, _DECLARED).items])


def read_form(body: bytes, _clean: Cleaner) -> tuple[dict[str, Any], ...]:
    """The fields of an input form. Somebody uploaded that file, so it may have a BOM. Raises WireError."""
    try:
        form = msgspec.json.decode(body.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("the input form is not JSON") from error
    fields = form.get("fields") if isinstance(form, dict) else None
    if not isinstance(fields, list):
        raise WireError("the input form has no list of fields")
    return tuple(each for each in fields if isinstance(each, dict))


def _named(found: _Named, clean: Cleaner) -> Named:
    region = found.region or _Region()
    detail = ", ".join(clean.name(str(each)) for each in (found.tenant_name, region.city_name) if each)
    region_id = None if region.id is None else clean.name(str(region.id))
    return Named(plain_id(found.id, clean), cleaned_name(found.name, clean) or "", detail, region_id)


def _pipeline(found: _Pipeline, links: Any, clean: Cleaner) -> PipelineRecord:
    storage = found.analysis_storage
    return PipelineRecord(
        id=plain_id(found.id, clean),
        code=cleaned_name(found.code, clean) or "",
        name=cleaned_name(found.name, clean),
        status=_text(found.status_as_string or found.status, clean),
        language=_text(found.language, clean),
        form_type=_text(found.input_form_type, clean),
        bundles=_bundles(links, clean),
        description=_text(found.description, clean),
        storage=_text(storage.get("name"), clean) if isinstance(storage, dict) else None,
    )


def _bundles(links: Any, clean: Cleaner) -> tuple[str, ...]:
    items = links.get("items") if isinstance(links, dict) else None
    names = [each.get("name") for each in items or () if isinstance(each, dict)]
    return tuple(clean.name(str(name)) for name in names if name)


def _declared(found: _Declared, clean: Cleaner) -> Declared:
    settings = found.settings if isinstance(found.settings, dict) else {}
    return Declared(
        code=clean.name(found.code),
        required=found.required is True,
        multi_value=found.multi_value is not False,  # several values are a fault only where that is said
        type=_text(found.type, clean) or "",
        default=_texts(settings.get("defaultValues"), clean),
        options=_texts(settings.get("options"), clean),
    )


def _texts(values: Any, clean: Cleaner) -> tuple[str, ...]:
    """Values as text: services send numbers and booleans where the specification says strings."""
    listed = values if isinstance(values, list) else []
    return tuple(text for each in listed if (text := _text(each, clean)) is not None)


def _text(value: Any, clean: Cleaner) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean.name(str(value)) if isinstance(value, (str, int, float)) else None
