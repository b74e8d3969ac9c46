"""The two examples as a user runs them, and their files held against what the sandbox's people did."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox import truth_queries
from sandbox.server import Sandbox

pytestmark = pytest.mark.slow

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
DAYS = date(2026, 3, 5), date(2026, 3, 9)
"""The 8th has 23 hours in US/Pacific, the zone of the second report."""

SIGNED_UP = "signed_up_not_activated", "Signed up, not activated"
CARTS = "added_to_cart_not_checked_out", "Added to cart, not checked out"


@pytest.fixture
def config(config: Json, sandbox: Sandbox) -> Json:
    search = {"query_base_url": sandbox.query_url}
    return {**config, "start_date": f"{DAYS[0]}", "end_date": f"{DAYS[1]}", "people_search": search}


class Example:
    """One of the examples, with its config, state and output in a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.out = folder / "out"
        self.state = folder / "state.json"
        self._config = folder / "config.json"

    def run(self, config: Json, report: str) -> subprocess.CompletedProcess[str]:
        self._config.write_text(json.dumps(config), "utf-8")
        options = {"config": self._config, "report": report, "state": self.state, "out": self.out}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        command = [sys.executable, "-m", f"examples.{self.name}", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    def people(self) -> list[Json]:
        """The file's people; of CSV, every cell is text."""
        if self.name == CARTS[0]:
            return [json.loads(line) for line in self.out.read_text("utf-8").splitlines()]
        with self.out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def _report(sandbox: Sandbox, name: str) -> Json:
    (report,) = (row for row in sandbox.universe.rows("reports") if row["name"] == name)
    return report


def _days(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _truth(sandbox: Sandbox, name: str, first: date, last: date) -> list[Json]:
    report = _report(sandbox, name)
    products = {row["id"]: row for row in sandbox.universe.rows("products")}
    zone = products[report["product_id"]]["timezone"]
    found = []
    for day in _days(first, last):
        window = truth_queries.local_window(zone, day, day)
        answer = truth_queries.people_search(sandbox.universe, report["id"], *window)
        names = [f"{column['display_name']} ({column['display_return_option']})" for column in answer["columns"][2:]]
        for kmid, person, *cells in answer["rows"]:
            columns = dict(zip(names, cells, strict=True))
            found.append({"day": f"{day}", "kmid": f"{kmid}", "person": person, "columns": columns})
    assert found
    return found


def _expected(sandbox: Sandbox, name: str, first: date = DAYS[0], last: date = DAYS[1]) -> list[Json]:
    """What the file must hold, as `Example.people` reads it."""
    people = _truth(sandbox, name, first, last)
    if name == CARTS[1]:
        return [{**row, "send_on": f"{date.fromisoformat(row['day']) + timedelta(days=3)}"} for row in people]
    flat = [{**{key: row[key] for key in ("person", "kmid", "day")}, **row["columns"]} for row in people]
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in flat]


def _in_order(people: list[Json]) -> list[Json]:
    return sorted(people, key=lambda row: (row["day"], row["kmid"]))


class Both:
    """The two examples, side by side."""

    def __init__(self, folder: Path, *reports: str) -> None:
        self.examples = []
        for (name, _), report in zip((SIGNED_UP, CARTS), reports, strict=True):
            own = folder / name
            own.mkdir()
            self.examples.append((Example(name, own), report))

    def run(self, config: Json) -> list[str]:
        """Runs both, without an error; what each printed."""
        with ThreadPoolExecutor() as pool:
            runs = list(pool.map(lambda pair: pair[0].run(config, pair[1]), self.examples))
        assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 2
        return [run.stdout for run in runs]


def test_each_days_people_are_added_once(sandbox: Sandbox, config: Json, tmp_path: Path) -> None:
    """One report is given by its name, the other by its id."""
    both = Both(tmp_path, SIGNED_UP[1], _report(sandbox, CARTS[1])["id"])
    for printed, (example, _), (_, name) in zip(both.run(config), both.examples, (SIGNED_UP, CARTS), strict=True):
        expected = _expected(sandbox, name)
        assert _in_order(example.people()) == _in_order(expected)
        day = expected[0]["day"]
        assert f"{day}: {sum(row['day'] == day for row in expected)} people\n" in printed
        assert f"{len(expected)} people for {example.out}\n" in printed
    runs = len(sandbox.queries)
    assert runs == 2 * len(_days(*DAYS)), "only these reports are run"

    files = [example.out.read_bytes() for example, _ in both.examples]
    both.run(config)
    assert [example.out.read_bytes() for example, _ in both.examples] == files
    assert len(sandbox.queries) == runs

    next_day, later = DAYS[1] + timedelta(days=1), DAYS[1] + timedelta(days=2)
    for example, _ in both.examples:
        example.out.unlink()  # taken by the CRM, by the mailer
    both.run({**config, "end_date": f"{later}"})
    for (example, _), (_, name) in zip(both.examples, (SIGNED_UP, CARTS), strict=True):
        assert _in_order(example.people()) == _in_order(_expected(sandbox, name, next_day, later))
        assert {path.name for path in example.out.parent.iterdir()} == {"config.json", "state.json", "out"}


def test_a_day_that_is_read_again_adds_only_whom_it_did_not_have(
    sandbox: Sandbox, config: Json, tmp_path: Path
) -> None:
    """Late data, with a file that was taken away meanwhile."""
    example, report = Example(CARTS[0], tmp_path), _report(sandbox, CARTS[1])["id"]
    example.run(config, report)
    kept = json.loads(example.state.read_text("utf-8"))
    (progress,) = kept["state"][0]["stream"]["stream_state"]["partitions"].values()
    progress["unsettled"] = {f"{DAYS[1]}": f"{DAYS[1]}"}
    late, *known = [key for key in kept["known"] if key[0] == f"{DAYS[1]}"]
    example.state.write_text(json.dumps({**kept, "known": known}), "utf-8")
    example.out.unlink()
    runs = len(sandbox.queries)
    assert example.run(config, report).returncode == 0
    assert len(sandbox.queries) == runs + 1
    assert [[row["day"], row["kmid"], row["person"]] for row in example.people()] == [late]


def test_a_run_goes_on_where_one_failed_and_adds_nobody_twice_where_one_was_stopped(
    sandbox: Sandbox, config: Json, tmp_path: Path
) -> None:
    example, report = Example(CARTS[0], tmp_path), _report(sandbox, CARTS[1])["id"]
    sandbox.modes(fail_queries="error")
    run = example.run(config, report)
    assert run.returncode == 1
    assert "failed on the service" in run.stderr
    assert example.people() == []
    sandbox.modes(fail_queries="never")
    assert example.run(config, report).returncode == 0
    assert _in_order(example.people()) == _in_order(_expected(sandbox, CARTS[1]))
    example.state.unlink()  # as if it had been stopped before it wrote it
    before = example.out.read_bytes()
    assert example.run(config, report).returncode == 0
    assert example.out.read_bytes() == before


def test_a_wrong_report_is_named(config: Json, tmp_path: Path) -> None:
    example = Example(SIGNED_UP[0], tmp_path)
    run = example.run(config, "Signed up")
    assert run.returncode == 1
    assert "There is no people search named 'Signed up'." in run.stderr
    assert not example.out.exists()
    assert not example.state.exists()
