"""The sandbox's own switchboard, under `/_sandbox/` on every port: no login, no journal, no faults."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sandbox.stage import Stage


def switchboard(stage: Stage) -> Mount:
    """GET, POST (set, append) and DELETE (as at the start) of modes and faults; GET journal and queries; GET clock,
    and POST `{"seconds": n}` to it; POST reset."""

    def modes() -> Any:
        return dataclasses.asdict(stage.modes)

    def journal() -> Any:
        return [dataclasses.asdict(entry) for entry in stage.journal.requests()]

    def queries() -> Any:
        return [dataclasses.asdict(run) for run in stage.jobs.runs()]

    def clock() -> Any:
        return {"now": stage.virtual_clock.now, "rate": stage.virtual_clock.rate}

    def clear_modes(_: None) -> None:
        stage.clear_modes()

    def clear_faults(_: None) -> None:
        stage.faults.clear()

    def reset(_: None) -> None:
        stage.reset()

    return Mount(
        "/_sandbox",
        routes=[
            Route("/modes", _reading(modes), methods=["GET"]),
            Route("/modes", _writing(lambda body: stage.set_modes(**body), modes), methods=["POST"]),
            Route("/modes", _writing(clear_modes, modes), methods=["DELETE"]),
            Route("/faults", _reading(stage.faults.listing), methods=["GET"]),
            Route("/faults", _writing(stage.faults.add, stage.faults.listing), methods=["POST"]),
            Route("/faults", _writing(clear_faults, stage.faults.listing), methods=["DELETE"]),
            Route("/journal", _reading(journal), methods=["GET"]),
            Route("/queries", _reading(queries), methods=["GET"]),
            Route("/clock", _reading(clock), methods=["GET"]),
            Route("/clock", _writing(lambda body: stage.virtual_clock.advance(**body), clock), methods=["POST"]),
            Route("/reset", _writing(reset, lambda: {}), methods=["POST"]),
        ],
    )


def _reading(show: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        return JSONResponse(show())

    return endpoint


def _writing(act: Callable[[Any], None], show: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            act(await request.json() if await request.body() else None)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(show())

    return endpoint
