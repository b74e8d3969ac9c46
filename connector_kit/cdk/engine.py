"""Runs streams as partitions on the CDK's stock ConcurrentSource, in an order that survives a kill at any instant.

Threads: the engine's workers read partitions; a second pool sends the requests they read ahead; the main thread prints.
Everything a worker says travels through the one queue that the main thread empties, so a STATE can never overtake the
records it stands for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from queue import Queue
from typing import Any, cast

from airbyte_cdk.models import AirbyteMessage
from airbyte_cdk.sources.concurrent_source.concurrent_source import ConcurrentSource
from airbyte_cdk.sources.message import InMemoryMessageRepository
from airbyte_cdk.sources.message.concurrent_repository import ConcurrentMessageRepository
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor, CursorField
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.streams.concurrent.partitions.partition_generator import PartitionGenerator
from airbyte_cdk.sources.streams.concurrent.partitions.types import QueueItem
from airbyte_cdk.sources.types import Record
from airbyte_cdk.sources.utils.slice_logger import DebugSliceLogger
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from connector_kit.cdk import messages
from connector_kit.cdk.failures import traced
from connector_kit.errors import ConnectorError
from connector_kit.records import Shaper
from connector_kit.state import StreamState
from connector_kit.stream import Change, Reading, Slice, Stream

QUEUE_SIZE = 8
"""Messages between workers and printer. A batch is one message, so this also bounds the memory that output can take."""

BATCH_ROWS = 500
"""Rows that one message carries at most, however large a page is."""

_ENGINE_LOG = logging.getLogger("airbyte.engine")
_ENGINE_LOG.setLevel(logging.WARNING)  # its INFO lines count batches where they say records


class StateCursor(Cursor):
    """Keeps a stream's state, and says what concerns the stream as a whole: RUNNING, estimate and states.

    All of it is put on the queue by the thread that has something to say, under one lock: so a STATE stands behind the
    records that its thread has put there before, RUNNING stands before everything else, and states leave in the order
    in which they are made. It goes on the queue itself, not through the CDK's message repository, where one thread may
    send another one's message.
    """

    def __init__(self, stream: str, state: StreamState, put: Callable[[AirbyteMessage], None]) -> None:
        self._stream = stream
        self._state = state
        self._put = put
        self._lock = threading.Lock()
        self._expected = 0
        self._is_running = False

    @property
    def state(self) -> MutableMapping[str, Any]:
        with self._lock:
            return self._state.as_json()

    def checkpoint(self, partition: str) -> Any | None:
        with self._lock:
            return self._state.checkpoint(partition)

    def announce(self) -> None:
        """Says RUNNING, the first time. MUST be called before a partition puts records on the queue."""
        with self._lock:
            self._say_running()

    def change(self, partition: str, change: Change) -> None:
        """Changes a partition's checkpoint, and says the state."""
        with self._lock:
            self._say_running()
            self._state.save(partition, change(self._state.checkpoint(partition)))
            self._say_state()

    def emit(self) -> None:
        """Says the state as it is: for a stream that turned out to have no partitions at all."""
        with self._lock:
            self._say_running()
            self._say_state()

    def expect(self, rows: int) -> None:
        """Adds a partition's rows to the stream's estimate, and says the sum."""
        with self._lock:
            self._say_running()
            self._expected += rows
            self._put(messages.estimate(self._stream, self._expected))

    def observe(self, record: Record) -> None:
        """Not needed: the stream itself follows its cursor."""

    def close_partition(self, partition: Partition) -> None:
        """Not needed: a partition that was read to its end has changed the state itself, where errors are caught."""

    def ensure_at_least_one_state_emitted(self) -> None:
        """Not needed, and too late for an order of STATE, COMPLETE: the engine calls it on the printing thread."""

    def should_be_synced(self, record: Record) -> bool:
        """Always: filtering is the stream's own matter."""
        return True

    def _say_running(self) -> None:
        if not self._is_running:
            self._is_running = True
            self._put(messages.running(self._stream))

    def _say_state(self) -> None:
        self._put(messages.state(self._stream, self._state.as_json()))


class Run:
    """One `read`: what its streams share while it lasts."""

    def __init__(self, batched: bool) -> None:
        self.batched = batched
        self.queue: Queue[QueueItem] = Queue(maxsize=QUEUE_SIZE)
        self.repository = ConcurrentMessageRepository(self.queue, InMemoryMessageRepository())
        self.failures: dict[str, AirbyteTracedException] = {}
        self._given_up: set[str] = set()

    def stream(self, stream: Stream, state: StreamState) -> DefaultStream:
        """The CDK's view of a stream."""
        cursor = StateCursor(stream.name, state, self.queue.put)
        return _EngineStream(stream, _Partitions(stream, cursor, self), cursor)

    def messages(self, streams: Sequence[DefaultStream], workers: int) -> Iterator[AirbyteMessage]:
        """Everything the streams say, in protocol order. Streams that fail are found in `failures` afterwards."""
        engine = ConcurrentSource.create(
            num_workers=workers,
            initial_number_of_partitions_to_generate=max(1, workers // 2),
            logger=_ENGINE_LOG,
            slice_logger=DebugSliceLogger(),
            message_repository=self.repository,
            queue=self.queue,
        )
        try:
            yield from engine.read(list(streams))
        except AirbyteTracedException:
            # The engine ends with a summary of its own; the streams' errors, which are already out, say it better.
            if not self.failures:
                raise

    def failed(self, stream: str, error: Exception) -> AirbyteTracedException:
        """Takes down what ended a slice, and returns what to raise in its place."""
        failure = traced(error, stream)
        self.failures.setdefault(stream, failure)
        if isinstance(error, ConnectorError) and error.concerns_all:
            self._given_up.add(stream)
        return failure

    def has_given_up(self, stream: str) -> bool:
        """Whether an error has shown that the stream's further slices cannot be read either."""
        return stream in self._given_up


class StreamPartition(Partition):
    """A slice of a stream, being read. Yields messages, which the engine passes on as they are."""

    def __init__(self, stream: Stream, part: Slice, cursor: StateCursor, run: Run) -> None:
        self._stream = stream
        self._part = part
        self._cursor = cursor
        self._run = run

    def read(self) -> Iterable[Record]:
        if self._run.has_given_up(self._stream.name):
            return  # without a state: the stream has failed, and has said so
        try:
            yield from cast(Iterable[Record], self._messages())
        except Exception as error:
            raise self._run.failed(self._stream.name, error) from None

    def _messages(self) -> Iterator[AirbyteMessage]:
        """Records, then the state that stands for them: the engine asks for more once it has put a message on the
        queue, so the state is put there behind the last one."""
        key = self._part.key
        reading = Reading(
            self._cursor.checkpoint(key), self._cursor.expect, lambda change: self._cursor.change(key, change)
        )
        shaper = Shaper(self._stream.json_schema, drop=self._stream.drop)
        for rows in self._stream.read(self._part, reading):
            for begin in range(0, len(rows), BATCH_ROWS):
                self._cursor.announce()
                shaped = [(row, shaper.shape(row)) for row in rows[begin : begin + BATCH_ROWS]]
                if self._run.batched:
                    yield messages.batch(self._stream.name, shaped)
                else:
                    yield from (messages.record(self._stream.name, row, nulled) for row, nulled in shaped)
        self._cursor.change(key, reading.finish)

    def to_slice(self) -> Mapping[str, Any]:
        return {"key": self._part.key, "label": self._part.label}

    def stream_name(self) -> str:
        return self._stream.name

    def __hash__(self) -> int:
        return hash((self._stream.name, self._part.key, self._part.label))


class _Partitions(PartitionGenerator):
    """Turns a stream's slices into partitions, on a thread of its own."""

    def __init__(self, stream: Stream, cursor: StateCursor, run: Run) -> None:
        self._stream = stream
        self._cursor = cursor
        self._run = run

    def generate(self) -> Iterable[Partition]:
        try:
            is_empty = True
            for part in self._stream.slices(self._cursor.checkpoint):
                is_empty = False
                yield StreamPartition(self._stream, part, self._cursor, self._run)
            if is_empty:
                self._cursor.emit()
        except Exception as error:
            raise self._run.failed(self._stream.name, error) from None


class _EngineStream(DefaultStream):
    """What the engine sees of a stream."""

    def __init__(self, stream: Stream, partitions: PartitionGenerator, cursor: StateCursor) -> None:
        super().__init__(
            partitions,
            stream.name,
            stream.json_schema,
            list(stream.primary_key),
            CursorField(stream.cursor_field) if stream.cursor_field else None,
            _ENGINE_LOG,
            cursor,
        )
