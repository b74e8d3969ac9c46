"""The queries of metrics, whose shape is our own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from sandbox import Sandbox, Universe
from sandbox.truth_queries import local_window, metric_by_segment, metric_over_time

Ask = Callable[..., requests.Response]
Found = Callable[..., list[Any]]

METRICS = Universe().rows("metrics")
PRODUCTS = {row["id"]: row for row in Universe().rows("products")}
ISO = {"start_date": "2026-03-01T00:00:00-08:00", "end_date": "2026-03-20T23:59:59-07:00"}
WINDOW = local_window("US/Pacific", date(2026, 3, 1), date(2026, 3, 20))
PACIFIC = [row for row in METRICS if PRODUCTS[row["product_id"]]["timezone"] == "US/Pacific"]


@pytest.fixture
def query(sandbox: Sandbox, ask: Ask) -> Ask:
    """Start one of a metric's two queries by its link in the Core API."""

    def begin(metric: Any, rel: str, body: Any) -> requests.Response:
        row = ask("GET", f"{sandbox.core_url}/core/metrics/{metric['id']}").json()["data"]
        href = next(each["href"] for each in row["links"] if each["rel"] == rel)
        return ask("POST", href, body)

    return begin


@pytest.mark.parametrize("interval", ["day", "week", "month", None])
@pytest.mark.parametrize("metric", PACIFIC[:9], ids=lambda row: f"{row['unit_type']} {row['sort_index']}")
def test_over_time_is_the_truth(sandbox: Sandbox, query: Ask, found: Found, metric: Any, interval: Any) -> None:
    body = ISO if interval is None else {**ISO, "interval": interval}
    rows = found(query(metric, "metric-over-time", body), limit=7)
    assert rows == metric_over_time(sandbox.universe, metric["id"], *WINDOW, interval or "day")
    assert len(rows) == {"day": 20, None: 20, "week": 4, "month": 1}[interval]
    assert rows[0][0] == ("2026-02-23" if interval == "week" else "2026-03-01")


@pytest.mark.parametrize("metric", PACIFIC[:9], ids=lambda row: f"{row['unit_type']} {row['sort_index']}")
def test_by_segment_is_the_truth(sandbox: Sandbox, query: Ask, found: Found, metric: Any) -> None:
    rows = found(query(metric, "metric-by-segment", ISO))
    assert rows == metric_by_segment(sandbox.universe, metric["id"], *WINDOW)
    assert [segment for segment, _ in rows] == ["(not set)", "Basic", "Pro", "Équipe"]


def test_segments_by_a_property_of_the_library(sandbox: Sandbox, query: Ask, found: Found) -> None:
    metric = PACIFIC[0]
    own = {
        row["name"]: row["id"]
        for row in sandbox.universe.rows("properties")
        if row["product_id"] == metric["product_id"]
    }
    for name, count in {"Customer ID": None, "plan name": 4, "referrer": 1}.items():
        rows = found(query(metric, "metric-by-segment", {**ISO, "property_id": own[name]}))
        assert rows == metric_by_segment(sandbox.universe, metric["id"], *WINDOW, own[name])
        assert len(rows) > 10 if count is None else len(rows) == count
    other = next(row["id"] for row in sandbox.universe.rows("properties") if row["product_id"] != metric["product_id"])
    for wrong in (other, "none", 5):
        assert query(metric, "metric-by-segment", {**ISO, "property_id": wrong}).status_code == 404


def test_values_are_of_their_unit(sandbox: Sandbox) -> None:
    for metric in METRICS[:24]:
        zone = PRODUCTS[metric["product_id"]]["timezone"]
        window = local_window(zone, date(2026, 1, 18), date(2026, 1, 19))
        quiet, busy = metric_over_time(sandbox.universe, metric["id"], *window)
        assert quiet == ["2026-01-18", None if metric["unit_type"] == "time" else 0.0]
        if metric["unit_type"] == "percent":
            assert 0 <= busy[1] <= 100
        elif busy[1] is not None:
            assert busy[1] == int(busy[1]) if metric["unit_type"] == "numeric" else 0 <= busy[1] < 86_400
        everything = metric_over_time(sandbox.universe, metric["id"], 1_767_000_000, 1_776_000_000, "month")
        assert [label for label, _ in everything] == ["2026-01-01", "2026-02-01", "2026-03-01"]
        assert all(value for _, value in everything)


def test_the_flow_is_that_of_v2_on_the_host_of_v1(sandbox: Sandbox, ask: Ask, query: Ask) -> None:
    sandbox.modes(job_seconds=60, clock_rate=0)
    begun = query(PACIFIC[0], "metric-over-time", {"start_date": WINDOW[0], "end_date": WINDOW[1]})
    location = begun.headers["location"]
    assert begun.json()["links"][0] == {
        "name": "Status",
        "rel": "query-status",
        "href": location,
        "templated": False,
    }
    assert location.startswith(f"{sandbox.core_url}/query/queries/")
    assert ask("GET", location).json()["data"] == {"completed": False, "progress": 0.0}
    sandbox.advance(60)
    status = ask("GET", location)
    assert status.json()["links"][1]["href"] == status.headers["location"]
    page = ask("GET", status.headers["location"]).json()
    assert page["pagination"] == {"limit": 50, "offset": 0, "total": 20}
    (run,) = sandbox.queries
    assert (run.kind, run.subject_id, run.dialect) == ("metric_over_time", PACIFIC[0]["id"], "v2")
    assert (run.start, run.end, run.polls, run.pages) == (*WINDOW, 2, 1)


def test_metrics_are_on_the_query_host_too(sandbox: Sandbox, ask: Ask, found: Found) -> None:
    metric = PACIFIC[0]
    for rows_as in ("arrays", "objects"):
        sandbox.modes(rows_as=rows_as, location="cross")
        begun = ask("POST", f"{sandbox.query_url}/v1/metrics/{metric['id']}/by-segment", ISO)
        assert begun.headers["location"].startswith(f"{sandbox.core_url}/query/queries/")
        assert found(begun) == metric_by_segment(sandbox.universe, metric["id"], *WINDOW)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**ISO, "interval": "hour"}, "interval is not one of day, week, month."),
        ({**ISO, "interval": None}, "interval is not one of day, week, month."),
        ({**ISO, "interval": ["day"]}, "interval is not one of day, week, month."),
        ({"start_date": ISO["end_date"], "end_date": ISO["start_date"]}, "start_date is after end_date."),
        ([], "The body is not a JSON object."),
    ],
)
def test_a_wrong_body_is_400(query: Ask, body: Any, message: str) -> None:
    response = query(PACIFIC[0], "metric-over-time", body)
    assert (response.status_code, response.json()["message"]) == (400, message)


def test_an_unknown_metric_is_404(sandbox: Sandbox, ask: Ask) -> None:
    for what in ("over-time", "by-segment"):
        response = ask("POST", f"{sandbox.core_url}/query/metrics/none/{what}", ISO)
        assert response.status_code == 404
        assert response.json()["message"] == "Invalid metric_guid provided: metric not found."
