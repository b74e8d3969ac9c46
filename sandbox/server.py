"""The running sandbox: one thread and one event loop behind all its ports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette

from sandbox.admin import switchboard
from sandbox.core_api import CoreApi
from sandbox.core_links import LISTINGS
from sandbox.job import Run
from sandbox.journal import Journal
from sandbox.modes import Modes
from sandbox.query_api import query_surfaces
from sandbox.stage import DEFAULT_TOKEN, Stage
from sandbox.surface import Surface
from sandbox.universe import Universe

_KEEP_ALIVE_SECONDS = 75  # as nginx does
_SECONDS_TO_FINISH = 1  # how long a stop waits for answers that are under way


class Port:
    """Surfaces at one address of this machine, which takes connections from the moment it is made.

    What none of them knows, the first one refuses.
    """

    def __init__(self, stage: Stage, surfaces: Sequence[Surface], port: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        routes = [route for surface in surfaces for route in surface.routes()]
        config = uvicorn.Config(
            Starlette(routes=[switchboard(stage), *routes, surfaces[0].elsewhere()]),
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
        config.load()
        config.http_protocol_class = stage.connections.watched(config.http_protocol_class)
        self.loop_factory = config.get_loop_factory()
        self._server = uvicorn.Server(config)

    async def serve(self) -> None:
        """Answer until `stop`."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Have `serve` return soon. May be called from any thread."""
        self._server.should_exit = True


class Sandbox:
    """The handle of a running sandbox: where it listens, and its data, switches, faults and journal."""

    def __init__(
        self, universe: Universe, token: str = DEFAULT_TOKEN, port: int = 0, query_port: int = 0, **modes: Any
    ) -> None:
        stage = self._stage = Stage(universe, token, Modes().changed(**modes))
        at_core, at_query = query_surfaces(stage)
        self._ports = {
            "core": Port(stage, [CoreApi(stage), *at_core], port),
            "query": Port(stage, at_query, query_port),
        }
        stage.origins.update({name: port.url for name, port in self._ports.items()})
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @property
    def core_url(self) -> str:
        """The origin of the Core API and of `/query`: what takes the place of `https://api.kissmetrics.com`."""
        return self._ports["core"].url

    @property
    def query_url(self) -> str:
        """The origin of the queries' `/v1` and `/v2`: what takes the place of `https://query.kissmetrics.com`."""
        return self._ports["query"].url

    @property
    def token(self) -> str:
        """What both origins take as `Authorization: Bearer <token>`."""
        return self._stage.token

    @property
    def universe(self) -> Universe:
        """The data that is served."""
        return self._stage.universe

    @property
    def journal(self) -> Journal:
        """Every request so far."""
        return self._stage.journal

    @property
    def queries(self) -> list[Run]:
        """Every run of a query so far, as it stands now."""
        return self._stage.jobs.runs()

    def advance(self, seconds: float) -> None:
        """Let virtual seconds pass at once: running queries get on, and results grow old."""
        self._stage.virtual_clock.advance(seconds)

    def modes(self, **changes: Any) -> Modes:
        """Set some standing switches; the answer is all of them as they now are."""
        self._stage.set_modes(**changes)
        return self._stage.modes

    def faults(self, specs: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Append scheduled faults; the answer is the whole schedule with its counts."""
        self._stage.faults.add(specs or [])
        return self._stage.faults.listing()

    def reset(self) -> None:
        """As it was at the start: first modes, no faults, no runs, an empty journal, unmoved lists."""
        self._stage.reset()

    def warm(self) -> None:
        """Render every row of the top-level lists now, not when it is first asked for: for benchmarks."""
        for listing in LISTINGS.values():
            if listing.parent is None:
                collection = self.universe[listing.stream]
                collection.rendered(collection.order, listing.row_links, self.core_url)

    def start(self) -> None:
        """Begin to answer. The ports are open already, so whoever connects first only waits a moment."""
        self._thread.start()

    def stop(self) -> None:
        """Close the ports and end the thread."""
        for port in self._ports.values():
            port.stop()
        self._thread.join()

    def _run(self) -> None:
        ports = list(self._ports.values())
        loop = (ports[0].loop_factory or asyncio.new_event_loop)()

        async def serve() -> None:
            await asyncio.gather(*(port.serve() for port in ports))

        try:
            loop.run_until_complete(serve())
        finally:
            loop.close()


@contextlib.contextmanager
def running(
    universe: Universe | None = None,
    *,
    token: str = DEFAULT_TOKEN,
    port: int = 0,
    query_port: int = 0,
    **modes: Any,
) -> Iterator[Sandbox]:
    """A sandbox for the length of a `with` block; `modes` are those that `reset` comes back to.

    >>> with running(Universe(events=1000), limit_cap=50) as sandbox:
    ...     login = {"Authorization": f"Bearer {sandbox.token}"}
    ...     requests.get(f"{sandbox.core_url}/core/events", headers=login)
    """
    sandbox = Sandbox(universe or Universe(), token, port, query_port, **modes)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
