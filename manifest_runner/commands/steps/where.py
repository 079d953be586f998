"""``--where``: select failed items by an expression over what the lockfile has about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from manifest_runner.errors import UsageProblem
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.planner import Meant

if TYPE_CHECKING:  # jinja2 is imported once there is an expression
    from manifest_runner.templates.template import Template

_FAILURE = ("step", "exitCode", "line")
_ANALYSIS = ("id", "reference", "status")
_ITEM = ("userReference", "kind", "revision", "attempt", "status", "message")


def failed_where(text: str) -> Meant:
    """Selects the failed items for which the expression is true. Raises UsageProblem, also when it is applied.

    A condition on ``failure`` never matches an item whose reason is unknown.
    """
    from manifest_runner.templates.model import TemplateFault
    from manifest_runner.templates.sandbox import Sandbox
    from manifest_runner.templates.template import Template

    try:
        template = Template(text, Sandbox(), expression=True)
        template.check()
    except TemplateFault as e:
        raise UsageProblem(f"--where: {e}") from e
    if unknown := next(_unknown(template), None):
        raise UsageProblem(f"--where: {unknown}")
    needs_reason = template.mentions("failure")

    def is_meant(name: str, item: LockedItem | None) -> bool:
        if item is None or not item.failed:
            return True
        if needs_reason and item.failure is None:
            return False
        try:
            return bool(template.render(_known(name, item)))
        except TemplateFault as e:
            raise UsageProblem(f"--where: {e}, for the item {name}") from e

    return is_meant


def _unknown(template: Template) -> Iterator[str]:
    from manifest_runner.templates.scope import Scope
    from manifest_runner.templates.used_names import unknown_names

    scopes = {
        "failure": Scope(dict.fromkeys(_FAILURE), 'a failure has no "{}"'),
        "analysis": Scope(dict.fromkeys(_ANALYSIS), 'an analysis has no "{}"'),
        **dict.fromkeys(_ITEM),
    }
    return unknown_names(template, scopes, roots=tuple(scopes))


def _known(name: str, item: LockedItem) -> dict[str, Any]:
    failure, analysis = item.failure, item.analysis
    values = (None, None, None) if failure is None else (failure.step, failure.exit_code, failure.line)
    seen = (None, None, None) if analysis is None else (analysis.id, analysis.reference, analysis.status)
    of_item = (name, item.kind, item.revision, item.attempt, item.status, item.message)
    return {
        "failure": dict(zip(_FAILURE, values, strict=True)),
        "analysis": dict(zip(_ANALYSIS, seen, strict=True)),
        **dict(zip(_ITEM, of_item, strict=True)),
    }
