"""`python -m benchmarks.sequential_queries CONFIG`: people searches as the best public client runs them.

One after the other; the status is asked for every 15 seconds, and pages of 1,000 rows are read in turn.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date, datetime, timedelta, timezone

import orjson
import requests

SECONDS_BETWEEN_POLLS = 15
ROWS_A_PAGE = 1000


def main(config_path: str) -> None:
    """Prints every row as a RECORD line. Days are those of UTC, which is the zone of the benchmark's product."""
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {config['credentials']['api_token']}"
    day, last = date.fromisoformat(config["start_date"]), date.fromisoformat(config["end_date"])
    while day <= last:
        for report in config["people_search"]["report_ids"]:
            _run(session, config["credentials"]["base_url"], report, day)
        day += timedelta(days=1)


def _run(session: requests.Session, base_url: str, report: str, day: date) -> None:
    start = int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())
    window = {"report": {"start_date": start, "end_date": start + 86_399}}
    status = session.post(f"{base_url}/query/reports/{report}/run", json=window).headers["Location"]
    while (answer := session.get(status)).status_code != 201:
        time.sleep(SECONDS_BETWEEN_POLLS)
    offset, total = 0, 1
    while offset < total:
        page = orjson.loads(
            session.get(answer.headers["Location"], params={"limit": ROWS_A_PAGE, "offset": offset}).content
        )
        for row in page["rows"]:
            record = {"stream": "people_search_results", "data": {"report": report, "day": str(day), "row": row}}
            sys.stdout.buffer.write(orjson.dumps({"type": "RECORD", "record": record}) + b"\n")
        offset, total = offset + len(page["rows"]), page["total"]


if __name__ == "__main__":
    main(sys.argv[1])
