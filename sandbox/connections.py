"""The TCP connections behind the requests, for the rudeness that ASGI has no word for: an abrupt reset."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope

_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds
_Key = tuple[object, ...]


class Connections:
    """The open connections of every port, found by the two addresses that a request's scope tells."""

    def __init__(self) -> None:
        self._open: dict[_Key, asyncio.Transport] = {}

    def watched(self, protocol: type[Any]) -> type[Any]:
        """A server protocol that behaves like the given one and keeps this register up to date."""
        register = self._open

        class Watched(protocol):  # type: ignore[misc]
            def connection_made(self, transport: asyncio.Transport) -> None:
                client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
                self.register_key = _key(client, server)
                register[self.register_key] = transport
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                register.pop(self.register_key, None)
                super().connection_lost(error)

        return Watched

    async def reset(self, scope: Scope, receive: Receive) -> None:
        """Cut this request's connection so that the client sees a reset, and return when it is gone."""
        transport = self._open[_key(scope["client"], scope["server"])]
        # The transport's own socket object refuses options under some event loops: set it by the descriptor.
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as handle:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def _key(client: Any, server: Any) -> _Key:
    return (*client[:2], *server[:2])
