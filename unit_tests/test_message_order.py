"""What many threads say at once arrives in protocol order: the race that a review found, made likely."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from connector_kit.cdk.engine import StateCursor
from connector_kit.state import StreamState

STREAMS = ("one", "two", "three")
THREADS = 3
ROUNDS = 300


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_switches")
def test_each_stream_says_running_first_and_its_states_in_the_order_they_are_made() -> None:
    """All streams share the queue, which is full most of the time. A stream's states and estimates only grow."""
    queue: Queue[Any] = Queue(maxsize=2)

    def work(cursor: StateCursor, number: int) -> None:
        for turn in range(ROUNDS):
            cursor.change(f"{number}-{turn}", lambda checkpoint: "done")
            cursor.expect(1)

    cursors = [StateCursor(name, StreamState(name, "id"), queue.put) for name in STREAMS]
    threads = [
        threading.Thread(target=work, args=(cursor, number), daemon=True)
        for cursor in cursors
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    said: dict[str, list[Any]] = {name: [] for name in STREAMS}
    for _ in range(len(STREAMS) * (1 + 2 * THREADS * ROUNDS)):
        message = queue.get(timeout=60)
        said[_stream(message)].append(message)
    assert queue.empty()

    growing = list(range(1, THREADS * ROUNDS + 1))
    for first, *others in said.values():
        assert first.trace.stream_status.status.value == "RUNNING"
        states = [message.state.stream.stream_state for message in others if message.state]
        assert [len(state.partitions) for state in states] == growing
        assert [message.trace.estimate.row_estimate for message in others if message.trace] == growing


def _stream(message: Any) -> str:
    if message.state:
        return str(message.state.stream.stream_descriptor.name)
    trace = message.trace
    return str(trace.estimate.name if trace.estimate else trace.stream_status.stream_descriptor.name)
