"""Saved people searches, run window by window, against the people that the sandbox knows."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from integration_tests.conftest import SCRIPT
from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import ReadPrefix, ReadReport, check_check, check_discover
from integration_tests.reading import instants, sync
from sandbox import truth_queries
from sandbox.server import Sandbox

Json = dict[str, Any]

STREAM = "people_search_results"
DST_WEEK = ("2026-03-05", "2026-03-10")
"""Six days around the 8th of March, which has 23 hours in the United States."""


@pytest.fixture
def config(config: Json, sandbox: Sandbox) -> Json:
    search = {"query_base_url": sandbox.query_url}
    return {**config, "start_date": DST_WEEK[0], "end_date": DST_WEEK[1], "people_search": search}


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Json:
    credentials = {"auth_type": "api_token", "api_token": "unused-token-000000001"}
    run = Connector([str(SCRIPT)], tmp_path_factory.mktemp("discover")).discover(
        {
            "credentials": credentials,
            "start_date": "2026-01-01",
            "people_search": {},
            "metric_series": {"enabled": True},
        }
    )
    return check_discover(run.stdout, run.stderr, exit_code=run.exit_code)


def _runnable(sandbox: Sandbox) -> list[Json]:
    return [row for row in sandbox.universe.rows("reports") if row["report_type"] == "people_search_v2"]


def _zone(sandbox: Sandbox, product_id: str) -> str:
    zone = next(row["timezone"] for row in sandbox.universe.rows("products") if row["id"] == product_id)
    return str(zone or "UTC")


def _days(first: str, last: str) -> list[date]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


def _expected(sandbox: Sandbox, windows: list[tuple[date, date]], **options: Any) -> dict[tuple[str, str, str], Json]:
    """By report, first day and KMID: person and calculated cells, in order."""
    found = {}
    for report in _runnable(sandbox):
        zone = _zone(sandbox, report["product_id"])
        for first, last in windows:
            start, end = truth_queries.local_window(zone, first, last)
            answer = truth_queries.people_search(sandbox.universe, report["id"], start, end)
            for kmid, person, *cells in answer["rows"]:
                found[report["id"], first.isoformat(), str(kmid)] = {"person": person, "cells": cells}
    return found


def _delivered(report: ReadReport) -> dict[tuple[str, str, str], Json]:
    rows = report.records.get(STREAM, [])
    found = {
        (row["report_id"], row["window_start"][:10], row["row_key"]): {
            "person": row["person"],
            "cells": list(row["columns"].values()),
        }
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def _daily(first: str = DST_WEEK[0], last: str = DST_WEEK[1]) -> list[tuple[date, date]]:
    return [(day, day) for day in _days(first, last)]


@pytest.mark.parametrize(("dialect", "rows_as"), [("v1", "arrays"), ("v2", "arrays"), ("v2", "objects")])
def test_every_person_of_every_day_is_delivered(
    dialect: str, rows_as: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(rows_as=rows_as)
    config["people_search"]["dialect"] = dialect
    report = sync(connector, config, catalog, [STREAM])
    expected = _expected(sandbox, _daily())
    if rows_as == "objects":
        by_person = Counter((key[0], key[1], value["person"]) for key, value in expected.items())
        delivered = _delivered(report)
        assert Counter((key[0], key[1], value["person"]) for key, value in delivered.items()) == by_person
    else:
        assert _delivered(report) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "windows"),
    [
        ("week", [("2026-02-25", "2026-03-01"), ("2026-03-02", "2026-03-08"), ("2026-03-09", "2026-03-15")]),
        ("month", [("2026-02-25", "2026-02-28"), ("2026-03-01", "2026-03-15")]),
        ("all", [("2026-02-25", "2026-03-15")]),
    ],
)
def test_windows_of_every_size_are_cut_in_the_products_time_zone(
    size: str, windows: list[tuple[str, str]], sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"start_date": "2026-02-25", "end_date": "2026-03-15"}
    config["people_search"]["window"] = size
    report = sync(connector, config, catalog, [STREAM])
    days = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in windows]
    assert _delivered(report) == _expected(sandbox, days)
    asked = {(run.start, run.end) for run in sandbox.queries}
    zones = {_zone(sandbox, row["product_id"]) for row in _runnable(sandbox)}
    assert asked == {truth_queries.local_window(zone, *window) for zone in zones for window in days}


def test_each_window_costs_one_run_and_a_second_sync_none(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog, [STREAM])
    assert len(sandbox.queries) == len(_runnable(sandbox)) * 6
    second = sync(connector, config, catalog, [STREAM], first.last_states)
    assert len(sandbox.queries) == len(_runnable(sandbox)) * 6
    assert second.records.get(STREAM, []) == []
    assert second.last_states[0]["stream"] == first.last_states[0]["stream"]


def test_a_later_end_reads_only_the_days_that_are_new(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog, [STREAM])
    sandbox.journal.clear()
    longer = {**config, "end_date": "2026-03-12"}
    second = sync(connector, longer, catalog, [STREAM], first.last_states)
    assert _delivered(second) == _expected(sandbox, _daily("2026-03-11", "2026-03-12"))


@pytest.mark.slow
def test_an_earlier_start_reads_the_days_before_too(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog, [STREAM])
    second = sync(connector, {**config, "start_date": "2026-03-03"}, catalog, [STREAM], first.last_states)
    assert _delivered(second) == _expected(sandbox, _daily("2026-03-03", "2026-03-04"))


@pytest.mark.slow
def test_chosen_reports_alone_are_run(sandbox: Sandbox, connector: Connector, config: Json, catalog: Json) -> None:
    chosen = _runnable(sandbox)[0]["id"]
    config["people_search"]["report_ids"] = [chosen]
    report = sync(connector, config, catalog, [STREAM])
    assert {run.subject_id for run in sandbox.queries} == {chosen}
    assert {row["report_id"] for row in report.records[STREAM]} == {chosen}


def test_a_report_that_cannot_be_run_is_named(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    funnel = next(row["id"] for row in sandbox.universe.rows("reports") if row["report_type"] != "people_search_v2")
    config["people_search"]["report_ids"] = [funnel]
    report = sync(connector, config, catalog, [STREAM])
    assert [error["failure_type"] for error in report.errors] == ["config_error"]
    assert f"people_search.report_ids: {funnel} cannot be run" in report.errors[0]["message"]


@pytest.mark.slow
def test_columns_of_the_same_name_are_told_apart(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """Names by an independent rule: the heading, and a number from its second occurrence on."""
    report = sync(connector, config, catalog, [STREAM])
    names = {row["report_id"]: list(row["columns"]) for row in report.records[STREAM]}
    for found in _runnable(sandbox):
        start, end = truth_queries.local_window("UTC", date(2026, 3, 5), date(2026, 3, 5))
        columns = truth_queries.people_search(sandbox.universe, found["id"], start, end)["columns"][2:]
        wanted: list[str] = []
        for column in columns:
            name = f"{column['display_name']} ({column['display_return_option']})"
            earlier = [name, *[f"{name} {number}" for number in range(2, 9)]]
            wanted.append(next(candidate for candidate in earlier if candidate not in wanted))
        if found["id"] in names:
            assert names[found["id"]] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("position", [1, 3, None])
def test_the_person_is_found_by_column_not_by_position(
    position: int | None, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(kmid_position=position)
    report = sync(connector, config, catalog, [STREAM])
    expected = _expected(sandbox, _daily())
    if position is None:
        assert all(row["kmid"] is None and row["row_key"] == row["person"] for row in report.records[STREAM])
        assert len(report.records[STREAM]) == len(expected)
    else:
        assert _delivered(report) == expected


def test_many_pages_are_read_concurrently_and_a_failed_one_is_retried_alone(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"start_date": "2026-03-05", "end_date": "2026-03-05", "page_size": 3}
    sandbox.faults([{"match": {"path": "/results", "query": "offset=9($|&)"}, "do": {"status": 502}, "times": 2}])
    report = sync(connector, config, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily("2026-03-05", "2026-03-05"))
    assert len(sandbox.queries) == len(_runnable(sandbox)), "no query was run again to page or to retry"
    assert max(run.pages for run in sandbox.queries) > 20


@pytest.mark.slow
def test_a_capped_result_page_is_followed(sandbox: Sandbox, connector: Connector, config: Json, catalog: Json) -> None:
    sandbox.modes(results_limit_cap=7)
    report = sync(connector, config, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily())


@pytest.mark.slow
def test_a_result_that_is_not_served_whole_is_an_error(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(results_rows_cap=5)
    report = sync(connector, config, catalog, [STREAM])
    assert report.statuses[STREAM][-1] == "INCOMPLETE"
    assert "but served 5 of them" in report.errors[0]["message"]


@pytest.mark.slow
def test_a_window_without_people_is_a_success_and_is_not_run_again(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"start_date": "2025-06-01", "end_date": "2025-06-03"}
    report = sync(connector, config, catalog, [STREAM])
    assert report.records.get(STREAM, []) == []
    assert report.statuses[STREAM][-1] == "COMPLETE"
    assert "0 rows; columns: KMID, Person" in report.log_text()
    runs = len(sandbox.queries)
    sync(connector, config, catalog, [STREAM], report.last_states)
    assert len(sandbox.queries) == runs


@pytest.mark.slow
def test_long_queries_are_waited_for_with_growing_pauses(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """Five minutes of the service's clock, which runs fast: about a second of ours."""
    sandbox.modes(job_seconds=300, clock_rate=300)
    config |= {"start_date": "2026-03-05", "end_date": "2026-03-05"}
    report = sync(connector, config, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily("2026-03-05", "2026-03-05"))
    assert "% done" in report.log_text()
    assert all(2 <= run.polls <= 8 for run in sandbox.queries)


@pytest.mark.slow
def test_no_more_queries_run_at_once_than_workers(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """The service refuses a fourth one; three workers never ask for it."""
    sandbox.modes(job_seconds=100, clock_rate=300, max_running=3)
    report = sync(connector, {**config, "num_workers": 3}, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily())
    assert sandbox.journal.count(status=429) == 0


@pytest.mark.slow
@pytest.mark.parametrize("location", ["same", "cross"])
def test_locations_on_the_query_host_are_followed(
    location: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(location=location)
    report = sync(connector, config, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily())


@pytest.mark.slow
def test_a_location_on_a_foreign_host_is_refused(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(location="foreign")
    report = sync(connector, config, catalog, [STREAM])
    assert {error["failure_type"] for error in report.errors} == {"config_error"}
    assert "may receive the credentials" in report.errors[0]["message"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["error", "error_completed"])
def test_a_query_that_fails_is_reported_and_run_again_by_the_next_sync(
    how: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(fail_queries=how)
    report = sync(connector, config, catalog, [STREAM])
    assert {error["failure_type"] for error in report.errors} == {"transient_error"}
    assert "failed on the service" in report.errors[0]["message"]
    sandbox.modes(fail_queries="never")
    again = sync(connector, config, catalog, [STREAM], report.last_states)
    assert {**_delivered(report), **_delivered(again)} == _expected(sandbox, _daily())


def test_an_expired_result_costs_one_more_run(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"start_date": "2026-03-05", "end_date": "2026-03-05", "page_size": 10}
    sandbox.faults([{"match": {"path": "/results", "query": "offset=10($|&)"}, "do": {"status": 404}}])
    report = sync(connector, config, catalog, [STREAM])
    assert _delivered(report) == _expected(sandbox, _daily("2026-03-05", "2026-03-05"))
    assert len(sandbox.queries) == len(_runnable(sandbox)) + 1


def test_a_query_that_is_not_done_in_time_is_waited_for_by_the_next_sync(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """The query's address is in the state as soon as it is known: a restart asks for its results, and runs nothing."""
    config |= {"start_date": "2026-03-05", "end_date": "2026-03-05"}
    sandbox.modes(job_seconds=100_000)
    runs = len(_runnable(sandbox))
    killed = connector.read(
        {**config, "num_workers": 32},
        configured_catalog(catalog, [STREAM]),
        kill_when=lambda printed: printed.count(b'{"type":"STATE"') == runs,
    )
    assert len(sandbox.queries) == runs
    sandbox.advance(100_000)
    report = sync(connector, config, catalog, [STREAM], ReadPrefix(killed.stdout).last_states())
    assert _delivered(report) == _expected(sandbox, _daily("2026-03-05", "2026-03-05"))
    assert len(sandbox.queries) == runs


def test_a_query_of_a_shorter_window_is_not_taken_for_a_longer_one(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """Of the window `all`, the last day moves while a query that was started earlier is still in the state."""
    config["people_search"]["window"] = "all"
    sandbox.modes(job_seconds=100_000)
    runs = len(_runnable(sandbox))
    killed = connector.read(
        {**config, "num_workers": 32, "end_date": "2026-03-06"},
        configured_catalog(catalog, [STREAM]),
        kill_when=lambda printed: printed.count(b'{"type":"STATE"') == runs,
    )
    sandbox.modes(job_seconds=0)
    report = sync(connector, config, catalog, [STREAM], ReadPrefix(killed.stdout).last_states())
    whole = (date.fromisoformat(DST_WEEK[0]), date.fromisoformat(DST_WEEK[1]))
    assert _delivered(report) == _expected(sandbox, [whole])


def test_overlapping_result_pages_are_noticed_and_read_again(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"start_date": "2026-03-05", "end_date": "2026-03-05", "page_size": 20}
    report_id = next(row["id"] for row in _runnable(sandbox) if row["name"] == "Opened the app")
    config["people_search"]["report_ids"] = [report_id]
    start, end = truth_queries.local_window("UTC", date(2026, 3, 5), date(2026, 3, 5))
    first_row = truth_queries.people_search(sandbox.universe, report_id, start, end)["rows"][0]
    repeat = {"replace_row": {"index": 3, "with": first_row}}
    sandbox.faults([{"match": {"path": "/results", "query": "offset=20($|&)"}, "do": repeat}])
    report = sync(connector, config, catalog, [STREAM])
    wanted = _expected(sandbox, _daily("2026-03-05", "2026-03-05"))
    assert _delivered(report) == {key: value for key, value in wanted.items() if key[0] == report_id}
    assert len(sandbox.queries) == 1, "the pages are read again, the query is not run again"


@pytest.mark.slow
def test_a_refused_token_is_one_message_and_is_not_sent_for_every_window(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults([{"match": {"path": "/run"}, "times": None, "do": {"status": 401}}])
    report = sync(connector, {**config, "num_workers": 2}, catalog, [STREAM])
    assert {error["failure_type"] for error in report.errors} == {"config_error"}
    assert len(report.errors) <= 2, "one for each query that was under way"
    assert sandbox.journal.count(method="POST") <= 2


def test_check_names_a_report_that_does_not_exist(sandbox: Sandbox, connector: Connector, config: Json) -> None:
    config["people_search"]["report_ids"] = ["nope"]
    run = connector.check(config)
    status = check_check(run.stdout, run.stderr, exit_code=run.exit_code, secrets=[sandbox.token], status="FAILED")
    assert status["message"].startswith("people_search.report_ids: there is no report 'nope'")
    assert sandbox.queries == []


@pytest.mark.slow
@pytest.mark.parametrize("instant", instants(20, 20260305))
def test_kill_while_polling_or_paging_loses_nothing_and_runs_no_known_query_again(
    instant: float, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config |= {"page_size": 5, "num_workers": 4, "end_date": "2026-03-06"}
    sandbox.modes(job_seconds=30, clock_rate=150, latency_ms=2)
    configured = configured_catalog(catalog, [STREAM])
    length = len(connector.read(config, configured).stdout)
    sandbox.reset()
    sandbox.modes(job_seconds=30, clock_rate=150, latency_ms=2)

    killed = connector.read(config, configured, kill_when=lambda printed: len(printed) >= instant * length)
    prefix = ReadPrefix(killed.stdout)
    known = _known_runs(prefix.last_states())
    before = Counter((run.subject_id, run.start) for run in sandbox.queries)
    rest = sync(connector, config, catalog, [STREAM], prefix.last_states())

    after = Counter((run.subject_id, run.start) for run in sandbox.queries)
    again = {question for question in after if after[question] > before.get(question, 0) and before.get(question)}
    assert not {question for question in again if question in known}
    rows = [*prefix.records().get(STREAM, []), *rest.records.get(STREAM, [])]
    keys = {(row["report_id"], row["window_start"][:10], row["row_key"]) for row in rows}
    assert keys == set(_expected(sandbox, _daily("2026-03-05", "2026-03-06")))


def _known_runs(states: list[Json]) -> set[tuple[str, int]]:
    """Questions whose query the last printed state names, by report and first second; zones are looked up by day."""
    found = set()
    for state in states:
        for report_id, progress in state["stream"]["stream_state"]["partitions"].items():
            for day in progress["runs"]:
                for zone in ("UTC", "US/Pacific"):
                    start, _ = truth_queries.local_window(zone, date.fromisoformat(day), date.fromisoformat(day))
                    found.add((report_id, start))
    return found


@pytest.mark.slow
def test_metric_series_are_delivered(sandbox: Sandbox, connector: Connector, config: Json, catalog: Json) -> None:
    config |= {"metric_series": {"enabled": True, "interval": "day"}}
    report = sync(connector, config, catalog, ["metric_over_time", "metric_by_segment"])
    over_time, by_segment = {}, {}
    for metric in sandbox.universe.rows("metrics"):
        zone = _zone(sandbox, metric["product_id"])
        start, end = truth_queries.local_window(zone, date(2026, 3, 5), date(2026, 3, 10))
        for label, value in truth_queries.metric_over_time(sandbox.universe, metric["id"], start, end):
            over_time[metric["id"], label] = value
        for day in _days(*DST_WEEK):
            window = truth_queries.local_window(zone, day, day)
            for segment, value in truth_queries.metric_by_segment(sandbox.universe, metric["id"], *window):
                by_segment[metric["id"], day.isoformat(), segment] = value
    assert {
        (row["metric_id"], row["time"][:10]): row["value"] for row in report.records["metric_over_time"]
    } == over_time
    assert {
        (row["metric_id"], row["window_start"][:10], row["segment"]): row["value"]
        for row in report.records["metric_by_segment"]
    } == by_segment
