"""The harness, driven by small fake connectors."""

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from integration_tests.harness import Connector, RunTimeout, configured_catalog, state_file

Json = dict[str, Any]

CATALOG: Json = {
    "streams": [
        {
            "name": "events",
            "json_schema": {"type": "object"},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_primary_key": [["id"]],
            "default_cursor_field": ["updated_at"],
        },
        {"name": "products", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]},
    ]
}

ECHO = """
    files = {name: json.load(open(path)) for name, path in zip(sys.argv[2::2], sys.argv[3::2])}
    print(json.dumps({"verb": sys.argv[1], "files": files, "cwd": os.getcwd(), "env": dict(os.environ)}))
"""
FOREVER = """
    for number in itertools.count():
        print(number, flush=True)
"""


@pytest.fixture
def connector(tmp_path: Path, request: pytest.FixtureRequest) -> Connector:
    """A connector written in Python: the script that the test gives with `fake`."""
    script = tmp_path / "connector.py"
    script.write_text(f"import itertools, json, os, subprocess, sys\n{textwrap.dedent(request.param)}")
    return Connector([sys.executable, str(script)], tmp_path)


def fake(script: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("connector", [script], indirect=True, ids=[""])


@fake(ECHO)
def test_each_verb_gets_its_files(connector: Connector) -> None:
    config, state = {"token": "é"}, state_file({"events": {"v": 1}})
    files = {"--config": config, "--catalog": CATALOG, "--state": state}
    runs = {
        "spec": (connector.spec(), []),
        "check": (connector.check(config), ["--config"]),
        "discover": (connector.discover(config), ["--config"]),
        "read": (connector.read(config, CATALOG, state), ["--config", "--catalog", "--state"]),
    }
    for verb, (completed, names) in runs.items():
        echo = json.loads(completed.stdout)
        assert echo["verb"] == verb
        assert echo["files"] == {name: files[name] for name in names}
        assert (completed.exit_code, completed.stderr) == (0, b"")
        assert completed.seconds > 0


@fake(ECHO)
def test_a_first_read_has_no_state_file_and_an_empty_state_is_one(connector: Connector) -> None:
    assert "--state" not in json.loads(connector.read({}, CATALOG).stdout)["files"]
    assert json.loads(connector.read({}, CATALOG, []).stdout)["files"]["--state"] == []


@fake(ECHO)
def test_each_run_has_its_own_folder(connector: Connector, tmp_path: Path) -> None:
    first, second = (Path(json.loads(connector.spec().stdout)["cwd"]) for _ in range(2))
    assert first != second
    assert first.parent == second.parent == tmp_path.resolve()


@fake(ECHO)
def test_the_environment_is_clean(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("HOME", "/home/someone")
    seen = json.loads(connector.spec(env={"DEPLOYMENT_MODE": "cloud"}).stdout)["env"]
    assert (seen["PATH"], seen["HOME"]) == (os.environ["PATH"], "/home/someone")
    assert seen["DEPLOYMENT_MODE"] == "cloud"
    added_by_python_or_the_system = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert set(seen) - added_by_python_or_the_system <= {"PATH", "HOME", "LANG", "DEPLOYMENT_MODE"}


@fake("print('out'); print('err', file=sys.stderr); sys.exit(3)")
def test_a_failure_is_a_result(connector: Connector) -> None:
    completed = connector.check({})
    assert (completed.stdout, completed.stderr, completed.exit_code) == (b"out\n", b"err\n", 3)


@fake("sys.stderr.write('e' * 1_000_000); print('o' * 1_000_000)")
def test_much_output_on_both_pipes_does_not_block(connector: Connector) -> None:
    completed = connector.spec()
    assert (len(completed.stdout), len(completed.stderr)) == (1_000_001, 1_000_000)


@fake(FOREVER)
def test_a_run_is_killed_when_told_and_its_output_kept(connector: Connector) -> None:
    completed = connector.read({}, CATALOG, kill_when=lambda so_far: b"\n100\n" in so_far)
    assert completed.exit_code == -9
    numbers = completed.stdout.split(b"\n")[:-1]
    assert numbers == [str(number).encode() for number in range(len(numbers))]
    assert len(numbers) > 100


@fake("print('done')")
def test_a_run_that_ends_before_the_kill_is_an_ordinary_result(connector: Connector) -> None:
    completed = connector.read({}, CATALOG, kill_when=lambda so_far: b"never" in so_far)
    assert (completed.exit_code, completed.stdout) == (0, b"done\n")


@fake("subprocess.Popen([sys.executable, '-c', 'while True: print(1, flush=True)']).wait()")
def test_children_are_killed_too(connector: Connector) -> None:
    assert connector.read({}, CATALOG, kill_when=bool).exit_code == -9


def stuck(commands: str, workdir: Path) -> Connector:
    """A connector which starts at once, runs shell commands, and then stops for ever."""
    return Connector(["sh", "-c", f"{commands}; kill -STOP $$"], workdir)


def test_a_timeout_shows_the_tail_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(RunTimeout) as caught:
        stuck("printf '%05000d last line' 0; echo went wrong >&2", tmp_path).read({}, CATALOG, timeout=1)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("did not end within 1 s")
    assert lines[1] == "--- end of stdout (5010 bytes)"
    assert lines[2].endswith("000 last line")
    assert len(lines[2]) == 2000
    assert lines[3:] == ["--- end of stderr (11 bytes)", "went wrong"]


def test_a_process_that_closes_stdout_and_stays_runs_into_the_timeout(tmp_path: Path) -> None:
    with pytest.raises(RunTimeout, match="did not end within 1 s"):
        stuck("exec 1>&-", tmp_path).spec(timeout=1)


@fake("while True: print(os.getpid(), flush=True)")
def test_an_error_in_kill_when_leaves_no_process(connector: Connector) -> None:
    seen: list[int] = []

    def fail(so_far: bytes) -> bool:
        seen.append(int(so_far.split()[0]))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        connector.read({}, CATALOG, kill_when=fail)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


def test_all_streams_are_configured() -> None:
    events, products = configured_catalog(CATALOG)["streams"]
    assert events == {
        "stream": CATALOG["streams"][0],
        "sync_mode": "incremental",
        "destination_sync_mode": "append_dedup",
        "primary_key": [["id"]],
        "cursor_field": ["updated_at"],
    }
    assert products == {
        "stream": CATALOG["streams"][1],
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    }


def test_some_streams_are_configured_in_the_given_modes() -> None:
    (products,) = configured_catalog(CATALOG, ["products"], "full_refresh", "overwrite")["streams"]
    assert products["stream"]["name"] == "products"
    assert (products["sync_mode"], products["destination_sync_mode"]) == ("full_refresh", "overwrite")


def test_an_unknown_stream_cannot_be_configured() -> None:
    with pytest.raises(ValueError, match=r"no streams \['gone'\]"):
        configured_catalog(CATALOG, ["events", "gone"])


def test_a_state_file_holds_one_message_per_stream() -> None:
    assert state_file({"events": {"v": 1}, "products": {}}) == [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": {"v": 1}}},
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "products"}, "stream_state": {}}},
    ]
