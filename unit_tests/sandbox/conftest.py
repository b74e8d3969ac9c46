"""One sandbox for all tests of a process, put back to its start around each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox import Sandbox, Universe, running

Get = Callable[..., requests.Response]
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
