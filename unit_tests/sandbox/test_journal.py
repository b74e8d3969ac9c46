"""What the journal tells, and that it never tells a token."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from sandbox import Journal, Sandbox

Get = Callable[..., requests.Response]


def test_every_request_is_in_the_journal_in_order(sandbox: Sandbox, get: Get) -> None:
    get("/core/events?limit=5&offset=5")
    get("/core/none")
    requests.get(f"{sandbox.core_url}/core/accounts", timeout=10)
    requests.get(f"{sandbox.core_url}/core/accounts", headers={"Authorization": "Bearer no"}, timeout=10)
    entries = sandbox.journal.requests()
    assert [
        (entry.number, entry.method, entry.path, entry.query, entry.authorization, entry.status) for entry in entries
    ] == [
        (1, "GET", "/core/events", "limit=5&offset=5", "right", 200),
        (2, "GET", "/core/none", "", "right", 404),
        (3, "GET", "/core/accounts", "", "missing", 401),
        (4, "GET", "/core/accounts", "", "wrong", 401),
    ]
    assert all(entry.end is not None and entry.end >= entry.start for entry in entries)


def test_bytes_are_those_of_the_body_as_sent(sandbox: Sandbox, get: Get) -> None:
    response = get("/core/events", headers={"Accept-Encoding": "identity"})
    assert sandbox.journal.requests()[0].bytes == len(response.content)


def test_queries_choose_by_path_query_method_and_status(sandbox: Sandbox, get: Get) -> None:
    for path in ("/core/events", "/core/events?offset=20", "/core/events/x", "/core/accounts"):
        get(path)
    journal = sandbox.journal
    assert journal.count() == 4
    assert journal.count("/core/events") == 2
    assert journal.count("/core/events.*") == 3
    assert journal.count("/core/events", query="offset=20") == 1
    assert journal.count(status=404) == 1
    assert journal.count(method="POST") == 0
    assert [entry.path for entry in journal.requests(status=404)] == ["/core/events/x"]


def test_the_token_is_nowhere_in_the_journal(sandbox: Sandbox, get: Get) -> None:
    get("/core/events")
    get("/core/events", headers={"Authorization": "Bearer another-secret"})
    told = repr(sandbox.journal.requests()) + requests.get(f"{sandbox.core_url}/_sandbox/journal", timeout=10).text
    assert sandbox.token not in told
    assert "another-secret" not in told


def test_one_client_after_another_is_never_more_than_one_in_flight(sandbox: Sandbox, get: Get) -> None:
    for offset in range(0, 100, 10):
        get(f"/core/events?limit=1000&offset={offset}")
    assert sandbox.journal.max_in_flight() == 1


def test_clients_at_the_same_time_are_in_flight_together(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(latency_ms=300)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(get, ["/core/events", "/core/events", "/core/events", "/core/accounts"]))
    assert sandbox.journal.max_in_flight() >= 2
    assert sandbox.journal.max_in_flight("/core/none") == 0


def test_in_flight_is_counted_whatever_the_order_of_the_ends() -> None:
    seconds = iter(range(10))
    journal = Journal(clock=lambda: next(seconds))
    one = journal.begin("GET", "/a", "", "right")
    two = journal.begin("GET", "/b", "", "right")
    journal.finish(one)
    journal.finish(one)
    three = journal.begin("GET", "/c", "", "right")
    assert [entry.in_flight for entry in (one, two, three)] == [1, 2, 2]
    assert (one.start, one.end) == (0, 2)
    assert journal.max_in_flight() == 2
    assert journal.max_in_flight("/a") == 1
