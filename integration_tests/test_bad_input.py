"""Input that cannot be used: one clear message, of the right type, and no stack trace for the user."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration_tests.conftest import SCRIPT
from integration_tests.harness import Connector, configured_catalog
from integration_tests.protocol import check_failure

Json = dict[str, Any]

EVENTS_STATE = {"v": 1, "cursor_field": "last_sent_at", "partitions": {"*": "2020-01-01T00:00:00Z"}}


def _state(stream: str, value: Any, **more: Any) -> Json:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": value}, **more}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "The config {path} cannot be read: No such file or directory."),
        (b"{", "The config {path} is not valid JSON (line 1, column 2"),
        (b"\xff\xfe{", "The config {path} is not valid JSON (it is not UTF-8 text)."),
        (b"[]", "The config {path} holds a JSON list, which is no config."),
        (b"{}", "credentials: is missing."),
        (b'{"credentials": "secret-value-1234567"}', "credentials: must be of the type object, not str."),
        (b'{"credentials": {"auth_type": "magic"}}', "credentials.auth_type: must be one of api_token, basic, none."),
        (b'{"credentials": {"auth_type": "api_token"}}', "credentials.api_token: is missing."),
    ],
)
@pytest.mark.parametrize("verb", ["discover", "read"])
def test_an_unusable_config_is_one_message(
    verb: str, content: bytes | None, says: str, tmp_path: Path, all_streams: Json
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    run = _run(tmp_path, verb, path, all_streams)
    errors = check_failure(
        run.stdout,
        run.stderr,
        exit_code=run.returncode,
        failure_type="config_error",
        secrets=["secret-value-1234567"],
    )
    assert len(errors) == 1
    assert errors[0]["message"].startswith(says.format(path=path))


def _run(folder: Path, verb: str, config: Path, catalog: Json) -> subprocess.CompletedProcess[bytes]:
    command = [str(SCRIPT), verb, "--config", str(config)]
    if verb == "read":
        (folder / "catalog.json").write_text(json.dumps(catalog))
        command += ["--catalog", str(folder / "catalog.json")]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory."),
        ("nonsense", "is not valid JSON"),
        ("[]", "holds a JSON list, which is no catalog."),
        ('{"streams": [{"stream": {"name": "events"}}]}', "is no configured catalog"),
    ],
)
def test_an_unusable_catalog_is_one_message(content: str | None, says: str, tmp_path: Path, config: Json) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    catalog = tmp_path / "catalog.json"
    if content is not None:
        catalog.write_text(content)
    command = [str(SCRIPT), "read", "--config", str(tmp_path / "config.json"), "--catalog", str(catalog)]
    run = subprocess.run(command, capture_output=True, timeout=60, check=False)
    errors = check_failure(run.stdout, run.stderr, exit_code=run.returncode, failure_type="config_error")
    assert len(errors) == 1
    assert says in errors[0]["message"]


def test_a_stream_that_is_not_offered_is_named(connector: Connector, config: Json, all_streams: Json) -> None:
    wanted = json.loads(json.dumps(all_streams).replace('"name": "events"', '"name": "raw_events"'))
    run = connector.read(config, wanted)
    errors = check_failure(run.stdout, run.stderr, exit_code=run.exit_code, failure_type="config_error")
    assert len(errors) == 1
    assert "does not offer: raw_events. It offers accounts, products, reports" in errors[0]["message"]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"events": {}}, "must be a list of state messages"),
        ([{"type": "GLOBAL", "global": {"stream_states": []}}], "one state per stream"),
        ([_state("events", {**EVENTS_STATE, "v": 2})], "The state of stream events has version 2"),
        ([_state("events", {"cursor": "2020"})], "was not written by this connector: it has the keys cursor"),
        ([_state("events", {**EVENTS_STATE, "cursor_field": "updated_at"})], "belongs to another stream"),
        ([_state("events", {**EVENTS_STATE, "partitions": {"*": 7}})], "holds 7 where a date-time is expected"),
        ([{"type": "STREAM"}], "cannot be read"),
        (["x"], "cannot be read"),
    ],
)
def test_a_foreign_state_is_one_message(state: Any, says: str, tmp_path: Path, config: Json, catalog: Json) -> None:
    run = _read_with_state(tmp_path, config, configured_catalog(catalog, ["events"]), state)
    errors = check_failure(run.stdout, run.stderr, exit_code=run.returncode, failure_type="config_error")
    assert len(errors) == 1
    assert says in errors[0]["message"]


@pytest.mark.parametrize(
    "state",
    [
        [],
        {},
        [_state("events", {})],
        [_state("events", {"__ab_no_cursor_state_message": True})],
        [_state("events", {"__ab_full_refresh_sync_complete": True})],
        [_state("another_stream", {"whatever": 1})],
    ],
)
def test_a_state_that_says_nothing_about_the_stream_reads_all(
    state: Any, tmp_path: Path, config: Json, catalog: Json
) -> None:
    run = _read_with_state(tmp_path, config, configured_catalog(catalog, ["events"]), state)
    assert run.returncode == 0
    assert run.stdout.count(b'{"type":"RECORD"') == 260


def _read_with_state(folder: Path, config: Json, catalog: Json, state: Any) -> subprocess.CompletedProcess[bytes]:
    command = [str(SCRIPT), "read"]
    for name, content in {"config": config, "catalog": catalog, "state": state}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
        command += [f"--{name}", str(folder / f"{name}.json")]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_no_command_is_one_message() -> None:
    run = subprocess.run([str(SCRIPT)], capture_output=True, timeout=60, check=False)
    errors = check_failure(run.stdout, run.stderr, exit_code=run.returncode, failure_type="config_error")
    assert "spec, check, discover, read" in errors[0]["message"]


def test_wrong_arguments_are_one_message(tmp_path: Path, config: Json) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [str(SCRIPT), "read", "--config", str(tmp_path / "config.json")]
    run = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert run.returncode == 1
    assert b'"failure_type":"config_error"' in run.stdout
    assert b"--catalog" in run.stderr


def test_a_disk_that_is_full_ends_the_process(tmp_path: Path, config: Json, all_streams: Json) -> None:
    """As when the output file reaches its limit in the middle: workers wait for room in the queue then."""
    command = [str(SCRIPT), "read"]
    for name, content in {"config": {**config, "page_size": 5}, "catalog": all_streams}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        command += [f"--{name}", str(tmp_path / f"{name}.json")]
    limited = ["bash", "-c", 'ulimit -f 60; trap "" XFSZ; exec "$@"', "limited", *command]
    with (tmp_path / "out").open("wb") as out:
        run = subprocess.run(limited, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stderr == b""


def test_a_reader_that_goes_away_ends_the_process(tmp_path: Path, config: Json, all_streams: Json) -> None:
    """With workers waiting for room in the queue, the process would never end if it waited for them."""
    command = [str(SCRIPT), "read"]
    for name, content in {"config": {**config, "page_size": 5}, "catalog": all_streams}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        command += [f"--{name}", str(tmp_path / f"{name}.json")]
    reading, writing = os.pipe()
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    os.close(reading)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr == b""
