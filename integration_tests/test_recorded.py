"""The fifteen recorded exchanges, byte for byte, through the connector's own client and parsers.

integration_tests/data/recorded/README.md names their origin.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from jsonschema import Draft7Validator

from connector_kit.errors import HttpError
from connector_kit.http import Answer, HttpClient
from connector_kit.records import Shaper
from integration_tests.harness import Connector
from integration_tests.reading import by_id, sync
from sandbox.recorded import Exchange, exchanges
from sandbox.server import running
from sandbox.universe import Universe
from source_kissmetrics import core_api
from source_kissmetrics.config import parse

Json = dict[str, Any]

EXCHANGES = exchanges(Path(__file__).parent / "data" / "recorded")

ACCOUNT = "8d637290-a04f-0132-83a0-22000ab4dcd7"
PRODUCT = "8d6722b0-a04f-0132-83a0-22000ab4dcd7"
NOT_FOUND = {
    "find_event", "find_metric", "find_product", "find_property",
    "product_events", "product_metrics", "product_properties", "product_reports",
}  # fmt: skip
LISTS = {
    "account_products": [PRODUCT],
    "all_accounts": [ACCOUNT],
    "all_events": [],
    "all_metrics": [],
    "all_products": [PRODUCT],
    "all_properties": [],
}
"""What each recording holds, read off the files by eye."""


@pytest.fixture
def replay() -> Iterator[HttpClient]:
    """A client whose server answers with the recorded status, content type and bytes."""
    recorded = {exchange.path: exchange for exchange in EXCHANGES}

    class Replay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            exchange = recorded[self.path.split("?")[0]]
            self.send_response(exchange.status)
            self.send_header("Content-Type", exchange.headers["content-type"])
            self.send_header("Content-Length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Replay) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        base_url = f"http://127.0.0.1:{server.server_address[1]}"
        yield core_api.client(
            parse({"credentials": {"auth_type": "api_token", "api_token": "recorded", "base_url": base_url}})
        )
        server.shutdown()


def _named(name: str) -> Exchange:
    return next(exchange for exchange in EXCHANGES if exchange.name == name)


def test_all_recordings_are_accounted_for() -> None:
    assert {exchange.name for exchange in EXCHANGES} == NOT_FOUND | LISTS.keys() | {"find_account"}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_recorded_list_is_a_page(name: str, replay: HttpClient) -> None:
    page = core_api.parse_page(replay.get(_named(name).path))
    assert [row["id"] for row in page.rows] == LISTS[name]
    assert page.total == len(LISTS[name])
    assert not page.has_next


def test_a_recorded_object_is_a_row(replay: HttpClient) -> None:
    row = core_api.parse_item(replay.get(_named("find_account").path))
    assert (row["id"], row["updated_at"], row["contact"]["name"]) == (ACCOUNT, "2015-02-27T02:30:36Z", None)


@pytest.mark.parametrize("name", sorted(NOT_FOUND))
def test_a_recorded_404_is_a_404(name: str, replay: HttpClient) -> None:
    with pytest.raises(HttpError) as error:
        replay.get(_named(name).path)
    assert error.value.status == 404


@pytest.mark.parametrize(("name", "stream"), [("all_accounts", "accounts"), ("all_products", "products")])
def test_every_recorded_field_is_declared_and_fits(name: str, stream: str, replay: HttpClient, catalog: Json) -> None:
    schema = next(entry for entry in catalog["streams"] if entry["name"] == stream)["json_schema"]
    answer: Answer = replay.get(_named(name).path)
    for row in core_api.parse_page(answer).rows:
        as_recorded = {key: value for key, value in row.items() if key != "tracking_key"}
        assert Shaper(schema, drop=("tracking_key",)).shape(row) == []
        assert row == as_recorded, "nothing had to be repaired"
        assert row.keys() <= schema["properties"].keys()
        Draft7Validator(schema).validate(row)


def test_a_sync_of_the_recorded_account_delivers_it(connector: Connector, config: Json, catalog: Json) -> None:
    accounts = _rows("all_accounts")
    products = _rows("all_products")
    with running(Universe.of(accounts=accounts, products=products)) as recorded:
        config["credentials"]["base_url"] = recorded.core_url
        report = sync(connector, config, catalog)
    delivered = by_id(report.records["accounts"])[ACCOUNT]
    assert {key: delivered[key] for key in delivered if key != "links"} == {
        key: value for key, value in accounts[0].items() if key != "links"
    }
    assert set(by_id(report.records["products"])) == {PRODUCT}


def _rows(name: str) -> list[Json]:
    """The rows of a recorded list, by a plain reading of its JSON."""
    rows: list[Json] = json.loads(_named(name).body)["data"]
    return rows
