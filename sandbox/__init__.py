"""A local server that behaves like the Kissmetrics APIs, faults included.

It imports nothing of the connectors, so it cannot share their bugs. `python -m sandbox` starts one in a
process of its own; tests use `running`.
"""

from sandbox.job import Run
from sandbox.journal import Entry, Journal
from sandbox.modes import Modes
from sandbox.server import Sandbox, running
from sandbox.universe import STREAMS, Universe

__all__ = ["STREAMS", "Entry", "Journal", "Modes", "Run", "Sandbox", "Universe", "running"]
