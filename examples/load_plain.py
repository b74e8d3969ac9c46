"""What examples/load.py does, without PyAirbyte, which there is not for Python 3.13: a destination in a few lines.

It shows all that the Airbyte protocol asks of one: print no record twice as new, and give the last states back.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import duckdb

Json = dict[str, Any]

SCRIPT = Path(sysconfig.get_path("scripts")) / "source-kissmetrics"
TYPES = {"integer": "BIGINT", "boolean": "BOOLEAN", "object": "JSON", "array": "JSON"}


def load(config: Path, database: Path) -> None:
    """One sync of all streams into the schema `core` of the database, merged by primary key."""
    files = database.parent / "files"
    files.mkdir(parents=True, exist_ok=True)
    catalog, state = files / "catalog.json", files / "state.json"
    streams = {stream["name"]: stream for stream in _discover(config)["streams"]}
    catalog.write_text(json.dumps({"streams": [_configured(stream) for stream in streams.values()]}), "utf-8")
    states: dict[str, Json] = {}
    if database.exists() and state.exists():
        states = {item["stream"]["stream_descriptor"]["name"]: item for item in json.loads(state.read_text("utf-8"))}
    state.write_text(json.dumps(list(states.values())), "utf-8")
    rows: dict[str, list[Json]] = {name: [] for name in streams}
    for message in _messages("read", "--config", config, "--catalog", catalog, "--state", state):
        if message["type"] == "RECORD":
            record = message["record"]
            rows[record["stream"]].append({**record["data"], "_airbyte_extracted_at": record["emitted_at"]})
        elif message["type"] == "STATE":
            states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
    with duckdb.connect(str(database)) as connection:
        connection.sql("CREATE SCHEMA IF NOT EXISTS core")
        for name, stream in streams.items():
            _merge(connection, stream, rows[name])
    state.write_text(json.dumps(list(states.values())), "utf-8")


def _merge(connection: duckdb.DuckDBPyConnection, stream: Json, rows: list[Json]) -> None:
    columns = {name: _column(schema) for name, schema in stream["json_schema"]["properties"].items()}
    columns["_airbyte_extracted_at"] = "BIGINT"
    keys = ", ".join(f'"{path[0]}"' for path in stream["source_defined_primary_key"])
    declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.sql(f"CREATE TABLE IF NOT EXISTS core.{stream['name']} ({declared}, PRIMARY KEY ({keys}))")
    values = [[_value(row.get(name), kind) for name, kind in columns.items()] for row in rows]
    if values:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT OR REPLACE INTO core.{stream['name']} VALUES ({marks})", values)


def _column(schema: Json) -> str:
    kind = next(kind for kind in schema["type"] if kind != "null")
    return "TIMESTAMP" if schema.get("format") == "date-time" else TYPES.get(kind, "VARCHAR")


def _value(value: Any, kind: str) -> Any:
    return json.dumps(value) if kind == "JSON" and value is not None else value


def _configured(stream: Json) -> Json:
    return {
        "stream": stream,
        "sync_mode": "incremental",
        "destination_sync_mode": "append_dedup",
        "primary_key": stream["source_defined_primary_key"],
        "cursor_field": stream["default_cursor_field"],
    }


def _discover(config: Path) -> Json:
    catalogs = [m["catalog"] for m in _messages("discover", "--config", config) if m["type"] == "CATALOG"]
    catalog: Json = catalogs[0]
    return catalog


def _messages(*arguments: str | Path) -> list[Json]:
    run = subprocess.run([SCRIPT, *arguments], stdout=subprocess.PIPE, check=False)
    messages = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode:
        errors = [m["trace"]["error"]["message"] for m in messages if m.get("trace", {}).get("type") == "ERROR"]
        sys.exit("\n".join(errors) or f"{arguments[0]} ended with status {run.returncode}")
    return messages


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]))
