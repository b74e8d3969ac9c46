"""The Core API (`/core`): accounts, products, reports, events, properties, metrics, as recorded in 2015."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.routing import BaseRoute

from sandbox.answer import Answer, digest, enveloped_error
from sandbox.bearer import BearerApi, phrase
from sandbox.collection import as_json
from sandbox.core_links import LISTINGS, Listing, directory
from sandbox.links import Link, as_header, link, respelt
from sandbox.modes import Modes
from sandbox.paging import Page
from sandbox.surface import Ask

_DEFAULT_LIMIT = 20
_DEFAULT_MODES = Modes()
_OWNERS = {"account_id": "accounts", "product_id": "products"}


class CoreApi(BearerApi):
    """Lists and details in an envelope, with links in the body and in the `Link` header."""

    def routes(self) -> list[BaseRoute]:
        lists = [self.route(path, partial(self._list, listing)) for path, listing in LISTINGS.items()]
        details = [
            self.route(f"{path}/{{id}}", partial(self._detail, listing))
            for path, listing in LISTINGS.items()
            if listing.parent is None
        ]
        return [
            self.route("/core", self._root),
            self.route("/core/rels", self._rels),
            *lists,
            *details,
        ]

    def error(self, status: int) -> Answer:
        return enveloped_error(status, phrase(status))

    def _root(self, ask: Ask) -> Answer:
        data = {
            "links": directory(ask.base),
            "description": "API access for KISSmetrics",
            "name": "KISSmetrics API",
        }
        links = [link("Directory", "self", f"{ask.base}/core")]
        if ask.modes.docs_literal:
            return _found(as_json({"links": links, "data": data}), links)
        return _found(as_json({"meta": {"status": 200}, "data": data, "links": links}), links)

    def _rels(self, ask: Ask) -> Answer:
        rels = {str(item["rel"]): f"{item['name']} of this API" for item in directory(ask.base)}
        data = {
            "title": "Link relations",
            "description": "What the rels of this API's links mean",
            "rels": [{"name": name, "description": description} for name, description in rels.items()],
        }
        links = [link("Self", "self", f"{ask.base}/core/rels")]
        if ask.modes.docs_literal:
            return _found(as_json(data), links)
        return _found(as_json({"meta": {"status": 200}, "data": data, "links": links}), links)

    def _detail(self, listing: Listing, ask: Ask) -> Answer:
        collection = self.stage.universe[listing.stream]
        number = collection.find(ask.parameters["id"])
        if number is None:
            return self.error(404)
        links = [link("Self", "self", ask.base + ask.request.scope["path"])]
        if ask.modes.docs_literal:
            return _found(as_json({**collection.row(number), "links": []}), links)
        row = collection.rendered([number], listing.row_links, ask.base)[0]
        return _found(b'{"meta":{"status":200},"data":%b,"links":%b}' % (row, as_json(links)), links)

    def _list(self, listing: Listing, ask: Ask) -> Answer:
        modes, path = ask.modes, ask.request.scope["path"]
        collection = self.stage.universe[listing.stream]
        token = collection.token
        numbers: Sequence[int] = collection.order
        owner = None
        if listing.parent is not None:
            owner = ask.parameters["owner"]
            if self.stage.universe[_OWNERS[listing.parent]].find(owner) is None:
                return self.error(404)
            numbers = collection.owned_by(listing.parent, owner)
        try:
            asked, offset = _window(ask.request)
        except ValueError:
            return self.error(400)
        page = Page(len(numbers), min(asked, modes.limit_cap or asked), 0 if modes.ignore_offset else offset)
        told = asked if modes.limit_cap_silent else page.limit
        version = f"{token}|{ask.base}|{path}|{told}|{page.limit}|{page.offset}"
        if modes != _DEFAULT_MODES:
            numbers = _arranged(numbers, modes, f"{collection.fingerprint}/{ask.number}")
            version += f"|{modes}|{ask.number if modes.shuffle else ''}"
        shown = numbers[page.offset : page.offset + page.limit]
        rows = b",".join(collection.rendered(shown, listing.row_links, ask.base))
        links = listing.page_links(ask.base, path, owner, page, told)
        if modes.hrefs != "normal":
            links = respelt(links, ask.base, modes.hrefs, modes.foreign_origin)
        etag = digest(version.encode())
        if modes.docs_literal:
            return _found(b"[%b]" % rows, links, etag)
        pagination = {"limit": told, "offset": page.offset, "total": page.total + modes.total_error}
        if modes.total_missing:
            del pagination["total"]
        parts = rows, as_json(pagination), as_json(links)
        return _found(b'{"meta":{"status":200},"data":[%b],"pagination":%b,"links":%b}' % parts, links, etag)


def _window(request: Request) -> tuple[int, int]:
    """The asked limit and offset; ValueError if they are not a positive and a natural number."""
    limit = int(request.query_params.get("limit", _DEFAULT_LIMIT))
    offset = int(request.query_params.get("offset", 0))
    if limit < 1 or offset < 0:
        raise ValueError
    return limit, offset


def _arranged(numbers: Sequence[int], modes: Modes, draw: str) -> Sequence[int]:
    """The rows in the order, and up to the one, that the modes let a client see."""
    if modes.sort == "newest_first":
        numbers = numbers[::-1]
    if modes.shuffle:
        numbers = random.Random(draw).sample(numbers, len(numbers))
    return numbers if modes.rows_cap is None else numbers[: modes.rows_cap]


def _found(body: bytes, links: list[Link], etag: str | None = None) -> Answer:
    return Answer(200, body, headers={"link": as_header(links)}, etag=etag or digest(body))
