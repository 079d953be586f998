"""Values that are the same for every row: the vars, and templates outside rows, such as in a file's name."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import structs

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.items.preparing.fault_log import FaultLog
from manifest_runner.items.preparing.manifest_scope import ManifestScope
from manifest_runner.items.preparing.template_cache import TemplateCache
from manifest_runner.manifest.document import Document, SourceSpec
from manifest_runner.model import DataPath
from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import TemplateFault, has_delimiters
from manifest_runner.templates.scope import Scope
from manifest_runner.text import kind_of, quoted_template
from manifest_runner.values import text_of

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template


_Source = TypeVar("_Source", bound=SourceSpec)


class BrokenConstant(Exception):
    """A value, or a var that it uses, cannot be rendered; the fault is already reported."""


class Reporting:
    """Reports the faults that end a ``with`` block early, and goes on after it.

    Those of a broken constant are already reported.
    """

    def __init__(self, scope: ManifestScope) -> None:
        self._faults = scope.faults

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, InvalidManifest):
            self._faults.report_all(error)
        return isinstance(error, (InvalidManifest, BrokenConstant))


def manifest_scope(document: Document, project: str, budget: Budget, findings: Findings) -> ManifestScope:
    """The scope of a manifest. Reports the faults of its vars.

    A var sees ``env``, ``project``, ``name``, the vars above it, and those that only ``--var`` gives.
    """
    unset = {name: f"the environment variable {name} is not set" for name in document.env_names}
    env = Scope(document.env, 'the environment variable {} is not listed under "env"', unset)
    extra = {name: text for name, text in document.given_vars.items() if name not in document.vars}
    later = {name: f'the var "{name}" comes later; a var sees only those above it' for name in document.vars}
    own = Scope(extra, 'there is no var "{}" here', later)
    values: dict[str, Any] = {"env": env, "vars": own, "project": project, "name": document.name}
    broken: set[str] = set()  # grows with the vars, as ``own`` does
    scope = ManifestScope(document, values, broken, set(), TemplateCache(budget), FaultLog(findings))
    for name, raw in document.vars.items():
        try:
            given = document.given_vars.get(name)
            own[name] = render_constant(scope, raw, ("vars", name), None) if given is None else given
        except BrokenConstant:
            broken.add(name)
    return scope


def find_template(scope: ManifestScope, text: str, *, expression: bool = False) -> Template:
    """The template of a text. Raises TemplateFault, and BrokenConstant for a fault that is already reported."""
    template = scope.templates.get(text, expression=expression)
    used = template.used
    if not (scope.broken_vars.isdisjoint(used.vars) and scope.broken_tables.isdisjoint(used.tables)):
        raise BrokenConstant
    return template


def render_constant(scope: ManifestScope, raw: Any, path: DataPath, analysis: int | None) -> Any:
    """A value in which templates may use only names that are the same for every row.

    Raises BrokenConstant, after every fault in it is reported.
    """
    if isinstance(raw, dict):
        for key in raw:
            refuse_template_key(scope, key, (*path, key), analysis)
        return _rendered_entries(scope, raw, raw.items(), path, analysis)
    if isinstance(raw, list):
        return list(_rendered_entries(scope, raw, enumerate(raw), path, analysis).values())
    if not isinstance(raw, str) or not has_delimiters(raw):
        return raw
    try:
        return _render_text(scope, raw)
    except TemplateFault as e:
        scope.faults.report_template(scope.place(path, analysis), e, raw)
        raise BrokenConstant from e


def render_source(scope: ManifestScope, spec: _Source, path: DataPath, analysis: int | None) -> _Source:
    """A source whose sheet and section have no templates any more; its rows or files are rendered apart.

    Raises BrokenConstant, after every fault is reported.
    """
    found: dict[str, str | None] = {}
    for key in ("section", "sheet"):
        value = render_constant(scope, getattr(spec, key), (*path, key), analysis)
        found[key] = text_of(value) if isinstance(value, (bool, int, float)) else value
        if value is not None and not isinstance(found[key], str):
            scope.faults.report(scope.place((*path, key), analysis), "MR405", f"expected text, got {kind_of(value)}")
            raise BrokenConstant
    return structs.replace(spec, **found)


def _render_text(scope: ManifestScope, text: str) -> Any:
    from manifest_runner.templates.used_names import unknown_names

    template = find_template(scope, text)
    for message in unknown_names(template, scope.known()):
        raise TemplateFault("MR402", message)
    return template.render(scope.values)


def _rendered_entries(
    scope: ManifestScope, raw: Any, entries: Iterable[tuple[Any, Any]], path: DataPath, analysis: int | None
) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for step, value in entries:
        try:
            found[step] = render_constant(scope, value, (*path, step), analysis)
        except BrokenConstant:
            continue
    if len(found) < len(raw):
        raise BrokenConstant
    return found


def refuse_template_key(scope: ManifestScope, key: str, path: DataPath, analysis: int | None) -> bool:
    """Report a key that is a template; whether it is one."""
    is_template = has_delimiters(key)
    if is_template:
        place = scope.place(path, analysis, at_key=True)
        scope.faults.report(place, "MR406", f"a key cannot be a template: {quoted_template(key)}")
    return is_template
