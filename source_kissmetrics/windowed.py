"""The base of the streams that run a query for each window: of a report, or of a metric."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connector_kit.errors import ConnectorError, Failure
from connector_kit.http import HttpClient
from connector_kit.pagination import ReadAhead
from connector_kit.polling import Polling
from connector_kit.records import Row
from connector_kit.stream import Checkpoint, Reading, Slice, Stream
from source_kissmetrics import queries
from source_kissmetrics.config import Config
from source_kissmetrics.core_api import CoreList
from source_kissmetrics.progress import Progress
from source_kissmetrics.queries import Request, ResultPage
from source_kissmetrics.schemas import load
from source_kissmetrics.streams.products import Products
from source_kissmetrics.windows import Window, cut, last_closed_day

_LOG = logging.getLogger("airbyte.queries")


@dataclass(frozen=True)
class Subject:
    """What is queried, window by window: a report or metric, and the product that its days are cut for."""

    id: str
    name: str
    product_id: str
    timezone: str


class WindowedStream(Stream):
    """One query for each subject and window. The subject is the partition; a window is a slice.

    A slice's worker starts the query, takes down its address in the state, waits and pages, so at most as many queries
    run at once as there are workers.
    """

    size: str
    lookback_days = 0

    def __init__(self, config: Config, http: HttpClient, ahead: ReadAhead, polling: Polling) -> None:
        self.config = config
        self.http = http
        self._ahead = ahead
        self._pooled = queries.Pooled(http, ahead)
        self._polling = polling
        self._schema = load(self.name)

    @property
    def declared_schema(self) -> dict[str, Any]:
        return self._schema

    @abstractmethod
    def subjects(self) -> list[Subject]:
        """What to query. Sends requests."""

    @abstractmethod
    def request(self, subject: Subject, window: Window) -> Request:
        """What starts the query of a window."""

    @abstractmethod
    def records(self, subject: Subject, window: Window, pages: Iterator[ResultPage]) -> Iterator[list[Row]]:
        """The records of a window's result pages. Its `row_key` or like MUST tell the rows of a window apart."""

    def slices(self, checkpoint: Checkpoint) -> Sequence[Slice]:
        """Open windows of all subjects, oldest first, so that the subjects advance together."""
        parts = []
        for subject in self.subjects():
            progress = Progress.of(checkpoint(subject.id), self.size, self.name)
            closed = last_closed_day(subject.timezone)
            for window in progress.open_windows(self._windows(subject, closed), closed):
                params = {"subject": subject, "window": window, "closed": closed}
                parts.append(Slice(subject.id, params, label=window.first.isoformat()))
        _LOG.info("%s: %d queries to run.", self.name, len(parts))
        return sorted(parts, key=lambda part: str(part.label))

    def read(self, part: Slice, reading: Reading) -> Iterator[list[Row]]:
        subject: Subject = part.params["subject"]
        window: Window = part.params["window"]
        closed: date = part.params["closed"]
        what = _what(subject, window)
        delivered: set[tuple[Any, ...]] = set()
        address = Progress.of(reading.checkpoint, self.size, self.name).run_of(window, time.time())
        troubles: set[str] = set()
        while True:
            try:
                if address is None:
                    address = queries.start(self._pooled, self.request(subject, window))
                    reading.update(self._change(Progress.with_run, window, address, time.time()))
                for rows in self._rows(subject, window, address, what, None if troubles else reading):
                    yield [row for row in rows if self._is_new(row, delivered)]
                break
            except queries.QueryFailed:
                reading.update(self._change(Progress.without_run, window))
                raise
            except (queries.QueryExpired, queries.RowsRepeated) as trouble:
                if isinstance(trouble, queries.QueryExpired):
                    reading.update(self._change(Progress.without_run, window))
                    address = None
                if trouble.what in troubles:
                    raise ConnectorError(
                        Failure.TRANSIENT,
                        f"The query for {what} went wrong twice: {trouble.what}. The next sync tries again.",
                    ) from None
                troubles.add(trouble.what)
                _LOG.warning("The query for %s went wrong: %s. Once more.", what, trouble.what)
        reading.finish = self._change(Progress.with_window, window, closed, self.lookback_days)

    def _rows(
        self, subject: Subject, window: Window, address: str, what: str, reading: Reading | None
    ) -> Iterator[list[Row]]:
        results = queries.wait(self._pooled, address, self._polling, what)
        pages = queries.results(self.http, results, self._ahead, self.config.page_size)
        yield from self.records(subject, window, _announced(pages, reading, what))

    def _is_new(self, row: Row, delivered: set[tuple[Any, ...]]) -> bool:
        """Whether the window has not delivered the row yet: a query that is run again repeats what it gave before."""
        key = tuple(row[name] for name in self.primary_key)
        is_new = key not in delivered
        delivered.add(key)
        return is_new

    def _change(self, change: Callable[..., Progress], *arguments: Any) -> Callable[[Any | None], Any]:
        """A change of the progress as a change of the checkpoint."""
        return lambda checkpoint: change(Progress.of(checkpoint, self.size, self.name), *arguments).as_json()

    def _windows(self, subject: Subject, closed: date) -> list[Window]:
        """All windows of the configured range. Only closed days: the service goes on counting an open one."""
        first, last = self.config.start_date, self.config.end_date
        assert first is not None, "the config of a windowed stream has a start date"
        is_final = last is not None and last <= closed
        return cut(self.size, first, min(last or closed, closed), subject.timezone, is_final=is_final)

    def selected(self, stream: type[CoreList]) -> Iterator[Row]:
        """All rows of a Core list within the product filter; for finding subjects."""
        source = stream(self.config, self.http, self._ahead)
        for part in source.slices(lambda key: None):
            for rows in source.read(part, Reading(None)):
                yield from rows

    def timezones(self) -> dict[str, str]:
        """The time zone of each product."""
        return {product["id"]: product.get("timezone") or "UTC" for product in self.selected(Products)}


def _announced(pages: Iterator[ResultPage], reading: Reading | None, what: str) -> Iterator[ResultPage]:
    """The pages, with the first one's total and columns made known."""
    for number, page in enumerate(pages):
        if number == 0:
            if reading and page.total is not None:
                reading.expect(page.total)
            names = [str(column.get("display_name")) for column in page.columns or ()]
            _LOG.info("%s: %s rows; columns: %s.", what, page.total, ", ".join(names) or "not described")
        yield page


def _what(subject: Subject, window: Window) -> str:
    return f"{subject.name!r} ({subject.id}) from {window.first} to {window.last}"
