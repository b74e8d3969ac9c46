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


def as_total(value: object) -> int | None:
    """What a service calls its total, if it is one: a count of rows, not a text, a boolean or less than nothing."""
    return value if type(value) is int and value >= 0 else None


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

    The list can change while it is read, which shifts rows across page borders. So each page begins with the last row
    of the page before (`overlaps`), and a pass is complete if all do, if the service did not take back rows, and if
    the distinct rows are as many as its last total. Else the list is read once more, and again, up to `max_passes`. A
    row is handed out once, however often it is seen.
    """

    page_size: int = 100
    max_passes: int = 3
    overlaps: bool = True
    """Whether pages share a row; of no use for a list that cannot change."""

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
        reading = _Reading(fetch, key, page_size or self.page_size, self.overlaps)
        for number in range(1, self.max_passes + 1):
            yield from reading.one_pass(ahead)
            if reading.is_complete() and not reading.moved:
                return
            if number < self.max_passes:
                _LOG.info("%s Reading it once more.", reading.shortfall())
        if not (reading.is_complete() and reading.total is not None):
            raise ConnectorError(Failure.TRANSIENT, f"{reading.shortfall()} {self.max_passes} passes were made.")
        _LOG.warning(
            "%s Each pass served as many distinct rows as the service names, so they are taken for all.",
            reading.shortfall(),
        )


class _Reading:
    """A list being read, in one or more passes."""

    def __init__(
        self, fetch: Callable[[int, int], Page], key: Callable[[Row], Any], limit: int, overlaps: bool
    ) -> None:
        self._fetch_page = fetch
        self._key = key
        self._limit = limit
        self._overlaps = overlaps
        self._handed_out: set[Any] = set()
        self._begin()

    def _begin(self) -> None:
        self._seen: set[Any] = set() if self._handed_out else self._handed_out
        self._last_key: Any = None
        self.total: int | None = None
        self.moved = False
        self._shrank = False
        self._repeats = False

    def one_pass(self, ahead: ReadAhead) -> Iterator[Page]:
        """Reads from the first row to the last, and yields what no pass has handed out yet."""
        self._begin()
        page = ahead.run(self._fetch, 0)
        yield self._take(page, lap=0)
        step = end = len(page.rows)
        lap = 1 if self._overlaps and step > 1 else 0
        if step and page.total:
            offsets = range(step - lap, page.total - lap, step - lap)
            for offset, page in zip(offsets, ahead.map(self._fetch, offsets, step), strict=True):
                yield self._take(page, lap)
                end = offset + len(page.rows)
                if len(page.rows) <= lap:
                    break
        while page.rows and (end != self.total or page.has_next or self._is_full(page, step, end)):
            known = len(self._seen)
            page = ahead.run(self._fetch, end - lap)
            yield self._take(page, lap)
            if len(self._seen) == known:
                self._repeats = len(page.rows) > lap and not self._is_without_pages(page, step, ahead)
                return
            end += len(page.rows) - lap

    def _fetch(self, offset: int) -> Page:
        return self._fetch_page(offset, self._limit)

    def _is_full(self, page: Page, step: int, end: int) -> bool:
        """Whether more rows may follow the last page, though the total has been reached: it may be told too low.

        One request more for a list that ends with a page. Of a single page only one that holds all that was asked for
        counts, else each short list would cost a second request.
        """
        return len(page.rows) >= (step if end > step else self._limit)

    def _is_without_pages(self, page: Page, step: int, ahead: ReadAhead) -> bool:
        """Whether a service that answers with its first page again knows no pages at all, so that it serves the whole
        list each time: it then gives as many rows to whoever asks for fewer."""
        if self.total is not None or page.has_next or step >= self._limit:
            return False
        whole = step == 1 or len(ahead.run(lambda limit: self._fetch_page(0, limit), step - 1).rows) == step
        if whole:
            self.moved = False
        return whole

    def is_complete(self) -> bool:
        """Whether the last pass saw as many rows as the service's own numbers tell."""
        if self.total is None:
            return not self._repeats
        return not self._shrank and len(self._seen) >= self.total

    def shortfall(self) -> str:
        """What was wrong with the last pass, as a sentence for the user."""
        if self._repeats and self.total is None:
            return f"The service answers every page of the list with the same {len(self._seen)} rows."
        if self.total is not None and len(self._seen) < self.total:
            return f"The service names {self.total} rows for the list, but served {len(self._seen)} of them."
        if self._shrank:
            return f"The list shrank to {self.total} rows while it was read."
        return "Rows of the list changed places while it was read."

    def _take(self, page: Page, lap: int) -> Page:
        fresh = []
        keys = list(map(self._key, page.rows))
        if lap and keys and keys[0] != self._last_key:
            self.moved = True
        for key, row in zip(keys, page.rows, strict=True):
            if key not in self._handed_out:
                fresh.append(row)
                self._handed_out.add(key)
            self._seen.add(key)
        if keys:
            self._last_key = keys[-1]
        if page.total is not None:
            self._shrank |= self.total is not None and page.total < self.total
            self.total = page.total
        return replace(page, rows=fresh)
