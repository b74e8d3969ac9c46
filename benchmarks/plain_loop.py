"""`python -m benchmarks.plain_loop CONFIG`: the least that reads the stream, one page after the other.

No retries, checks, state or statuses: what the network, JSON and printing alone cost.
"""

from __future__ import annotations

import json
import sys
import time

import orjson
import requests


def main(config_path: str) -> None:
    """Prints every event as a RECORD line."""
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    credentials, limit = config["credentials"], config["page_size"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {credentials['api_token']}"
    write = sys.stdout.buffer.write
    offset, total = 0, 1
    while offset < total:
        response = session.get(f"{credentials['base_url']}/core/events", params={"limit": limit, "offset": offset})
        response.raise_for_status()
        page = orjson.loads(response.content)
        for row in page["data"]:
            record = {"stream": "events", "data": row, "emitted_at": time.time_ns() // 1_000_000}
            write(orjson.dumps({"type": "RECORD", "record": record}) + b"\n")
        offset += len(page["data"])
        total = page["pagination"]["total"]


if __name__ == "__main__":
    main(sys.argv[1])
