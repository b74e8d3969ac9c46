"""Page arithmetic, and how lists spell it, against expectations written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import Universe, running
from sandbox.paging import Page
from sandbox.server import Sandbox

Get = Callable[..., requests.Response]


@pytest.mark.parametrize(
    ("total", "limit", "offset", "last", "following", "previous"),
    [
        pytest.param(6, 1, 1, 5, 2, 0, id="the example of the documentation"),
        pytest.param(0, 20, 0, 0, None, None, id="empty"),
        pytest.param(815, 50, 0, 800, 50, None, id="815 by 50"),
        pytest.param(815, 50, 800, 800, None, 750, id="last page"),
        pytest.param(40, 20, 20, 20, None, 0, id="full last page"),
        pytest.param(20, 20, 0, 0, None, None, id="one full page"),
        pytest.param(30, 20, 5, 20, 25, 0, id="offset within the first page"),
        pytest.param(5, 2, 90, 4, None, 88, id="beyond the end"),
    ],
)
def test_neighbouring_offsets(
    total: int, limit: int, offset: int, last: int, following: int | None, previous: int | None
) -> None:
    page = Page(total, limit, offset)
    assert (page.last, page.next, page.previous) == (last, following, previous)


def _links(page: dict[str, Any], sandbox: Sandbox) -> list[tuple[str, str, str, bool]]:
    return [
        (each["name"], each["rel"], each["href"].removeprefix(sandbox.core_url), each["templated"])
        for each in page["links"]
    ]


def test_a_middle_page_links_to_all_neighbours(sandbox: Sandbox, get: Get) -> None:
    page = get("/core/events?limit=50&offset=50").json()
    assert page["pagination"] == {"limit": 50, "offset": 50, "total": 130}
    assert len(page["data"]) == 50
    assert _links(page, sandbox) == [
        ("Self", "self", "/core/events?limit=50&offset=50", False),
        ("Event Detail", "event-detail", "/core/events/{event_id}", True),
        ("First", "first", "/core/events?limit=50&offset=0", False),
        ("Last", "last", "/core/events?limit=50&offset=100", False),
        ("Next", "next", "/core/events?limit=50&offset=100", False),
        ("Previous", "prev", "/core/events?limit=50&offset=0", False),
    ]


def test_a_child_list_names_its_owner_in_the_query_and_has_a_bare_self(sandbox: Sandbox, get: Get) -> None:
    product = sandbox.universe.rows("products")[0]["id"]
    path = f"/core/products/{product}/events"
    page = get(f"{path}?limit=20&offset=20").json()
    assert page["pagination"] == {"limit": 20, "offset": 20, "total": 44}
    assert {row["product_id"] for row in page["data"]} == {product}
    assert _links(page, sandbox) == [
        ("Self", "self", path, False),
        ("Canoncial", "canonical", "/core/events", False),
        ("Event Detail", "event-detail", "/core/events/{event_id}", True),
        ("First", "first", f"{path}?product_id={product}&limit=20&offset=0", False),
        ("Last", "last", f"{path}?product_id={product}&limit=20&offset=40", False),
        ("Next", "next", f"{path}?product_id={product}&limit=20&offset=40", False),
        ("Previous", "prev", f"{path}?product_id={product}&limit=20&offset=0", False),
    ]


def test_the_link_header_says_what_the_body_says(get: Get) -> None:
    response = get("/core/events?limit=1&offset=1")
    assert response.headers["link"] == ",".join(
        f'<{each["href"]}>; rel="{each["rel"]}"; templated="{str(each["templated"]).lower()}"'
        for each in response.json()["links"]
    )


def test_an_empty_list_ends_where_it_begins() -> None:
    with running(Universe.of()) as empty:
        login = {"Authorization": f"Bearer {empty.token}"}
        page = requests.get(f"{empty.core_url}/core/events", headers=login, timeout=10).json()
    assert page["data"] == []
    assert page["pagination"] == {"limit": 20, "offset": 0, "total": 0}
    assert [each["rel"] for each in page["links"]] == ["self", "event-detail", "first", "last"]
    assert page["links"][-1]["href"].endswith("/core/events?limit=20&offset=0")


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=-1", "offset=-1", "offset=1.5"])
def test_a_window_that_is_none_is_a_bad_request(get: Get, query: Any) -> None:
    response = get(f"/core/events?{query}")
    assert response.status_code == 400
    assert response.json() == {"meta": {"status": 400, "message": "bad request", "errors": ["bad_request"]}}
