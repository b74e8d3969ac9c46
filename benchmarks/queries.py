"""People searches: 30 daily windows of 3 reports with 5,000 people each, and a service that needs 5 seconds a query."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import Address, Command, measured, sandbox
from benchmarks.programs import CONSOLE_SCRIPT

PEOPLE = 5000
REPORTS = 3
DAYS = 30
SAMPLE_DAYS = 3
JOB_SECONDS = 5
FIRST_DAY = date(2026, 2, 18)
"""On the last of the thirty days from here, the sandbox's people rest: three queries find nobody."""

_STREAM = {"name": "people_search_results", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
_CATALOG = {"streams": [{"stream": _STREAM, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]}


def lines() -> Iterator[str]:
    """The table, line by line.

    The clients that run one query at a time are measured on the first days only, and their time is multiplied: each of
    their queries takes as long as the one before.
    """
    serving = sandbox("--products=1", f"--people={PEOPLE}", f"--job-seconds={JOB_SECONDS}")
    with tempfile.TemporaryDirectory() as folder, serving as address:
        yield f"\n### {DAYS} days x {REPORTS} reports x {PEOPLE:,} people, {JOB_SECONDS} s a query\n"
        yield "| Client | Days measured | Wall s for all days | Requests for 10,000 rows |"
        yield "|---|--:|--:|--:|"
        reports = [
            row["id"] for row in address.get("/core/reports?limit=100")["data"] if "Opened the app" in row["name"]
        ]
        ours = _config(Path(folder), address, reports, 8)
        alone = _config(Path(folder), address, reports, 1)
        plain = (sys.executable, "-m", "benchmarks.sequential_queries")
        yield _row("source-kissmetrics", address, lambda days: _read(ours, days), DAYS)
        yield _row("the same, one query at a time", address, lambda days: _read(alone, days), SAMPLE_DAYS)
        yield _row(
            "one at a time, asking every 15 s", address, lambda days: (*plain, str(_until(ours, days))), SAMPLE_DAYS
        )


def _row(name: str, address: Address, command: Callable[[int], Command], days: int) -> str:
    rows = min(days, DAYS - 1) * REPORTS * PEOPLE
    before = len(address.get("/_sandbox/journal"))
    run = measured(command(days), rows)
    requests = len(address.get("/_sandbox/journal")) - before
    return f"| {name} | {days} | {run.wall * DAYS / days:.0f} | {requests * 10_000 / rows:.1f} |"


def _config(folder: Path, address: Address, reports: list[str], workers: int) -> Path:
    path = folder / f"config-{workers}.json"
    credentials = {"auth_type": "api_token", "api_token": address.token, "base_url": address.url}
    search = {"report_ids": reports, "query_base_url": address.query_url}
    config = {"credentials": credentials, "start_date": FIRST_DAY.isoformat(), "people_search": search}
    path.write_text(json.dumps({**config, "num_workers": workers}), encoding="utf-8")
    return path


def _read(config: Path, days: int) -> Command:
    catalog = config.with_name("catalog.json")
    catalog.write_text(json.dumps(_CATALOG), encoding="utf-8")
    return (CONSOLE_SCRIPT, "read", "--config", str(_until(config, days)), "--catalog", str(catalog))


def _until(config: Path, days: int) -> Path:
    """The config, ending after so many days."""
    content: Mapping[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    path = config.with_name(f"{config.stem}-{days}.json")
    end_date = (FIRST_DAY + timedelta(days=days - 1)).isoformat()
    path.write_text(json.dumps({**content, "end_date": end_date}), encoding="utf-8")
    return path
