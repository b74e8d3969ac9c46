"""The switchboard over HTTP does what the handle does in Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import Sandbox, running

Get = Callable[..., requests.Response]


@pytest.fixture
def admin(sandbox: Sandbox) -> Any:
    def call(method: Any, path: Any, **options: Any) -> Any:
        return requests.request(method, f"{sandbox.core_url}/_sandbox/{path}", timeout=10, **options)

    return call


def test_modes_are_set_shown_and_cleared(sandbox: Sandbox, get: Get, admin: Any) -> None:
    assert admin("POST", "modes", json={"limit_cap": 3}).json()["limit_cap"] == 3
    assert len(get("/core/events").json()["data"]) == 3
    assert admin("GET", "modes").json()["limit_cap"] == 3
    assert admin("DELETE", "modes").json()["limit_cap"] is None
    assert len(get("/core/events").json()["data"]) == 20


def test_faults_are_appended_counted_and_cleared(sandbox: Sandbox, get: Get, admin: Any) -> None:
    fault = {"match": {"path": "events"}, "do": {"status": 418}}
    assert admin("POST", "faults", json=[fault]).json() == [{**fault, "met": 0, "done": 0}]
    assert get("/core/events").status_code == 418
    assert admin("GET", "faults").json() == [{**fault, "met": 1, "done": 1}]
    assert len(admin("POST", "faults", json=[fault, fault]).json()) == 3
    assert admin("DELETE", "faults").json() == []
    assert get("/core/events").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("modes", {"nonsense": 1}, "nonsense: is not a mode"),
        ("faults", [{"do": {"explode": 1}}], "do: has explode"),
        ("faults", {"do": {"html": True}}, "fault: 'do' is not an object"),
        ("modes", [1], ""),
        ("faults", None, ""),
    ],
)
def test_what_is_not_understood_is_refused(sandbox: Sandbox, admin: Any, path: Any, body: Any, message: Any) -> None:
    response = admin("POST", path, json=body)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert sandbox.faults() == []


def test_the_journal_is_shown_and_the_switchboard_is_not_in_it(get: Get, admin: Any) -> None:
    get("/core/events?limit=5")
    admin("GET", "modes")
    (entry,) = admin("GET", "journal").json()
    assert (entry["path"], entry["query"], entry["status"]) == ("/core/events", "limit=5", 200)


def test_the_clock_is_moved_and_shown(sandbox: Sandbox, admin: Any) -> None:
    sandbox.modes(clock_rate=0)
    before = admin("GET", "clock").json()["now"]
    assert admin("POST", "clock", json={"seconds": 90}).json() == {"now": before + 90, "rate": 0}
    assert admin("POST", "clock", json={"seconds": -1}).status_code == 400
    assert admin("GET", "clock").json() == {"now": before + 90, "rate": 0}
    admin("POST", "reset")
    assert admin("GET", "clock").json()["now"] < 90


def test_queries_are_listed(sandbox: Sandbox, start: Callable[..., requests.Response], admin: Any) -> None:
    (first, *_) = sandbox.universe.rows("reports")
    start(first["id"], (5, 6))
    (run,) = admin("GET", "queries").json()
    assert (run["subject_id"], run["start"], run["end"], run["state"]) == (first["id"], 5, 6, "completed")
    assert run == dataclasses.asdict(sandbox.queries[0])


def test_the_switchboard_is_on_the_query_host_too(sandbox: Sandbox) -> None:
    modes = requests.get(f"{sandbox.query_url}/_sandbox/modes", timeout=10).json()
    assert modes == dataclasses.asdict(sandbox.modes())


def test_faults_do_not_strike_the_switchboard(sandbox: Sandbox, admin: Any) -> None:
    sandbox.faults([{"times": None, "do": {"status": 500}}])
    assert admin("GET", "faults").json()[0]["met"] == 0


def test_reset_brings_everything_back(sandbox: Sandbox, get: Get, admin: Any) -> None:
    before = get("/core/events").json()
    sandbox.modes(limit_cap=1)
    sandbox.faults([{"do": {"status": 500}}])
    sandbox.universe.move("events", "delete_first", 100)
    assert admin("POST", "reset").status_code == 200
    assert sandbox.journal.count() == 0
    assert get("/core/events").json() == before


def test_reset_comes_back_to_the_modes_of_the_start() -> None:
    with running(limit_cap=5) as sandbox:
        sandbox.modes(limit_cap=9)
        sandbox.reset()
        assert sandbox.modes().limit_cap == 5
