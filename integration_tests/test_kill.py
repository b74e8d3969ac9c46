"""kill -9 at an arbitrary instant, and a resume from the last printed state: every record, each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import ReadPrefix
from integration_tests.reading import STREAMS, expected, instants, sync
from sandbox.server import Sandbox

Json = dict[str, Any]

SEED = 20261122


def _resumed(
    kill_when: Callable[[bytes], bool], sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> dict[str, set[str]]:
    """The ids that have arrived by stream: before the kill as covered by a state, and after the resume."""
    run = connector.read(config, configured_catalog(catalog), kill_when=kill_when)
    prefix = ReadPrefix(run.stdout)
    rest = sync(connector, config, catalog, state=prefix.last_states())
    delivered = prefix.records()
    return {
        stream: {row["id"] for row in [*delivered.get(stream, []), *rest.records.get(stream, [])]} for stream in STREAMS
    }


@pytest.mark.slow
@pytest.mark.parametrize("instant", instants(20, SEED))
def test_kill_and_resume_lose_nothing(
    instant: float, sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    """The instant is a share of what an undisturbed run prints, about 420 kB; states stand between the records."""
    config = {**config, "page_size": 10, "num_workers": 3}
    sandbox.modes(latency_ms=3)
    length = len(connector.read(config, configured_catalog(catalog)).stdout)
    arrived = _resumed(lambda printed: len(printed) >= instant * length, sandbox, connector, config, catalog)
    assert arrived == {stream: set(expected(sandbox, stream)) for stream in STREAMS}


def test_kill_right_after_a_state_resumes_behind_it(
    sandbox: Sandbox, connector: Connector, config: Json, catalog: Json
) -> None:
    config = {**config, "page_size": 10}
    sandbox.modes(latency_ms=3)
    arrived = _resumed(lambda printed: b'{"type":"STATE"' in printed, sandbox, connector, config, catalog)
    assert arrived == {stream: set(expected(sandbox, stream)) for stream in STREAMS}
