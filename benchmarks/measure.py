"""Processes, measured from outside: wall time, CPU time, peak memory, and the records they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import requests

_RECORD = b'{"type":"RECORD"'  # how every record line begins; inside of JSON text the quotes would be escaped
_SLOWING = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")

Command = Sequence[str]


@dataclass(frozen=True)
class Measured:
    """One run of a process. CPU is user and system time together; peak is its largest resident set, in MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Address:
    """Where a sandbox listens, and the token it takes."""

    url: str
    query_url: str
    token: str

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        response = requests.get(self.url + path, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        response.raise_for_status()
        return response.json()


def measured(command: Command, records: int) -> Measured:
    """Runs the command. Raises RuntimeError unless it succeeds and prints exactly so many records.

    Its output is read from a pipe as it comes, as a platform would do, and counted without being kept.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=_environment())
        assert process.stdout is not None
        with process.stdout:
            printed = _count(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode or printed != records:
            raise RuntimeError(
                f"{' '.join(command)}: exit status {process.returncode}, {printed} of {records} records. "
                + errors.read()[-2000:].decode(errors="replace")
            )
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleaved(programs: Mapping[str, Command], records: int, rounds: int) -> dict[str, list[Measured]]:
    """Runs the programs in turn, A B C A B C, after one turn that does not count.

    The first turn compiles bytecode and fills the file cache and the sandbox's own caches.
    """
    runs: dict[str, list[Measured]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, command in programs.items():
            run = measured(command, records)
            if number:
                runs[name].append(run)
    return runs


@contextmanager
def sandbox(*options: str) -> Iterator[Address]:
    """A sandbox in a process of its own, with its rows rendered, so that it costs its clients as little as it can."""
    command = [sys.executable, "-m", "sandbox", "--warm", *options]
    with subprocess.Popen(
        [*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)}: it ended before it listened.")
        told = json.loads(line)
        try:
            yield Address(told["core_url"], told["query_url"], told["token"])
        finally:
            process.stdin.close()


def _count(output: IO[bytes]) -> int:
    count, rest = 0, b""
    while chunk := os.read(output.fileno(), 1 << 16):
        text = rest + chunk
        count += text.count(_RECORD)
        rest = text[1 - len(_RECORD) :]  # too short to hold a whole mark, so that none is counted twice
    return count


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _SLOWING}
