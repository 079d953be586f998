"""What all endpoints share: the emulator's state, and a request whose user, project and media type are known."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from manifest_runner.emulator.catalog.data_rows import DataRow
from manifest_runner.emulator.catalog.query import DataQuery
from manifest_runner.emulator.catalog.world import open_world
from manifest_runner.emulator.creation import Creator
from manifest_runner.emulator.files.signing import Signer
from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.outcomes.admission import Admission
from manifest_runner.emulator.outcomes.analysis_data import Outcomes
from manifest_runner.emulator.outcomes.rules import Rules
from manifest_runner.emulator.protocol.injected_faults import FaultPlan
from manifest_runner.emulator.protocol.media import V3, V4, negotiate
from manifest_runner.emulator.protocol.paging import Page, read_page
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.credentials import Gatekeeper
from manifest_runner.emulator.store.idempotency import KeyedAnswers
from manifest_runner.emulator.views.analyses import AnalysisViews


class Call(NamedTuple):
    """A request of a known ``user``, to be answered as ``media``; ``project`` can be empty."""

    request: Request
    user: str
    project: str
    media: str
    now: float

    def path(self, name: str) -> str:
        """A UUID in the path, in lower case as stored."""
        return str(self.request.path_params[name])

    def answer(self, content: Any, status: int = 200, **headers: str) -> Response:
        """A JSON answer in the negotiated version."""
        return Response(orjson.dumps(content), status, headers, self.media)


class Api:
    """One emulator: its state, its options and its clock."""

    def __init__(
        self, connection: sqlite3.Connection, options: EmulatorOptions, clock: Callable[[], float], files_url: str
    ) -> None:
        self.connection = connection
        self.options = options
        self.clock = clock
        self.gate = Gatekeeper(connection, options.api_key, options.token_lifetime)
        self.faults = FaultPlan(options.faults)
        self.answers = KeyedAnswers(connection, options.idempotency_ttl)
        self.world = open_world(options.catalog, connection, options.projects)
        rules = Rules(self.world.catalog.analyses, self.world.pipelines, options)
        self.outcomes = Outcomes(connection, rules)
        admission = Admission(self.world, self.find_anywhere)
        self.creator = Creator(connection, self.answers, options.creation_delay, rules, admission)
        self.views = AnalysisViews(self.world, self.outcomes)
        self.signer = Signer(files_url)

    async def pause(self) -> None:
        """Wait as long as the options say, without blocking other requests."""
        if self.options.latency:
            await asyncio.sleep(self.options.latency)

    def find_data(self, project: str, query: DataQuery, now: float) -> list[DataRow]:
        """The data that matches a query: what analyses have made, and what the catalog has."""
        made = self.outcomes.select(project, query, now)
        if not made:
            return self.world.data.select(project, query)
        known = {name for row in made for name in (row.id, row.path)}
        others = self.world.data.select(project, query)
        return [*made, *(row for row in others if row.id not in known and row.path not in known)]

    def find_by_id(self, project: str, data_id: str) -> DataRow | None:
        """The data with this id in its present state."""
        return next(iter(self.find_data(project, DataQuery(ids=(data_id,)), self.clock())), None)

    def find_anywhere(self, project: str, data_id: str) -> DataRow | None:
        """The data with this id, of the project or of any other, since requests may name that, too."""
        others = (each.id for each in self.world.projects() if each.id != project)
        return next((row for each in (project, *others) if (row := self.find_by_id(each, data_id))), None)

    def admit_anybody(self, request: Request, offered: tuple[str, ...]) -> Call:
        """Choose only the media type. Raises Problem 400."""
        return Call(request, "", "", negotiate(request, self._available(offered)), self.clock())

    def admit(self, request: Request, offered: tuple[str, ...]) -> Call:
        """Find the user, the project and the media type. Raises Problem 400, 401 and 404."""
        now = self.clock()
        user = self.gate.user(request, now)
        project = str(request.path_params.get("project", ""))
        if project and not self.world.knows(project):
            raise Problem(404, f"There is no project {project}.")
        media = negotiate(request, self._available(offered)) if offered else ""
        return Call(request, user, project, media, now)

    def _available(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The media types; on an older server, version 3 in place of version 4."""
        return tuple(each for each in offered if each != V4) or (V3,) if self.options.oddities.no_v4 else offered

    def page(self, call: Call) -> Page:
        """The page that a call asks for. Raises Problem 400."""
        page = read_page(call.request.query_params)
        longest = self.options.oddities.longest_page
        return page if longest is None else page._replace(size=min(page.size, longest))
