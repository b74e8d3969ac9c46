"""Streams `metric_over_time` and `metric_by_segment`: experimental, on a contract of our own.

Of these queries only the addresses are public; verb, body and answer are guessed by analogy. docs/wire-kissmetrics.md,
Metric queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pendulum

from connector_kit.errors import ConnectorError, Failure
from connector_kit.http import HttpClient
from connector_kit.pagination import ReadAhead
from connector_kit.polling import Polling
from connector_kit.records import Row
from connector_kit.secrets import excerpt
from source_kissmetrics.config import Config
from source_kissmetrics.queries import Request, ResultPage
from source_kissmetrics.streams.metrics import Metrics
from source_kissmetrics.windowed import Subject, WindowedStream
from source_kissmetrics.windows import Window

HOUR = 3600.0


class MetricSeries(WindowedStream):
    """What both streams share: a query for each saved metric, whose rows are pairs of a label and a value."""

    query: str
    """Last part of the query's path."""

    def __init__(self, config: Config, http: HttpClient, ahead: ReadAhead) -> None:
        super().__init__(config, http, ahead, Polling(deadline=HOUR))

    def subjects(self) -> list[Subject]:
        timezones = self.timezones()
        return [
            Subject(
                metric["id"],
                str(metric.get("title")),
                metric["product_id"],
                timezones.get(metric["product_id"], "UTC"),
            )
            for metric in self.selected(Metrics)
        ]

    def request(self, subject: Subject, window: Window) -> Request:
        body = {"start_date": window.start.to_iso8601_string(), "end_date": window.end.to_iso8601_string()}
        return Request(f"/query/metrics/{subject.id}/{self.query}", {**body, **self.options()})

    def options(self) -> dict[str, Any]:
        """Further members of the body."""
        return {}

    def records(self, subject: Subject, window: Window, pages: Iterator[ResultPage]) -> Iterator[list[Row]]:
        for page in pages:
            yield [
                {"metric_id": subject.id, "product_id": subject.product_id, **self.point(subject, window, *_pair(row))}
                for row in page.rows
            ]

    def point(self, subject: Subject, window: Window, label: str, value: Any) -> Row:
        """What a pair says."""
        raise NotImplementedError


class MetricOverTime(MetricSeries):
    """Values of each saved metric by day, week or month. The whole range is asked for at once, at each sync."""

    name = "metric_over_time"
    primary_key = ("metric_id", "time")
    cursor_field = "time"
    query = "over-time"
    size = "all"

    def options(self) -> dict[str, Any]:
        return {"interval": self.config.metric_interval}

    def point(self, subject: Subject, window: Window, label: str, value: Any) -> Row:
        try:
            time = pendulum.parse(label, tz=subject.timezone)
        except ValueError:
            raise ConnectorError(
                Failure.SYSTEM,
                f"A row of metric {subject.id} has no time but {excerpt(label, 80)!r}. Please report this.",
            ) from None
        return {"time": str(time), "value": value}


class MetricBySegment(MetricSeries):
    """Values of each saved metric by segment, for each day, week or month."""

    name = "metric_by_segment"
    primary_key = ("metric_id", "window_start", "segment")
    cursor_field = "window_end"
    query = "by-segment"
    lookback_days = 1

    def __init__(self, config: Config, http: HttpClient, ahead: ReadAhead) -> None:
        super().__init__(config, http, ahead)
        self.size = config.metric_interval or "day"

    def point(self, subject: Subject, window: Window, label: str, value: Any) -> Row:
        return {
            "window_start": window.start.to_iso8601_string(),
            "window_end": window.end.to_iso8601_string(),
            "segment": label,
            "value": value,
        }


def _pair(row: Any) -> tuple[str, Any]:
    if isinstance(row, list) and len(row) == 2:
        return str(row[0]), row[1]
    raise ConnectorError(
        Failure.SYSTEM,
        f"A row of a metric query is no pair of label and value but {excerpt(row, 80)}. Please report this.",
    )
