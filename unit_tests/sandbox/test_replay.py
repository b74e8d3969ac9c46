"""The sandbox against the real service: every recorded exchange is asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox import Sandbox, Universe, running
from sandbox.recorded import Exchange, exchanges

RECORDED = exchanges(Path(__file__).parents[2] / "integration_tests" / "data" / "recorded")

# What cannot be the same: the moment, random ids, the digest of unknown input, the size once compressed.
INCOMPARABLE = {
    "date",
    "x-request-id",
    "x-runtime",
    "etag",
    "content-length",
    "transfer-encoding",
    "connection",
}


def _recorded_rows(name: str) -> list[dict[str, object]]:
    (exchange,) = (each for each in RECORDED if each.name == name)
    rows: list[dict[str, object]] = json.loads(exchange.body)["data"]
    return rows


@pytest.fixture(scope="module")
def replaying() -> Iterator[Sandbox]:
    universe = Universe.of(accounts=_recorded_rows("all_accounts"), products=_recorded_rows("all_products"))
    with running(universe) as sandbox:
        yield sandbox


def _ask_again(sandbox: Sandbox, exchange: Exchange) -> requests.Response:
    url = sandbox.core_url + exchange.path + (f"?{exchange.query}" if exchange.query else "")
    headers = {"Authorization": f"Bearer {sandbox.token}", "Accept": "application/json"}
    return requests.get(url, headers=headers, timeout=10)


def test_all_fifteen_recordings_are_replayed() -> None:
    assert len(RECORDED) == 15
    assert sorted({exchange.status for exchange in RECORDED}) == [200, 404]


@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange.name)
class TestRecorded:
    def test_status_and_body_are_the_same(self, replaying: Sandbox, exchange: Exchange) -> None:
        response = _ask_again(replaying, exchange)
        there = exchange.body.decode()
        here = response.text.replace(replaying.core_url, exchange.origin)
        assert response.status_code == exchange.status
        assert json.loads(here) == json.loads(there)
        assert here == there  # to the byte: order of keys and links, escapes

    def test_headers_are_the_same(self, replaying: Sandbox, exchange: Exchange) -> None:
        response = _ask_again(replaying, exchange)
        there = {name: value for name, value in exchange.headers.items() if name not in INCOMPARABLE}
        here = {
            name: response.headers.get(name, "missing").replace(replaying.core_url, exchange.origin) for name in there
        }
        assert here == there
        assert ("link" in response.headers) == ("link" in exchange.headers)

    def test_incomparable_headers_have_the_same_form(self, replaying: Sandbox, exchange: Exchange) -> None:
        headers = _ask_again(replaying, exchange).headers
        assert ("etag" in headers) == ("etag" in exchange.headers)
        assert len(headers.get("etag", "")) == len(exchange.headers.get("etag", ""))
        assert len(headers["x-request-id"]) == len(exchange.headers["x-request-id"])
        assert float(headers["x-runtime"]) > 0
        assert headers["date"].endswith("GMT")
