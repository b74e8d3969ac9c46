"""The Core API's login, details, directory, revalidation and compression."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import Sandbox

Get = Callable[..., requests.Response]

NOT_FOUND = {"meta": {"status": 404, "message": "not found", "errors": ["not_found"]}}
STREAMS = ["accounts", "products", "reports", "events", "properties", "metrics"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "sandbox-token-0123456789abcdef", "Basic x"])
def test_without_the_right_token_nothing_is_served(sandbox: Sandbox, authorization: Any) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = requests.get(f"{sandbox.core_url}/core/accounts", headers=headers, timeout=10)
    assert response.status_code == 401
    assert response.json() == {"meta": {"status": 401, "message": "unauthorized", "errors": ["unauthorized"]}}
    assert "link" not in response.headers
    assert "etag" not in response.headers


@pytest.mark.parametrize("stream", STREAMS)
def test_a_detail_is_the_row_of_the_list(sandbox: Sandbox, get: Get, stream: Any) -> None:
    row = get(f"/core/{stream}?limit=1&offset=1").json()["data"][0]
    response = get(f"/core/{stream}/{row['id']}")
    href = f"{sandbox.core_url}/core/{stream}/{row['id']}"
    assert response.json() == {
        "meta": {"status": 200},
        "data": row,
        "links": [{"name": "Self", "rel": "self", "href": href, "templated": False}],
    }
    assert row["links"][0]["href"] == href


def test_a_remembered_page_is_not_served_to_another_host(get: Get) -> None:
    for host in ("one.example.test", "two.example.test"):
        page = get("/core/events", headers={"Host": host, "Accept-Encoding": "gzip"}).json()
        assert page["links"][0]["href"].startswith(f"http://{host}/core/events?")
        assert page["data"][0]["links"][0]["href"].startswith(f"http://{host}/core/events/")


def test_hrefs_follow_the_host_that_the_client_asked(sandbox: Sandbox, get: Get) -> None:
    page = get("/core/events?limit=1", headers={"Host": "api.example.test:81"}).json()
    hrefs = [each["href"] for each in page["links"] + page["data"][0]["links"]]
    assert all(href.startswith("http://api.example.test:81/core/") for href in hrefs), hrefs


@pytest.mark.parametrize(
    "path",
    [
        "/core/events/none",
        "/core/products/none/events",
        "/core/accounts/none/products",
        "/core/people",
        "/",
        "/v2/x",
    ],
)
def test_what_is_not_there_is_not_found_and_journalled(sandbox: Sandbox, get: Get, path: Any) -> None:
    response = get(path)
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
    assert response.headers["cache-control"] == "no-cache"
    assert sandbox.journal.count(path, status=404) == 1


def test_an_id_of_another_kind_is_not_found(sandbox: Sandbox, get: Get) -> None:
    account = sandbox.universe.rows("accounts")[0]["id"]
    assert get(f"/core/products/{account}").json() == NOT_FOUND


def test_only_get_is_known(sandbox: Sandbox) -> None:
    login = {"Authorization": f"Bearer {sandbox.token}"}
    response = requests.post(f"{sandbox.core_url}/core/events", headers=login, json={}, timeout=10)
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
    assert sandbox.journal.count(method="POST") == 1


def test_the_directory_lists_every_stream_and_its_rels_are_explained(get: Get) -> None:
    root = get("/core").json()
    assert root["links"][0]["name"] == "Directory"
    assert root["data"]["name"] == "KISSmetrics API"
    rels = [each["rel"] for each in root["data"]["links"]]
    assert rels[:8] == ["self", *STREAMS, "rels"]
    explained = get("/core/rels").json()["data"]
    assert [each["name"] for each in explained["rels"]] == list(dict.fromkeys(rels))


def test_every_link_of_the_directory_that_is_no_template_answers(sandbox: Sandbox, get: Get) -> None:
    for each in get("/core").json()["data"]["links"]:
        if not each["templated"]:
            assert get(each["href"].removeprefix(sandbox.core_url)).status_code == 200, each


@pytest.mark.parametrize("path", ["/core/events?limit=5", "/core", "/core/accounts"])
def test_an_unchanged_answer_is_304_and_a_changed_list_is_not(sandbox: Sandbox, get: Get, path: Any) -> None:
    etag = get(path).headers["etag"]
    again = get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_moved_list_has_another_etag(sandbox: Sandbox, get: Get) -> None:
    etag = get("/core/events").headers["etag"]
    sandbox.universe.move("events", "delete_last")
    assert get("/core/events", headers={"If-None-Match": etag}).status_code == 200


def test_different_pages_have_different_etags(get: Get) -> None:
    etags = [
        get(f"/core/events?limit={limit}&offset={offset}").headers["etag"] for limit in (1, 2) for offset in (0, 1)
    ]
    assert len(set(etags)) == 4


@pytest.mark.parametrize(
    ("accept", "packed"),
    [("gzip", True), ("deflate, GZIP;q=0.5", True), ("identity", False), ("gzip;q=0", False)],
)
def test_gzip_is_sent_to_those_who_ask(get: Get, accept: Any, packed: Any) -> None:
    plain = get("/core/events", headers={"Accept-Encoding": "identity"}).json()
    for _ in range(2):  # packed, then remembered
        response = get("/core/events", headers={"Accept-Encoding": accept}, stream=True)
        raw = response.raw.read(decode_content=False)
        assert ("content-encoding" in response.headers) == packed
        assert json.loads(gzip.decompress(raw) if packed else raw) == plain


def test_every_answer_has_an_id_of_its_own(get: Get) -> None:
    assert get("/core").headers["x-request-id"] != get("/core").headers["x-request-id"]
