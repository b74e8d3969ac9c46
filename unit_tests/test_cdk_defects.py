"""The CDK's known defects, one by one: that a source on this kit does not have them.

Toy streams run through the whole kit in this process; the console script is held against the same rules in
integration_tests/.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from airbyte_cdk.models import (
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from connector_kit.cdk.messages import RecordBatch
from connector_kit.cdk.source import ConnectorSource
from connector_kit.pagination import ReadAhead
from connector_kit.records import Row
from connector_kit.stream import Checkpoint, Reading, Slice, Stream

Json = dict[str, Any]
ReadSlice = Callable[[Slice], Iterator[list[Row]]]

SECRET = "toy-secret-0123456789"


class Toy(Stream):
    """Slices `0`, `1`, … that are read by a given function, and whose checkpoint is `done`."""

    name = "toy"
    primary_key = ("id",)
    cursor_field = "id"

    def __init__(self, slices: int, read_slice: ReadSlice) -> None:
        self._slices = slices
        self._read_slice = read_slice

    @property
    def declared_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"id": {"type": ["integer"]}}}

    def slices(self, checkpoint: Checkpoint) -> Sequence[Slice]:
        return [Slice(str(number)) for number in range(self._slices)]

    def read(self, part: Slice, reading: Reading) -> Iterator[list[Row]]:
        yield from self._read_slice(part)
        reading.finish = lambda checkpoint: "done"


class ToySource(ConnectorSource[None]):
    """A source of one toy stream."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def parse(self, config: Mapping[str, Any]) -> None:
        return None

    def secrets(self, config: None) -> list[str]:
        return [SECRET]

    def workers(self, config: None) -> int:
        return 4

    def streams(self, config: None, ahead: ReadAhead) -> list[Stream]:
        return [self._stream]

    def verify(self, config: None) -> None:
        return None


def _catalog() -> ConfiguredAirbyteCatalog:
    stream = {"name": "toy", "json_schema": {}, "supported_sync_modes": ["incremental"]}
    configured = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return ConfiguredAirbyteCatalogSerializer.load({"streams": [configured]})


def _read(slices: int, read_slice: ReadSlice, *, batched: bool) -> tuple[list[Json], AirbyteTracedException | None]:
    """What a sync prints, as JSON, and the exception it ended with."""
    source = ToySource(Toy(slices, read_slice))
    source.batched = batched
    printed: list[Json] = []
    try:
        for message in source.read(logging.getLogger("airbyte"), {}, _catalog(), []):
            if isinstance(message, RecordBatch):
                printed += map(json.loads, message.lines.splitlines())
            else:
                printed.append(json.loads(json.dumps(AirbyteMessageSerializer.dump(message))))
    except AirbyteTracedException as error:
        return printed, error
    return printed, None


def _kinds(printed: list[Json]) -> list[str]:
    """STARTED, RUNNING, RECORD, STATE, …: the order in which things were said."""
    return [
        message["trace"]["stream_status"]["status"] if "stream_status" in message.get("trace", {}) else message["type"]
        for message in printed
    ]


@pytest.fixture(params=[False, True], ids=["messages", "batches"])
def batched(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def _three_rows(part: Slice) -> Iterator[list[Row]]:
    for number in range(3):
        yield [{"id": int(part.key) * 10 + number}]


def test_1_an_empty_record_does_not_end_the_sync(batched: bool) -> None:
    def read_slice(part: Slice) -> Iterator[list[Row]]:
        yield [{"id": 1}, {}, {"id": 2}]
        yield [{}]
        yield [{"id": 3}]

    printed, error = _read(1, read_slice, batched=batched)
    assert [message["record"]["data"] for message in printed if message["type"] == "RECORD"] == [
        {"id": 1},
        {},
        {"id": 2},
        {},
        {"id": 3},
    ]
    assert _kinds(printed)[-2:] == ["STATE", "COMPLETE"]
    assert error is None


def test_2_a_secret_in_an_exception_is_masked_in_every_text(batched: bool) -> None:
    def read_slice(part: Slice) -> Iterator[list[Row]]:
        yield [{"id": 1}]
        raise ValueError(f"GET https://example.com/?api_key={SECRET}")

    printed, error = _read(1, read_slice, batched=batched)
    trace = next(message["trace"]["error"] for message in printed if "error" in message.get("trace", {}))
    assert trace["message"].startswith("toy: an unexpected ValueError stopped the connector.")
    assert "GET https://example.com/?api_key=****" in trace["internal_message"]
    assert SECRET not in json.dumps(printed)
    assert error is not None
    assert SECRET not in repr(error)


def test_3_no_state_stands_before_its_records(batched: bool) -> None:
    printed, _ = _read(40, _three_rows, batched=batched)
    arrived: set[int] = set()
    for message in printed:
        if message["type"] == "RECORD":
            arrived.add(message["record"]["data"]["id"])
        elif message["type"] == "STATE":
            for key in message["state"]["stream"]["stream_state"]["partitions"]:
                assert {int(key) * 10 + number for number in range(3)} <= arrived
    assert len(arrived) == 120


def test_4_the_last_state_stands_before_complete(batched: bool) -> None:
    printed, _ = _read(3, _three_rows, batched=batched)
    kinds = _kinds(printed)
    assert kinds[:2] == ["STARTED", "RUNNING"]
    assert kinds[-2:] == ["STATE", "COMPLETE"]


def test_4_a_stream_that_fails_leaves_no_state(batched: bool) -> None:
    def read_slice(part: Slice) -> Iterator[list[Row]]:
        yield [{"id": 1}]
        raise ValueError("broken")

    printed, error = _read(1, read_slice, batched=batched)
    assert "STATE" not in _kinds(printed)
    assert _kinds(printed)[-1] == "INCOMPLETE"
    assert error is not None


def test_4_a_failed_partition_is_not_in_the_state_of_the_others(batched: bool) -> None:
    def read_slice(part: Slice) -> Iterator[list[Row]]:
        yield [{"id": int(part.key)}]
        if part.key == "1":
            raise ValueError("broken")

    printed, _ = _read(3, read_slice, batched=batched)
    states = [message["state"]["stream"]["stream_state"] for message in printed if message["type"] == "STATE"]
    assert states[-1]["partitions"] == {"0": "done", "2": "done"}


def test_5_every_closed_partition_has_its_state_at_once(batched: bool) -> None:
    printed, _ = _read(25, _three_rows, batched=batched)
    sizes = [
        len(message["state"]["stream"]["stream_state"]["partitions"])
        for message in printed
        if message["type"] == "STATE"
    ]
    assert sizes == list(range(1, 26))


def test_a_stream_without_slices_says_running_state_complete(batched: bool) -> None:
    printed, _ = _read(0, _three_rows, batched=batched)
    assert _kinds(printed) == ["STARTED", "RUNNING", "STATE", "COMPLETE"]


def test_6_the_parser_that_drops_the_rest_of_a_file_is_not_even_imported() -> None:
    parser = "airbyte_cdk.sources.file_based.file_types.jsonl_parser"
    program = f"import source_kissmetrics.source, sys; sys.exit({parser!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_7_no_config_of_the_spec_scenarios_names_a_catalog() -> None:
    root = Path(__file__).parents[1]
    sections = yaml.safe_load((root / "acceptance-test-config.yml").read_text(encoding="utf-8"))["acceptance_tests"]
    scenarios = [scenario for section in sections.values() for scenario in section.get("tests", [])]
    assert scenarios
    assert not any("configured_catalog_path" in scenario for scenario in scenarios)
