"""`spec`, `check` and `discover`: what the user sees before the first sync."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from integration_tests.acceptance import check_spec_rules
from integration_tests.harness import Connector
from integration_tests.protocol import check_check, check_discover, check_failure, check_spec
from integration_tests.reading import STREAMS
from sandbox.server import Sandbox, running
from sandbox.universe import Universe
from source_kissmetrics import __version__

Json = dict[str, Any]

SPEC = Path(__file__).parents[1] / "source_kissmetrics" / "spec.json"


def test_spec_is_the_packaged_file_and_keeps_the_platforms_rules(connector: Connector) -> None:
    run = connector.spec()
    spec = check_spec(run.stdout, run.stderr, exit_code=run.exit_code)
    assert spec == json.loads(SPEC.read_text(encoding="utf-8"))
    check_spec_rules(spec)


def test_check_succeeds_with_a_good_config(sandbox: Sandbox, connector: Connector, config: Json) -> None:
    run = connector.check(config)
    check_check(run.stdout, run.stderr, exit_code=run.exit_code, secrets=[sandbox.token], status="SUCCEEDED")
    assert sandbox.journal.count() == 1


def test_check_looks_up_products_that_are_not_on_the_first_page(connector: Connector, config: Json) -> None:
    with running(Universe(products=130)) as sandbox:
        last = sandbox.universe.rows("products")[-1]["id"]
        config["credentials"]["base_url"] = sandbox.core_url
        run = connector.check({**config, "product_ids": [last]})
        check_check(run.stdout, run.stderr, exit_code=run.exit_code, secrets=[sandbox.token], status="SUCCEEDED")
        assert [entry.path for entry in sandbox.journal.requests()] == ["/core/products", f"/core/products/{last}"]


def _failed(connector: Connector, config: Json, *secrets: str) -> str:
    run = connector.check(config)
    status = check_check(run.stdout, run.stderr, exit_code=run.exit_code, secrets=list(secrets), status="FAILED")
    return str(status["message"])


def test_check_names_a_wrong_token_and_where_to_get_one(sandbox: Sandbox, connector: Connector, config: Json) -> None:
    config["credentials"]["api_token"] = "wrong-token-1234567890"
    message = _failed(connector, config, "wrong-token-1234567890")
    assert "does not accept the credentials (status 401" in message
    assert "Manage API Tokens" in message


def test_check_names_an_unknown_product(connector: Connector, config: Json) -> None:
    message = _failed(connector, {**config, "product_ids": ["11111111-2222-0132-3333-444444444444"]})
    assert message.startswith("product_ids: there is no product '11111111-2222-0132-3333-444444444444'")


def test_check_names_a_host_that_does_not_exist(connector: Connector, config: Json) -> None:
    config["credentials"]["base_url"] = "https://does-not-exist.invalid"
    assert "Check base_url for a typing mistake" in _failed(connector, config)


def test_check_names_a_host_that_is_no_core_api(sandbox: Sandbox, connector: Connector, config: Json) -> None:
    sandbox.faults([{"match": {"path": "/core/"}, "times": None, "do": {"status": 404, "body": "nginx"}}])
    assert "credentials.base_url" in _failed(connector, config)


def test_check_refuses_plain_http(connector: Connector, config: Json) -> None:
    config["credentials"]["base_url"] = "http://api.kissmetrics.com"
    message = _failed(connector, config)
    assert message.startswith("credentials.base_url: 'http://api.kissmetrics.com' is not allowed")
    assert "https://" in message


def test_check_names_an_account_without_products(connector: Connector, config: Json) -> None:
    with running(Universe(accounts=1, products=0, events=0, properties=0, reports=0, metrics=0, people=0)) as empty:
        config["credentials"]["base_url"] = empty.core_url
        assert "no product can be seen" in _failed(connector, config)


def test_check_asks_to_try_again_when_the_server_is_down(connector: Connector, config: Json) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config["credentials"]["base_url"] = f"http://127.0.0.1:{port}"
    run = connector.check(config)
    errors = check_failure(run.stdout, run.stderr, exit_code=run.exit_code, failure_type="transient_error")
    assert len(errors) == 1
    assert "No connection to the server" in errors[0]["message"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("queries", [{"name": "trials", "product_id": 1, "query_type": "sql"}]),
        ("raw_export", {"uri": "s3://bucket"}),
        ("csv_exports", {"uri": "s3://bucket"}),
        ("webhooks", {"uri": "file:///landing"}),
        ("properties", {"deny": ["email"]}),
    ],
)
def test_a_surface_of_a_later_version_is_refused_by_name(
    part: str, value: Any, connector: Connector, config: Json
) -> None:
    message = _failed(connector, {**config, part: value})
    assert message.startswith(f"{part}: version {__version__} of this connector does not read")


def test_discover_offers_all_streams_and_sends_no_request(sandbox: Sandbox, connector: Connector, config: Json) -> None:
    run = connector.discover(config)
    catalog = check_discover(run.stdout, run.stderr, exit_code=run.exit_code, secrets=[sandbox.token])
    assert tuple(stream["name"] for stream in catalog["streams"]) == STREAMS
    assert sandbox.journal.count() == 0
