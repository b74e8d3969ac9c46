"""Each switch of the queries, the life of a run by the virtual clock, and faults on these paths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import Sandbox, running
from sandbox.truth_queries import local_window, people_search

Ask = Callable[..., requests.Response]
Found = Callable[..., list[Any]]
Report = Callable[..., str]

NAME = "Opened the app, by customer"
DAY = local_window("US/Pacific", date(2026, 3, 8), date(2026, 3, 8))


def _origin(url: str) -> str:
    return "://".join(urlsplit(url)[:2])


def _told(response: requests.Response) -> Any:
    body = response.json()
    return body.get("data", body)


@pytest.fixture
def slow(sandbox: Sandbox) -> Sandbox:
    """Queries run 300 virtual seconds, and only `advance` moves the clock."""
    sandbox.modes(job_seconds=300, clock_rate=0)
    return sandbox


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_a_query_passes_through_its_progress(
    slow: Sandbox, ask: Ask, start: Ask, found: Found, report: Report, dialect: str
) -> None:
    begun = start(report(NAME), DAY, dialect)
    location, seen = begun.headers["location"], []
    for _ in range(4):
        status = ask("GET", location)
        assert (status.status_code, _told(status)["completed"]) == (200, False)
        assert "location" not in status.headers
        assert ask("GET", location.replace("status", "results")).status_code == 404
        seen.append(_told(status)["progress"])
        slow.advance(72.5)
    assert seen == [0.0, 14 / 60, 29 / 60, 43 / 60]
    assert slow.queries[0].state == "running"
    slow.advance(10)
    assert ask("GET", location).status_code == 201
    assert slow.queries[0].state == "completed"
    assert found(begun) == people_search(slow.universe, report(NAME), *DAY)["rows"]


def test_a_running_query_is_done_with_its_last_second(slow: Sandbox, ask: Ask, start: Ask, report: Report) -> None:
    location = start(report(NAME), DAY).headers["location"]
    slow.advance(299.9)
    assert ask("GET", location).json() == {"completed": False, "progress": 59 / 60}
    slow.advance(0.1)
    assert ask("GET", location).json() == {"completed": True, "progress": 1.0}


def test_a_query_keeps_the_seconds_of_its_start(slow: Sandbox, ask: Ask, start: Ask, report: Report) -> None:
    location = start(report(NAME), DAY).headers["location"]
    slow.modes(job_seconds=0)
    assert ask("GET", location).status_code == 200


@pytest.mark.parametrize("dialect", ["v1", "v2"])
@pytest.mark.parametrize("mode", ["error", "error_completed"])
def test_a_query_fails_halfway_with_200(
    slow: Sandbox, ask: Ask, start: Ask, report: Report, dialect: str, mode: str
) -> None:
    slow.modes(fail_queries=mode)
    location = start(report(NAME), DAY, dialect).headers["location"]
    slow.modes(fail_queries="never")
    assert "error" not in _told(ask("GET", location))
    for seconds in (150, 1000):
        slow.advance(seconds)
        status = ask("GET", location)
        assert status.status_code == 200
        assert _told(status) == {
            "completed": mode == "error_completed",
            "progress": 29 / 60,
            "error": "Query failed: out of memory",
        }
        assert "location" not in status.headers
    assert ask("GET", location.replace("status", "results")).status_code == 404
    assert slow.queries[0].state == "failed"


def test_results_expire_and_a_new_run_has_them_again(
    slow: Sandbox, ask: Ask, start: Ask, found: Found, report: Report
) -> None:
    slow.modes(result_ttl=60)
    begun = start(report(NAME), DAY)
    location = begun.headers["location"]
    slow.advance(359)
    rows = found(begun)
    slow.advance(1)
    assert ask("GET", location).status_code == 404
    assert ask("GET", location.replace("status", "results")).status_code == 404
    assert slow.queries[0].state == "expired"
    again = start(report(NAME), DAY)
    assert again.json()["query_guid"] != begun.json()["query_guid"]
    slow.advance(300)
    assert found(again) == rows


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_too_many_runs_at_once_are_told_to_wait(slow: Sandbox, start: Ask, report: Report, dialect: str) -> None:
    slow.modes(max_running=2)
    assert start(report(NAME), DAY, dialect).status_code == 202
    slow.advance(100)
    assert start(report(NAME), DAY, dialect).status_code == 202
    refused = start(report(NAME), DAY, dialect)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "200")
    assert len(slow.queries) == 2
    slow.advance(200)
    assert start(report(NAME), DAY, dialect).status_code == 202
    slow.modes(clock_rate=600)
    assert start(report(NAME), DAY, dialect).headers["retry-after"] == "1"


def test_done_and_failed_queries_are_not_running(slow: Sandbox, start: Ask, report: Report) -> None:
    slow.modes(max_running=1, fail_queries="error")
    start(report(NAME), DAY)
    slow.advance(150)
    slow.modes(job_seconds=0, fail_queries="never")
    assert [start(report(NAME), DAY).status_code for _ in range(3)] == [202, 202, 202]


def test_no_run_at_all_may_be_allowed(sandbox: Sandbox, start: Ask, report: Report) -> None:
    sandbox.modes(max_running=0)
    refused = start(report(NAME), DAY)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_a_cross_host_location_leads_to_the_other_host_and_works(
    sandbox: Sandbox, ask: Ask, start: Ask, found: Found, report: Report, dialect: str
) -> None:
    own, other = (sandbox.core_url, sandbox.query_url) if dialect == "v1" else (sandbox.query_url, sandbox.core_url)
    sandbox.modes(location="cross")
    begun = start(report(NAME), DAY, dialect)
    location = begun.headers["location"]
    assert _origin(location) == other
    assert urlsplit(location).path.startswith("/v1/queries/" if dialect == "v1" else "/v2/queries/")
    status = ask("GET", location)
    assert _origin(status.headers["location"]) == own
    assert urlsplit(status.headers["location"]).path.startswith("/query/" if dialect == "v1" else "/v2/")
    if dialect == "v2":
        assert begun.json()["links"][0]["href"] == location
        hrefs = {each["rel"]: each["href"] for each in status.json()["links"]}
        assert hrefs == {"self": location, "query-results": status.headers["location"]}
    assert found(begun) == people_search(sandbox.universe, report(NAME), *DAY)["rows"]


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_a_foreign_location_leads_away(sandbox: Sandbox, ask: Ask, start: Ask, report: Report, dialect: str) -> None:
    here = start(report(NAME), DAY, dialect).headers["location"]
    sandbox.modes(location="foreign", foreign_origin="http://foreign.test:9")
    begun = start(report(NAME), DAY, dialect)
    location = begun.headers["location"]
    assert location.startswith("http://foreign.test:9/")
    status = ask("GET", _origin(here) + urlsplit(location).path)
    assert status.status_code == 201
    assert status.headers["location"].startswith("http://foreign.test:9/")
    if dialect == "v2":
        assert begun.json()["links"][0]["href"] == location
        assert status.json()["links"][1]["href"] == status.headers["location"]


@pytest.mark.parametrize("dialect", ["v1", "v2"])
@pytest.mark.parametrize(
    ("hrefs", "spelt"),
    [
        ("amp", "results?limit=50&amp;offset=50"),
        ("templated", "results?limit=50&offset={offset}"),
        ("foreign", "https://apikissmetrics.com"),
    ],
)
def test_page_links_of_results_follow_hrefs(
    sandbox: Sandbox, ask: Ask, start: Ask, report: Report, dialect: str, hrefs: str, spelt: str
) -> None:
    sandbox.modes(hrefs=hrefs)
    page = ask("GET", start(report(NAME), DAY, dialect).headers["location"].replace("status", "results")).json()
    following = next(each for each in page["links"] if each["rel"] == "next")
    assert spelt in following["href"]
    assert following["templated"] is (hrefs == "templated")
    assert ("query_guid=" in following["href"]) is (dialect == "v1")


def test_rows_of_v2_can_be_objects(sandbox: Sandbox, start: Ask, found: Found, report: Report) -> None:
    sandbox.modes(rows_as="objects")
    truth = people_search(sandbox.universe, report(NAME), *DAY)["rows"]
    rows = found(start(report(NAME), DAY, "v2"))
    assert rows == [
        {"identity": row[1], "columns": [None if cell is None else str(cell) for cell in row[2:]]} for row in truth
    ]
    assert any(None in row["columns"] for row in rows)
    assert found(start(report(NAME), DAY, "v1")) == truth


@pytest.mark.parametrize(("dialect", "where"), [("v1", "metadata"), ("v2", "pagination")])
def test_results_limit_cap_caps_the_page_and_says_so(
    sandbox: Sandbox, ask: Ask, start: Ask, found: Found, report: Report, dialect: str, where: str
) -> None:
    sandbox.modes(results_limit_cap=10)
    begun = start(report(NAME), DAY, dialect)
    page = ask("GET", begun.headers["location"].replace("status", "results") + "?limit=1000").json()
    assert page[where]["limit"] == len(page.get("rows", page.get("data"))) == 10
    assert found(begun, limit=1000) == people_search(sandbox.universe, report(NAME), *DAY)["rows"]
    assert len(found(begun, limit=5)) == 133


def test_rows_past_the_results_cap_are_never_served(
    sandbox: Sandbox, ask: Ask, start: Ask, found: Found, report: Report
) -> None:
    sandbox.modes(results_rows_cap=60)
    begun = start(report(NAME), DAY)
    assert found(begun) == people_search(sandbox.universe, report(NAME), *DAY)["rows"][:60]
    page = ask("GET", begun.headers["location"].replace("status", "results") + "?offset=50").json()
    assert (len(page["rows"]), page["total"]) == (10, 133)


def test_time_passes_by_itself_and_faster_if_asked_to() -> None:
    with running(job_seconds=1, clock_rate=1_000_000_000) as sandbox:
        row = next(each for each in sandbox.universe.rows("reports") if each["name"] == NAME)
        login = {"Authorization": f"Bearer {sandbox.token}"}
        url = f"{sandbox.core_url}/query/reports/{row['id']}/run"
        body = {"report": {"start_date": 1, "end_date": 2}}
        begun = requests.post(url, json=body, headers=login, timeout=10)
        assert requests.get(begun.headers["location"], headers=login, timeout=10).status_code == 201


def test_five_hundred_on_one_page_leaves_the_others(
    sandbox: Sandbox, ask: Ask, start: Ask, found: Found, report: Report
) -> None:
    begun = start(report(NAME), DAY)
    sandbox.faults([{"match": {"path": "/results"}, "skip": 2, "do": {"status": 503, "headers": {"Retry-After": "3"}}}])
    results = begun.headers["location"].replace("status", "results")
    statuses = [ask("GET", f"{results}?limit=20&offset={offset}").status_code for offset in range(0, 140, 20)]
    assert statuses == [200, 200, 503, 200, 200, 200, 200]
    assert sandbox.queries[0].pages == 6
    assert len(found(begun)) == 133


def test_a_scripted_error_has_the_body_of_the_dialect(sandbox: Sandbox, start: Ask, report: Report) -> None:
    sandbox.faults([{"times": 2, "match": {"path": "/run"}, "do": {"status": 500}}])
    old, new = start(report(NAME), DAY), start(report(NAME), DAY, "v2")
    assert old.json() == {"message": "Internal Server Error", "error": "Internal Server Error", "status": 500}
    assert new.json()["meta"]["message"] == "internal server error"
    assert sandbox.queries == []


@pytest.mark.parametrize(
    ("path", "do", "error"),
    [
        ("/results", {"truncate": 100}, requests.exceptions.ChunkedEncodingError),
        ("/results", {"reset": True}, requests.exceptions.ConnectionError),
        ("/status", {"reset": True}, requests.exceptions.ConnectionError),
        ("/run", {"reset": True}, requests.exceptions.ConnectionError),
    ],
)
def test_connections_break_once_and_then_hold(
    sandbox: Sandbox, start: Ask, found: Found, report: Report, path: str, do: Any, error: Any
) -> None:
    sandbox.faults([{"match": {"path": path}, "do": do}])
    with pytest.raises(error):
        found(start(report(NAME), DAY))
    assert len(found(start(report(NAME), DAY))) == 133


def test_an_answer_that_is_lost_leaves_a_run_behind(sandbox: Sandbox, start: Ask, report: Report) -> None:
    sandbox.faults([{"match": {"path": "/run"}, "do": {"truncate": 0}}])
    with pytest.raises(requests.exceptions.RequestException):
        start(report(NAME), DAY)
    assert len(sandbox.queries) == 1


def test_a_row_of_results_can_be_replaced(sandbox: Sandbox, start: Ask, found: Found, report: Report) -> None:
    sandbox.faults([{"match": {"path": "/results"}, "times": 2, "do": {"replace_row": {"index": 1, "with": [1]}}}])
    for dialect in ("v1", "v2"):
        rows = found(start(report(NAME), DAY, dialect), limit=200)
        assert (rows[1], len(rows)) == ([1], 133)


def test_a_redirect_takes_a_run_elsewhere(sandbox: Sandbox, start: Ask, report: Report) -> None:
    sandbox.modes(redirect_to="http://elsewhere.test")
    assert start(report(NAME), DAY).status_code == 301
    assert sandbox.queries == []


@pytest.mark.parametrize(
    "change",
    [
        {"location": "other"},
        {"fail_queries": True},
        {"rows_as": "tuples"},
        {"job_seconds": -1},
        {"clock_rate": -1},
        {"result_ttl": -1},
        {"max_running": 1.5},
        {"kmid_position": -1},
        {"results_limit_cap": 0},
        {"results_rows_cap": -1},
    ],
)
def test_a_query_mode_that_is_not_understood_is_refused(sandbox: Sandbox, change: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        sandbox.modes(**change)
