"""A batch of records is what the CDK would have printed one by one, only faster; and a field that is null stays."""

import json
import time
from copy import deepcopy
from typing import Any

import orjson
import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, AirbyteRecordMessage, Type
from airbyte_protocol_dataclasses.models import (
    AirbyteRecordMessageMeta,
    AirbyteRecordMessageMetaChange,
    Change,
    Reason,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.cdk import messages
from connector_kit.cdk.messages import RecordBatch, ShapedRow

Json = dict[str, Any]

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1)
ROWS = st.tuples(st.dictionaries(NAMES, JSON, max_size=4), st.lists(NAMES, max_size=2))


def as_the_cdk_prints(stream: str, row: Json, nulled: list[str]) -> Json:
    """The record as a message of the protocol, by the CDK's own serializer, without the moment.

    It leaves out the fields of a record that are null; they are put back, since here they are printed.
    """
    meta = None
    if nulled:
        meta = AirbyteRecordMessageMeta(
            changes=[
                AirbyteRecordMessageMetaChange(field, Change.NULLED, Reason.SOURCE_SERIALIZATION_ERROR)
                for field in nulled
            ]
        )
    record = AirbyteRecordMessage(stream=stream, data=deepcopy(row), emitted_at=0, meta=meta)
    message = timeless(orjson.dumps(AirbyteMessageSerializer.dump(AirbyteMessage(type=Type.RECORD, record=record))))
    printed = message["record"]["data"]
    assert printed == {name: value for name, value in row.items() if value is not None}
    message["record"]["data"] = {**dict.fromkeys(row), **printed}
    return message


def timeless(line: bytes | str) -> Json:
    """A printed message, without its `emitted_at`, which must be a moment in milliseconds."""
    message: Json = json.loads(line)
    assert type(message["record"].pop("emitted_at")) is int
    return message


def lines_of(batch: RecordBatch) -> list[bytes]:
    assert batch.lines.endswith(b"\n") or not batch.lines
    return batch.lines.split(b"\n")[:-1]


@given(NAMES, st.lists(ROWS, max_size=5))
@example("events", [({"text": 'é "quoted"\n\r\t\\\u2028\u2029\0😀</script>'}, [])])
@example('odd "stream"\n%b %d', [({"id": 1}, []), ({"id": None}, ["id"]), ({}, [])])
@example("events", [({}, [])])
@example("events", [])
@settings(deadline=None)
def test_a_batch_parses_to_the_records_that_the_cdk_prints(stream: str, rows: list[tuple[Json, list[str]]]) -> None:
    shaped: list[ShapedRow] = [(row, nulled) for row, nulled in rows]
    batch = messages.batch(stream, shaped)
    expected = [as_the_cdk_prints(stream, row, nulled) for row, nulled in rows]
    assert [timeless(line) for line in lines_of(batch)] == expected
    assert (batch.stream, batch.count) == (stream, len(rows))


@given(NAMES, ROWS)
@settings(deadline=None)
def test_a_single_record_is_the_same_message(stream: str, shaped: tuple[Json, list[str]]) -> None:
    row, nulled = shaped
    line = timeless(orjson.dumps(AirbyteMessageSerializer.dump(messages.record(stream, row, nulled))))
    assert {**line["record"], "data": row} == as_the_cdk_prints(stream, row, nulled)["record"]


def test_a_field_that_is_null_is_printed_as_such() -> None:
    """Else a destination could not tell a value that was taken away from one that never came."""
    [line] = lines_of(messages.batch("events", [({"id": 1, "name": None}, [])]))
    assert timeless(line) == {"type": "RECORD", "record": {"stream": "events", "data": {"id": 1, "name": None}}}


def test_what_was_nulled_is_said_of_its_own_record_only() -> None:
    lines = lines_of(messages.batch("events", [({"a": 1}, []), ({"a": None, "b": None}, ["a", "b"]), ({"a": 2}, ())]))
    change = {"change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}
    assert [timeless(line)["record"].get("meta") for line in lines] == [
        None,
        {"changes": [{"field": "a", **change}, {"field": "b", **change}]},
        None,
    ]


def test_a_batch_is_a_record_message_to_the_engine_and_never_falsy() -> None:
    batch = messages.batch("events", [])
    assert isinstance(batch, AirbyteMessage)
    assert batch.type is Type.RECORD
    assert batch.record is None
    assert bool(batch) is True


@pytest.mark.parametrize("nulled", [[], ["a"]])
def test_a_record_is_stamped_with_the_present_in_milliseconds(nulled: list[str]) -> None:
    before = time.time_ns() // 1_000_000
    [line] = lines_of(messages.batch("events", [({"a": None}, nulled)]))
    single = messages.record("events", {"a": None}, nulled).record
    after = time.time_ns() // 1_000_000
    assert before <= json.loads(line)["record"]["emitted_at"] <= after
    assert single is not None
    assert before <= single.emitted_at <= after


def test_the_same_rows_take_the_same_bytes_whether_something_was_nulled_or_not() -> None:
    """The two ways of serialising, with and without `meta`, must not drift apart."""
    row = {"id": 1, "name": "é", "nested": {"a": [1.5]}}
    plain = lines_of(messages.batch("events", [(row, [])] * 3))
    mixed = lines_of(messages.batch("events", [(row, [])] * 3 + [(row, ["name"])]))
    assert [timeless(line) for line in plain] == [timeless(line) for line in mixed[:3]]
    assert [list(json.loads(line)["record"]) for line in plain] == [["stream", "data", "emitted_at"]] * 3
    assert list(json.loads(mixed[3])["record"]) == ["stream", "data", "emitted_at", "meta"]
