"""What the two examples share: a saved people search, run day by day, as rows for a file.

The connector's console script does the work. Its state, and who was handed over already, are kept in one file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str, str]

SCRIPT = Path(sysconfig.get_path("scripts")) / "source-kissmetrics"
STREAM = "people_search_results"
RUNNABLE = "people_search_v2"


@dataclass(frozen=True)
class Found:
    """A person whom the search found on a day of the product's time zone. Cells are as the service sent them."""

    day: str
    person: str | None
    kmid: str | None
    columns: Json

    @property
    def key(self) -> Key:
        """A person is handed over once for each day."""
        return self.day, self.kmid or "", self.person or ""


Writer = Callable[[Path, list[Found]], None]
"""Adds people to a file, which there may be already. People whom it holds MUST NOT be added again."""


def main(description: str, write: Writer) -> None:
    """Reads the command line, runs the search, writes the file, and only then keeps the state."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", type=Path, required=True, help="the connector's config, with start_date")
    parser.add_argument("--report", required=True, help="name or id of the saved people search")
    parser.add_argument("--state", type=Path, required=True, help="file that is kept from run to run")
    parser.add_argument("--out", type=Path, required=True, help="file to add the people to")
    options = parser.parse_args()
    kept = json.loads(options.state.read_text("utf-8")) if options.state.exists() else {}
    if kept and kept["report"] != options.report:
        sys.exit(f"{options.state} belongs to the report {kept['report']!r}. Take another file for {options.report!r}.")
    known = {_as_key(key) for key in kept.get("known", ())}
    config = json.loads(options.config.read_text("utf-8"))

    run = _run_search(config, options.report, kept.get("state", []))
    nameless = sum(person.person is None and person.kmid is None for person in run.people)
    new = {person.key: person for person in run.people if person.key not in known and any(person.key[1:])}
    write(options.out, sorted(new.values(), key=lambda person: person.day))
    known |= set(new)
    if not run.errors:
        known = _still_needed(known, config)
    replace(options.state, json.dumps({"report": options.report, "state": run.state, "known": sorted(known)}))

    for day, count in sorted(Counter(day for day, _, _ in new).items()):
        print(f"{day}: {count} people")
    print(f"{len(new)} people for {options.out}")
    if nameless:
        print(f"{nameless} rows without a person or KMID left out")
    if run.errors:
        sys.exit("\n".join([*run.errors, "The next run goes on from here."]))


def replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@dataclass(frozen=True)
class _Run:
    """What a sync gave: people, the state after them, and the errors that ended it early."""

    people: list[Found]
    state: list[Json]
    errors: list[str]


def _run_search(config: Json, report: str, state: list[Json]) -> _Run:
    """Runs a report for each closed day that the state does not hold. A sync that failed gives what it got so far."""
    with tempfile.TemporaryDirectory() as name:  # only this user may look into it: the config holds the token
        folder = Path(name)
        search = {**_search(config), "window": "day"}
        messages = _connector("discover", config=_file(folder, "config", {**config, "people_search": search}))
        streams = {stream["name"]: stream for message in messages for stream in _streams(message)}
        if not streams:
            sys.exit("\n".join(_errors(messages)))
        search["report_ids"] = [report if _is_id(report) else _id_of(report, folder, streams["reports"])]
        messages = _connector(
            "read",
            config=_file(folder, "config", {**config, "people_search": search}),
            catalog=_file(folder, "catalog", _catalog(streams[STREAM], "incremental")),
            state=_file(folder, "state", state),
        )
    states = [message["state"] for message in messages if message["type"] == "STATE"]
    return _Run(list(map(_found, _records(messages))), states[-1:] or state, _errors(messages))


def _id_of(name: str, folder: Path, reports: Json) -> str:
    """The id of the report of a name, from the stream of reports."""
    catalog = _file(folder, "catalog", _catalog(reports, "full_refresh"))
    messages = _connector("read", config=folder / "config.json", catalog=catalog)
    if errors := _errors(messages):
        sys.exit("\n".join(errors))
    runnable = [report for report in _records(messages) if report["report_type"] == RUNNABLE]
    found = [str(report["id"]) for report in runnable if report["name"] == name]
    if not found:
        names = sorted({repr(report["name"]) for report in runnable})
        sys.exit(f"There is no people search named {name!r}. There are {', '.join(names) or 'none'}.")
    if len(found) > 1:
        sys.exit(f"{len(found)} people searches are named {name!r}. Give --report the id: {' or '.join(found)}.")
    return found[0]


def _is_id(report: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", report) is not None


def _found(row: Json) -> Found:
    return Found(row["window_start"][:10], row["person"], row["kmid"], row["columns"] or {})


def _still_needed(known: set[Key], config: Json) -> set[Key]:
    """Who may come again: the connector repeats the last days, for late data."""
    lookback = _search(config).get("lookback_days")
    newest = sorted({day for day, _, _ in known})[-(1 if lookback is None else lookback) - 1 :]
    return {key for key in known if key[0] in newest}


def _search(config: Json) -> Json:
    return config.get("people_search") or {}


def _connector(verb: str, **files: Path) -> list[Json]:
    """What a verb of the connector prints, without its log."""
    arguments = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    run = subprocess.run([SCRIPT, verb, *arguments], stdout=subprocess.PIPE, check=False)
    lines = [line for line in run.stdout.splitlines(keepends=True) if line.endswith(b"\n")]
    messages: list[Json] = [message for line in lines if (message := json.loads(line))["type"] != "LOG"]
    if run.returncode and not _errors(messages):
        error = {"message": f"{SCRIPT.name} {verb} ended with status {run.returncode}."}
        messages.append({"type": "TRACE", "trace": {"type": "ERROR", "error": error}})
    return messages


def _streams(message: Json) -> list[Json]:
    streams: list[Json] = message["catalog"]["streams"] if message["type"] == "CATALOG" else []
    return streams


def _records(messages: list[Json]) -> list[Json]:
    return [message["record"]["data"] for message in messages if message["type"] == "RECORD"]


def _errors(messages: list[Json]) -> list[str]:
    traces = [message["trace"] for message in messages if message["type"] == "TRACE"]
    return [trace["error"]["message"] for trace in traces if trace["type"] == "ERROR"]


def _catalog(stream: Json, sync_mode: str) -> Json:
    configured = {"stream": stream, "sync_mode": sync_mode, "destination_sync_mode": "append"}
    return {"streams": [{**configured, "cursor_field": stream["default_cursor_field"]}]}


def _file(folder: Path, name: str, content: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def _as_key(parts: list[str]) -> Key:
    day, kmid, person = parts
    return day, kmid, person
