"""Airbyte messages, and the batch of records that travels through the CDK as one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson
from airbyte_cdk.models import (
    AirbyteEstimateTraceMessage,
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    AirbyteTraceMessage,
    EstimateType,
    StreamDescriptor,
    TraceType,
    Type,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as stream_status
from airbyte_protocol_dataclasses.models import (
    AirbyteRecordMessageMeta,
    AirbyteRecordMessageMetaChange,
    Change,
    Reason,
)

from connector_kit.records import Row

ShapedRow = tuple[Row, Sequence[str]]
"""A record's data, and the fields that had to be set to null to make it fit its schema."""


class RecordBatch(AirbyteMessage):
    """Many RECORD messages as the bytes they are printed as.

    To the CDK's engine it is one message, which it passes on as it is; only `BatchEntrypoint` can print it.
    """

    def __init__(self, stream: str, lines: bytes, count: int) -> None:
        super().__init__(type=Type.RECORD)
        self.stream = stream
        self.lines = lines
        self.count = count


def batch(stream: str, rows: Sequence[ShapedRow]) -> RecordBatch:
    """The rows, serialised. Each becomes a line, its `emitted_at` is the present."""
    head = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(stream)
    tail = b',"emitted_at":%d' % _now()
    end = tail + b"}}\n"
    if any(nulled for _, nulled in rows):
        lines = b"".join(
            head
            + orjson.dumps(row)
            + (tail + b',"meta":' + orjson.dumps(_changes(nulled)) + b"}}\n" if nulled else end)
            for row, nulled in rows
        )
    else:
        lines = head + (end + head).join([orjson.dumps(row) for row, _ in rows]) + end if rows else b""
    return RecordBatch(stream, lines, len(rows))


def record(stream: str, row: Row, nulled: Sequence[str]) -> AirbyteMessage:
    """One row as the CDK's own message."""
    meta = None
    if nulled:
        changes = [
            AirbyteRecordMessageMetaChange(field, Change.NULLED, Reason.SOURCE_SERIALIZATION_ERROR) for field in nulled
        ]
        meta = AirbyteRecordMessageMeta(changes=changes)
    return AirbyteMessage(
        type=Type.RECORD, record=AirbyteRecordMessage(stream=stream, data=row, emitted_at=_now(), meta=meta)
    )


def state(stream: str, value: dict[str, Any]) -> AirbyteMessage:
    """A STATE message of one stream."""
    return AirbyteMessage(
        type=Type.STATE,
        state=AirbyteStateMessage(
            type=AirbyteStateType.STREAM,
            stream=AirbyteStreamState(
                stream_descriptor=StreamDescriptor(name=stream), stream_state=AirbyteStateBlob(value)
            ),
        ),
    )


def running(stream: str) -> AirbyteMessage:
    """The status that stands before a stream's first record."""
    return stream_status(StreamDescriptor(name=stream), AirbyteStreamStatus.RUNNING)


def estimate(stream: str, rows: int) -> AirbyteMessage:
    """How many rows the stream has at most; the platform shows it as progress."""
    return AirbyteMessage(
        type=Type.TRACE,
        trace=AirbyteTraceMessage(
            type=TraceType.ESTIMATE,
            emitted_at=float(_now()),
            estimate=AirbyteEstimateTraceMessage(name=stream, type=EstimateType.STREAM, row_estimate=rows),
        ),
    )


def _changes(nulled: Sequence[str]) -> dict[str, Any]:
    return {
        "changes": [
            {"field": field, "change": Change.NULLED.value, "reason": Reason.SOURCE_SERIALIZATION_ERROR.value}
            for field in nulled
        ]
    }


def _now() -> int:
    return time.time_ns() // 1_000_000
