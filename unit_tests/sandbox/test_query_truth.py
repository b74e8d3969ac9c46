"""The truth against what a plain client collects through each dialect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from sandbox import Sandbox, Universe
from sandbox.searches import SEARCHES, search_of
from sandbox.truth_queries import local_days, local_window, people_search

Ask = Callable[..., requests.Response]
Found = Callable[..., list[Any]]
Report = Callable[..., str]

RUNNABLE = [row for row in Universe().rows("reports") if row["report_type"] == "people_search_v2"]
PACIFIC_BUSY = "Opened the app, by customer"


def _zone(sandbox: Sandbox, report_id: str) -> str:
    product_id = next(row["product_id"] for row in RUNNABLE if row["id"] == report_id)
    return next(str(row["timezone"]) for row in sandbox.universe.rows("products") if row["id"] == product_id)


@pytest.mark.parametrize("dialect", ["v1", "v2"])
@pytest.mark.parametrize("name", [row["name"] for row in RUNNABLE])
def test_truth_is_what_a_client_collects(
    sandbox: Sandbox, start: Ask, found: Found, report: Report, dialect: str, name: str
) -> None:
    report_id = report(name)
    zone = _zone(sandbox, report_id)
    windows = local_days(zone, date(2026, 3, 6), date(2026, 3, 9))
    windows.append(local_window(zone, date(2026, 2, 1), date(2026, 2, 28)))
    for window in windows:
        truth = people_search(sandbox.universe, report_id, *window)
        assert found(start(report_id, window, dialect)) == truth["rows"]
    assert bool(truth["rows"]) is (name != "Closed their account")


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_truth_over_more_than_twenty_pages(
    sandbox: Sandbox, start: Ask, found: Found, report: Report, dialect: str
) -> None:
    report_id = report(PACIFIC_BUSY)
    window = local_window("US/Pacific", date(2026, 3, 8), date(2026, 3, 8))
    rows = found(start(report_id, window, dialect), limit=6)
    assert rows == people_search(sandbox.universe, report_id, *window)["rows"]
    assert len(rows) == 133
    assert sandbox.queries[0].pages == 23


@pytest.mark.parametrize("dialect", ["v1", "v2"])
@pytest.mark.parametrize("day", [date(2026, 1, 18), date(2025, 12, 31), date(2026, 4, 2)])
def test_a_day_without_people_has_no_rows(
    sandbox: Sandbox, start: Ask, found: Found, report: Report, dialect: str, day: date
) -> None:
    report_id = report(PACIFIC_BUSY)
    window = local_window("US/Pacific", day, day)
    assert found(start(report_id, window, dialect)) == []
    assert people_search(sandbox.universe, report_id, *window)["rows"] == []


def test_every_second_of_a_window_counts(sandbox: Sandbox, start: Ask, found: Found, report: Report) -> None:
    report_id = report(PACIFIC_BUSY)
    first, last = local_window("US/Pacific", date(2026, 3, 8), date(2026, 3, 8))
    right = found(start(report_id, (first, last)))
    for window in ((first + 1, last), (first - 1, last), (first, last - 1), (first, last + 1)):
        rows = found(start(report_id, window))
        assert rows == people_search(sandbox.universe, report_id, *window)["rows"]
        assert rows != right
    eighths = [found(start(report_id, window)) for window in ((first, first), (last, last))]
    assert all(0 < len(rows) < 50 for rows in eighths)


def test_columns_are_the_servers(sandbox: Sandbox, ask: Ask, start: Ask) -> None:
    for row in RUNNABLE:
        begun = start(row["id"], (0, 1))
        page = ask("GET", begun.headers["location"].replace("/status", "/results")).json()
        assert page["columns"] == people_search(sandbox.universe, row["id"], 0, 1)["columns"]
        assert 4 <= len(page["columns"]) <= 7


def test_two_columns_can_share_a_name_and_cells_are_null(
    sandbox: Sandbox, start: Ask, found: Found, report: Report
) -> None:
    report_id = report("Visitors and their tweets")
    window = local_window("US/Pacific", date(2026, 3, 2), date(2026, 3, 2))
    truth = people_search(sandbox.universe, report_id, *window)
    assert [column["display_name"] for column in truth["columns"]][3:] == ["Tweet", "Tweet"]
    rows = found(start(report_id, window))
    assert any(row[3] == 0 and row[4] is None for row in rows)
    assert any(row[3] > 0 and row[4] is not None for row in rows)


@pytest.mark.parametrize("position", [0, 1, 4, 99, None])
def test_the_kmid_column_can_be_elsewhere_in_v1_only(
    sandbox: Sandbox, start: Ask, found: Found, report: Report, position: int | None
) -> None:
    report_id = report(PACIFIC_BUSY)
    window = local_window("US/Pacific", date(2026, 3, 2), date(2026, 3, 2))
    plain = people_search(sandbox.universe, report_id, *window)
    sandbox.modes(kmid_position=position)
    truth = people_search(sandbox.universe, report_id, *window, kmid_position=position)
    assert found(start(report_id, window)) == truth["rows"]
    assert found(start(report_id, window, "v2")) == plain["rows"]
    names = [column["display_name"] for column in truth["columns"]]
    assert (names.index("KMID") if "KMID" in names else None) == (6 if position == 99 else position)
    assert len(truth["rows"][0]) == len(names)


def test_known_people_are_found() -> None:
    """Two people followed by hand, so that the engine and the truth cannot be wrong in the same way."""
    universe = Universe()
    people = universe.people
    row = next(each for each in RUNNABLE if each["name"] == "Added to cart, not checked out")
    day = date(2026, 1, 1) + timedelta(days=36)
    window = local_window("US/Pacific", day, day)
    added = [number for number in people.of_product(row["product_id"]) if people.seconds(number, "Added to Cart", 36)]
    bought = [number for number in added if people.seconds(number, "Finished Check Out", 36)]
    assert bought
    assert len(bought) < len(added)
    rows = people_search(universe, row["id"], *window)["rows"]
    assert [each[0] for each in rows] == [people.person(number).kmid for number in added if number not in bought]
    number = next(number for number in added if number not in bought)
    last = people.seconds(number, "Added to Cart", 36)[-1]
    assert rows[0][2] == len(people.seconds(number, "Added to Cart", 36))
    assert rows[0][3] == last - 8 * 3600


def test_a_last_value_is_that_of_the_windows_end(sandbox: Sandbox, report: Report) -> None:
    report_id = report("Opened the app, by plan")
    product_id = next(row["product_id"] for row in RUNNABLE if row["id"] == report_id)
    people = sandbox.universe.people
    number, changes = next(
        (number, people.values(number, "Plan Name"))
        for number in people.of_product(product_id)
        if len({value for _, value in people.values(number, "Plan Name")}) == 2
        and people.values(number, "Plan Name")[1][0] > 1_768_000_000
    )
    kmid, (changed, new) = people.person(number).kmid, changes[1]
    for end, expected in ((changed - 1, changes[0][1]), (changed, new)):
        rows = people_search(sandbox.universe, report_id, 1_767_225_600, end)["rows"]
        assert next(row[5] for row in rows if row[0] == kmid) == expected


def test_reports_without_a_known_name_save_the_first_search() -> None:
    assert search_of({"name": "My People Search"}) is SEARCHES[0]
    assert search_of({}) is SEARCHES[0]
    assert search_of({"name": f"{SEARCHES[3].name} № 12"}) is SEARCHES[3]
    assert [search_of(row) for row in RUNNABLE] == [SEARCHES[place % 7] for place in range(9)]


def test_a_busy_report_finds_everybody_so_it_has_any_number_of_rows() -> None:
    universe = Universe(products=1, people=1234)
    window = local_window("UTC", date(2026, 2, 3), date(2026, 2, 3))
    for row in universe.rows("reports"):
        if row["name"].startswith("Opened the app"):
            assert len(people_search(universe, row["id"], *window)["rows"]) == 1234
