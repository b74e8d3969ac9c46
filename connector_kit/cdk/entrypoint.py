"""The CDK's entry point, made to print batches, to end on every failure, and to say what failed once."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NoReturn

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import AirbyteMessage, ConnectorSpecification, Type
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor

from connector_kit.cdk.failures import traced
from connector_kit.cdk.messages import RecordBatch
from connector_kit.cdk.source import ConnectorSource, StreamsFailed
from connector_kit.errors import ConfigError


class BatchEntrypoint(AirbyteEntrypoint):
    """Prints a RecordBatch as the lines it holds, behind everything that was said before it."""

    def read(
        self, source_spec: ConnectorSpecification, config: Any, catalog: Any, state: list[Any]
    ) -> Iterable[AirbyteMessage]:
        for message in super().read(source_spec, config, catalog, state):
            if isinstance(message, RecordBatch):
                _print(message.lines)
            else:
                yield message

    def check(self, source_spec: ConnectorSpecification, config: Any) -> Iterable[AirbyteMessage]:
        """One CONNECTION_STATUS, or one error; the CDK's own `check` prints an error twice."""
        self.set_up_secret_filter(config, source_spec.connectionSpecification)
        yield AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=self.source.check(self.logger, config))

    @staticmethod
    def handle_record_counts(
        message: AirbyteMessage, stream_message_count: defaultdict[HashableStreamDescriptor, float]
    ) -> AirbyteMessage:
        if isinstance(message, RecordBatch):
            stream_message_count[HashableStreamDescriptor(name=message.stream, namespace=None)] += message.count
            return message
        return AirbyteEntrypoint.handle_record_counts(message, stream_message_count)

    @staticmethod
    def validate_connection(source_spec: ConnectorSpecification, config: Any) -> None:
        """Left to the source's own `parse`, whose messages name the field."""


def launch(source: ConnectorSource[Any], args: list[str]) -> NoReturn:
    """Runs one verb and ends the process.

    A failure is one TRACE message, with exit status 1; streams that failed have printed theirs. The process ends
    without waiting for its threads: after an error of the printing thread, a worker may wait for room in the queue
    for ever.
    """
    if "--debug" in args:
        os.environ["LOG_LEVEL"] = "debug"  # else the CDK prints debug lines that are no protocol messages
    if os.getpid() == 1:
        # In a container, where the kernel ignores SIGTERM for the first process unless it is handled.
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))
    logging.raiseExceptions = False  # else a log line for a reader that has gone prints a stack trace
    PRINT_BUFFER.flush_interval = 0.0  # else a line may wait in the buffer until the next one comes
    gc.freeze()  # what is imported stays; and rows hold no cycles, so that looking for them often finds nothing
    gc.set_threshold(50_000, 50, 100)
    source.batched = True
    entrypoint = BatchEntrypoint(source)
    status = 1
    try:
        arguments = _arguments(entrypoint, args)
        with PRINT_BUFFER:
            status = _run(entrypoint, arguments)
    except OSError:
        pass  # stdout takes no more: the reader has gone, or the disk is full; there is nobody left to tell
    except KeyboardInterrupt:
        status = 130
    finally:
        os._exit(status)


def _arguments(entrypoint: BatchEntrypoint, args: list[str]) -> argparse.Namespace | None:
    """The arguments, taken apart; None for those that cannot be used. What is wrong with them, argparse says on stderr,
    which it must do before the print buffer takes its place."""
    try:
        arguments = entrypoint.parse_args(args)
    except SystemExit as end:
        if not end.code:
            os._exit(0)  # --help
        return None
    return arguments if arguments.command else None


def _run(entrypoint: BatchEntrypoint, arguments: argparse.Namespace | None) -> int:
    """Prints what a verb says. Returns the exit status. Raises OSError if it cannot print."""
    try:
        if arguments is None:
            raise ConfigError(
                "The arguments cannot be used. Use one of spec, check, discover, read; --help explains them."
            )
        for line in entrypoint.run(arguments):
            _print(line.encode() + b"\n")
    except StreamsFailed as failure:
        logging.getLogger("airbyte").error(failure.message)
        return 1
    except Exception as error:
        _print_trace(error)
        return 1
    return 0


def _print_trace(error: Exception) -> None:
    message = traced(error).as_sanitized_airbyte_message()
    _print(AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n")


def _print(lines: bytes) -> None:
    """Writes whole lines. Under the buffer's lock and behind its content, so that no log line of a thread comes
    between."""
    stdout = sys.__stdout__
    assert stdout is not None
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
        stdout.buffer.write(lines)
        stdout.buffer.flush()
