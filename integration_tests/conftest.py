"""What the integration tests share: a running sandbox, the console script, a config and a catalog."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import check_discover
from sandbox.server import Sandbox, running
from sandbox.universe import Universe

SCRIPT = Path(sys.executable).parent / "source-kissmetrics"
UNIVERSE = Universe(events=260, properties=110)
"""Three pages of events and two of properties, a hundred rows each; the other streams fit on one."""

Json = dict[str, Any]


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with running(UNIVERSE) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """A sandbox as it was at its start: no faults, an empty journal."""
    _running_sandbox.reset()
    return _running_sandbox


@pytest.fixture
def connector(tmp_path: Path) -> Connector:
    """The connector's console script, as a platform runs it."""
    return Connector([str(SCRIPT)], tmp_path)


@pytest.fixture
def config(sandbox: Sandbox) -> Json:
    """A config that reads the sandbox, with the defaults for everything that may be left out."""
    return {
        "credentials": {"auth_type": "api_token", "api_token": sandbox.token, "base_url": sandbox.core_url},
        "start_date": "2026-01-01",
    }


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What `discover` prints; it needs no server."""
    run = Connector([str(SCRIPT)], tmp_path_factory.mktemp("discover")).discover(
        {"credentials": {"auth_type": "api_token", "api_token": "unused-token-000000001"}}
    )
    return check_discover(run.stdout, run.stderr, exit_code=run.exit_code, secrets=["unused-token-000000001"])


@pytest.fixture(scope="session")
def all_streams(catalog: Json) -> Json:
    """The configured catalog of every stream, incremental."""
    return configured_catalog(catalog)
