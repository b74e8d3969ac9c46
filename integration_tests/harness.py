"""Runs a connector's console script as a platform does: a subprocess with files, judged by what it prints."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_PASSED_ON = ("PATH", "HOME", "LANG")
_CHUNK = 1 << 16
_TAIL = 2000


@dataclass(frozen=True)
class Completed:
    """A finished run; a killed one has the exit code -9."""

    stdout: bytes
    stderr: bytes
    exit_code: int
    seconds: float


class RunTimeout(AssertionError):
    """The connector did not end in time; the message shows the tail of what it printed."""


class Connector:
    """A console script, called with the verbs of the Airbyte protocol.

    Each run gets its own folder in `workdir`, which is also its working directory, so runs may overlap. The
    environment is empty but for PATH, HOME, LANG and what `env` gives.
    """

    def __init__(self, executable: Sequence[str], workdir: Path) -> None:
        self._executable = list(executable)
        self._workdir = workdir

    def spec(self, *, timeout: float = 60, env: Mapping[str, str] | None = None) -> Completed:
        return self._run("spec", {}, timeout=timeout, env=env)

    def check(
        self, config: Mapping[str, Any], *, timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> Completed:
        return self._run("check", {"config": config}, timeout=timeout, env=env)

    def discover(
        self, config: Mapping[str, Any], *, timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> Completed:
        return self._run("discover", {"config": config}, timeout=timeout, env=env)

    def read(
        self,
        config: Mapping[str, Any],
        catalog: Mapping[str, Any],
        state: Sequence[Mapping[str, Any]] | None = None,
        *,
        timeout: float = 120,
        kill_when: Callable[[bytes], bool] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Read the configured `catalog`.

        `kill_when` is asked after each piece of output with all of stdout so far; once it is true, the
        process gets SIGKILL, and the result holds everything that was in the pipe by then.
        """
        files: dict[str, Any] = {"config": config, "catalog": catalog}
        if state is not None:
            files["state"] = list(state)
        return self._run("read", files, timeout=timeout, kill_when=kill_when, env=env)

    def _run(
        self,
        verb: str,
        files: Mapping[str, Any],
        *,
        timeout: float,
        kill_when: Callable[[bytes], bool] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        folder = Path(tempfile.mkdtemp(prefix=f"{verb}-", dir=self._workdir))
        command = [*self._executable, verb]
        for name, content in files.items():
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            command += [f"--{name}", str(path)]
        begin = time.monotonic()
        with (folder / "stderr").open("wb+") as stderr, _started(command, folder, stderr, env) as process:
            stdout = _Output(process, begin + timeout)
            for so_far in stdout.pieces():
                if kill_when is not None and kill_when(bytes(so_far)):
                    kill_when = None
                    _kill_group(process)
            exit_code = stdout.wait()
            seconds = time.monotonic() - begin
            stderr.seek(0)
            errors = stderr.read()
        if stdout.timed_out:
            raise RunTimeout(_timeout_message(command, timeout, bytes(stdout.data), errors))
        return Completed(bytes(stdout.data), errors, exit_code, seconds)


class _Output:
    """Collects a process's stdout until it ends or the deadline passes."""

    def __init__(self, process: "subprocess.Popen[bytes]", deadline: float) -> None:
        self._process = process
        self._deadline = deadline
        self.data = bytearray()
        self.timed_out = False

    def pieces(self) -> Iterator[bytearray]:
        """All output so far, each time there is more."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while selector.select(max(0.0, self._deadline - time.monotonic())):
                piece = os.read(descriptor, _CHUNK)
                if not piece:
                    return
                self.data += piece
                yield self.data
        self.timed_out = True

    def wait(self) -> int:
        """The exit code; a process which closed its stdout but goes on runs into the same deadline."""
        if not self.timed_out:
            try:
                return self._process.wait(max(0.0, self._deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.timed_out = True
        _kill_group(self._process)
        return self._process.wait()


@contextmanager
def _started(
    command: Sequence[str], folder: Path, stderr: Any, env: Mapping[str, str] | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process in a group of its own, which is killed if it has not ended by itself."""
    clean = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=clean | dict(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            _kill_group(process)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the connector and its children, as a container that is killed.

    Once the leader has been waited for, its id may belong to someone else: then nothing is sent.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):  # ended already; macOS says "not permitted"
            os.killpg(process.pid, signal.SIGKILL)


def _timeout_message(command: Sequence[str], timeout: float, stdout: bytes, stderr: bytes) -> str:
    def tail(data: bytes) -> str:
        return data[-_TAIL:].decode("utf-8", "backslashreplace")

    return (
        f"{' '.join(command)} did not end within {timeout} s\n"
        f"--- end of stdout ({len(stdout)} bytes)\n{tail(stdout)}\n"
        f"--- end of stderr ({len(stderr)} bytes)\n{tail(stderr)}"
    )


def configured_catalog(
    discovered_catalog: Mapping[str, Any],
    streams: Iterable[str] | None = None,
    sync_mode: str = "incremental",
    destination_sync_mode: str = "append_dedup",
) -> Json:
    """Select `streams` (default: all) of a discovered catalog.

    A stream that does not support `sync_mode` gets the mode it has; one without a primary key cannot be
    deduplicated and is appended.
    """
    declared = {stream["name"]: stream for stream in discovered_catalog["streams"]}
    names = list(declared) if streams is None else list(streams)
    unknown = sorted(set(names) - set(declared))
    if unknown:
        raise ValueError(f"the catalog has no streams {unknown}; it has {sorted(declared)}")
    return {"streams": [_configured(declared[name], sync_mode, destination_sync_mode) for name in names]}


def _configured(stream: Mapping[str, Any], sync_mode: str, destination_sync_mode: str) -> Json:
    modes = stream["supported_sync_modes"]
    primary_key = stream.get("source_defined_primary_key")
    keyless = destination_sync_mode == "append_dedup" and not primary_key
    configured: Json = {
        "stream": dict(stream),
        "sync_mode": sync_mode if sync_mode in modes else modes[0],
        "destination_sync_mode": "append" if keyless else destination_sync_mode,
    }
    if primary_key:
        configured["primary_key"] = primary_key
    if stream.get("default_cursor_field"):
        configured["cursor_field"] = stream["default_cursor_field"]
    return configured


def state_file(states: Mapping[str, Json]) -> list[Json]:
    """The content of a `--state` file from the state of each stream by name."""
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": content}}
        for name, content in states.items()
    ]
