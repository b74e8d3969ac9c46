"""The truth against what a plain client collects over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox import STREAMS, Sandbox, Universe, truth

Collect = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("limit", [7, 100])
def test_truth_is_what_paging_collects(sandbox: Sandbox, collect: Collect, stream: Any, limit: Any) -> None:
    assert collect(f"/core/{stream}", limit) == truth.core(sandbox.universe, stream, sandbox.core_url)


@pytest.mark.parametrize("stream", ["reports", "events", "properties", "metrics"])
def test_truth_of_one_product_is_its_child_list(sandbox: Sandbox, collect: Collect, stream: Any) -> None:
    for product in sandbox.universe.rows("products"):
        expected = truth.core(sandbox.universe, stream, sandbox.core_url, product_ids=[product["id"]])
        assert collect(f"/core/products/{product['id']}/{stream}") == expected
        assert 0 < len(expected) < len(sandbox.universe.rows(stream))


def test_a_product_filter_keeps_products_by_id_and_leaves_accounts(sandbox: Sandbox) -> None:
    one = sandbox.universe.rows("products")[1]["id"]
    rows = truth.core(sandbox.universe, "products", sandbox.core_url, product_ids=[one])
    assert [row["id"] for row in rows] == [one]
    assert len(truth.core(sandbox.universe, "accounts", sandbox.core_url, product_ids=[one])) == 2


def test_the_products_of_an_account_are_the_truth_but_for_their_links(sandbox: Sandbox, collect: Collect) -> None:
    account = sandbox.universe.rows("accounts")[0]["id"]
    expected = [
        row for row in truth.core(sandbox.universe, "products", sandbox.core_url) if row["account_id"] == account
    ]
    found = collect(f"/core/accounts/{account}/products")
    assert [{**row, "links": 0} for row in found] == [{**row, "links": 0} for row in expected]
    rels = [each["rel"] for each in found[0]["links"]]
    assert rels == ["self", "account", "product-reports", "product-events", "product-properties"]


def test_truth_follows_a_list_that_has_moved(sandbox: Sandbox, collect: Collect) -> None:
    sandbox.universe.move("events", "insert_first", 3)
    sandbox.universe.move("events", "delete_last", 5)
    rows = truth.core(sandbox.universe, "events", sandbox.core_url)
    assert len(rows) == 128
    assert collect("/core/events") == rows


@pytest.mark.parametrize(
    ("since", "kept"),
    [
        ("2020-01-01T00:00:00Z", ["null", "equal", "later"]),
        ("2020-01-01T01:00:00+01:00", ["null", "equal", "later"]),
        ("2020-01-01T00:00:01Z", ["null", "later"]),
        ("2019-12-31T23:59:59-05:00", ["null", "later"]),
        ("2030-01-01T00:00:00Z", ["null"]),
        (None, ["null", "earlier", "equal", "later"]),
    ],
)
def test_since_compares_instants_and_keeps_nulls(since: Any, kept: Any) -> None:
    dates = {
        "null": None,
        "earlier": "2019-12-31T23:59:59+00:00",
        "equal": "2020-01-01T00:00:00+00:00",
        "later": "2020-01-01T04:59:59+00:00",
    }
    events = [{"id": name, "product_id": "p", "last_sent_at": date} for name, date in dates.items()]
    rows = truth.core(Universe.of(events=events), "events", "http://x", since=since)
    assert [row["id"] for row in rows] == kept


@pytest.mark.parametrize("stream", STREAMS)
def test_since_uses_the_cursor_of_the_stream(stream: Any) -> None:
    universe = Universe()
    cursor = truth.CURSORS[stream]
    rows = truth.core(universe, stream, "http://x")
    newest = max(row[cursor] for row in rows if row[cursor])
    kept = truth.core(universe, stream, "http://x", since=newest)
    assert {row[cursor] for row in kept} <= {newest, None}
    assert 0 < len(kept) < len(rows)
