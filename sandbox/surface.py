"""What every surface does with a request, whatever it serves: journal, waits, faults, login, and sending."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from sandbox.answer import Answer, Packer, retouch, wants_gzip
from sandbox.collection import as_json
from sandbox.faults import Plan
from sandbox.journal import Authorization, Entry
from sandbox.modes import Modes
from sandbox.stage import Stage

_HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We'll be back</h1></body></html>"
_BODILESS = (204, 304)


@dataclass(frozen=True)
class Ask:
    """One request as a handler sees it: its number in the journal, the modes that held when it arrived, its body."""

    request: Request
    number: int
    modes: Modes
    body: bytes = b""

    @property
    def base(self) -> str:
        """Scheme and host as the client spelled them: what hrefs begin with."""
        scope = self.request.scope
        return f"{scope['scheme']}://{self.request.headers.get('host', '')}"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The variables of the path."""
        return self.request.path_params


Handler = Callable[[Ask], Answer]


class Surface(ABC):
    """One of the vendor's APIs. A subclass gives its routes, its error bodies, its login and its headers."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._packer = Packer()

    @abstractmethod
    def routes(self) -> list[BaseRoute]:
        """Every path it knows."""

    @abstractmethod
    def error(self, status: int) -> Answer:
        """Its answer for a status that is not a success."""

    @abstractmethod
    def authorization(self, request: Request) -> Authorization:
        """Whether the request's login is right."""

    @abstractmethod
    def headers(self, answer: Answer, seconds: float) -> dict[str, str]:
        """The headers it puts on any answer that took so long."""

    def route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        """A path and what answers it."""
        return Route(path, _Endpoint(self, handler, method))

    def elsewhere(self) -> Route:
        """Where every path of a port ends up that no route before it takes: refused, and in the journal."""
        return self.route("/{path:path}", self._unknown)

    def _unknown(self, ask: Ask) -> Answer:
        return self.error(404)

    async def respond(self, scope: Scope, receive: Receive, send: Send, handler: Handler, method: str) -> None:
        """Answer one request, for better or worse."""
        request = Request(scope, receive)
        query = scope["query_string"].decode("latin-1")
        journal = self.stage.journal
        entry = journal.begin(scope["method"], scope["path"], query, self.authorization(request))
        try:
            body = await request.body() if scope["method"] == "POST" else b""
            ask = Ask(request, entry.number, self.stage.modes, body)
            plan = self.stage.faults.plan(entry.path, query)
            if wait := ask.modes.latency_ms + plan.delay_ms:
                await asyncio.sleep(wait / 1000)
            if "reset" in plan.ending:
                journal.finish(entry)
                await self.stage.connections.reset(scope, receive)
                return
            if scope["method"] != method:
                handler = self._unknown
            answer = self._answer(ask, entry, plan, handler)
            await self._send(send, request.headers, ask.modes, answer, entry, plan.ending.get("truncate"))
        except ClientDisconnect:
            pass  # it went away while it sent its body: nobody is there to be answered
        finally:
            journal.finish(entry)

    def _answer(self, ask: Ask, entry: Entry, plan: Plan, handler: Handler) -> Answer:
        """The answer with all that the plan does to it. A plan that cannot be carried out is a loud 500."""
        try:
            self._move(plan, "before")
            answer = self._scripted(plan.ending, ask) or self._own(ask, entry, handler)
            for edit in plan.retouches:
                retouch(answer, edit)
            self._move(plan, "after")
        except ValueError as error:
            return Answer(500, f"sandbox: this fault cannot be done: {error}".encode(), "text/plain; charset=utf-8")
        return answer

    def _move(self, plan: Plan, when: str) -> None:
        for move in plan.moves:
            if move["when"] == when:
                self.stage.universe.move(move["collection"], move["op"], move["count"])

    def _own(self, ask: Ask, entry: Entry, handler: Handler) -> Answer:
        if ask.modes.redirect_to is not None:
            target = ask.modes.redirect_to + entry.path + (f"?{entry.query}" if entry.query else "")
            return Answer(301, b"", "text/html", {"location": target})
        if entry.authorization != "right":
            return self.error(401)
        return handler(ask)

    def _scripted(self, do: dict[str, Any], ask: Ask) -> Answer | None:
        if "status" in do:
            answer = self.error(do["status"])
            if do.get("body") is not None:
                own = ask.request.headers.get("authorization", "")
                answer.body = do["body"].replace("{authorization}", own).encode()
            answer.content_type = do.get("content_type", answer.content_type)
            answer.headers.update({name.lower(): value for name, value in do.get("headers", {}).items()})
            return answer
        if "html" in do:
            return Answer(200, _HTML, "text/html; charset=utf-8")
        if "raw" in do:
            return Answer(200, do["raw"].encode())
        if "json" in do:
            return Answer(200, as_json(do["json"]))
        return None

    async def _send(
        self, send: Send, asked: Headers, modes: Modes, answer: Answer, entry: Entry, truncate: int | None
    ) -> None:
        if answer.status == 200 and answer.etag and asked.get("if-none-match") == f'"{answer.etag}"':
            answer = Answer(304, b"", None, etag=answer.etag)
        body = b"" if answer.status in _BODILESS else answer.body
        headers = self.headers(answer, self.stage.clock() - entry.start)
        if body and modes.gzip and wants_gzip(asked.get("accept-encoding", "")):
            body = self._packer.pack(answer)
            headers["content-encoding"] = "gzip"
        if answer.content_type is not None:
            headers["content-type"] = answer.content_type
        if answer.etag:
            headers["etag"] = f'"{answer.etag}"'
        headers.update(answer.headers)
        told = len(body)
        if truncate is not None:
            told, body = max(told, truncate + 1), body[:truncate]
        if answer.status not in _BODILESS:
            headers.setdefault("content-length", str(told))
        entry.status, entry.bytes = answer.status, len(body)
        self.stage.journal.finish(entry)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        # An answer that is never finished makes the server close the connection once the bytes are out.
        await send({"type": "http.response.body", "body": body, "more_body": truncate is not None})


class _Endpoint:
    """The ASGI application at one path."""

    def __init__(self, surface: Surface, handler: Handler, method: str) -> None:
        self._surface = surface
        self._handler = handler
        self._method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._surface.respond(scope, receive, send, self._handler, self._method)
