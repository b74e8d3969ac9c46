"""What was asked and what was answered: the record that tests assert on. It never holds a token."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Authorization = Literal["right", "wrong", "missing"]


@dataclass(slots=True)
class Entry:
    """One request. `status` stays None for a connection that was cut before an answer.

    `start` and `end` are seconds of a monotonic clock. `end` is taken just before the answer's last byte is
    handed over, so a client that has read an answer finds it ended here. `in_flight` counts the requests
    that were being answered when this one arrived, itself included. `bytes` is the length of the body as
    sent.
    """

    number: int
    start: float
    method: str
    path: str
    query: str
    authorization: Authorization
    in_flight: int
    end: float | None = None
    status: int | None = None
    bytes: int = 0


class Journal:
    """Every request to every surface, in order of arrival. The server's thread writes, any thread reads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._in_flight = 0
        self._lock = threading.Lock()

    def begin(self, method: str, path: str, query: str, authorization: Authorization) -> Entry:
        """Note a request that has arrived."""
        with self._lock:
            self._in_flight += 1
            number = len(self._entries) + 1
            entry = Entry(number, self._clock(), method, path, query, authorization, self._in_flight)
            self._entries.append(entry)
        return entry

    def finish(self, entry: Entry) -> None:
        """Note that a request has ended; a second call for the same one does nothing."""
        with self._lock:
            if entry.end is None:
                entry.end = self._clock()
                self._in_flight -= 1

    def clear(self) -> None:
        """Forget what was written. Requests still under way go on counting as in flight."""
        with self._lock:
            self._entries = []

    def requests(
        self,
        path: str | None = None,
        *,
        query: str | None = None,
        method: str | None = None,
        status: int | None = None,
    ) -> list[Entry]:
        """The requests whose whole path and, somewhere, whose query match these regular expressions."""
        with self._lock:
            entries = self._entries[:]
        return [
            entry
            for entry in entries
            if (path is None or re.fullmatch(path, entry.path))
            and (query is None or re.search(query, entry.query))
            and method in (None, entry.method)
            and status in (None, entry.status)
        ]

    def count(self, path: str | None = None, **wanted: object) -> int:
        """How many requests `requests` would give."""
        return len(self.requests(path, **wanted))  # type: ignore[arg-type]

    def max_in_flight(self, path: str | None = None) -> int:
        """The most requests being answered at once when one for this path arrived, or 0."""
        return max((entry.in_flight for entry in self.requests(path)), default=0)
