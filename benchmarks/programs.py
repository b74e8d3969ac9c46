"""The programs that are measured, as command lines over one config."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.measure import Address, Command

OURS = "source-kissmetrics"
MANIFEST = "manifest connector"
PLAIN = "plain loop"

CONSOLE_SCRIPT = str(Path(sys.executable).with_name("source-kissmetrics"))
_STREAM = {"name": "events", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
_CATALOG = {"streams": [{"stream": _STREAM, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]}

SPEC: Command = (CONSOLE_SCRIPT, "spec")


def readers(folder: Path, address: Address, page_size: int) -> dict[str, Command]:
    """Every program that reads all events of the sandbox. Config and catalog are written to the folder."""
    config, catalog = folder / "config.json", folder / "catalog.json"
    credentials = {"auth_type": "api_token", "api_token": address.token, "base_url": address.url}
    config.write_text(json.dumps({"credentials": credentials, "page_size": page_size}), encoding="utf-8")
    catalog.write_text(json.dumps(_CATALOG), encoding="utf-8")
    read = ("read", "--config", str(config), "--catalog", str(catalog))
    return {
        OURS: (CONSOLE_SCRIPT, *read),
        MANIFEST: (sys.executable, "-m", "benchmarks.manifest_connector", *read),
        PLAIN: (sys.executable, "-m", "benchmarks.plain_loop", str(config)),
    }
