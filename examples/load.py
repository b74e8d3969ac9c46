"""Reads every stream of a config into a DuckDB file with PyAirbyte: `python -m examples.load secrets/config.json`.

A second run reads only what is new: PyAirbyte keeps the state in the same file.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path

os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "AIRBYTE_NO_TELEMETRY": "1"}

import airbyte
from airbyte.caches import DuckDBCache


def load(config: Path, database: Path) -> None:
    """One sync of all streams into the schema `core` of the database, merged by primary key."""
    source = airbyte.get_source(
        "source-kissmetrics",
        config=json.loads(config.read_text("utf-8")),
        local_executable=Path(sysconfig.get_path("scripts")) / "source-kissmetrics",
        streams="*",
    )
    source.read(DuckDBCache(db_path=database, schema_name="core", cache_dir=database.parent / "files"))


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]))
