"""The right answers: what a client that misses nothing must end up with. Shares no code with the server.

Only the data are common. Links are spelled out here a second time on purpose, so that a wrong one in the
server shows.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sandbox.universe import Universe

CURSORS = {
    "accounts": "updated_at",
    "products": "created_at",
    "reports": "created_at",
    "events": "last_sent_at",
    "properties": "last_sent_at",
    "metrics": "config_last_changed_at",
}

_SELF = ("Self", "self", "/core/{stream}/{id}")
_PRODUCT = ("Product", "product", "/core/products/{product_id}")
_LINKS = {
    "accounts": [_SELF, ("Products", "products", "/core/accounts/{id}/products")],
    "products": [
        _SELF,
        ("Account", "account", "/core/accounts/{account_id}"),
        ("Product Reports", "reports", "/core/products/{id}/reports"),
        ("Product Metrics", "metrics", "/core/products/{id}/metrics"),
        ("Product Events", "events", "/core/products/{id}/events"),
        ("Product Properties", "properties", "/core/products/{id}/properties"),
    ],
    "reports": [
        _SELF,
        ("Run Report", "run", "/query/reports/{id}/run"),
        _PRODUCT,
        ("Account", "account", "/core/accounts/{account_id}"),
    ],
    "events": [_SELF, _PRODUCT],
    "properties": [_SELF, _PRODUCT],
    "metrics": [
        _SELF,
        _PRODUCT,
        ("Metrics Over Time Query", "metric-over-time", "/query/metrics/{id}/over-time"),
        ("Metrics By Segment Query", "metric-by-segment", "/query/metrics/{id}/by-segment"),
    ],
}


def core(
    universe: Universe,
    stream: str,
    base_url: str,
    *,
    product_ids: Collection[str] | None = None,
    since: str | None = None,
) -> list[dict[str, Any]]:
    """The rows of a Core stream, in order, as the server at `base_url` sends them in its top-level list.

    `product_ids` keeps these products and their children; accounts are not affected. `since` (RFC 3339 with
    an offset) keeps rows whose cursor is null or not before that instant.
    """
    cursor = CURSORS[stream]
    owner = {"accounts": None, "products": "id"}.get(stream, "product_id")
    kept = []
    for row in universe.rows(stream):
        if product_ids is not None and owner is not None and row[owner] not in product_ids:
            continue
        if since is not None and row[cursor] is not None and _instant(row[cursor]) < _instant(since):
            continue
        kept.append({**row, "links": _links(stream, row, base_url)})
    return kept


def _links(stream: str, row: dict[str, Any], base_url: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "rel": rel, "href": base_url + path.format(stream=stream, **row), "templated": False}
        for name, rel, path in _LINKS[stream]
        if rel != "run" or row["report_type"] == "people_search_v2"
    ]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
