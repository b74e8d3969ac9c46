"""The verbs that every connector on this kit shares: check, discover and read."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    FailureType,
    Status,
    SyncMode,
)
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from connector_kit.cdk.engine import Run
from connector_kit.cdk.failures import protect, traced, worst
from connector_kit.errors import ConfigError
from connector_kit.pagination import ReadAhead
from connector_kit.secrets import excerpt
from connector_kit.state import StreamState
from connector_kit.stream import Stream

_LOG = logging.getLogger("airbyte.source")

C = TypeVar("C")


class ConnectorSource(Source, Generic[C]):
    """A source with a typed config `C`. Built without arguments; a verb gets all that it needs.

    The CDK would check a config against spec.json too, before `discover` and `read`. It need not: `parse` does, and
    says which field is wrong.
    """

    check_config_against_spec = False
    batched = False
    """Whether records leave as `RecordBatch`. Only `BatchEntrypoint` can print those, so only it sets this."""

    def __init__(self) -> None:
        self._repository: MessageRepository = InMemoryMessageRepository()

    @property
    def message_repository(self) -> MessageRepository:
        """Where the entry point looks for messages left over."""
        return self._repository

    @abstractmethod
    def parse(self, config: Mapping[str, Any]) -> C:
        """The typed config. Raises ConfigError that names the field."""

    @abstractmethod
    def secrets(self, config: C) -> list[str]:
        """Everything to mask in whatever the connector prints, in all its forms."""

    @abstractmethod
    def workers(self, config: C) -> int:
        """How many requests may be under way at once."""

    @abstractmethod
    def streams(self, config: C, ahead: ReadAhead) -> list[Stream]:
        """The streams that the config offers."""

    @abstractmethod
    def verify(self, config: C) -> None:
        """Finds out with few requests whether a read would work. Raises ConnectorError if not."""

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """FAILED for what the user can mend; anything else is raised, which tells the platform to try again."""
        try:
            self.verify(self._prepare(config))
        except Exception as error:
            failure = traced(error)
            if failure.failure_type != FailureType.config_error:
                raise failure from None
            return AirbyteConnectionStatus(status=Status.FAILED, message=failure.message)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """The streams of the config. Sends no request."""
        with _as_traced(), self._streams(self._prepare(config)) as streams:
            return AirbyteCatalog(streams=[_describe(stream) for stream in streams])

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterable[AirbyteMessage]:
        """Records, states and statuses. Raises after the last message if a stream failed; the others are read to
        their end.

        A state is honoured in every sync mode: the platform clears it before a full refresh, and sends it for the
        second attempt of one.
        """
        with _as_traced():
            typed = self._prepare(config)
            states = _states(state or [])
        with self._streams(typed) as offered:
            run = Run(self.batched)
            self._repository = run.repository
            with _as_traced():
                selected = _selected(catalog, offered)
                engine_streams = [
                    run.stream(stream, StreamState(stream.name, stream.cursor_field, states.get(stream.name)))
                    for stream in selected
                ]
            if engine_streams:
                yield from run.messages(engine_streams, self.workers(typed))
        if run.failures:
            raise StreamsFailed(run.failures)

    @classmethod
    def read_config(cls, config_path: str) -> dict[str, Any]:
        with _as_traced():
            return cast(dict[str, Any], _json_file(config_path, "config", dict))

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        with _as_traced():
            _json_file(catalog_path, "catalog", dict)
            try:
                return super().read_catalog(catalog_path)
            except Exception as error:
                raise ConfigError(
                    f"The catalog {catalog_path} is no configured catalog: {type(error).__name__}: {excerpt(error)}. "
                    'It needs {"streams": [{"stream": …, "sync_mode": …, "destination_sync_mode": …}]}.'
                ) from None

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        if not state_path:
            return []
        with _as_traced():
            given = _json_file(state_path, "state", (list, dict))
            if isinstance(given, dict) and given:
                raise ConfigError(
                    f"The state {state_path} must be a list of state messages: "
                    '[{"type": "STREAM", "stream": {"stream_descriptor": {"name": …}, "stream_state": {…}}}].'
                )
            try:
                return super().read_state(state_path)
            except Exception as error:
                raise ConfigError(
                    f"The state {state_path} cannot be read: {type(error).__name__}: {excerpt(error)}. "
                    "Give the list of states that the last sync printed, or none to read everything."
                ) from None

    def _prepare(self, config: Mapping[str, Any]) -> C:
        typed = self.parse(config)
        protect(self.secrets(typed))
        return typed

    @contextmanager
    def _streams(self, config: C) -> Iterator[list[Stream]]:
        """The config's streams, with the pool that they request pages on."""
        workers = self.workers(config)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="request")
        try:
            yield self.streams(config, ReadAhead(pool, workers))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class StreamsFailed(AirbyteTracedException):
    """Ends a sync of which streams failed, after each of them has printed its own error."""

    def __init__(self, failures: Mapping[str, AirbyteTracedException]) -> None:
        message = (
            f"{len(failures)} of the streams did not finish: {', '.join(sorted(failures))}. "
            "Each has printed its own error. What was read is delivered; the next sync goes on from the last state."
        )
        super().__init__(message, message, FailureType(worst(list(failures.values())).value))


@contextmanager
def _as_traced() -> Iterator[None]:
    """Turns any error into the CDK's, masked and without a trail of causes."""
    try:
        yield
    except Exception as error:
        raise traced(error) from None


def _describe(stream: Stream) -> AirbyteStream:
    described = AirbyteStream(
        name=stream.name,
        json_schema=stream.json_schema,
        supported_sync_modes=[SyncMode.full_refresh],
        source_defined_primary_key=[[name] for name in stream.primary_key],
        is_resumable=True,
    )
    if stream.cursor_field:
        described.supported_sync_modes.append(SyncMode.incremental)
        described.source_defined_cursor = True
        described.default_cursor_field = [stream.cursor_field]
    return described


def _selected(catalog: ConfiguredAirbyteCatalog, offered: Sequence[Stream]) -> list[Stream]:
    """The configured streams, in the order in which the source offers them."""
    wanted = {configured.stream.name for configured in catalog.streams}
    missing = sorted(wanted - {stream.name for stream in offered})
    if missing:
        raise ConfigError(
            f"The catalog asks for streams that this configuration does not offer: {', '.join(missing)}. It offers "
            f"{', '.join(stream.name for stream in offered)}. Refresh the connection's schema, or configure "
            "the missing part."
        )
    return [stream for stream in offered if stream.name in wanted]


def _states(state: Sequence[AirbyteStateMessage]) -> dict[str, Mapping[str, Any]]:
    """The stream states by stream. States of streams that are not read are left alone: the platform sends them all."""
    states: dict[str, Mapping[str, Any]] = {}
    for message in state:
        if message.type not in (AirbyteStateType.STREAM, None) or message.stream is None:
            raise ConfigError(
                f"A state of the type {message.type} was given; this connector writes one state per stream. "
                "Give the states that it printed, or none to read everything."
            )
        blob = message.stream.stream_state
        states[message.stream.stream_descriptor.name] = dict(vars(blob)) if blob else {}
    return states


def _json_file(path: str, what: str, kinds: type | tuple[type, ...]) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise ConfigError(f"The {what} {path} cannot be read: {error.strerror}. Check the path.") from None
    except ValueError as error:
        reason = (
            f"line {error.lineno}, column {error.colno}: {error.msg}"
            if isinstance(error, json.JSONDecodeError)
            else "it is not UTF-8 text"
        )
        raise ConfigError(f"The {what} {path} is not valid JSON ({reason}).") from None
    if not isinstance(content, kinds):
        raise ConfigError(f"The {what} {path} holds a JSON {type(content).__name__}, which is no {what}.")
    return content
