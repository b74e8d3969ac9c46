"""What all surfaces of one sandbox share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.connections import Connections
from sandbox.faults import Faults
from sandbox.jobs import Jobs
from sandbox.journal import Journal
from sandbox.modes import Modes
from sandbox.universe import Universe
from sandbox.virtual_clock import VirtualClock

DEFAULT_TOKEN = "sandbox-token-0123456789abcdef"


class Stage:
    """Data, token, clocks, switches, faults, journal and runs: one of each, whatever port a request comes by.

    `origins` are those of the ports, by name.
    """

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
        self.virtual_clock = VirtualClock(clock)
        self.jobs = Jobs(self.virtual_clock)
        self.connections = Connections()
        self.origins: dict[str, str] = {}
        self.faults = Faults(universe.collections)
        self.journal = Journal(clock)
        self._standing = modes or Modes()
        self.clear_modes()

    def set_modes(self, **changes: Any) -> None:
        """Set some switches and leave the others."""
        self._use(self.modes.changed(**changes))

    def clear_modes(self) -> None:
        """Back to the switches that the sandbox was started with."""
        self._use(self._standing)

    def reset(self) -> None:
        """As it was at the start: no faults, runs or journal, the first modes, the clock at 0, every list unmoved."""
        self.clear_modes()
        self.faults.clear()
        self.journal.clear()
        self.universe.restore()
        self.jobs.clear()
        self.virtual_clock.restart()

    def _use(self, modes: Modes) -> None:
        self.modes = modes
        self.virtual_clock.rate = modes.clock_rate
