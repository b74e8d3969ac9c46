"""`python -m benchmarks`: measures the connector beside its peers and prints the tables of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import queries
from benchmarks.measure import interleaved, measured, sandbox
from benchmarks.programs import MANIFEST, OURS, PLAIN, SPEC, readers
from benchmarks.tables import MOST_SPEC_SECONDS, table, verdict

_PARTS = ("throughput", "latency", "queries", "spec")
_EVENTS = 200_000
_SPEC_RUNS = 20


def main() -> None:
    """Runs the parts asked for, and prints each table as soon as it is measured."""
    options = _options()
    parts = options.only or _PARTS
    if "throughput" in parts:
        for page_size in options.page_size or [100, 1000]:
            aims = {MANIFEST: 5.0, PLAIN: 0.6}
            _compare(options.events or _EVENTS, 0, page_size, options.rounds, aims)
    if "latency" in parts:
        for page_size in options.page_size or [100]:
            _compare(options.events or _EVENTS, options.latency_ms, page_size, options.rounds, {PLAIN: 6.0})
    if "queries" in parts:
        for line in queries.lines():
            _say(line)
    if "spec" in parts:
        _spec()


def _compare(events: int, latency_ms: float, page_size: int, rounds: int, aims: Mapping[str, float]) -> None:
    """Ours beside the peers that the aims name."""
    _say(f"\n### {events:,} events, {page_size} a page, {latency_ms:g} ms latency\n")
    serving = sandbox(f"--events={events}", f"--latency-ms={latency_ms}")
    with tempfile.TemporaryDirectory() as folder, serving as address:
        programs = readers(Path(folder), address, page_size)
        runs = interleaved({name: programs[name] for name in (OURS, *aims)}, events, rounds)
    for line in table(runs, events, aims):
        _say(line)


def _spec() -> None:
    _say("\n### `source-kissmetrics spec`\n")
    measured(SPEC, records=0)
    walls = [measured(SPEC, records=0).wall for _ in range(_SPEC_RUNS)]
    found = f"{median(walls):.3f} s ({min(walls):.3f} to {max(walls):.3f} s, {_SPEC_RUNS} runs)"
    _say(verdict(f"`spec` under {MOST_SPEC_SECONDS} s", median(walls) < MOST_SPEC_SECONDS, found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, nargs="+", help="parts to run (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count, after one that does not (default 3)")
    parser.add_argument("--events", type=int, help=f"default {_EVENTS:,}")
    parser.add_argument("--page-size", type=int, nargs="+", help="default 100 and 1000, and 100 where answers are late")
    parser.add_argument("--latency-ms", type=float, default=50, help="of the part latency (default 50)")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
