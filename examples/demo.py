"""`make demo`: the whole connector against a local sandbox, twice, with every count held against the truth.

Needs no account and no network. Everything it writes lies in `.demo/`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import requests

from sandbox import STREAMS, Universe, truth_queries
from sandbox.truth import CURSORS

Row = dict[str, Any]
Rows = dict[str, list[Row]]

FOLDER = Path(".demo")
CONFIG = FOLDER / "config.json"
DATABASE = FOLDER / "kissmetrics.duckdb"
LOG = FOLDER / "load.log"
SCRIPT = Path(sysconfig.get_path("scripts")) / "source-kissmetrics"
HAS_PYAIRBYTE = sys.version_info < (3, 13)

PEOPLE = "people_search_results"
SEARCHES = ("Signed up, not activated", "Added to cart, not checked out")
FIRST_DAY, LAST_DAY, NEXT_DAY = date(2026, 3, 5), date(2026, 3, 8), date(2026, 3, 9)
KEYS = {**dict.fromkeys(STREAMS, "id"), PEOPLE: "report_id, window_start::DATE, row_key"}
"""What tells rows apart in DuckDB, which keeps a window's local time and drops its offset."""


class DemoFailed(Exception):
    """Something does not add up; the message says what."""


def main() -> None:
    """Runs the demo. Raises DemoFailed at the first thing that is not as it should be."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    step("Start the sandbox: a local server that behaves like the Kissmetrics API")
    universe = Universe()
    with sandbox() as where:
        url = where["core_url"]
        say(f"it listens at {url}, and for queries at {where['query_url']}")
        configure(where, universe, LAST_DAY)
        spec = connector("spec")["spec"]["connectionSpecification"]
        say(f"{len(spec['properties'])} settings; {', '.join(spec['required'])} is required")
        status = connector("check", "--config", str(CONFIG))["connectionStatus"]
        must(status["status"] == "SUCCEEDED", f"check: {status}")
        say("the credentials work")
        catalog = connector("discover", "--config", str(CONFIG))["catalog"]
        offered = [stream["name"] for stream in catalog["streams"]]
        must(sorted(offered) == sorted(KEYS), f"discover offers {offered}, not {', '.join(KEYS)}")
        say(f"{len(offered)} streams: {', '.join(offered)}")

        before = {stream: universe.rows(stream) for stream in STREAMS}
        before[PEOPLE] = people(universe, LAST_DAY)
        first = sync("First sync: every stream, from the start", before)
        must(first == count(before), f"the first sync brought {first}, not {count(before)}")
        show_events()

        after = change(url, universe)
        after[PEOPLE] = people(universe, NEXT_DAY)
        configure(where, universe, NEXT_DAY)
        say(f"and a day is over: {NEXT_DAY}")
        due = {stream: due_again(stream, before[stream], after[stream]) for stream in STREAMS}
        due[PEOPLE] = after[PEOPLE][len(before[PEOPLE]) :]
        second = sync("Second sync: from the state that the first one left", after)
        must(second == count(due), f"the second sync brought {second}, not {count(due)}")
        show_changed(after)
        show_people(after[PEOPLE])

    step("What arrived, held against what the sandbox holds")
    table(
        ("stream", "primary key", "cursor", "first sync", "second sync", "in DuckDB"),
        [
            (
                stream["name"],
                ", ".join(path[0] for path in stream["source_defined_primary_key"]),
                stream["default_cursor_field"][0],
                first[stream["name"]],
                second[stream["name"]],
                len(after[stream["name"]]),
            )
            for stream in catalog["streams"]
        ],
    )
    say("all as it should be: the counts of both syncs, and each row's key")
    say("of a list, the second sync brings what is new, the newest row, and rows without a cursor value")
    say(f"of {PEOPLE}, it brings the new day alone")
    print(
        f"\nThe tables are in {DATABASE}, schema core.\n"
        'For a real account, write {"credentials": {"auth_type": "api_token", "api_token": "YOUR-TOKEN"}} into '
        f"secrets/config.json and run {SCRIPT.parent.parent.name}/bin/source-kissmetrics check --config "
        "secrets/config.json"
    )


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """Its addresses and the token that it takes. It ends with the block, or with this process."""
    command = [sys.executable, "-m", "sandbox", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            must(line != "", "the sandbox did not start")
            yield json.loads(line)
        finally:
            process.stdin.close()
            process.wait()


def configure(where: dict[str, str], universe: Universe, last_day: date) -> None:
    """Writes the config: everything, and two people searches for each day until this one."""
    config = {
        "credentials": {"auth_type": "api_token", "api_token": where["token"], "base_url": where["core_url"]},
        "start_date": str(FIRST_DAY),
        "end_date": str(last_day),
        "people_search": {"report_ids": list(searches(universe)), "query_base_url": where["query_url"]},
    }
    CONFIG.write_text(json.dumps(config), "utf-8")


def searches(universe: Universe) -> dict[str, Row]:
    """The reports of the two use cases, by id."""
    return {report["id"]: report for report in universe.rows("reports") if report["name"] in SEARCHES}


def people(universe: Universe, last_day: date) -> list[Row]:
    """Whom the searches must find, day by day, from everything that the sandbox's people ever did."""
    zones = {product["id"]: product["timezone"] for product in universe.rows("products")}
    found = []
    for number in range((last_day - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=number)
        for id_, report in searches(universe).items():
            start, end = truth_queries.local_window(zones[report["product_id"]], day, day)
            for kmid, *_ in truth_queries.people_search(universe, id_, start, end)["rows"]:
                found.append({"id": (id_, day, str(kmid)), "report": report["name"], "day": day})
    return found


def connector(*arguments: str) -> Row:
    """Runs a verb of the console script, and returns its answer: the one message that is no log line."""
    step(f"{SCRIPT.name} {' '.join(arguments)}")
    run = subprocess.run([SCRIPT, *arguments], stdout=subprocess.PIPE, check=False)
    must(run.returncode == 0, f"{run.stdout.decode()}\nended with status {run.returncode}")
    answers = [message for line in run.stdout.splitlines() if (message := json.loads(line))["type"] != "LOG"]
    must(len(answers) == 1, f"one message was expected, not {answers}")
    answer: Row = answers[0]
    return answer


def sync(title: str, rows: Rows) -> dict[str, int]:
    """Loads every stream into DuckDB, which must then hold just these rows. Returns how many came, by stream."""
    known = newest_loads()
    module = "examples.load" if HAS_PYAIRBYTE else "examples.load_plain"
    step(f"{title}, with {'PyAirbyte' if HAS_PYAIRBYTE else 'a plain loader (there is no PyAirbyte for this Python)'}")
    started = time.monotonic()
    with LOG.open("ab") as log:
        command = [sys.executable, "-m", module, str(CONFIG), str(DATABASE)]
        environment = {**os.environ, "AIRBYTE_LOGGING_ROOT": str(FOLDER.resolve() / "logs")}
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        print("  ", end="")
        while process.poll() is None:
            print(".", end="", flush=True)
            wait(process, 1)
        print(f" {time.monotonic() - started:.1f} s")
    must(process.returncode == 0, f"loading failed:\n{LOG.read_text('utf-8', 'replace')[-3000:]}")
    came = {}
    for stream, key in KEYS.items():
        ids = {row if stream == PEOPLE else row[0] for row in query(f"SELECT {key} FROM core.{stream}")}
        must(ids == {row["id"] for row in rows[stream]}, f"{stream}: DuckDB holds other rows than the sandbox")
        came[stream] = query(
            f"SELECT count(*) FROM core.{stream} WHERE $1 IS NULL OR _airbyte_extracted_at > $1", known.get(stream)
        )[0][0]
    return came


def change(url: str, universe: Universe) -> Rows:
    """Has the sandbox take up a new event, and count an old one once more. Returns the rows as they are then."""
    step("Meanwhile, in the sandbox: a new event is tracked, and one that there was is tracked again")
    universe.move("events", "insert_first")
    after = {stream: universe.rows(stream) for stream in STREAMS}
    now = datetime.now(timezone.utc).replace(microsecond=0)
    new: Row = {"name": "watched the demo", "display_name": "Watched the demo", "total": 1, "is_visible": True}
    new |= {"last_sent_at": (now - timedelta(seconds=1)).isoformat()}
    again: Row = {"total": int(after["events"][1]["total"]) + 1, "last_sent_at": now.isoformat()}
    first_page = {"path": "/core/events$", "query": r"\boffset=0\b"}
    move = {"collection": "events", "op": "insert_first", "when": "before"}
    faults: list[Row] = [
        {"match": first_page, "do": {"move": move}},
        {"match": first_page, "times": None, "do": {"patch_row": {"index": 0, "set": new}}},
        {"match": first_page, "times": None, "do": {"patch_row": {"index": 1, "set": again}}},
    ]
    requests.post(f"{url}/_sandbox/faults", json=faults, timeout=10).raise_for_status()
    after["events"][0] = {**after["events"][0], **new}
    after["events"][1] = {**after["events"][1], **again}
    return after


def due_again(stream: str, before: list[Row], after: list[Row]) -> list[Row]:
    """What a sync must bring that starts where all of `before` was read."""
    cursor = CURSORS[stream]
    newest = max(moment(row[cursor]) for row in before if row[cursor] is not None)
    return [row for row in after if row[cursor] is None or moment(row[cursor]) >= newest]


def show_events() -> None:
    """A few rows as they lie in DuckDB."""
    columns = "name", "total", "is_visible", "last_sent_at"
    table(columns, query(f'SELECT {", ".join(columns)} FROM core.events ORDER BY "index", product_id LIMIT 6'))


def show_changed(after: Rows) -> None:
    """The two events that changed, which must have arrived as they are now."""
    for row in after["events"][:2]:
        name, total = query("SELECT name, total FROM core.events WHERE id = $1", row["id"])[0]
        must((name, total) == (row["name"], row["total"]), f"the event {row['id']} arrived as {name}, {total}")
        say(f"{name}: total {total}")


def show_people(found: list[Row]) -> None:
    """How many people the searches found on each day, and the first of them."""
    step("People searches, day by day, as they lie in DuckDB")
    days = sorted({row["day"] for row in found})
    held = query(f"SELECT report_name, {KEYS[PEOPLE]} FROM core.{PEOPLE}")
    counts = Counter((name, day) for name, _, day, _ in held)
    table(("people found", *map(str, days)), [(name, *(counts[name, day] for day in days)) for name in SEARCHES])
    columns = "Signed Up (Total Times for Date Range)", "Plan Name (Last Value)", "Billing Plan (Last Value)"
    cells = ", ".join(f"""columns ->> '$."{column}"'""" for column in columns)
    rows = query(
        f"SELECT person, {cells} FROM core.{PEOPLE} WHERE report_name = $1 ORDER BY window_start, person LIMIT 5",
        SEARCHES[0],
    )
    print()
    table((SEARCHES[0], *columns), [["" if cell is None else cell for cell in row] for row in rows])


def newest_loads() -> dict[str, Any]:
    """When the newest row of each stream was read."""
    if not DATABASE.exists():
        return {}
    return {stream: query(f"SELECT max(_airbyte_extracted_at) FROM core.{stream}")[0][0] for stream in KEYS}


def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows that the database answers with."""
    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        return connection.execute(sql, values).fetchall()


def count(rows: Rows) -> dict[str, int]:
    """How many there are, by stream."""
    return {stream: len(rows[stream]) for stream in KEYS}


def moment(text: str) -> datetime:
    """An RFC 3339 timestamp."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints the rows; numbers to the right."""
    texts = [head, *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(head))]
    right = [
        all(isinstance(row[place], int) and not isinstance(row[place], bool) for row in rows)
        for place in range(len(head))
    ]
    for number, row in enumerate(texts):
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        print("  " + "  ".join(cells).rstrip(), flush=True)
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths), flush=True)


def step(text: str) -> None:
    """Says what comes next, before it is done."""
    print(f"\n> {text}", flush=True)


def say(text: str) -> None:
    """Says how it went."""
    print(f"  {text}", flush=True)


def must(is_so: bool, text: str) -> None:
    """Ends the demo if something is not so."""
    if not is_so:
        raise DemoFailed(text)


def wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits for the end of a process, but not longer than this."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


if __name__ == "__main__":
    try:
        main()
    except DemoFailed as failure:
        sys.exit(f"\nThe demo failed. {failure}")
