"""Choose the rule of the catalog that an analysis follows, and its fate, when it is created."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from manifest_runner.emulator.catalog.format import Outcome, Rule
from manifest_runner.emulator.catalog.pipelines import PipelineSource, uuid_of
from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.store.timetable import Fate

_FATES: dict[Outcome, Fate] = {
    "succeeded": Fate.SUCCEEDS,
    "failed": Fate.ANALYSIS_FAILS,
    "aborted": Fate.ANALYSIS_IS_ABORTED,
    "notCreated": Fate.CREATION_FAILS,
}


class Course(NamedTuple):
    """What is decided about an item when it is created; ``launch`` is 0 if nothing depends on its number."""

    fate: Fate
    duration: float
    launch: int


class Rules:
    """The rules of a catalog, of which the first that matches counts. Options that make analyses fail come first."""

    def __init__(self, rules: Iterable[Rule], pipelines: PipelineSource, options: EmulatorOptions) -> None:
        self._rules = [(rule, re.compile(rule.user_reference)) for rule in rules]
        self._pipelines = pipelines
        self._options = options
        self._code = lru_cache(maxsize=100)(self._find_code)

    def course(self, project: str, pipeline: str, user_reference: str, count: Callable[[], int]) -> Course:
        """The course of a new item; ``count`` counts it among the launches of its userReference."""
        fitting = self._fitting(project, pipeline, user_reference)
        launch = count() if any(rule.times is not None for rule in fitting) else 0
        rule = _first(fitting, launch)
        fate = self._fate_by_option(user_reference) or (_FATES[rule.outcome] if rule else Fate.SUCCEEDS)
        duration = rule.duration if rule and rule.duration is not None else self._options.analysis_duration
        return Course(fate, duration, launch)

    def find(self, project: str, pipeline: str, user_reference: str, launch: int, fate: int) -> Rule | None:
        """The rule that an analysis of this fate has followed: None if it followed an option, or no rule."""
        rule = _first(self._fitting(project, pipeline, user_reference), launch)
        return rule if rule and _FATES[rule.outcome] == fate else None

    def _fitting(self, project: str, pipeline: str, user_reference: str) -> list[Rule]:
        if not self._rules:
            return []
        names = ("", uuid_of(pipeline), self._code(project, pipeline))
        return [
            rule for rule, expression in self._rules if rule.pipeline in names and expression.search(user_reference)
        ]

    def _find_code(self, project: str, pipeline: str) -> str:
        found = self._pipelines.find(project, pipeline)
        return found.code if found else ""

    def _fate_by_option(self, user_reference: str) -> Fate | None:
        for expression, fate in (
            (self._options.fail_creation, Fate.CREATION_FAILS),
            (self._options.fail_analysis, Fate.ANALYSIS_FAILS),
            (self._options.abort_analysis, Fate.ANALYSIS_IS_ABORTED),
        ):
            if expression is not None and re.search(expression, user_reference):
                return fate
        return None


def _first(rules: Iterable[Rule], launch: int) -> Rule | None:
    return next((rule for rule in rules if rule.times is None or launch <= rule.times), None)
