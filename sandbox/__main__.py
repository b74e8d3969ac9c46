"""`python -m sandbox`: a sandbox in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from sandbox.server import running
from sandbox.stage import DEFAULT_TOKEN
from sandbox.universe import Universe

_SIZES = {"accounts": 2, "products": 3, "events": 130, "properties": 90, "reports": 25, "metrics": 45, "people": 400}


def main() -> None:
    """Print where the sandbox listens as one line of JSON, then serve until a signal or the end of stdin."""
    options = _options()
    sizes = {name: getattr(options, name) for name in _SIZES}
    universe = Universe(options.seed, **sizes, first_day=options.first_day, last_day=options.last_day)
    modes = {name: getattr(options, name) for name in ("latency_ms", "job_seconds", "clock_rate")}
    enough = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: enough.set())
    ports = {"port": options.port, "query_port": options.query_port}
    with running(universe, token=options.token, **ports, **modes) as sandbox:
        if options.warm:
            sandbox.warm()
        told = {"core_url": sandbox.core_url, "query_url": sandbox.query_url, "token": sandbox.token}
        print(json.dumps(told), flush=True)
        if options.until_stdin_closes:
            threading.Thread(target=_drain_stdin, args=(enough,), daemon=True).start()
        enough.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the Core API; 0 takes a free one")
    parser.add_argument("--query-port", type=int, default=0, help="port of the query host; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other data")
    for name, count in _SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"how many (default {count})")
    parser.add_argument("--first-day", default="2026-01-01", help="from which day on people do things")
    parser.add_argument("--last-day", default="2026-03-31", help="and until which day")
    parser.add_argument("--job-seconds", type=float, default=0, help="virtual seconds that a query runs")
    parser.add_argument("--clock-rate", type=float, default=1, help="virtual seconds in a real one")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait before every answer")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the API token that is right")
    parser.add_argument("--warm", action="store_true", help="render all rows before saying ready")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with stdin, so with the parent")
    return parser.parse_args()


def _drain_stdin(enough: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # not sys.stdin.read: its lock would be held when the process ends
        pass
    enough.set()


if __name__ == "__main__":
    main()
