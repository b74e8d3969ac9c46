"""Reading the Core API: the questions that every stream must answer, against the sandbox's own truth."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.acceptance import every_field_appears, second_read_not_older, two_full_refreshes_identical
from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import check_discover, check_read
from integration_tests.reading import STREAMS, by_id, expected, sync
from sandbox.server import Sandbox
from sandbox.truth import CURSORS

Json = dict[str, Any]


def _schema(catalog: Json, stream: str) -> Json:
    schema: Json = next(entry for entry in catalog["streams"] if entry["name"] == stream)["json_schema"]
    return schema


def test_first_sync_delivers_every_row_of_every_stream_once(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    report = sync(connector, config, catalog)
    for stream in STREAMS:
        assert by_id(report.records[stream]) == expected(sandbox, stream), stream
        every_field_appears(report.records[stream], _schema(catalog, stream))


def test_first_sync_tells_how_many_rows_to_expect(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    report = sync(connector, config, catalog)
    assert {stream: report.estimates[stream][-1]["row_estimate"] for stream in STREAMS} == {
        stream: len(expected(sandbox, stream)) for stream in STREAMS
    }


def test_second_sync_delivers_only_rows_at_or_after_the_first_ones_newest(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog)
    second = sync(connector, config, catalog, state=first.last_states)
    for stream in STREAMS:
        cursor = CURSORS[stream]
        newest = max(row[cursor] for row in first.records[stream] if row[cursor])
        assert by_id(second.records[stream]) == expected(sandbox, stream, since=newest), stream
        second_read_not_older(
            [row for row in first.records[stream] if row[cursor]],
            [row for row in second.records[stream] if row[cursor]],
            cursor,
        )


def test_rows_without_a_cursor_come_with_every_sync(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    never_sent = {key for key, row in expected(sandbox, "events").items() if row["last_sent_at"] is None}
    assert never_sent, "the sandbox has events that were never sent"
    first = sync(connector, config, catalog, ["events"])
    second = sync(connector, config, catalog, ["events"], first.last_states)
    assert never_sent <= set(by_id(second.records["events"]))


def test_a_changed_row_comes_with_the_next_sync(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog, ["events"])
    changed = {"last_sent_at": "2026-02-01T00:00:00+00:00", "display_name": "Renamed"}
    sandbox.faults([{"match": {"path": "/core/events"}, "do": {"patch_row": {"index": 5, "set": changed}}}])
    second = sync(connector, config, catalog, ["events"], first.last_states)
    row = first.records["events"][5]
    assert by_id(second.records["events"])[row["id"]] == {**row, **changed}
    assert second.last_states[0]["stream"]["stream_state"]["partitions"] == {"*": "2026-02-01T00:00:00Z"}


@pytest.mark.slow
def test_replay_from_each_checkpoint_delivers_rows_not_older_than_it(
    connector: Connector, config: Json, catalog: Json
) -> None:
    first = sync(connector, config, catalog)
    for state in first.checkpoints():
        replay = sync(connector, config, catalog, state=state)
        for entry in state:
            stream = entry["stream"]["stream_descriptor"]["name"]
            reached = entry["stream"]["stream_state"]["partitions"]["*"].removesuffix("Z")
            moments = [row[CURSORS[stream]] for row in replay.records.get(stream, []) if row[CURSORS[stream]]]
            assert all(moment.removesuffix("Z").removesuffix("+00:00") >= reached for moment in moments), stream


def test_a_state_of_the_future_delivers_no_dated_row(connector: Connector, config: Json, catalog: Json) -> None:
    state = [
        {
            "type": "STREAM",
            "stream": {
                "stream_descriptor": {"name": stream},
                "stream_state": {"v": 1, "cursor_field": CURSORS[stream], "partitions": {"*": "2999-01-01T00:00:00Z"}},
            },
        }
        for stream in STREAMS
    ]
    report = sync(connector, config, catalog, state=state)
    assert [row for stream in STREAMS for row in report.records.get(stream, []) if row[CURSORS[stream]]] == []
    assert {state["stream"]["stream_state"]["partitions"]["*"] for state in report.last_states} == {
        "2999-01-01T00:00:00Z"
    }


def test_two_full_refreshes_are_identical(connector: Connector, config: Json, catalog: Json) -> None:
    configured = configured_catalog(catalog, sync_mode="full_refresh", destination_sync_mode="overwrite")
    runs = [connector.read(config, configured) for _ in range(2)]
    first, second = (
        check_read(run.stdout, run.stderr, exit_code=run.exit_code, catalog=catalog, configured=configured)
        for run in runs
    )
    for stream in STREAMS:
        two_full_refreshes_identical(first.records[stream], second.records[stream], ["id"])


def test_product_filter_reads_only_what_belongs_to_the_products(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    chosen = [row["id"] for row in sandbox.universe.rows("products")][:2]
    report = sync(connector, {**config, "product_ids": chosen}, catalog)
    for stream in STREAMS:
        rows = expected(sandbox, stream, product_ids=chosen)
        assert by_id(report.records[stream]) == rows, stream
    assert report.last_states, "a state for each product"
    events = next(
        state["stream"]["stream_state"]["partitions"]
        for state in report.last_states
        if state["stream"]["stream_descriptor"]["name"] == "events"
    )
    assert set(events) == set(chosen)


def test_product_filter_resumes_each_product_from_its_own_state(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    one, two = [row["id"] for row in sandbox.universe.rows("products")][:2]
    first = sync(connector, {**config, "product_ids": [one]}, catalog, ["events"])
    second = sync(connector, {**config, "product_ids": [one, two]}, catalog, ["events"], first.last_states)
    newest = max(row["last_sent_at"] for row in first.records["events"] if row["last_sent_at"])
    assert by_id(second.records["events"]) == {
        **expected(sandbox, "events", product_ids=[one], since=newest),
        **expected(sandbox, "events", product_ids=[two]),
    }


def test_tracking_keys_stay_inside_unless_asked_for(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    keys = {row["id"]: row["tracking_key"] for row in sandbox.universe.rows("products")}
    configured = configured_catalog(catalog, ["products"])
    without = connector.read(config, configured)
    assert not any(key.encode() in without.stdout for key in keys.values())

    asked = {**config, "include_tracking_keys": True}
    with_keys = sync(connector, asked, _discovered(connector, asked), ["products"])
    assert {row["id"]: row["tracking_key"] for row in with_keys.records["products"]} == keys


def _discovered(connector: Connector, config: Json) -> Json:
    run = connector.discover(config)
    return check_discover(run.stdout, run.stderr, exit_code=run.exit_code)


def test_pages_after_the_first_are_read_concurrently(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(latency_ms=50)
    sync(connector, {**config, "page_size": 24}, catalog, ["events"])
    assert sandbox.journal.count("/core/events") == 12, "260 rows, 24 a page of which 23 are new, each page once"
    assert sandbox.journal.max_in_flight("/core/events") > 4


def test_one_worker_sends_one_request_at_a_time(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(latency_ms=5)
    report = sync(connector, {**config, "num_workers": 1, "page_size": 50}, catalog)
    assert by_id(report.records["events"]) == expected(sandbox, "events")
    assert sandbox.journal.max_in_flight() == 1


def test_requests_carry_the_token_and_nothing_is_asked_twice(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sync(connector, config, catalog)
    entries = sandbox.journal.requests()
    assert {entry.authorization for entry in entries} == {"right"}
    assert len({(entry.path, entry.query) for entry in entries}) == len(entries) == 9
