"""What connector_kit.cdk relies on in the CDK, beyond its documented interface. A red test here after an upgrade means
that the module it names has to be looked at before anything else."""

import argparse
import json
import logging
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from queue import Full, Queue
from typing import Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateBlob,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    FailureType,
    Status,
    Type,
)
from airbyte_cdk.sources.concurrent_source.concurrent_source import ConcurrentSource
from airbyte_cdk.sources.concurrent_source.stream_thread_exception import StreamThreadException
from airbyte_cdk.sources.message import InMemoryMessageRepository
from airbyte_cdk.sources.message.concurrent_repository import ConcurrentMessageRepository
from airbyte_cdk.sources.source import Source
from airbyte_cdk.sources.streams.concurrent.cursor import Cursor
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.streams.concurrent.partition_reader import PartitionReader
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.streams.concurrent.partitions.partition_generator import PartitionGenerator
from airbyte_cdk.sources.streams.concurrent.partitions.types import PartitionCompleteSentinel
from airbyte_cdk.sources.types import Record
from airbyte_cdk.sources.utils.slice_logger import DebugSliceLogger
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

from connector_kit.cdk import messages, startup
from connector_kit.cdk.messages import RecordBatch
from connector_kit.errors import Failure

LOG = logging.getLogger("airbyte.test")


class Part(Partition):
    """A partition of given items; an exception among them is raised."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = items

    def read(self) -> Iterable[Record]:
        for item in self._items:
            if isinstance(item, Exception):
                raise item
            yield item

    def to_slice(self) -> Mapping[str, Any] | None:
        return None

    def stream_name(self) -> str:
        return "things"

    def __hash__(self) -> int:
        return id(self)


class Parts(PartitionGenerator):
    def __init__(self, *parts: Partition) -> None:
        self._parts = parts

    def generate(self) -> Iterable[Partition]:
        yield from self._parts


class QuietCursor(Cursor):
    """Does what it is given to do when a partition is closed."""

    def __init__(self, close: Any = lambda: None) -> None:
        self._close = close
        self.observed: list[Any] = []

    @property
    def state(self) -> MutableMapping[str, Any]:
        return {}

    def observe(self, record: Record) -> None:
        self.observed.append(record)

    def close_partition(self, partition: Partition) -> None:
        self._close()

    def ensure_at_least_one_state_emitted(self) -> None:
        pass

    def should_be_synced(self, record: Record) -> bool:
        return True


def drained(queue: Queue[Any]) -> list[Any]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


# engine.py


@pytest.mark.parametrize("in_batches", [True, False])
def test_the_engine_passes_messages_on_untouched_and_in_order(in_batches: bool) -> None:
    queue: Queue[Any] = Queue(maxsize=2)
    repository = ConcurrentMessageRepository(queue, InMemoryMessageRepository())
    state = messages.state("things", {"v": 1})
    items: list[AirbyteMessage] = [
        messages.running("things"),
        *(
            messages.batch("things", [({"id": n}, [])]) if in_batches else messages.record("things", {"id": n}, [])
            for n in range(20)
        ),
    ]
    cursor = QuietCursor(lambda: repository.emit_message(state))
    stream = DefaultStream(Parts(Part(items)), "things", {}, ["id"], None, LOG, cursor)
    engine = ConcurrentSource.create(
        num_workers=2,
        initial_number_of_partitions_to_generate=1,
        logger=LOG,
        slice_logger=DebugSliceLogger(),
        message_repository=repository,
        queue=queue,
    )
    printed = list(engine.read([stream]))
    assert [id(message) for message in printed[1:-1]] == [id(message) for message in [*items, state]]
    assert [_status(printed[0]), _status(printed[-1])] == [AirbyteStreamStatus.STARTED, AirbyteStreamStatus.COMPLETE]
    assert len(cursor.observed) == len(items)


def _status(message: AirbyteMessage) -> AirbyteStreamStatus:
    assert message.trace is not None
    assert message.trace.stream_status is not None
    return message.trace.stream_status.status


def test_a_partition_is_closed_after_its_last_item_and_before_the_engine_hears_that_it_is_complete() -> None:
    queue: Queue[Any] = Queue()
    part = Part(["first", "last"])
    PartitionReader(queue).process_partition(part, QuietCursor(lambda: queue.put("state")))
    *said, sentinel = drained(queue)
    assert said == ["first", "last", "state"]
    assert isinstance(sentinel, PartitionCompleteSentinel)
    assert sentinel.is_successful


def test_a_partition_that_fails_is_not_closed_and_its_exception_comes_before_the_sentinel() -> None:
    queue: Queue[Any] = Queue()
    error = ValueError("boom")
    PartitionReader(queue).process_partition(Part(["first", error]), QuietCursor(lambda: queue.put("state")))
    first, failure, sentinel = drained(queue)
    assert first == "first"
    assert isinstance(failure, StreamThreadException)
    assert failure.exception is error
    assert isinstance(sentinel, PartitionCompleteSentinel)
    assert not sentinel.is_successful


def test_a_worker_waits_for_room_in_the_shared_queue_and_the_printing_thread_never_does() -> None:
    queue: Queue[Any] = Queue(maxsize=1)
    repository = ConcurrentMessageRepository(queue, InMemoryMessageRepository())
    one, two, three = (messages.state("things", {"n": n}) for n in range(3))
    worker = threading.Thread(target=lambda: [repository.emit_message(message) for message in (one, two)])
    worker.start()
    assert queue.get(timeout=10) is one
    assert queue.get(timeout=10) is two
    worker.join()

    queue.put(one)
    with pytest.raises(Full):
        queue.put_nowait(two)
    repository.emit_message(three)
    assert list(repository.consume_queue()) == [three]
    assert drained(queue) == [one]


def test_a_state_blob_holds_what_it_is_given_as_its_attributes() -> None:
    given = {"v": 1, "cursor_field": None, "partitions": {"*": "2026-01-01T00:00:00Z", "odd key": [1]}}
    assert vars(AirbyteStateBlob(given)) == given
    printed = AirbyteMessageSerializer.dump(messages.state("things", given))
    assert printed["state"]["stream"]["stream_state"] == given


# entrypoint.py


class TinySource(Source):
    """Says what it is given to say."""

    check_config_against_spec = False

    def __init__(self, said: list[AirbyteMessage]) -> None:
        self._said = said
        self.message_repository = InMemoryMessageRepository()

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        return ConnectorSpecification(connectionSpecification={})

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        return AirbyteCatalog(streams=[])

    def read(self, logger: logging.Logger, config: Any, catalog: Any, state: Any = None) -> Iterator[AirbyteMessage]:
        yield from self._said


class TinyEntrypoint(AirbyteEntrypoint):
    """Notes that its own methods are called, as ours count on."""

    def check(self, source_spec: ConnectorSpecification, config: Any) -> Iterable[AirbyteMessage]:
        yield messages.running("own check")

    @staticmethod
    def handle_record_counts(message: AirbyteMessage, stream_message_count: Any) -> AirbyteMessage:
        if isinstance(message, RecordBatch):
            return messages.running(f"own count {message.count}")
        return AirbyteEntrypoint.handle_record_counts(message, stream_message_count)


def test_read_counts_records_by_the_method_of_the_subclass() -> None:
    said = [messages.batch("things", [({"id": 1}, []), ({"id": 2}, [])])]
    entrypoint = TinyEntrypoint(TinySource([*said]))
    spec = ConnectorSpecification(connectionSpecification={})
    [message] = entrypoint.read(spec, {}, ConfiguredAirbyteCatalog(streams=[]), [])
    assert message.trace is not None
    assert message.trace.stream_status is not None
    assert message.trace.stream_status.stream_descriptor.name == "own count 2"


def test_a_state_gets_the_number_of_records_before_it_and_the_count_starts_anew() -> None:
    counts: Any = defaultdict(float)
    state = messages.state("things", {})
    counted = []
    for message in [messages.record("things", {"id": 1}, [])] * 3 + [state]:
        AirbyteEntrypoint.handle_record_counts(message, counts)
    for message in (messages.record("things", {"id": 4}, []), state):
        assert state.state is not None
        assert state.state.sourceStats is not None
        counted.append(state.state.sourceStats.recordCount)
        AirbyteEntrypoint.handle_record_counts(message, counts)
    assert state.state is not None
    assert state.state.sourceStats is not None
    assert [*counted, state.state.sourceStats.recordCount] == [3.0, 3.0, 1.0]


def test_run_checks_by_the_method_of_the_subclass(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("{}")
    arguments = argparse.Namespace(command="check", config=str(config), debug=False)
    lines = [json.loads(line) for line in TinyEntrypoint(TinySource([])).run(arguments)]
    assert [line["trace"]["stream_status"]["stream_descriptor"]["name"] for line in lines] == ["own check"]


@pytest.mark.parametrize("command", [[], ["spec"], ["check", "--config", "c"], ["discover", "--config", "c"]])
def test_arguments_are_parsed_to_a_command(command: list[str]) -> None:
    arguments = AirbyteEntrypoint.parse_args(command)
    assert arguments.command == (command[0] if command else None)


def test_the_print_buffer_can_be_locked_flushed_and_made_to_wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []

    class Stdout:
        write = staticmethod(printed.append)
        flush = staticmethod(lambda: None)

    monkeypatch.setattr(sys, "__stdout__", Stdout())
    monkeypatch.setattr(PRINT_BUFFER, "flush_interval", 3600.0)
    with PRINT_BUFFER.lock, PRINT_BUFFER.lock:
        PRINT_BUFFER.write("one\n")
        assert "".join(printed) == ""
        PRINT_BUFFER.flush()
        assert "".join(printed) == "one\n"
    monkeypatch.setattr(PRINT_BUFFER, "flush_interval", 0.0)
    PRINT_BUFFER.write("two\n")
    assert "".join(printed) == "one\ntwo\n"


# failures.py


def test_the_failure_types_are_airbytes_own() -> None:
    assert {kind.value for kind in Failure} == {kind.value for kind in FailureType}
    assert {kind.value for kind in FailureType} == {"config_error", "transient_error", "system_error"}


def test_secrets_are_masked_in_the_order_in_which_they_were_given() -> None:
    """Ours come longest first; sorting them otherwise would leave the rest of a longer form standing."""
    from airbyte_cdk.utils import airbyte_secrets_utils

    before = list(airbyte_secrets_utils.__SECRETS_FROM_CONFIG)
    try:
        update_secrets([])
        for form in ("planted-secret-long", "planted-secret"):
            airbyte_secrets_utils.add_to_secrets(form)
        assert filter_secrets("a planted-secret-long, a planted-secret") == "a ****, a ****"
    finally:
        update_secrets(before)


# startup.py


def test_the_hook_of_the_import_is_taken_back() -> None:
    import attributes_doc

    assert attributes_doc.get_attributes_doc is attributes_doc._base.get_attributes_doc


def test_the_hook_stands_while_the_cdk_is_imported_and_only_then() -> None:
    import attributes_doc

    original = attributes_doc.get_attributes_doc
    with startup._without_attribute_docs():
        assert attributes_doc.get_attributes_doc(Documented) == {}
    assert attributes_doc.get_attributes_doc is original
    assert original(Documented) == {"field": "Read from the source."}


class Documented:
    field: int
    """Read from the source."""


def test_the_serializer_takes_the_hooked_name_while_it_is_imported() -> None:
    """In a process of its own, as the first import decides: should serpyco-rs look elsewhere, the hook does nothing."""
    code = "import connector_kit.cdk, serpyco_rs._utils as u; print(u._get_attributes_doc.__module__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["connector_kit.cdk.startup"]


def test_a_record_message_is_known_by_its_type() -> None:
    assert messages.record("things", {}, []).type is Type.RECORD
    assert messages.state("things", {}).type is Type.STATE
