"""The data: the oddities that are promised, the same bytes for the same seed, any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import STREAMS, Sandbox, Universe, running, truth

Get = Callable[..., requests.Response]
Collect = Callable[..., list[dict[str, Any]]]

ODD_NAMES = ["é", "日本", "🚀", '"', "\\", "&", "<"]


def _bytes(universe: Universe) -> list[str]:
    return [repr(universe.rows(stream)) for stream in STREAMS]


def test_the_same_seed_makes_the_same_data_and_another_seed_other_data() -> None:
    assert _bytes(Universe(seed=7)) == _bytes(Universe(seed=7))
    for one, other in zip(_bytes(Universe(seed=7)), _bytes(Universe(seed=8)), strict=True):
        assert one != other


def test_the_same_seed_is_served_as_the_same_bytes() -> None:
    bodies = []
    for seed in (3, 3, 4):
        with running(Universe(seed=seed)) as sandbox:
            headers = {"Authorization": f"Bearer {sandbox.token}", "Host": "api.example.test"}
            response = requests.get(f"{sandbox.core_url}/core/events", headers=headers, timeout=10)
            bodies.append((response.content, response.headers["etag"]))
    assert bodies[0] == bodies[1]
    assert bodies[0][0] != bodies[2][0]
    assert bodies[0][1] != bodies[2][1]


def test_ids_are_uuids_and_unique_over_all_kinds() -> None:
    universe = Universe()
    ids = [row["id"] for stream in STREAMS for row in universe.rows(stream)]
    assert len(set(ids)) == len(ids) == 2 + 3 + 130 + 90 + 25 + 45
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-0132-[0-9a-f]{4}-22000a[0-9a-f]{6}", id_) for id_ in ids)


def test_accounts_one_active_and_one_canceled_without_contact() -> None:
    first, second = Universe().rows("accounts")
    assert (first["status"], second["status"]) == ("active", "canceled")
    assert second["contact"] == {"name": None, "country": None, "phone": None}
    assert all(row[field].endswith("Z") for row in (first, second) for field in ("created_at", "updated_at"))


def test_products_differ_in_zone_hosts_and_key() -> None:
    products = Universe().rows("products")
    assert [row["timezone"] for row in products] == ["UTC", "US/Pacific", "UTC"]
    assert (products[2]["url"], products[2]["hosts"]) == (None, [])
    keys = {row["tracking_key"] for row in products}
    assert len(keys) == 3
    assert all(re.fullmatch("[0-9a-f]{40}", key) for key in keys)
    assert {row["account_id"] for row in products} == {row["id"] for row in Universe().rows("accounts")}


@pytest.mark.parametrize(
    ("stream", "field", "values"),
    [
        ("events", "is_visible", {True, False}),
        ("properties", "is_visible", {True, False}),
        ("properties", "type", {None, "automatic", "text", "number"}),
        ("metrics", "status", {"pending", "ready"}),
        ("metrics", "unit_type", {"numeric", "time", "percent"}),
        ("reports", "report_type", {"people_search_v2", "funnel", "cohort", "revenue", "path"}),
    ],
)
def test_every_value_of_an_enumeration_occurs(stream: Any, field: Any, values: Any) -> None:
    assert {row[field] for row in Universe().rows(stream)} == values


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("events", "last_sent_at"),
        ("events", "description"),
        ("properties", "last_sent_at"),
        ("properties", "first_used_at"),
        ("metrics", "color"),
        ("metrics", "description"),
    ],
)
def test_a_nullable_field_is_null_somewhere_but_not_everywhere(stream: Any, field: Any) -> None:
    values = [row[field] for row in Universe().rows(stream)]
    assert 0 < values.count(None) < len(values)


def test_totals_are_integers_but_for_a_few_strings() -> None:
    kinds = [type(row["total"]) for row in Universe().rows("events")]
    assert set(kinds) == {int, str}
    assert 0 < kinds.count(str) < 10


@pytest.mark.parametrize("stream", ["events", "properties"])
def test_index_counts_within_each_product_and_names_are_unique_there(stream: Any) -> None:
    universe = Universe()
    for product in universe.rows("products"):
        rows = [row for row in universe.rows(stream) if row["product_id"] == product["id"]]
        assert [row["index"] for row in rows] == list(range(len(rows)))
        assert len({row["name"] for row in rows}) == len(rows)


def test_names_hold_every_kind_of_difficult_character(collect: Collect) -> None:
    names = "".join(row["name"] for stream in ("events", "properties") for row in collect(f"/core/{stream}"))
    assert [mark for mark in ODD_NAMES if mark not in names] == []


def test_dates_are_real_and_in_order() -> None:
    for row in Universe().rows("events"):
        dates = [
            row[field] for field in ("first_used_at", "first_sent_at", "last_used_at", "last_sent_at") if row[field]
        ]
        assert dates == sorted(dates)
        assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", date) for date in dates)


def test_children_without_products_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be without products"):
        Universe(products=0)
    with pytest.raises(ValueError, match="cannot be without accounts"):
        Universe(accounts=0)


def test_an_unknown_collection_is_refused() -> None:
    with pytest.raises(ValueError, match=r"people: is not one of accounts"):
        Universe.of(people=[])


def test_two_hundred_thousand_events_are_served_from_both_ends() -> None:
    with running(Universe(events=200_000)) as sandbox:
        login = {"Authorization": f"Bearer {sandbox.token}"}
        first = requests.get(f"{sandbox.core_url}/core/events?limit=1000", headers=login, timeout=30).json()
        last = requests.get(
            f"{sandbox.core_url}/core/events?limit=1000&offset=199990", headers=login, timeout=30
        ).json()
    assert first["pagination"]["total"] == 200_000
    assert len({row["id"] for row in first["data"]}) == 1000
    assert len(last["data"]) == 10
    assert first["links"][3]["href"].endswith("/core/events?limit=1000&offset=199000")
    assert len(set(sandbox.universe["events"].order)) == 200_000


def test_a_warm_sandbox_makes_no_row_while_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Universe()) as sandbox:
        sandbox.warm()
        expected = truth.core(sandbox.universe, "events", sandbox.core_url)
        monkeypatch.setattr(sandbox.universe["events"], "row", lambda number: pytest.fail("made a row"))
        login = {"Authorization": f"Bearer {sandbox.token}"}
        page = requests.get(f"{sandbox.core_url}/core/events?limit=200", headers=login, timeout=10).json()
    assert page["data"] == expected


@pytest.mark.parametrize(
    ("op", "kept"),
    [
        ("insert_first", lambda before, after: after[2:] == before),
        ("insert_last", lambda before, after: after[:-2] == before),
        ("delete_first", lambda before, after: after == before[2:]),
        ("delete_last", lambda before, after: after == before[:-2]),
    ],
)
def test_a_move_changes_one_end_and_restore_undoes_it(op: Any, kept: Any) -> None:
    universe = Universe()
    before = universe.rows("events")
    universe.move("events", op, 2)
    after = universe.rows("events")
    assert len(after) == len(before) + (2 if op.startswith("insert") else -2)
    assert kept(before, after)
    assert len({row["id"] for row in after}) == len(after)
    universe.restore()
    assert universe.rows("events") == before


def test_a_moved_list_is_found_by_id_and_by_product(sandbox: Sandbox, get: Get) -> None:
    first = sandbox.universe.rows("events")[0]
    child = f"/core/products/{first['product_id']}/events"
    assert get(child).json()["pagination"]["total"] == 44
    sandbox.universe.move("events", "insert_first")
    fresh = sandbox.universe.rows("events")[0]
    assert get(f"/core/events/{fresh['id']}").json()["data"]["id"] == fresh["id"]
    assert get(child).json()["pagination"]["total"] == 45
    assert get(child).json()["data"][0]["id"] == fresh["id"]
    sandbox.reset()
    assert get(f"/core/events/{fresh['id']}").status_code == 404
    assert get(child).json()["pagination"]["total"] == 44
