"""The endpoints for tokens in exchange for a credential."""

from __future__ import annotations

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.protocol.problems import Problem


async def create_token(api: Api, call: Call) -> Response:
    """POST tokens: for an API key, a psToken or basic authentication."""
    if api.options.oddities.no_tokens:
        raise Problem(403, "You are not allowed to generate tokens.")
    return call.answer({"token": api.gate.mint(call.request, call.now)})


async def refresh_token(api: Api, call: Call) -> Response:
    """POST tokens:refresh: for a token that was not made with an API key."""
    return call.answer({"token": api.gate.refresh(call.request, call.now)})
