"""Rows of the metric queries: pairs of a label and a value, or an error that names the metric."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from connector_kit.errors import ConnectorError, Failure
from connector_kit.http import BearerAuth, HttpClient, Pacer
from connector_kit.pagination import ReadAhead
from connector_kit.records import Row
from source_kissmetrics.config import Config, parse
from source_kissmetrics.queries import ResultPage
from source_kissmetrics.streams.metric_series import MetricBySegment, MetricOverTime, MetricSeries
from source_kissmetrics.windowed import Subject
from source_kissmetrics.windows import Window

SIGN_UPS = Subject("m1", "Sign-ups", "p1", "US/Pacific")
WEEK = Window(date(2026, 3, 2), date(2026, 3, 8), "US/Pacific")


@pytest.fixture
def config() -> Config:
    return parse(
        {
            "credentials": {"auth_type": "api_token", "api_token": "T0KEN"},
            "start_date": "2026-03-02",
            "metric_series": {"enabled": True, "interval": "week"},
        }
    )


@pytest.fixture
def made(config: Config) -> Iterator[dict[str, MetricSeries]]:
    """Both streams; they send nothing here."""
    http = HttpClient(
        "http://127.0.0.1:1", BearerAuth("T0KEN"), user_agent="test-agent/1", connections=1, pacer=Pacer(None)
    )
    with ThreadPoolExecutor(1) as pool:
        yield {kind.name: kind(config, http, ReadAhead(pool, 1)) for kind in (MetricOverTime, MetricBySegment)}


def records(stream: MetricSeries, *rows: Any) -> list[Row]:
    pages = iter([ResultPage(None, list(rows), len(rows))])
    return [row for batch in stream.records(SIGN_UPS, WEEK, pages) for row in batch]


def test_a_point_in_time_has_the_offset_of_the_products_zone(made: dict[str, MetricSeries]) -> None:
    found = records(made["metric_over_time"], ["2026-03-08", 12.5], ["2026-03-09", None], ["2026-03-10T00:00:00Z", 0])
    assert [(row["metric_id"], row["product_id"], row["value"]) for row in found] == [
        ("m1", "p1", 12.5),
        ("m1", "p1", None),
        ("m1", "p1", 0),
    ]
    assert [row["time"].replace(" ", "T") for row in found] == [
        "2026-03-08T00:00:00-08:00",
        "2026-03-09T00:00:00-07:00",
        "2026-03-10T00:00:00+00:00",
    ]


def test_a_segment_stands_with_its_window(made: dict[str, MetricSeries]) -> None:
    assert records(made["metric_by_segment"], ["google", 12.5]) == [
        {
            "metric_id": "m1",
            "product_id": "p1",
            "window_start": "2026-03-02T00:00:00-08:00",
            "window_end": "2026-03-08T23:59:59-07:00",
            "segment": "google",
            "value": 12.5,
        }
    ]


def test_what_starts_a_query(made: dict[str, MetricSeries]) -> None:
    ends = {"start_date": "2026-03-02T00:00:00-08:00", "end_date": "2026-03-08T23:59:59-07:00"}
    over_time, by_segment = (stream.request(SIGN_UPS, WEEK) for stream in made.values())
    assert (over_time.path, over_time.body) == ("/query/metrics/m1/over-time", {**ends, "interval": "week"})
    assert (by_segment.path, by_segment.body) == ("/query/metrics/m1/by-segment", ends)
    assert (made["metric_over_time"].size, made["metric_by_segment"].size) == ("all", "week")


@pytest.mark.parametrize("name", ["metric_over_time", "metric_by_segment"])
@pytest.mark.parametrize("row", [None, 5, "text", [], ["2026-03-08"], ["2026-03-08", 1, 2], {"2026-03-08": 1}], ids=str)
def test_a_row_that_is_no_pair_is_an_error(row: Any, name: str, made: dict[str, MetricSeries]) -> None:
    with pytest.raises(ConnectorError) as raised:
        records(made[name], row)
    assert raised.value.failure is Failure.SYSTEM
    assert "is no pair of label and value" in raised.value.message


@pytest.mark.parametrize("label", ["google", "", "1433203200", 1433203200, "2026-02-30", None])
def test_a_point_without_a_time_is_an_error_that_names_the_metric(label: Any, made: dict[str, MetricSeries]) -> None:
    with pytest.raises(ConnectorError) as raised:
        records(made["metric_over_time"], [label, 12.5])
    assert raised.value.failure is Failure.SYSTEM
    assert raised.value.message.startswith("A row of metric m1 has no time but ")
