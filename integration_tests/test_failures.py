"""A dead, a lying, a refusing server: one clear message, a non-zero exit, and nothing lost on the next run."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import assert_no_secret
from integration_tests.reading import STREAMS, by_id, expected, few_quick, sync
from sandbox.server import Sandbox

Json = dict[str, Any]

ECHO = "you sent {authorization}, and nobody should print that"
"""An error body that repeats the request's credentials."""

PASSING: dict[str, Json] = {
    "503": {"status": 503, "body": ECHO},
    "429 with seconds": {"status": 429, "headers": {"Retry-After": "1"}, "body": ECHO},
    "429 with a date that is past": {"status": 429, "headers": {"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}},
    "429 as HTML": {"status": 429, "body": "<html>slow down</html>", "content_type": "text/html"},
    "500": {"status": 500},
    "an HTML page with 200": {"html": True},
    "a body cut short": {"truncate": 30},
    "a reset connection": {"reset": True},
    "half a JSON": {"raw": '{"data": ['},
    "an empty body": {"raw": ""},
}


@pytest.mark.parametrize("fault", few_quick(PASSING))
def test_a_failure_that_passes_costs_a_retry_and_no_row(
    fault: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults([{"match": {"path": "/core/events", "query": "offset=99"}, "do": PASSING[fault]}])
    report = sync(connector, config, catalog, ["events"])
    assert by_id(report.records["events"]) == expected(sandbox, "events")
    assert sandbox.journal.count("/core/events", query="offset=99") == 2
    assert sandbox.journal.count("/core/events") == 4, "only the failed page is asked again"


LASTING: dict[str, tuple[Json, str, str]] = {
    "400": ({"status": 400, "body": ECHO}, "system_error", "does not understand the request (status 400"),
    "401": ({"status": 401, "body": ECHO}, "config_error", "Manage API Tokens"),
    "402": ({"status": 402}, "config_error", "asks for payment"),
    "403": ({"status": 403, "body": ECHO}, "config_error", "Ask an administrator"),
    "404": ({"status": 404}, "config_error", "Check product_ids and credentials.base_url"),
    "410": ({"status": 410}, "config_error", "gone for good"),
    "418": ({"status": 418}, "system_error", "refuses the request (status 418"),
    "501": ({"status": 501}, "system_error", "does not offer this request"),
    "an object that is no list": ({"json": {"events": [], "note": 1}}, "system_error", "the keys events, note"),
    "a list that is null": ({"json": {"data": None}}, "system_error", "the keys data"),
    "a text": ({"json": "maintenance"}, "system_error", "a JSON str"),
    "an empty row": ({"replace_row": {"index": 1, "with": {}}}, "system_error", "has no id"),
    "a null row": ({"replace_row": {"index": 1, "with": None}}, "system_error", "no object but NoneType"),
    "a row without id": ({"patch_row": {"index": 1, "set": {"id": None}}}, "system_error", "has no id"),
}


@pytest.mark.parametrize("fault", few_quick(LASTING))
def test_a_failure_that_lasts_ends_its_stream_and_leaves_the_others(
    fault: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    do, failure_type, says = LASTING[fault]
    sandbox.faults([{"match": {"path": "/core/events", "query": "offset=99"}, "times": None, "do": do}])
    report = sync(connector, config, catalog, ["events", "metrics"])
    assert report.statuses["events"][-1] == "INCOMPLETE"
    assert report.statuses["metrics"][-1] == "COMPLETE"
    assert by_id(report.records["metrics"]) == expected(sandbox, "metrics")
    assert [error["failure_type"] for error in report.errors] == [failure_type]
    message = report.errors[0]["message"]
    assert message.startswith("events: ")
    assert says in message
    assert sandbox.journal.count("/core/events", query="offset=99") == 1, "what lasts is not tried again"

    sandbox.reset()
    again = sync(connector, config, catalog, ["events", "metrics"], report.last_states)
    assert by_id(again.records["events"]) == expected(sandbox, "events")


@pytest.mark.slow
def test_a_server_that_fails_for_ever_is_given_up_after_five_tries(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults([{"match": {"path": "/core/events"}, "times": None, "do": {"status": 500, "body": ECHO}}])
    report = sync(connector, config, catalog, ["events"])
    assert sandbox.journal.count("/core/events") == 5
    assert [error["failure_type"] for error in report.errors] == ["transient_error"]
    assert "5 tries" in report.errors[0]["message"]


@pytest.mark.slow
def test_a_dead_server_is_one_transient_error(connector: Connector, config: Json, catalog: Json) -> None:
    config["credentials"]["base_url"] = _closed_port()
    report = sync(connector, config, catalog, ["events"])
    assert [error["failure_type"] for error in report.errors] == ["transient_error"]
    assert "No connection to the server" in report.errors[0]["message"]
    assert report.last_states == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "failure_type", "says"),
    [
        ("https://does-not-exist.invalid", "config_error", "Check base_url for a typing mistake"),
        ("https://localhost:{port}", "transient_error", "The secure connection to the server failed"),
    ],
)
def test_a_wrong_host_is_named(
    host: str, failure_type: str, says: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config["credentials"]["base_url"] = host.format(port=sandbox.core_url.rsplit(":", 1)[1])
    report = sync(connector, config, catalog, ["accounts"])
    assert [error["failure_type"] for error in report.errors] == [failure_type]
    assert says in report.errors[0]["message"]


def test_every_stream_fails_with_its_own_error_and_the_state_stays(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults([{"match": {"path": "/core/"}, "times": None, "do": {"status": 401, "body": ECHO}}])
    report = sync(connector, config, catalog)
    assert sorted(error["stream_descriptor"]["name"] for error in report.errors) == sorted(STREAMS)
    assert report.last_states == []


def test_debug_output_is_protocol_messages_and_holds_no_secret(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults([{"match": {"path": "/core/events"}, "do": {"status": 503, "body": ECHO}}])
    run = connector.read(config, configured_catalog(catalog, ["events"]), env={"LOG_LEVEL": "debug"})
    assert run.exit_code == 0
    assert b'"level":"DEBUG"' in run.stdout
    assert b'"type":"DEBUG"' not in run.stdout
    assert_no_secret(run.stdout + run.stderr, [sandbox.token])


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
