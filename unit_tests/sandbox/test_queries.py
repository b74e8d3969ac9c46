"""The endpoints of the queries in both dialects: run, status, results, and their refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox import Run, Sandbox, Universe, running

Ask = Callable[..., requests.Response]
Report = Callable[..., str]

DAY = (1_767_254_400, 1_767_340_799)  # 2026-01-01 in US/Pacific
NAME = "Opened the app, by customer"
MISSING = {"message": "Invalid report_guid provided: report not found.", "error": "Not Found", "status": 404}


def _rel(page: Any, rel: str) -> Any:
    return next((each for each in page["links"] if each["rel"] == rel), None)


def _row(sandbox: Sandbox, report_id: str) -> Any:
    return next(row for row in sandbox.universe.rows("reports") if row["id"] == report_id)


def test_v1_from_the_run_link_to_the_results(sandbox: Sandbox, ask: Ask, report: Report) -> None:
    row = ask("GET", f"{sandbox.core_url}/core/reports/{report(NAME)}").json()["data"]
    begun = ask("POST", _rel(row, "run")["href"], {"report": {"start_date": DAY[0], "end_date": DAY[1]}})
    guid = begun.json()["query_guid"]
    assert begun.status_code == 202
    assert begun.json() == {"success": True, "query_guid": guid}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", guid)
    assert begun.headers["cache-control"] == "no-cache"
    base = f"{sandbox.core_url}/query/queries/{guid}"
    assert begun.headers["location"] == f"{base}/status"
    status = ask("GET", f"{base}/status")
    assert (status.status_code, status.json()) == (201, {"completed": True, "progress": 1.0})
    assert status.headers["location"] == f"{base}/results"
    page = ask("GET", f"{base}/results?limit=20&offset=40").json()
    assert set(page) == {"total", "links", "metadata", "columns", "rows"}
    assert (page["total"], page["metadata"], len(page["rows"])) == (133, {"limit": 20, "offset": 40}, 20)
    offsets = {each["rel"]: each["href"] for each in page["links"]}
    for rel, offset in {"self": 40, "first": 0, "last": 120, "next": 60, "prev": 20}.items():
        assert offsets[rel] == f"{base}/results?limit=20&offset={offset}&query_guid={guid}"
    export = f"{sandbox.core_url}/v1/queries/{guid}/export?format=csv&product_uuid={row['product_id']}"
    assert offsets["export"] == export
    assert page["columns"][0] == {
        "display_name": "KMID",
        "type": "internal",
        "return_option": "internal",
        "display_return_option": "internal",
    }
    assert page["columns"][5] == {
        "type": "event",
        "display_name": "Opened App",
        "return_option": "total_times",
        "display_return_option": "Total Times for Date Range",
    }


def test_v1_on_the_query_host_lies_under_v1(sandbox: Sandbox, ask: Ask, report: Report) -> None:
    url = f"{sandbox.query_url}/v1/reports/{report(NAME)}/run"
    begun = ask("POST", url, {"report": {"start_date": DAY[0], "end_date": DAY[1]}})
    guid = begun.json()["query_guid"]
    assert begun.headers["location"] == f"{sandbox.query_url}/v1/queries/{guid}/status"
    results = ask("GET", begun.headers["location"]).headers["location"]
    assert results == f"{sandbox.query_url}/v1/queries/{guid}/results"
    here, there = ask("GET", results), ask("GET", f"{sandbox.core_url}/query/queries/{guid}/results")
    assert here.json()["rows"] == there.json()["rows"]
    assert _rel(here.json(), "next")["href"].startswith(f"{results}?limit=50&offset=50")


def test_v2_from_run_to_results(sandbox: Sandbox, ask: Ask, report: Report) -> None:
    row = _row(sandbox, report(NAME))
    url = f"{sandbox.query_url}/v2/products/{row['product_id']}/reports/{row['id']}/run"
    begun = ask("POST", url, {"start_date": "2026-01-01T00:00:00-08:00", "end_date": "2026-01-01T23:59:59-08:00"})
    assert begun.status_code == 202
    location = begun.headers["location"]
    base = location.removesuffix("/status")
    assert re.fullmatch(re.escape(sandbox.query_url) + r"/v2/queries/[0-9a-f-]{36}", base)
    assert begun.json() == {
        "meta": {"status": 202},
        "data": {"message": "success"},
        "links": [{"name": "Status", "rel": "query-status", "href": location, "templated": False}],
    }
    status = ask("GET", location)
    assert (status.status_code, status.headers["location"]) == (201, f"{base}/results")
    assert status.json() == {
        "meta": {"status": 201},
        "data": {"completed": True, "progress": 1.0},
        "links": [
            {"name": "Self", "rel": "self", "href": location, "templated": False},
            {"name": "Results", "rel": "query-results", "href": f"{base}/results", "templated": False},
        ],
    }
    page = ask("GET", f"{base}/results?offset=50").json()
    assert set(page) == {"meta", "data", "pagination", "links"}
    assert page["pagination"] == {"limit": 50, "offset": 50, "total": 133}
    assert len(page["data"]) == 50
    assert _rel(page, "next")["href"] == f"{base}/results?limit=50&offset=100"
    assert _rel(page, "export")["href"] == f"{base}/export"
    single = ask("GET", f"{base}/results?limit=500").json()
    assert [each["rel"] for each in single["links"]] == ["self", "export"]
    run = sandbox.queries[0]
    assert (run.start, run.end) == DAY


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_a_report_that_is_not_there_is_404(sandbox: Sandbox, ask: Ask, report: Report, dialect: str) -> None:
    row = _row(sandbox, report(NAME))
    if dialect == "v1":
        response = ask("POST", f"{sandbox.core_url}/query/reports/none/run", {})
        assert response.json() == MISSING
    else:
        url = f"{sandbox.query_url}/v2/products/{row['product_id']}/reports/none/run"
        response = ask("POST", url, {})
        assert response.json()["meta"]["status"] == 404
    assert response.status_code == 404
    assert sandbox.queries == []


def test_v2_refuses_a_report_of_another_product(sandbox: Sandbox, ask: Ask, report: Report) -> None:
    other = sandbox.universe.rows("products")[0]["id"]
    assert _row(sandbox, report(NAME))["product_id"] != other
    response = ask("POST", f"{sandbox.query_url}/v2/products/{other}/reports/{report(NAME)}/run", {})
    assert response.status_code == 404


def test_only_people_searches_can_be_run(sandbox: Sandbox, start: Ask) -> None:
    for row in sandbox.universe.rows("reports"):
        for dialect in ("v1", "v2"):
            expected = 202 if row["report_type"] == "people_search_v2" else 400
            assert start(row["id"], DAY, dialect).status_code == expected
    assert len(sandbox.queries) == 18


@pytest.mark.parametrize(
    ("dialect", "dates", "message"),
    [
        ("v1", {"start_date": 2, "end_date": 1}, "start_date is after end_date."),
        ("v1", {"start_date": 2}, "end_date is not a number of unix seconds."),
        ("v1", {"start_date": "2026-01-01T00:00:00Z", "end_date": 3}, "start_date is not a number of unix seconds."),
        ("v1", {"start_date": 1.5, "end_date": 3}, "start_date is not a number of unix seconds."),
        ("v1", {"start_date": True, "end_date": 3}, "start_date is not a number of unix seconds."),
        ("v2", {"start_date": "2026-01-02T00:00:00Z", "end_date": 3}, "start_date is after end_date."),
        ("v2", {"start_date": "yesterday", "end_date": 3}, "start_date is not an ISO 8601 date-time."),
        ("v2", {"start_date": 1, "end_date": "2026-01-02T00:00:00"}, "end_date has no offset."),
        ("v2", {"start_date": 1}, "end_date is neither an ISO 8601 date-time nor a number of unix seconds."),
    ],
)
def test_a_wrong_window_is_400(
    sandbox: Sandbox, ask: Ask, report: Report, dialect: str, dates: Any, message: str
) -> None:
    row = _row(sandbox, report(NAME))
    if dialect == "v1":
        response = ask("POST", f"{sandbox.core_url}/query/reports/{row['id']}/run", {"report": dates})
        assert response.json() == {"message": message, "error": "Bad Request", "status": 400}
    else:
        url = f"{sandbox.query_url}/v2/products/{row['product_id']}/reports/{row['id']}/run"
        response = ask("POST", url, dates)
        assert response.json()["meta"]["message"] == message.lower()
    assert response.status_code == 400
    assert sandbox.queries == []


def test_a_window_of_one_second_and_fractions_of_one_are_right(
    sandbox: Sandbox, ask: Ask, report: Report, start: Ask
) -> None:
    row = _row(sandbox, report(NAME))
    assert start(row["id"], (DAY[0], DAY[0])).status_code == 202
    url = f"{sandbox.query_url}/v2/products/{row['product_id']}/reports/{row['id']}/run"
    dates = {"start_date": "2026-01-01T07:59:59.500Z", "end_date": "2026-01-02T07:59:59.999+00:00"}
    assert ask("POST", url, dates).status_code == 202
    assert [(run.start, run.end) for run in sandbox.queries] == [(DAY[0], DAY[0]), DAY]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"json": {"start_date": 1, "end_date": 2}}, "report is missing."),
        ({"json": [1]}, "The body is not a JSON object."),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, "The body is not a JSON object."),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, "Content-Type is not application/json."),
        ({"json": None}, "Content-Type is not application/json."),
    ],
)
def test_a_wrong_body_is_400(sandbox: Sandbox, ask: Ask, report: Report, options: Any, message: str) -> None:
    response = ask("POST", f"{sandbox.core_url}/query/reports/{report(NAME)}/run", **options)
    assert (response.status_code, response.json()["message"]) == (400, message)


@pytest.mark.parametrize("paging", ["limit=0", "limit=x", "offset=-1", "limit="])
def test_wrong_paging_is_400(ask: Ask, start: Ask, report: Report, paging: str) -> None:
    results = start(report(NAME), DAY).headers["location"].replace("status", "results")
    assert ask("GET", f"{results}?{paging}").status_code == 400


def test_a_page_past_the_end_is_empty(ask: Ask, start: Ask, report: Report) -> None:
    results = start(report(NAME), DAY).headers["location"].replace("status", "results")
    page = ask("GET", f"{results}?offset=1000").json()
    assert (page["rows"], page["total"]) == ([], 133)
    assert _rel(page, "next") is None


@pytest.mark.parametrize("what", ["status", "results"])
def test_an_unknown_query_is_404_in_the_dialect_of_the_path(sandbox: Sandbox, ask: Ask, what: str) -> None:
    old = ask("GET", f"{sandbox.core_url}/query/queries/none/{what}")
    assert old.json() == {
        "message": "Invalid query_guid provided: query not found.",
        "error": "Not Found",
        "status": 404,
    }
    new = ask("GET", f"{sandbox.query_url}/v2/queries/none/{what}")
    assert (old.status_code, new.status_code) == (404, 404)
    assert new.json()["meta"]["status"] == 404


@pytest.mark.parametrize(("dialect", "other"), [("v1", "/v2"), ("v2", "/v1"), ("v2", "/query")])
def test_a_query_is_not_known_in_the_other_dialect(
    sandbox: Sandbox, ask: Ask, start: Ask, report: Report, dialect: str, other: str
) -> None:
    id_ = urlsplit(start(report(NAME), DAY, dialect).headers["location"]).path.split("/")[3]
    for origin in (sandbox.core_url, sandbox.query_url):
        assert ask("GET", f"{origin}{other}/queries/{id_}/status").status_code == 404


@pytest.mark.parametrize("path", ["/v2/products/x/reports/y/run", "/v1/reports/y/run", "/v1/queries/x/status"])
def test_the_core_host_has_no_runs_of_the_query_host(sandbox: Sandbox, ask: Ask, path: str) -> None:
    response = ask("POST", sandbox.core_url + path, {})
    assert response.json()["meta"]["errors"] == ["not_found"]


def test_the_query_host_has_no_core(sandbox: Sandbox, ask: Ask) -> None:
    assert ask("GET", f"{sandbox.query_url}/core/reports").status_code == 404


@pytest.mark.parametrize("token", [None, "Bearer wrong"])
def test_every_path_wants_the_token(sandbox: Sandbox, report: Report, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token}
    for origin, path, method in (
        (sandbox.core_url, f"/query/reports/{report(NAME)}/run", "POST"),
        (sandbox.core_url, "/query/queries/x/status", "GET"),
        (sandbox.query_url, "/v1/queries/x/results", "GET"),
    ):
        response = requests.request(method, origin + path, headers=headers, json={}, timeout=10)
        expected = {"message": "Unauthorized", "error": "Unauthorized", "status": 401}
        assert (response.status_code, response.json()) == (401, expected)
    response = requests.get(f"{sandbox.query_url}/v2/queries/x/status", headers=headers, timeout=10)
    assert (response.status_code, response.json()["meta"]["errors"]) == (401, ["unauthorized"])
    assert sandbox.queries == []


def test_a_run_is_not_got_and_a_status_not_posted(sandbox: Sandbox, ask: Ask, report: Report) -> None:
    assert ask("GET", f"{sandbox.core_url}/query/reports/{report(NAME)}/run").status_code == 404
    assert ask("POST", f"{sandbox.core_url}/query/queries/x/status").status_code == 404


def test_runs_are_counted_in_the_journal_and_listed(sandbox: Sandbox, ask: Ask, start: Ask, report: Report) -> None:
    begun = start(report(NAME), DAY)
    ask("GET", begun.headers["location"])
    ask("GET", begun.headers["location"])
    ask("GET", begun.headers["location"].replace("status", "results"))
    start(report(NAME), (1, 2), "v2")
    assert [entry.status for entry in sandbox.journal.requests(method="POST")] == [202, 202]
    first, second = sandbox.queries
    product_id = _row(sandbox, report(NAME))["product_id"]
    id_ = begun.json()["query_guid"]
    assert first == Run(id_, "people_search", report(NAME), product_id, "v1", *DAY, state="completed", polls=2, pages=1)
    assert (second.dialect, second.start, second.end, second.polls, second.pages) == ("v2", 1, 2, 0, 0)


def test_ids_are_the_same_in_every_sandbox_and_differ_within_one(sandbox: Sandbox, start: Ask, report: Report) -> None:
    def ids() -> list[str]:
        sandbox.reset()
        for _ in range(2):
            start(report(NAME), DAY)
            start(report(NAME), DAY, "v2")
        return [run.id for run in sandbox.queries]

    once = ids()
    assert len(set(once)) == 4
    assert ids() == once


def test_reset_forgets_queries(sandbox: Sandbox, ask: Ask, start: Ask, report: Report) -> None:
    location = start(report(NAME), DAY).headers["location"]
    sandbox.reset()
    assert sandbox.queries == []
    assert ask("GET", location).status_code == 404


def test_query_links_keep_their_parameters_apart(ask: Ask, start: Ask, report: Report) -> None:
    results = start(report(NAME), DAY).headers["location"].replace("status", "results")
    href = _rel(ask("GET", f"{results}?limit=7").json(), "next")["href"]
    assert {key: len(values) for key, values in parse_qs(urlsplit(href).query).items()} == {
        "limit": 1,
        "offset": 1,
        "query_guid": 1,
    }


def test_a_recorded_report_can_be_run_and_finds_nobody() -> None:
    products = [{"id": "p", "timezone": None}]
    reports = [{"id": "r", "product_id": "p", "report_type": "people_search_v2", "name": "Recorded"}]
    with running(Universe.of(products=products, reports=reports)) as sandbox:
        login = {"Authorization": f"Bearer {sandbox.token}"}
        body = {"report": {"start_date": 1, "end_date": 2}}
        url = f"{sandbox.core_url}/query/reports/r/run"
        begun = requests.post(url, json=body, headers=login, timeout=10)
        results = begun.headers["location"].replace("status", "results")
        page = requests.get(results, headers=login, timeout=10).json()
        assert (page["total"], page["rows"], len(page["columns"])) == (0, [], 6)
        assert _rel(page, "last")["href"] == _rel(page, "first")["href"] == _rel(page, "self")["href"]
        sandbox.universe.move("products", "delete_first")
        assert requests.post(url, json=body, headers=login, timeout=10).status_code == 404
