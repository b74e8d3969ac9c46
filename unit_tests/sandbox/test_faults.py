"""Each kind of scheduled fault, and the schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import Sandbox

Get = Callable[..., requests.Response]


def test_a_status_has_the_surfaces_own_body(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"status": 503, "headers": {"Retry-After": "7"}}}])
    response = get("/core/events")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "7"
    assert response.headers["status"] == "503 Service Unavailable"
    assert response.json()["meta"] == {
        "status": 503,
        "message": "service unavailable",
        "errors": ["service_unavailable"],
    }
    assert get("/core/events").status_code == 200


def test_a_status_body_can_leak_the_authorization(sandbox: Sandbox, get: Get) -> None:
    do = {"status": 400, "body": "bad token: {authorization}", "content_type": "text/plain"}
    sandbox.faults([{"do": do}])
    response = get("/core/events")
    assert response.text == f"bad token: Bearer {sandbox.token}"
    assert response.headers["content-type"] == "text/plain"


def test_a_204_has_no_body(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"status": 204, "body": "x"}}])
    assert get("/core/events").content == b""
    assert get("/core/events").status_code == 200


def test_an_unnamed_status_is_served(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"status": 599}}])
    assert get("/core/events").status_code == 599


def test_html_is_a_page_with_200(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"html": True}}])
    response = get("/core/events")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text.startswith("<!DOCTYPE html>")
    assert "etag" not in response.headers


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_truncate_promises_more_than_it_sends(sandbox: Sandbox, get: Get, encoding: Any) -> None:
    sandbox.faults([{"do": {"truncate": 100}}])
    response = get("/core/events", headers={"Accept-Encoding": encoding}, stream=True)
    assert int(response.headers["content-length"]) > 100
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="100 bytes read"):
        _ = response.content
    assert sandbox.journal.requests()[0].bytes == 100


def test_truncate_past_the_end_still_cuts_off(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"truncate": 10_000_000}}])
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get("/core/events")


def test_delay_holds_one_answer_back(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"delay_ms": 50}}])
    get("/core/events")
    (entry,) = sandbox.journal.requests()
    assert (entry.end or 0) - entry.start >= 0.04


@pytest.mark.parametrize("row", [{}, None, {"id": None}, [1]])
def test_replace_row_puts_anything_into_the_page(sandbox: Sandbox, get: Get, row: Any) -> None:
    before = get("/core/events?limit=3").json()["data"]
    sandbox.faults([{"do": {"replace_row": {"index": 1, "with": row}}}])
    response = get("/core/events?limit=3")
    assert response.json()["data"] == [before[0], row, before[2]]
    assert get("/core/events?limit=3").headers["etag"] != response.headers["etag"]


def test_patch_row_sets_fields(sandbox: Sandbox, get: Get) -> None:
    before = get("/core/events?limit=3").json()["data"]
    sandbox.faults([{"do": {"patch_row": {"index": -1, "set": {"total": "9", "new": [1]}}}}])
    after = get("/core/events?limit=3").json()["data"]
    assert after == [before[0], before[1], {**before[2], "total": "9", "new": [1]}]


def test_rows_of_a_bare_array_can_be_replaced_too(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(docs_literal=True)
    sandbox.faults([{"do": {"replace_row": {"index": 0, "with": {}}}}])
    assert get("/core/events?limit=2").json()[0] == {}


@pytest.mark.parametrize(
    ("path", "do"),
    [
        ("/core/events?limit=3", {"replace_row": {"index": 3, "with": {}}}),
        ("/core/events/none", {"patch_row": {"index": 0, "set": {}}}),
        ("/core", {"patch_row": {"index": 0, "set": {}}}),
    ],
)
def test_a_fault_that_cannot_be_done_is_a_loud_500(sandbox: Sandbox, get: Get, path: Any, do: Any) -> None:
    sandbox.faults([{"do": do}])
    response = get(path)
    assert response.status_code == 500
    assert response.text.startswith("sandbox: this fault cannot be done")


def test_move_after_an_answer_shifts_the_next_page(sandbox: Sandbox, get: Get) -> None:
    ids = [row["id"] for row in sandbox.universe.rows("events")]
    sandbox.faults([{"do": {"move": {"collection": "events", "op": "delete_first", "count": 3}}}])
    first = get("/core/events?limit=10").json()
    second = get("/core/events?limit=10&offset=10").json()
    assert [row["id"] for row in first["data"]] == ids[:10]
    assert [row["id"] for row in second["data"]] == ids[13:23]
    assert (first["pagination"]["total"], second["pagination"]["total"]) == (130, 127)


def test_move_before_an_answer_is_seen_in_it(sandbox: Sandbox, get: Get) -> None:
    move = {"collection": "events", "op": "insert_first", "count": 2, "when": "before"}
    sandbox.faults([{"do": {"move": move}}])
    ids = [row["id"] for row in sandbox.universe.rows("events")]
    page = get("/core/events?limit=10").json()
    assert [row["id"] for row in page["data"]][2:] == ids[:8]
    assert page["pagination"]["total"] == 132


def test_reset_of_the_connection_is_seen_as_a_reset(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"reset": True}}])
    with pytest.raises(requests.exceptions.ConnectionError, match="reset by peer"):
        get("/core/events")
    assert get("/core/events").status_code == 200
    assert [entry.status for entry in sandbox.journal.requests()] == [None, 200]


def test_raw_is_sent_as_it_is(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"do": {"raw": '{"data": ['}}])
    response = get("/core/events")
    assert (response.status_code, response.text) == (200, '{"data": [')
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("value", [None, [], {"data": None}, "text"])
def test_json_is_sent_as_json(sandbox: Sandbox, get: Get, value: Any) -> None:
    sandbox.faults([{"do": {"json": value}}])
    response = get("/core/events")
    assert (response.status_code, response.json()) == (200, value)


def test_match_skip_and_times_choose_the_requests(sandbox: Sandbox, get: Get) -> None:
    match = {"path": "^/core/events$", "query": "offset=40"}
    sandbox.faults([{"match": match, "skip": 1, "times": 2, "do": {"status": 502}}])
    assert get("/core/accounts").status_code == 200
    assert get("/core/events?offset=20").status_code == 200
    assert [get("/core/events?offset=40").status_code for _ in range(5)] == [200, 502, 502, 200, 200]
    (fault,) = sandbox.faults()
    assert (fault["met"], fault["done"]) == (5, 2)


def test_times_null_is_for_ever(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults([{"times": None, "do": {"status": 500}}])
    assert {get("/core/events").status_code for _ in range(5)} == {500}


def test_effects_add_up_until_an_ending(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults(
        [
            {"do": {"move": {"collection": "events", "op": "delete_last"}}},
            {"do": {"status": 503}},
            {"do": {"status": 502}},
        ]
    )
    assert [get("/core/events").status_code for _ in range(3)] == [503, 502, 200]
    assert len(sandbox.universe.rows("events")) == 129


def test_a_fault_strikes_before_the_login_is_looked_at(sandbox: Sandbox) -> None:
    sandbox.faults([{"do": {"status": 503}}])
    assert requests.get(f"{sandbox.core_url}/core/events", timeout=10).status_code == 503


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"do": {"explode": True}}, "do: has explode; it takes exactly one of status, html"),
        ({"do": {}}, "do: has nothing"),
        ({"do": {"html": True, "reset": True}}, "do: has html, reset"),
        ({"do": {"html": True, "headers": {}}}, "do: unknown headers"),
        ({"do": {"html": False}}, "html: takes true"),
        ({"do": {"status": 99}}, "status: 99 is not an HTTP status"),
        ({"do": {"status": 500, "body": 5}}, "body, content_type: take a string or null"),
        ({"do": {"status": 500, "headers": {"Retry-After": 5}}}, "headers: takes strings only"),
        ({"do": {"truncate": -1}}, "truncate: -1 is not a count"),
        ({"do": {"raw": {}}}, "raw: {} is not a string"),
        ({"do": {"replace_row": {"index": 1}}}, "replace_row: with is missing"),
        ({"do": {"replace_row": {"index": "1", "with": 1}}}, "index: '1' is not an integer"),
        ({"do": {"patch_row": {"index": 1, "set": []}}}, r"set: \[\] is not an object"),
        ({"do": {"move": {"collection": "events", "op": "swap"}}}, "op: 'swap' is not one of"),
        (
            {"do": {"move": {"collection": "people", "op": "insert_last"}}},
            "collection: 'people' is not one of",
        ),
        (
            {"do": {"move": {"collection": "events", "op": "insert_last", "when": "now"}}},
            "when: 'now' is neither",
        ),
        ({"do": {"reset": True}, "skips": 1}, "fault: unknown skips"),
        ({"do": {"reset": True}, "match": {"url": "x"}}, "match: unknown url"),
        ({"do": {"reset": True}, "match": {"path": "("}}, "is not a regular expression"),
        ({"do": {"reset": True}, "times": "3"}, "times: '3' is not a count"),
        ({}, "fault: do is missing"),
        ([], r"fault: \[\] is not an object"),
    ],
    ids=str,
)
def test_a_fault_that_is_not_understood_is_refused(sandbox: Sandbox, fault: Any, message: Any) -> None:
    with pytest.raises(ValueError, match=message):
        sandbox.faults([{"do": {"html": True}}, fault])
    assert sandbox.faults() == []
