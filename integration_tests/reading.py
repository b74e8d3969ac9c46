"""One sync, run and judged: what every test of `read` begins with."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pytest

from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import ReadReport, check_read
from sandbox import truth
from sandbox.server import Sandbox

Json = dict[str, Any]

STREAMS = ("accounts", "products", "reports", "events", "properties", "metrics")


def sync(
    connector: Connector,
    config: Json,
    catalog: Json,
    streams: Sequence[str] | None = None,
    state: Sequence[Json] | None = None,
    **options: Any,
) -> ReadReport:
    """Reads, and holds every line against the protocol, secrets included. A failed sync is judged as one."""
    configured = configured_catalog(catalog, list(streams) if streams else None)
    run = connector.read(config, configured, state)
    return check_read(
        run.stdout,
        run.stderr,
        exit_code=run.exit_code,
        catalog=catalog,
        configured=configured,
        secrets=[config["credentials"]["api_token"]],
        state_in=list(state) if state is not None else None,
        **options,
    )


def few_quick(table: Iterable[str], quick: int = 2) -> list[Any]:
    """The names in a table of cases as test parameters, all but the first few slow."""
    return [pytest.param(name, marks=() if number < quick else pytest.mark.slow) for number, name in enumerate(table)]


def instants(count: int, seed: int) -> list[float]:
    """Random instants of a run, as shares of what it prints; the same ones for the same seed."""
    generator = random.Random(seed)
    return [generator.random() for _ in range(count)]


def by_id(rows: Sequence[Json]) -> dict[str, Json]:
    """Rows by their id; two of the same id are an error."""
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), "an id stands in two rows"
    return found


def expected(
    sandbox: Sandbox, stream: str, *, product_ids: Collection[str] | None = None, since: str | None = None
) -> dict[str, Json]:
    """What a sync must deliver, by id, from the sandbox's own data: no write secret, and counts as numbers."""
    rows = truth.core(sandbox.universe, stream, sandbox.core_url, product_ids=product_ids, since=since)
    for row in rows:
        row.pop("tracking_key", None)
        if isinstance(row.get("total"), str):
            row["total"] = int(row["total"])
    return by_id(rows)
