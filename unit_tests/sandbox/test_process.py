"""`python -m sandbox` as another program sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def _ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return told


def _total(told: dict[str, str], stream: str) -> int:
    login = {"Authorization": f"Bearer {told['token']}"}
    page = requests.get(f"{told['core_url']}/core/{stream}", headers=login, timeout=10).json()
    total: int = page["pagination"]["total"]
    return total


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_serves_and_ends_well_on_a_signal(start: Start, number: signal.Signals) -> None:
    process = start("--events", "7", "--reports", "4", "--latency-ms", "1", "--token", "t0ken", "--warm")
    told = _ready(process)
    assert set(told) == {"core_url", "query_url", "token"}
    assert told["token"] == "t0ken"
    assert (_total(told, "events"), _total(told, "reports"), _total(told, "metrics")) == (7, 4, 45)
    process.send_signal(number)
    rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_it_ends_with_its_stdin_if_asked_to(start: Start) -> None:
    process = start("--until-stdin-closes")
    told = _ready(process)
    assert len(told["token"]) >= 20
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_signal_ends_it_while_it_waits_for_its_stdin(start: Start) -> None:
    process = start("--until-stdin-closes")
    _ready(process)
    process.terminate()
    assert process.wait(timeout=20) == 0


def test_it_runs_queries_by_its_own_clock(start: Start) -> None:
    options = ("--people", "30", "--products", "1", "--first-day", "2025-05-01", "--last-day", "2025-05-30")
    told = _ready(start(*options, "--job-seconds", "500", "--clock-rate", "0"))
    login = {"Authorization": f"Bearer {told['token']}"}
    rows = requests.get(f"{told['core_url']}/core/reports", headers=login, timeout=10).json()["data"]
    (report_id,) = (row["id"] for row in rows if row["name"] == "Opened the app")
    body = {"report": {"start_date": 1_746_057_600, "end_date": 1_746_143_999}}
    url = f"{told['query_url']}/v1/reports/{report_id}/run"
    location = requests.post(url, json=body, headers=login, timeout=10).headers["location"]
    assert requests.get(location, headers=login, timeout=10).status_code == 200
    requests.post(f"{told['query_url']}/_sandbox/clock", json={"seconds": 500}, timeout=10)
    done = requests.get(location, headers=login, timeout=10)
    assert done.status_code == 201
    page = requests.get(done.headers["location"], headers=login, timeout=10).json()
    assert page["total"] == 30
