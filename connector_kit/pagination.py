"""How a list is read page by page, completely: strategies that a stream declares."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from connector_kit.errors import ConnectorError, Failure
from connector_kit.records import Row

_LOG = logging.getLogger("airbyte.pages")

ROWS_AHEAD = 4000
"""Rows that may be read ahead of the reader. A parsed row takes a few KB."""

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Page:
    """One answer of a list."""

    rows: list[Row]
    total: int | None = None
    """How many rows the service says the whole list holds; None if it does not say."""
    has_next: bool = False
    """Whether the service names a next page."""
    served_at: str | None = None
    """The service's clock when it answered, as `instants.sort_key`."""


class ReadAhead:
    """Runs requests on a pool, a few ahead of the reader, and hands out the answers in order.

    At most `width` answers are under way or waiting, and no more than hold about `ROWS_AHEAD` rows: that bounds the
    memory whatever the size of the list and of its pages.
    """

    def __init__(self, pool: Executor, width: int) -> None:
        self._pool = pool
        self._width = width

    def run(self, request: Callable[[T], U], item: T) -> U:
        """One result. Sent through the pool like all others, so that the pool's size bounds what is under way."""
        return self._pool.submit(request, item).result()

    def map(self, request: Callable[[T], U], items: Iterable[T], rows: int) -> Iterator[U]:
        """The results in the order of the items; each has about so many rows.

        The first exception ends it and cancels what has not begun.
        """
        remaining = iter(items)
        width = min(self._width, max(2, ROWS_AHEAD // rows))
        pending: deque[Future[U]] = deque(self._pool.submit(request, item) for item in islice(remaining, width))
        try:
            while pending:
                result = pending.popleft().result()
                pending.extend(self._pool.submit(request, item) for item in islice(remaining, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()


@dataclass(frozen=True)
class OffsetPagination:
    """A list with `limit` and `offset`, whose answers may tell the list's total.

    Page 1 tells the total and the real step (a server may cap the limit without a word); the other pages are then read
    concurrently. Links are never followed: they may be templated, HTML-escaped or point to another host.

    The list can change while it is read, which shifts rows across page borders. A pass is complete if the service did
    not take back rows and the distinct rows are as many as its last total; else the list is read once more, and
    again, up to `max_passes`. A row is handed out once, however often it is seen.
    """

    page_size: int = 100
    max_passes: int = 3

    def read(
        self,
        fetch: Callable[[int, int], Page],
        key: Callable[[Row], Any],
        ahead: ReadAhead,
        *,
        page_size: int | None = None,
    ) -> Iterator[Page]:
        """Yields pages that hold only rows not handed out before.

        `fetch(offset, limit)` must be safe to call from several threads; `key` gives a row's identity.
        Raises ConnectorError, after having handed out all that was served, if rows are missing.
        """
        limit = page_size or self.page_size
        reading = _Reading(lambda offset: fetch(offset, limit), key, limit)
        for number in range(1, self.max_passes + 1):
            yield from reading.one_pass(ahead)
            if reading.is_complete():
                return
            if number < self.max_passes:
                _LOG.info("%s Reading it once more.", reading.shortfall())
        raise ConnectorError(Failure.TRANSIENT, f"{reading.shortfall()} {self.max_passes} passes were made.")


class _Reading:
    """A list being read, in one or more passes."""

    def __init__(self, fetch: Callable[[int], Page], key: Callable[[Row], Any], limit: int) -> None:
        self._fetch = fetch
        self._key = key
        self._limit = limit
        self._handed_out: set[Any] = set()
        self._seen = self._handed_out
        self._total: int | None = None
        self._shrank = False
        self._repeats = False

    def one_pass(self, ahead: ReadAhead) -> Iterator[Page]:
        """Reads from the first row to the last, and yields what no pass has handed out yet."""
        if self._handed_out:
            self._seen = set()
        self._total, self._shrank, self._repeats = None, False, False
        page = ahead.run(self._fetch, 0)
        yield self._take(page)
        step = end = len(page.rows)
        if step and page.total:
            offsets = range(step, page.total, step)
            for offset, page in zip(offsets, ahead.map(self._fetch, offsets, step), strict=True):
                yield self._take(page)
                end = offset + len(page.rows)
                if not page.rows:
                    break
        while page.rows and (end != self._total or page.has_next or self._is_full(page, step, end)):
            known = len(self._seen)
            page = ahead.run(self._fetch, end)
            yield self._take(page)
            if len(self._seen) == known:
                self._repeats = bool(page.rows)
                return
            end += len(page.rows)

    def _is_full(self, page: Page, step: int, end: int) -> bool:
        """Whether more rows may follow the last page, though the total has been reached: it may be told too low.

        One request more for a list that ends with a page. Of a single page only one that holds all that was asked for
        counts, else each short list would cost a second request.
        """
        return len(page.rows) >= (step if end > step else self._limit)

    def is_complete(self) -> bool:
        """Whether the last pass saw the whole list, as far as the service's own numbers tell."""
        if self._total is None:
            return not self._repeats or len(self._seen) < self._limit
        return not self._shrank and len(self._seen) >= self._total

    def shortfall(self) -> str:
        """What the last pass lacks, as a sentence for the user."""
        if self._total is None:
            return f"The service answers every page of the list with the same {len(self._seen)} rows."
        if len(self._seen) < self._total:
            return f"The service names {self._total} rows for the list, but served {len(self._seen)} of them."
        return f"The list shrank to {self._total} rows while it was read."

    def _take(self, page: Page) -> Page:
        fresh = []
        for key, row in zip(map(self._key, page.rows), page.rows, strict=True):
            if key not in self._handed_out:
                fresh.append(row)
                self._handed_out.add(key)
            self._seen.add(key)
        if page.total is not None:
            self._shrank |= self._total is not None and page.total < self._total
            self._total = page.total
        return replace(page, rows=fresh)
