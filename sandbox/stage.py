"""What all surfaces of one sandbox share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.connections import Connections
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.modes import Modes
from sandbox.universe import Universe

DEFAULT_TOKEN = "sandbox-token-0123456789abcdef"


class Stage:
    """Data, token, clock, switches, faults and journal: one of each, whatever port a request comes by."""

    def __init__(
        self,
        universe: Universe,
        token: str = DEFAULT_TOKEN,
        modes: Modes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.universe = universe
        self.token = token
        self.clock = clock
        self.connections = Connections()
        self.faults = Faults(universe.collections)
        self.journal = Journal(clock)
        self._standing = modes or Modes()
        self.modes = self._standing

    def set_modes(self, **changes: Any) -> None:
        """Set some switches and leave the others."""
        self.modes = self.modes.changed(**changes)

    def clear_modes(self) -> None:
        """Back to the switches that the sandbox was started with."""
        self.modes = self._standing

    def reset(self) -> None:
        """As it was at the start: no faults, an empty journal, the first modes, every list unmoved."""
        self.clear_modes()
        self.faults.clear()
        self.journal.clear()
        self.universe.restore()
