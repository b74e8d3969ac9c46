"""What a stream declares, and how a list over HTTP becomes one. Knows nothing of Airbyte's messages."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from connector_kit import instants
from connector_kit.errors import ConfigError, ConnectorError, Failure
from connector_kit.pagination import OffsetPagination, Page, ReadAhead
from connector_kit.records import Row
from connector_kit.state import RESET

_LOG = logging.getLogger("airbyte.streams")


Checkpoint = Callable[[str], Any]
"""How far the partition of a key was read; None if it was not."""

Change = Callable[[Any], Any]
"""What becomes of a partition's checkpoint, None at first. Called under a lock, so it MUST be quick."""


@dataclass(frozen=True)
class Slice:
    """A part of a stream that is read on its own.

    `key` names, in the state and for ever, the partition whose checkpoint it advances. Slices of one partition are told
    apart by `label`.
    """

    key: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    label: str = ""


@dataclass
class Reading:
    """What a stream and the kit tell each other while a slice is read, besides the rows."""

    checkpoint: Any | None
    """How far the partition was read when this slice was begun; None if it was not."""
    expect: Callable[[int], None] = lambda rows: None
    """To call once, as soon as it is known how many rows the slice has at most."""
    update: Callable[[Change], None] = lambda change: None
    """Changes the partition's checkpoint now, and emits it. It MUST NOT claim rows of this slice."""
    finish: Change = lambda checkpoint: checkpoint
    """To set before the slice ends: how the partition's checkpoint changes then."""


class Stream(ABC):
    """A stream of records.

    A subclass declares the class variables and the schema; the kit does the rest. `read` runs on a worker thread, for
    several slices of the stream at once, so it MUST NOT keep anything on the instance.
    """

    name: ClassVar[str]
    primary_key: ClassVar[tuple[str, ...]]
    cursor_field: ClassVar[str | None] = None
    drop: tuple[str, ...] = ()
    """Fields of the service that do not leave, for example write secrets."""

    @property
    @abstractmethod
    def declared_schema(self) -> dict[str, Any]:
        """The draft-7 schema of a row as the service sends it. MUST declare every field of the primary key and the
        cursor, each property with a list of types."""

    @property
    def json_schema(self) -> dict[str, Any]:
        """The schema of the records: as declared, without what is dropped."""
        declared = self.declared_schema
        kept = {name: schema for name, schema in declared["properties"].items() if name not in self.drop}
        return {**declared, "properties": kept}

    def slices(self, checkpoint: Checkpoint) -> Sequence[Slice]:
        """The parts that the stream is read in; one for the whole stream unless overridden. MAY send requests."""
        return [Slice("*")]

    @abstractmethod
    def read(self, part: Slice, reading: Reading) -> Iterator[list[Row]]:
        """Yields the slice's rows in batches, MAY change them, and MUST set `reading.finish` before it ends.

        A row that was yielded counts as delivered once the slice has ended without an exception, not before.
        """


class ListStream(Stream):
    """A stream that is a list over HTTP, read whole each time; a cursor is applied on this side.

    For services without a filter for changed rows. With a state, a row is handed on if its cursor is at or after the
    state's, or is null. The boundary is inclusive because a row may change again within the second that the state
    names.
    """

    path: ClassVar[str]
    """Path of the whole list."""
    pagination: ClassVar[OffsetPagination]
    parent: ClassVar[type[ListStream] | None] = None
    """The stream whose records this list belongs to."""
    path_in_parent: ClassVar[str]
    """Path of the part that belongs to one parent, with `{parent_id}`."""

    def __init__(self, ahead: ReadAhead, page_size: int | None = None) -> None:
        self._ahead = ahead
        self._page_size = page_size

    @abstractmethod
    def fetch(self, path: str, offset: int, limit: int) -> Page:
        """Requests one page. Called from several threads at once."""

    def parent_ids(self) -> Sequence[str]:
        """The parents to read the list for, one by one; none to read the whole list at once."""
        return ()

    def slices(self, checkpoint: Checkpoint) -> Sequence[Slice]:
        return self.slices_of(self.parent_ids() if self.parent else ())

    @staticmethod
    def slices_of(parent_ids: Sequence[str]) -> Sequence[Slice]:
        """A slice for each parent, or one for the whole list."""
        return [Slice(parent_id, {"parent_id": parent_id}) for parent_id in parent_ids] or [Slice("*")]

    def path_of(self, part: Slice) -> str:
        """The path to request for a slice."""
        if not part.params:
            return self.path
        return self.path_in_parent.format(parent_id=quote(part.params["parent_id"], safe=""))

    def row_key(self, row: object) -> Any:
        """A row's identity within the list. Raises ConnectorError for what is no row: nothing is dropped in silence."""
        if not isinstance(row, dict):
            raise ConnectorError(
                Failure.SYSTEM,
                f"An item of the list is no object but {type(row).__name__}; the answer is not understood. "
                "Please report this.",
            )
        key = row.get(self.primary_key[0]) if len(self.primary_key) == 1 else tuple(map(row.get, self.primary_key))
        if key is None or isinstance(key, (dict, list)) or (type(key) is tuple and None in key):
            raise ConnectorError(
                Failure.SYSTEM,
                f"A row of the list has no {' or no '.join(self.primary_key)}: it has the fields "
                f"{', '.join(sorted(row)) or '(none)'}. Without it the row cannot be told from others. "
                "Please report this.",
            )
        return key

    def read(self, part: Slice, reading: Reading) -> Iterator[list[Row]]:
        path = self.path_of(part)
        since = self._since(reading.checkpoint)
        newest, horizon = since, None
        rows = pages = kept = 0
        for page in self.pagination.read(
            lambda offset, limit: self.fetch(path, offset, limit),
            self.row_key,
            self._ahead,
            page_size=self._page_size,
        ):
            if not pages:
                horizon = page.served_at
                if page.total is not None:
                    reading.expect(page.total)
            fresh, newest = self._newer(page.rows, since, newest)
            pages, rows, kept = pages + 1, rows + len(page.rows), kept + len(fresh)
            if fresh:
                yield fresh
        _LOG.info("%s: %d rows in %d pages of %s, %d of them to deliver.", self.name, rows, pages, path, kept)
        reached = self._reached(since, newest, horizon)
        reading.finish = lambda checkpoint: reached

    def _since(self, checkpoint: Any | None) -> str | None:
        if checkpoint is None:
            return None
        since = instants.sort_key(checkpoint) if isinstance(checkpoint, str) else None
        if since is None:
            raise ConfigError(
                f"The state of stream {self.name} holds {checkpoint!r} where a date-time is expected. {RESET}"
            )
        return since

    def _newer(self, rows: list[Row], since: str | None, newest: str | None) -> tuple[list[Row], str | None]:
        """The rows to hand on, and the newest cursor seen so far, as sort keys."""
        if self.cursor_field is None:
            return rows, newest
        kept = []
        for row in rows:
            value = row.get(self.cursor_field)
            if isinstance(value, str):
                # Most rows neither move the newest cursor nor are old: whether their cursor is a date does not matter.
                guess = instants.unchecked_sort_key(value)
                if guess is None or newest is None or guess > newest or (since is not None and guess < since):
                    moment = instants.sort_key(value)
                    if moment is not None and (newest is None or moment > newest):
                        newest = moment
                    if moment is not None and since is not None and moment < since:
                        continue
            kept.append(row)
        return kept, newest

    @staticmethod
    def _reached(since: str | None, newest: str | None, horizon: str | None) -> str | None:
        """The checkpoint of a list that was read whole.

        Not later than the moment at which the first page was served: a row of that page that changed while the last
        one was read has a cursor after that moment, though before the newest one, and would be skipped next time.
        """
        reached = min(newest, horizon) if newest and horizon else newest
        reached = max(reached, since) if reached and since else reached or since
        return f"{reached}Z" if reached else None
