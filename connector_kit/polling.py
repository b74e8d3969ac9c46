"""Waiting for a job on a server: quick at first, patient later, never for ever."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class TimedOut(Exception):
    """The job was not done before the deadline."""


@dataclass(frozen=True)
class Polling:
    """How often to ask. Seconds; the pause grows by `factor`, and half of each is random, so that jobs that were
    started together are not asked together."""

    deadline: float
    first: float = 0.2
    factor: float = 1.5
    longest: float = 30.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def until(self, ask: Callable[[], T | None]) -> T:
        """Asks until there is an answer. Raises TimedOut once the deadline has passed without one."""
        begun = self.clock()
        pause = self.first
        while (answer := ask()) is None:
            left = self.deadline - (self.clock() - begun)
            if left <= 0:
                raise TimedOut
            self.sleep(min(left, pause * (0.5 + self.jitter() / 2)))
            pause = min(self.longest, pause * self.factor)
        return answer
