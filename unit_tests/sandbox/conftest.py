"""One sandbox for all tests of a process, put back to its start around each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Sandbox, Universe, running

Get = Callable[..., requests.Response]
Ask = Callable[..., requests.Response]
Report = Callable[..., str]
Found = Callable[..., list[Any]]
Collect = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def _shared() -> Iterator[Sandbox]:
    with running(Universe()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_shared: Sandbox) -> Iterator[Sandbox]:
    _shared.reset()
    yield _shared
    _shared.reset()


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    """GET a path with the right token; further keywords as for requests."""
    with requests.Session() as session:
        session.trust_env = False

        def fetch(path: str, **options: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {sandbox.token}"} | options.pop("headers", {})
            options.setdefault("timeout", 10)
            return session.get(sandbox.core_url + path, headers=headers, allow_redirects=False, **options)

        yield fetch


@pytest.fixture
def collect(get: Get) -> Collect:
    """All rows of a list, by the plainest loop: computed offsets until `total` rows were asked for."""

    def rows(path: str, limit: int = 20) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        offset, total = 0, 1
        while offset < total:
            page = get(f"{path}?limit={limit}&offset={offset}").json()
            total = page["pagination"]["total"]
            found += page["data"]
            offset += limit
        return found

    return rows


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    """Ask a whole URL with the right token; `body` is sent as JSON."""
    with requests.Session() as session:
        session.trust_env = False

        def fetch(method: str, url: str, body: Any = None, **options: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {sandbox.token}"} | options.pop("headers", {})
            options = {"json": body, "timeout": 10, "allow_redirects": False} | options
            return session.request(method, url, headers=headers, **options)

        yield fetch


@pytest.fixture
def report(sandbox: Sandbox) -> Report:
    """The id of a saved report by its name."""

    def id_of(name: str) -> str:
        (found,) = (row["id"] for row in sandbox.universe.rows("reports") if row["name"] == name)
        return str(found)

    return id_of


@pytest.fixture
def start(sandbox: Sandbox, ask: Ask) -> Ask:
    """Start a people search in a dialect; `window` is two unix seconds."""

    def begin(report_id: str, window: tuple[int, int], dialect: str = "v1") -> requests.Response:
        dates = {"start_date": window[0], "end_date": window[1]}
        if dialect == "v1":
            return ask("POST", f"{sandbox.core_url}/query/reports/{report_id}/run", {"report": dates})
        (row,) = (each for each in sandbox.universe.rows("reports") if each["id"] == report_id)
        path = f"/v2/products/{row['product_id']}/reports/{report_id}/run"
        return ask("POST", sandbox.query_url + path, dates)

    return begin


@pytest.fixture
def found(ask: Ask) -> Found:
    """All rows of a run by the plainest loop: its Location, its results, and `next` until there is none."""

    def rows(begun: requests.Response, limit: int = 50) -> list[Any]:
        assert begun.status_code == 202
        status = ask("GET", begun.headers["location"])
        assert status.status_code == 201
        url, everything = f"{status.headers['location']}?limit={limit}", []
        while url:
            page = ask("GET", url).json()
            everything += page["rows"] if "rows" in page else page["data"]
            url = next((each["href"] for each in page["links"] if each["rel"] == "next"), "")
        return everything

    return rows
