"""The schedule of faults: what goes wrong with which request, in which order."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.fault import Fault


@dataclass
class Plan:
    """What is to happen to one request: waits, moves and retouched rows, then at most one `ending`."""

    delay_ms: int = 0
    moves: list[dict[str, Any]] = field(default_factory=list)
    retouches: list[dict[str, Any]] = field(default_factory=list)
    ending: dict[str, Any] = field(default_factory=dict)

    def add(self, do: dict[str, Any]) -> None:
        """Take up what one fault does."""
        if "delay_ms" in do:
            self.delay_ms += do["delay_ms"]
        elif "move" in do:
            self.moves.append({"count": 1, "when": "after", **do["move"]})
        elif "replace_row" in do or "patch_row" in do:
            self.retouches.append(do)
        else:
            self.ending = do


class Faults:
    """Faults are tried in the order in which they were added, and their effects add up.

    The first that decides the answer (`status`, `html`, `raw`, `json`, `truncate`, `reset`) is the last.
    Tests add from their thread while the server's thread plans: a lock guards the list and its counters.
    """

    def __init__(self, collections: Iterable[str]) -> None:
        self._collections = sorted(collections)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, specs: list[dict[str, Any]]) -> None:
        """Append faults; if one is not understood, none is taken."""
        faults = [Fault(spec) for spec in specs]
        for fault in faults:
            name = fault.do.get("move", {}).get("collection")
            if name is not None and name not in self._collections:
                raise ValueError(f"collection: {name!r} is not one of {', '.join(self._collections)}")
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults = []

    def listing(self) -> list[dict[str, Any]]:
        """Every fault as it was given, with how many requests it `met` and to how many it was `done`."""
        with self._lock:
            return [{**fault.spec, "met": fault.met, "done": fault.done} for fault in self._faults]

    def plan(self, path: str, query: str) -> Plan:
        """What is to happen to this request."""
        plan = Plan()
        with self._lock:
            for fault in self._faults:
                if not plan.ending and fault.due(path, query):
                    plan.add(fault.do)
        return plan
