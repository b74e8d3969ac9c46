"""Queries of the Data Out API, versions 1 and 2: start one, wait for it, page its results.

docs/wire-kissmetrics.md, Queries. The two generations differ in how a run is asked for; what they answer is told apart
by its shape.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from connector_kit.errors import ConnectorError, Failure, HttpError
from connector_kit.http import Answer, HttpClient
from connector_kit.pagination import OffsetPagination, Page, ReadAhead, as_total
from connector_kit.polling import Polling, TimedOut
from connector_kit.secrets import excerpt

_LOG = logging.getLogger("airbyte.queries")

PAGINATION = OffsetPagination(page_size=1000, overlaps=False)


class QueryExpired(Exception):
    """The service no longer knows the query: it has to be run again."""

    what = "its results expired before they were read"


class QueryFailed(ConnectorError):
    """The service has given the query up: it has to be run again, by a later sync."""


class RowsRepeated(Exception):
    """Result pages overlapped, so other rows may be missing: they have to be read once more."""

    what = "its result pages overlapped, so that rows may be missing"


class Pooled:
    """A client whose requests go through the pool that bounds how many are under way."""

    def __init__(self, http: HttpClient, ahead: ReadAhead) -> None:
        self._http = http
        self._ahead = ahead
        self.url = http.url

    def get(self, path: str) -> Answer:
        return self._ahead.run(self._http.get, path)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._ahead.run(lambda content: self._http.post(path, content), body)


@dataclass(frozen=True)
class Request:
    """What to POST to start a query."""

    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class ResultPage:
    """A page of results: the description of the columns, if the generation gives one, and the rows as they came."""

    columns: Sequence[Mapping[str, Any]] | None
    rows: list[Any]
    total: int | None


def start(http: HttpClient | Pooled, request: Request) -> str:
    """Starts a query and returns the address of its status.

    The address is in the Location header; the body names it too, as a link (v2) or by the query's id (v1).
    """
    answer = http.post(request.path, request.body)
    guid = answer.body.get("query_guid") if isinstance(answer.body, dict) else None
    address = answer.location or _link(answer.body, "query-status")
    if address:
        return _absolute(http, http.url(request.path), address)
    if guid:
        return http.url(f"/query/queries/{guid}/status")
    raise ConnectorError(
        Failure.SYSTEM,
        "The service took the query but does not say where to ask for it. Please report this with the log.",
    )


def wait(http: HttpClient | Pooled, status_address: str, polling: Polling, what: str) -> str:
    """Waits until a query is done and returns the address of its results.

    A status of 201 or a body with `completed` means done; an `error` in the body means failed, whatever the status.
    Raises QueryExpired if the service does not know the query, QueryFailed if it gave up, ConnectorError if it is not
    done in time.
    """
    reported = -1

    def ask() -> str | None:
        nonlocal reported
        answer = _known(lambda: http.get(status_address))
        status = _inner(answer.body)
        if status.get("error"):
            raise QueryFailed(
                Failure.TRANSIENT,
                f"The query for {what} failed on the service: {excerpt(status['error'])}. The next sync runs it again.",
            )
        if answer.status == 201 or status.get("completed") is True:
            return _results_address(http, answer, status_address)
        if not status.keys() & {"completed", "progress"}:
            raise ConnectorError(
                Failure.SYSTEM,
                f"The status of the query for {what} is not understood: it holds "
                f"{', '.join(sorted(status)) or 'nothing'}. Please report this with the log.",
            )
        progress = status.get("progress")
        percent = int(progress * 100) if isinstance(progress, (int, float)) else 0
        if percent // 10 > reported // 10:
            _LOG.info("%s: the query is %d %% done.", what, percent)
            reported = percent
        return None

    try:
        return polling.until(ask)
    except TimedOut:
        raise ConnectorError(
            Failure.TRANSIENT,
            f"The query for {what} was not done after {polling.deadline / 60:g} minutes. The next sync goes on "
            "waiting for it; raise people_search.timeout_minutes if it needs longer.",
        ) from None


def results(http: HttpClient, address: str, ahead: ReadAhead, page_size: int | None) -> Iterator[ResultPage]:
    """The result pages, in order, read concurrently. Raises QueryExpired if the service has dropped the query.

    The paging parameters of the address are replaced, its others kept (v1 repeats the query's id there).
    """
    parts = urlsplit(address)
    kept = {name: value for name, value in parse_qsl(parts.query) if name not in ("limit", "offset")}
    bare = parts._replace(query="").geturl()
    columns: Sequence[Mapping[str, Any]] | None = None
    first_rows: list[Any] = []

    def fetch(offset: int, limit: int) -> Page:
        nonlocal columns, first_rows
        page = parse_results(_known(lambda: http.get(bare, {**kept, "limit": limit, "offset": offset})))
        if offset == 0:
            columns, first_rows = page.columns, page.rows
        elif page.rows and page.rows == first_rows and limit > 1:
            raise ConnectorError(
                Failure.SYSTEM,
                f"The service answers the page at row {offset} of a result with its first page again; rows are "
                "missing. Please report this.",
            )
        return Page([{"at": offset + index, "row": row} for index, row in enumerate(page.rows)], page.total)

    for page in PAGINATION.read(fetch, lambda item: item["at"], ahead, page_size=page_size):
        yield ResultPage(columns, [item["row"] for item in page.rows], page.total)


def parse_results(answer: Answer) -> ResultPage:
    """v1: `{"total", "columns", "rows"}`; v2: `{"data", "pagination"}`. Anything else is an error, never zero rows."""
    body = answer.body
    rows = (
        next((body[key] for key in ("rows", "data") if isinstance(body.get(key), list)), None)
        if isinstance(body, dict)
        else None
    )
    if rows is None:
        keys = ", ".join(sorted(body)[:8]) if isinstance(body, dict) else f"a JSON {type(body).__name__}"
        raise ConnectorError(
            Failure.SYSTEM, f"The service's answer is no result: it holds {keys or 'nothing'}. Please report this."
        )
    pagination = body.get("pagination")
    total = pagination.get("total") if isinstance(pagination, dict) else body.get("total")
    columns = body.get("columns")
    return ResultPage(
        columns if isinstance(columns, list) else None,
        rows,
        as_total(total),
    )


def _known(request: Callable[[], Answer]) -> Answer:
    try:
        return request()
    except HttpError as error:
        if error.status in (404, 410):
            raise QueryExpired from None
        raise


def _inner(body: Any) -> Mapping[str, Any]:
    """The status object: bare (v1), or under `data` (v2), where an error may still stand beside it."""
    if isinstance(body, dict):
        data = body.get("data")
        return {**body, **data} if isinstance(data, dict) else body
    return {}


def _results_address(http: HttpClient | Pooled, answer: Answer, status_address: str) -> str:
    address = answer.location or _link(answer.body, "query-results")
    if address:
        return _absolute(http, status_address, address)
    parts = urlsplit(status_address)
    return parts._replace(path=parts.path.removesuffix("/status") + "/results").geturl()


def _absolute(http: HttpClient | Pooled, base: str, address: str) -> str:
    """What an address in the answer to a request for `base` means; it may be relative. Raises ConfigError for a foreign
    host."""
    try:
        return http.url(urljoin(base, address))
    except ValueError:  # malformed, which http.url says
        return http.url(address)


def _link(body: Any, rel: str) -> str | None:
    links = body.get("links") if isinstance(body, dict) else None
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == rel and not link.get("templated") and link.get("href"):
            return unescape(str(link["href"]))
    return None
