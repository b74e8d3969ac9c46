"""The Core API: requests, both envelopes, and the base of its list streams. docs/wire-kissmetrics.md, Core API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connector_kit import instants
from connector_kit.errors import ConfigError, ConnectorError, Failure, HttpError
from connector_kit.http import Answer, BearerAuth, HttpClient, Pacer, Patience
from connector_kit.pagination import OffsetPagination, Page, ReadAhead, as_total
from connector_kit.records import Row
from connector_kit.stream import ListStream
from source_kissmetrics import __version__
from source_kissmetrics.config import Config
from source_kissmetrics.schemas import load

ADVICE = {
    401: "Check credentials.api_token: a Personal Token is made in the account's settings under Manage API Tokens.",
    404: "Check product_ids and credentials.base_url. The Core API is marked as deprecated, so it may be gone.",
}


def client(config: Config, patience: Patience | None = None) -> HttpClient:
    """A client for the config's account. Core publishes no rate limit, so there is none unless configured."""
    return HttpClient(
        config.credentials.base_url,
        BearerAuth(config.credentials.api_token),
        user_agent=f"airbyte-source-kissmetrics/{__version__}",
        connections=config.num_workers,
        trusted=config.query_hosts,
        pacer=Pacer(config.requests_per_minute),
        patience=patience,
        advice=ADVICE,
    )


def parse_page(answer: Answer) -> Page:
    """A page of a list: `{"meta", "data", "pagination", "links"}` as recorded, or the bare array that the docs show.

    Raises ConnectorError that names what was found instead: a shape that is not understood is never zero rows.
    """
    body = answer.body
    if isinstance(body, list):
        return Page(body, served_at=served_at(answer))
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise ConnectorError(
            Failure.SYSTEM,
            f"The service's answer is no list: it is {_outline(body)}. Check credentials.base_url, or report this.",
        )
    pagination = body.get("pagination")
    links = body.get("links")
    return Page(
        body["data"],
        total=as_total(pagination.get("total")) if isinstance(pagination, dict) else None,
        has_next=isinstance(links, list)
        and any(isinstance(link, dict) and link.get("rel") == "next" for link in links),
        served_at=served_at(answer),
    )


def parse_item(answer: Answer) -> Row:
    """A single object: in an envelope as recorded, or bare as the docs show it."""
    body = answer.body
    item = body["data"] if isinstance(body, dict) and isinstance(body.get("data"), dict) else body
    if not isinstance(item, dict):
        raise ConnectorError(
            Failure.SYSTEM,
            f"The service's answer is no object: it is {_outline(body)}. Check credentials.base_url, or report this.",
        )
    return item


def served_at(answer: Answer) -> str | None:
    """The service's clock at an answer, as sort key."""
    return instants.sort_key(answer.served_at.isoformat())


class CoreList(ListStream):
    """A Core API list. Every stream of this API is one; a subclass names path, key, cursor and parent.

    With a product filter, a list is read product by product. Its path is made from the product's id: the links to it
    differ between the API's generations.
    """

    pagination = OffsetPagination(page_size=100)

    def __init__(self, config: Config, http: HttpClient, ahead: ReadAhead) -> None:
        super().__init__(ahead, config.page_size)
        self.config = config
        self.http = http
        self._schema = load(self.name)

    @property
    def declared_schema(self) -> dict[str, Any]:
        return self._schema

    def parent_ids(self) -> Sequence[str]:
        return self.config.product_ids

    def fetch(self, path: str, offset: int, limit: int) -> Page:
        return parse_page(self.http.get(path, {"limit": limit, "offset": offset}))


def verify(config: Config, http: HttpClient) -> None:
    """Reads a page of products, and looks up configured ones that are not on it. Raises ConnectorError."""
    products = parse_page(http.get("/core/products", {"limit": 100, "offset": 0})).rows
    if not products:
        raise ConfigError(
            "The credentials work, but no product can be seen with them. Ask an administrator of the Kissmetrics "
            "account to give the token's owner access to a product."
        )
    visible = {product.get("id") for product in products if isinstance(product, dict)}
    for product_id in config.product_ids:
        if product_id not in visible:
            _look_up(http, "product_ids", "product", product_id)
    for report_id in config.people_search.report_ids if config.people_search else ():
        _look_up(http, "people_search.report_ids", "report", report_id)


def _look_up(http: HttpClient, field: str, kind: str, id_: str) -> None:
    """Raises ConfigError that names the field if there is no such product or report."""
    try:
        http.get(f"/core/{kind}s/{quote(id_, safe='')}")
    except HttpError as error:
        if error.status != 404:
            raise
        raise ConfigError(
            f"{field}: there is no {kind} {id_!r} that the token may see. Leave {field} empty for all, or take an id "
            f"from the {kind}s stream."
        ) from None


def _outline(body: Any) -> str:
    if isinstance(body, Mapping):
        return f"an object with the keys {', '.join(sorted(body)[:8]) or '(none)'}"
    return f"a JSON {type(body).__name__}"
