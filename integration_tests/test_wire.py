"""What the service may do differently from its recordings, one doubt at a time: every row still arrives once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import check_read
from integration_tests.reading import STREAMS, by_id, expected, few_quick, sync
from sandbox.server import Sandbox, running
from sandbox.universe import Universe

Json = dict[str, Any]

DOUBTS: dict[str, Json] = {
    "the documentation's bare arrays": {"docs_literal": True},
    "a capped limit, told": {"limit_cap": 7},
    "a capped limit, not told": {"limit_cap": 7, "limit_cap_silent": True},
    "HTML-escaped links": {"hrefs": "amp"},
    "links to a foreign host": {"hrefs": "foreign"},
    "templated links": {"hrefs": "templated"},
    "no total": {"total_missing": True},
    "a total that is too low": {"total_error": -30},
    "another order of the list": {"sort": "newest_first"},
    "no compression": {"gzip": False},
}


@pytest.mark.parametrize("doubt", few_quick(DOUBTS))
def test_every_row_arrives_once_despite(
    doubt: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(**DOUBTS[doubt])
    report = sync(connector, config, catalog)
    for stream in STREAMS:
        rows = expected(sandbox, stream)
        if doubt == "the documentation's bare arrays":
            assert set(by_id(report.records[stream])) == set(rows), stream
        else:
            assert by_id(report.records[stream]) == rows, stream


def test_a_foreign_host_in_a_link_is_never_contacted(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    with running(Universe(events=1)) as foreign:
        sandbox.modes(hrefs="foreign", foreign_origin=foreign.core_url)
        sync(connector, config, catalog)
        assert foreign.journal.count() == 0


def test_a_redirect_is_not_followed(sandbox: Sandbox, connector: Connector, config: Json, catalog: Json) -> None:
    with running(Universe(events=1)) as foreign:
        sandbox.modes(redirect_to=foreign.core_url)
        report = sync(connector, config, catalog, ["events"])
        assert foreign.journal.count() == 0
    assert report.errors[0]["failure_type"] == "config_error"
    assert "redirects to another address" in report.errors[0]["message"]


@pytest.mark.parametrize("op", few_quick(["delete_first", "insert_first", "insert_last", "delete_last"]))
def test_a_list_that_moves_between_pages_is_repaired(
    op: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """The move comes with page 1, so that all other pages are of the moved list."""
    before = expected(sandbox, "events")
    sandbox.faults(
        [
            {
                "match": {"path": "/core/events", "query": "offset=0"},
                "do": {"move": {"collection": "events", "op": op, "count": 3}},
            }
        ]
    )
    report = sync(connector, config, catalog, ["events"])
    rows, after = by_id(report.records["events"]), expected(sandbox, "events")
    assert before.keys() != after.keys()
    assert rows == {**{key: row for key, row in before.items() if key in rows}, **after}


def test_a_deletion_that_an_insertion_makes_up_for_loses_no_row(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """The total stays the same, so only the rows at the page borders show that the list moved."""
    before = expected(sandbox, "events")
    page_1 = {"path": "/core/events", "query": "offset=0"}
    moves = [{"collection": "events", "op": op, "count": 1} for op in ("delete_first", "insert_last")]
    sandbox.faults([{"match": page_1, "do": {"move": move}} for move in moves])
    report = sync(connector, config, catalog, ["events"])
    rows, after = by_id(report.records["events"]), expected(sandbox, "events")
    assert len(after) == len(before)
    assert rows == {**before, **after}


def test_an_unstable_order_is_repaired_or_reported(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """With another order at each request, pages repeat some rows and miss others. No row may be lost in silence."""
    sandbox.modes(shuffle=True)
    report = sync(connector, config, catalog, ["events"])
    missing = expected(sandbox, "events").keys() - by_id(report.records["events"]).keys()
    assert not missing or report.errors[0]["failure_type"] == "transient_error"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"rows_cap": 150}, "names 260 rows for the list, but served 150"),
        ({"total_error": 5}, "names 265 rows for the list, but served 260"),
        ({"ignore_offset": True}, "names 260 rows for the list, but served 100"),
        ({"ignore_offset": True, "total_missing": True}, "answers every page of the list with the same 100 rows"),
        (
            {"ignore_offset": True, "total_missing": True, "limit_cap": 20},
            "answers every page of the list with the same 20 rows",
        ),
    ],
)
def test_missing_rows_are_an_error_and_the_state_stays(
    lie: Json, says: str, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.modes(**lie)
    report = sync(connector, config, catalog, ["events"])
    assert says in report.errors[0]["message"]
    assert report.statuses["events"][-1] == "INCOMPLETE"
    assert "events" not in report.states or not report.states["events"]

    sandbox.modes(rows_cap=None, total_error=0, ignore_offset=False, total_missing=False, limit_cap=None)
    again = sync(connector, config, catalog, ["events"], report.last_states)
    assert by_id(again.records["events"]) == expected(sandbox, "events")


def test_an_empty_account_is_a_success(connector: Connector, config: Json, catalog: Json) -> None:
    with running(Universe(accounts=1, products=1, events=0, properties=0, reports=0, metrics=0)) as empty:
        config["credentials"]["base_url"] = empty.core_url
        report = sync(connector, config, catalog)
    assert {stream: len(report.records.get(stream, [])) for stream in STREAMS} == {
        "accounts": 1, "products": 1, "reports": 0, "events": 0, "properties": 0, "metrics": 0,
    }  # fmt: skip
    assert {statuses[-1] for statuses in report.statuses.values()} == {"COMPLETE"}


ODD_VALUES: list[tuple[Json, Json, list[str]]] = [
    ({"total": "8"}, {"total": 8}, []),
    ({"total": "many"}, {"total": None}, ["total"]),
    ({"last_sent_at": "2020-02-30T00:00:00Z"}, {"last_sent_at": None}, ["last_sent_at"]),
    ({"last_sent_at": "2020-02-03 04:05:06 UTC"}, {"last_sent_at": "2020-02-03T04:05:06Z"}, []),
    ({"is_visible": "true"}, {"is_visible": True}, []),
    ({"index": 7.0}, {"index": 7}, []),
    ({"name": 5}, {"name": "5"}, []),
    ({"links": "none", "index": [1]}, {"links": None, "index": None}, ["index", "links"]),
    ({"a field of tomorrow": {"x": [1]}}, {"a field of tomorrow": {"x": [1]}}, []),
]


def test_values_of_odd_types_are_repaired_or_visibly_nulled(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    sandbox.faults(
        [
            {"match": {"path": "/core/events"}, "do": {"patch_row": {"index": index, "set": patch}}}
            for index, (patch, _, _) in enumerate(ODD_VALUES)
        ]
    )
    run = connector.read(config, configured_catalog(catalog, ["events"]))
    messages = [json.loads(line) for line in run.stdout.splitlines()]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert len(records) == 260
    for record, (_, delivered, nulled) in zip(records, ODD_VALUES, strict=False):
        assert delivered.items() <= record["data"].items()
        changes = record.get("meta", {}).get("changes", [])
        assert sorted(change["field"] for change in changes) == nulled
        assert {(change["change"], change["reason"]) for change in changes} <= {
            ("NULLED", "SOURCE_SERIALIZATION_ERROR")
        }
    check_read(
        run.stdout,
        run.stderr,
        exit_code=run.exit_code,
        catalog=catalog,
        configured=["events"],
        secrets=[sandbox.token],
    )
