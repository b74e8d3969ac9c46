"""Each standing switch and its effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import Modes, Sandbox

Get = Callable[..., requests.Response]
Collect = Callable[..., list[dict[str, Any]]]


def _rel(page: Any, rel: Any) -> Any:
    return next(each for each in page["links"] if each["rel"] == rel)


def test_docs_literal_serves_bare_arrays_and_objects(sandbox: Sandbox, get: Get) -> None:
    row = get("/core/events?limit=1").json()["data"][0]
    sandbox.modes(docs_literal=True)
    assert get("/core/events?limit=1").json() == [row]
    assert get(f"/core/events/{row['id']}").json() == {**row, "links": []}
    assert set(get("/core").json()) == {"links", "data"}
    assert set(get("/core/rels").json()) == {"title", "description", "rels"}
    assert get("/core/events/none").json()["meta"]["status"] == 404


def test_limit_cap_caps_the_page_and_says_so(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(limit_cap=10)
    page = get("/core/events?limit=50").json()
    assert len(page["data"]) == page["pagination"]["limit"] == 10
    assert _rel(page, "next")["href"].endswith("?limit=10&offset=10")
    assert len(get("/core/events?limit=3").json()["data"]) == 3


def test_a_silent_limit_cap_echoes_the_asked_limit(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(limit_cap=10, limit_cap_silent=True)
    page = get("/core/events?limit=50").json()
    assert len(page["data"]) == 10
    assert page["pagination"]["limit"] == 50
    assert _rel(page, "next")["href"].endswith("?limit=50&offset=10")


def test_following_links_under_a_silent_cap_loses_nothing(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(limit_cap=40, limit_cap_silent=True)
    path, found = "/core/events?limit=50", []
    while path:
        page = get(path).json()
        found += [row["id"] for row in page["data"]]
        following = [each["href"] for each in page["links"] if each["rel"] == "next"]
        path = following[0].removeprefix(sandbox.core_url) if following else ""
    assert found == [row["id"] for row in sandbox.universe.rows("events")]


def test_ignore_offset_always_serves_the_first_page(sandbox: Sandbox, get: Get) -> None:
    first = get("/core/events?limit=10").json()
    sandbox.modes(ignore_offset=True)
    assert get("/core/events?limit=10&offset=30").json() == first


def test_amp_hrefs_are_html_escaped(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(hrefs="amp")
    page = get("/core/events").json()
    assert _rel(page, "next")["href"].endswith("/core/events?limit=20&amp;offset=20")


def test_foreign_hrefs_leave_the_host(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(hrefs="foreign", foreign_origin="http://127.0.0.1:9")
    response = get("/core/events?offset=20")
    page = response.json()
    for rel in ("first", "last", "next", "prev"):
        assert _rel(page, rel)["href"].startswith("http://127.0.0.1:9/core/events?limit=20&")
    assert _rel(page, "self")["href"].startswith(sandbox.core_url)
    assert "<http://127.0.0.1:9/core/events?limit=20&offset=40>" in response.headers["link"]


def test_foreign_hrefs_point_to_the_misspelt_host_by_default(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(hrefs="foreign")
    assert _rel(get("/core/events").json(), "next")["href"].startswith("https://apikissmetrics.com/core/events?")


def test_a_templated_next_has_a_variable(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(hrefs="templated")
    following = _rel(get("/core/events").json(), "next")
    assert following["templated"] is True
    assert following["href"] == f"{sandbox.core_url}/core/events?limit=20&offset={{offset}}"


@pytest.mark.parametrize("error", [-5, 3])
def test_total_error_moves_the_total_only(sandbox: Sandbox, get: Get, error: Any) -> None:
    before = get("/core/events").json()
    sandbox.modes(total_error=error)
    after = get("/core/events").json()
    assert after["pagination"]["total"] == 130 + error
    assert after["links"] == before["links"]


def test_total_missing_leaves_the_total_out(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(total_missing=True)
    assert get("/core/events").json()["pagination"] == {"limit": 20, "offset": 0}


def test_latency_delays_every_answer(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(latency_ms=50)
    get("/core/events")
    get("/core/accounts")
    assert all((entry.end or 0) - entry.start >= 0.04 for entry in sandbox.journal.requests())
    assert sandbox.journal.count() == 2


def test_redirect_to_sends_everything_elsewhere(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(redirect_to="http://elsewhere.test:8")
    response = get("/core/events?limit=5&offset=1")
    assert response.status_code == 301
    assert response.headers["location"] == "http://elsewhere.test:8/core/events?limit=5&offset=1"


def test_shuffle_serves_another_order_each_time_but_the_same_after_reset(sandbox: Sandbox, get: Get) -> None:
    def twice() -> Any:
        sandbox.reset()
        sandbox.modes(shuffle=True)
        return [[row["id"] for row in get("/core/events?limit=130").json()["data"]] for _ in range(2)]

    ids = [row["id"] for row in sandbox.universe.rows("events")]
    one, other = twice()
    assert sorted(one) == sorted(other) == sorted(ids)
    assert one != other
    assert ids not in (one, other)
    assert twice() == [one, other]


def test_rows_past_the_cap_are_never_served(sandbox: Sandbox, collect: Collect, get: Get) -> None:
    sandbox.modes(rows_cap=50)
    assert len(collect("/core/events")) == 50
    page = get("/core/events?offset=40").json()
    assert len(page["data"]) == 10
    assert page["pagination"]["total"] == 130
    assert _rel(page, "next")


def test_newest_first_turns_the_order(sandbox: Sandbox, collect: Collect) -> None:
    ids = [row["id"] for row in collect("/core/reports")]
    sandbox.modes(sort="newest_first")
    assert [row["id"] for row in collect("/core/reports")] == ids[::-1]


def test_gzip_can_be_switched_off(sandbox: Sandbox, get: Get) -> None:
    sandbox.modes(gzip=False)
    assert "content-encoding" not in get("/core/events", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limit_kap": 1}, "limit_kap: is not a mode"),
        ({"limit_cap": "10"}, "'10' is not int or NoneType"),
        ({"limit_cap": True}, "True is not int"),
        ({"limit_cap": 0}, "0 is less than 1"),
        ({"docs_literal": 1}, "1 is not bool"),
        ({"hrefs": "odd"}, "'odd' is not one of normal, amp, foreign, templated"),
        ({"sort": "name"}, "'name' is not one of creation"),
    ],
)
def test_a_mode_that_is_not_understood_is_refused(sandbox: Sandbox, change: Any, message: Any) -> None:
    with pytest.raises(ValueError, match=message):
        sandbox.modes(**change)
    assert sandbox.modes() == Modes()
