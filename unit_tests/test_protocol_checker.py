"""Each rule of the protocol checker: a good output passes, the smallest bad variation is refused by its name."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from integration_tests.protocol import (
    DISCOVER_RULES,
    RULES,
    STATE_LIMIT,
    ProtocolViolation,
    ReadPrefix,
    ReadReport,
    StrictDraft7Validator,
    assert_no_secret,
    check_check,
    check_discover,
    check_failure,
    check_read,
    check_spec,
    fast_acceptor,
    is_date_time,
)

Json = dict[str, Any]

NOW = int(time.time() * 1000)
SECRET = 'k"m/7+s3cr\\et é'
CATALOG: Json = {
    "streams": [
        {
            "name": "events",
            "json_schema": {
                "type": "object",
                "additionalProperties": True,
                "properties": {
                    "id": {"type": ["null", "integer"]},
                    "updated_at": {"type": ["null", "string"], "format": "date-time"},
                    "price": {"type": ["null", "number"]},
                    "properties": {"type": "object", "additionalProperties": True},
                    "owner": {"type": "object", "properties": {"name": {"type": "string"}}},
                },
            },
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": ["updated_at"],
            "source_defined_primary_key": [["id"]],
        },
        {"name": "products", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]},
    ]
}


# --- Building outputs -------------------------------------------------------------------------------------


def trace(kind: str, member: str, content: Json) -> Json:
    return {"type": "TRACE", "trace": {"type": kind, "emitted_at": float(NOW), member: content}}


def status(name: str, stream: str = "events", reasons: list[Any] | None = None) -> Json:
    content: Json = {"stream_descriptor": {"name": stream}, "status": name, "reasons": reasons}
    return trace("STREAM_STATUS", "stream_status", content)


def error(stream: str | None = None, **changes: Any) -> Json:
    content: Json = {"message": "It failed.", "failure_type": "transient_error", **changes}
    return trace("ERROR", "error", content | ({"stream_descriptor": {"name": stream}} if stream else {}))


def estimate(**changes: Any) -> Json:
    return trace("ESTIMATE", "estimate", {"name": "events", "type": "STREAM", "row_estimate": 3} | changes)


def record(number: Any, *, stream: str = "events", emitted_at: Any = NOW, meta: Any = None, **data: Any) -> Json:
    body = {"stream": stream, "data": {"id": number, "updated_at": "2026-01-01T00:00:00Z"} | data}
    return {"type": "RECORD", "record": body | {"emitted_at": emitted_at} | ({"meta": meta} if meta else {})}


def changed(**change: Any) -> Json:
    """A record with one declared change."""
    good = {"field": "price", "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}
    return record(1, price=None, meta={"changes": [good | change]})


def state(count: Any, *, stream: str = "events", content: Any = None, kind: str = "STREAM") -> Json:
    entry = {"stream_descriptor": {"name": stream}, "stream_state": {"v": 1} if content is None else content}
    return {"type": "STATE", "state": {"type": kind, "stream": entry, "sourceStats": {"recordCount": count}}}


def without(message: Json, *path: str) -> Json:
    """A copy of `message` without the member at `path`."""
    head, *rest = path
    if rest:
        return message | {head: without(message[head], *rest)}
    return {name: value for name, value in message.items() if name != head}


LOG: Json = {"type": "LOG", "log": {"level": "INFO", "message": "Reading."}}
GOOD_RUN: Json = {
    "log": LOG,
    "started": status("STARTED"),
    "estimate": estimate(),
    "running": status("RUNNING"),
    "record 1": record(1),
    "record 2": record(2),
    "state 1": state(2.0),
    "record 3": record(3),
    "state 2": state(1.0, content={"v": 2}),
    "complete": status("COMPLETE"),
}


def dump(*messages: Any) -> bytes:
    """The lines of messages; bytes stand for themselves."""
    return b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)


def run(changes: Json | None = None, *, drop: tuple[str, ...] = (), after: Json | None = None) -> bytes:
    """The good run with some messages replaced, dropped, or inserted after others."""
    output = b""
    for name, message in (GOOD_RUN | (changes or {})).items():
        output += dump(message) if name not in drop else b""
        output += dump(after[name]) if after and name in after else b""
    return output


def failed_run(*, last: Json | None = None, failure: Json | None = None) -> bytes:
    """A run whose stream ends INCOMPLETE, with its error."""
    ending = dump(failure or error("events"), last or status("INCOMPLETE"))
    return run(drop=("complete",)) + ending


def read(stdout: bytes, **options: Any) -> ReadReport:
    defaults: Json = {"exit_code": 0, "catalog": CATALOG, "configured": ["events"], "secrets": [SECRET]}
    stderr = options.pop("stderr", b"")
    return check_read(stdout, stderr, **(defaults | options))


# --- Read: good runs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Good:
    name: str
    stdout: bytes
    options: Json = field(default_factory=dict)


TWO_STREAMS = dump(
    status("STARTED"),
    status("STARTED", "products"),
    status("RUNNING", "products"),
    record(1, stream="products"),
    status("RUNNING"),
    record(1),
    state(1, stream="products"),
    state(1),
    status("COMPLETE", "products"),
    status("COMPLETE"),
)
RATE_LIMITED = {"type": "RATE_LIMITED", "rate_limited": {"quota_reset": NOW}}
GOOD_RUNS = [
    Good("everything", run()),
    Good("no records", run({"state 1": state(0)}, drop=("running", "record 1", "record 2", "record 3", "state 2"))),
    Good("two streams at a time", TWO_STREAMS, {"configured": ["events", "products"]}),
    Good("configured catalog", run(), {"configured": {"streams": [{"stream": {"name": "events"}}]}}),
    Good("waiting twice", run(after={"record 1": status("RUNNING", reasons=[RATE_LIMITED])} | {"record 2": b""})),
    Good("waiting first", run(after={"started": status("RUNNING", reasons=[RATE_LIMITED])})),
    Good("log after the end", run() + dump(LOG)),
    Good("estimate of the sync", run({"estimate": estimate(type="SYNC", name="all", byte_estimate=0)})),
    Good("control", run() + dump({"type": "CONTROL", "control": {
        "type": "CONNECTOR_CONFIG", "emitted_at": NOW, "connectorConfig": {"config": {}}}})),
    Good("analytics", run() + dump(trace("ANALYTICS", "analytics", {"type": "x", "value": "1"}))),
    Good("failed stream", failed_run(), {"exit_code": 1}),
    Good("failed stream and summary", failed_run() + dump(error()), {"exit_code": 1}),
    Good("failed before any stream", dump(error(failure_type="config_error")), {"exit_code": 1}),
    Good("unknown stream configured", dump(error()), {"exit_code": 1, "configured": ["events", "gone"]}),
    Good("null cursor", run({"record 1": record(1, updated_at=None)})),
    Good("offset", run({"record 1": record(1, updated_at="2026-01-01T00:00:00.123456789+05:30")})),
    Good("same key twice, allowed", run({"record 2": record(1)}), {"unique_keys": False}),
    Good("declared change", run({"record 1": changed()})),
    Good("change in a free-form object", run({"record 1": changed(field="properties.a.b")})),
    Good("change in a declared object", run({"record 1": changed(field="owner.name")})),
    Good("no changes", run({"record 1": record(1, meta={"changes": []})})),
    Good("escaped pair", run({"record 1": record(1, properties={"a": "\U0001f600"})})),
    Good("stderr allowed", run(), {"stderr": b"warning\n", "allow_stderr": True}),
]  # fmt: skip


@pytest.mark.parametrize("good", GOOD_RUNS, ids=lambda good: good.name)
def test_a_good_run_passes(good: Good) -> None:
    read(good.stdout, **good.options)


# --- Read: bad runs ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    rule: str
    name: str
    stdout: bytes
    options: Json = field(default_factory=dict)


def log(text: str) -> bytes:
    return run({"log": {"type": "LOG", "log": {"level": "INFO", "message": text}}})


def raw(line: bytes) -> bytes:
    return run({"log": line})


def control(**changes: Any) -> bytes:
    good = {"type": "CONNECTOR_CONFIG", "emitted_at": NOW, "connectorConfig": {"config": {}}}
    return run({"log": {"type": "CONTROL", "control": good | changes}})


def escaped_in_a_url(text: str) -> str:
    return "".join(f"%{byte:02x}" if byte in b'"/+\\ ' or byte > 127 else chr(byte) for byte in text.encode())


BAD_RUNS = [
    Bad("secret-leak", "literal, in JSON", log(f"key={SECRET}")),
    Bad("secret-leak", "literal, raw", run() + SECRET.encode() + b"\n"),
    Bad("secret-leak", "raw UTF-8 in JSON", raw(json.dumps(SECRET, ensure_ascii=False).encode() + b"\n")),
    Bad("secret-leak", "repr", log(repr({"api_token": SECRET}))),
    Bad("secret-leak", "config dumped into a log", log(json.dumps({"api_token": SECRET}))),
    Bad("secret-leak", "quote", log(f"https://host/?key={quote(SECRET)}")),
    Bad("secret-leak", "quote, all", log(f"https://host/{quote(SECRET, safe='')}/")),
    Bad("secret-leak", "quote_plus", log(f"https://host/?key={quote_plus(SECRET)}")),
    Bad("secret-leak", "lower-case escapes", log(escaped_in_a_url(SECRET))),
    Bad("secret-leak", "base64", log(base64.b64encode(SECRET.encode()).decode())),
    Bad("secret-leak", "base64 of secret:", log(base64.b64encode(f"{SECRET}:".encode()).decode())),
    Bad("secret-leak", "base64 of :secret", log(base64.b64encode(f":{SECRET}".encode()).decode())),
    Bad("secret-leak", "basic auth", log(base64.b64encode(f"someone:{SECRET}".encode()).decode())),
    Bad("secret-leak", "URL-safe base64", log(base64.urlsafe_b64encode(f"ab{SECRET}".encode()).decode())),
    Bad("secret-leak", "in a record", run({"record 1": record(1, properties={"a": SECRET})})),
    Bad("secret-leak", "stderr", run(), {"stderr": SECRET.encode(), "allow_stderr": True}),
    Bad("stderr-empty", "a warning", run(), {"stderr": b"DeprecationWarning"}),
    Bad("utf-8", "latin-1", raw(b'{"type":"LOG","log":{"level":"INFO","message":"\xe9"}}\n')),
    Bad("utf-8", "half a pair", raw(rb'{"type":"LOG","log":{"level":"INFO","message":"\ud83d"}}' + b"\n")),
    Bad("newline-at-end", "cut", run()[:-1]),
    Bad("one-json-object-per-line", "text", raw(b"Reading.\n")),
    Bad("one-json-object-per-line", "empty line", raw(b"\n")),
    Bad("one-json-object-per-line", "array", raw(b"[]\n")),
    Bad("one-json-object-per-line", "two objects", raw(dump(LOG)[:-1] + dump(LOG))),
    Bad("one-json-object-per-line", "carriage return", raw(dump(LOG)[:-1] + b"\r\n")),
    Bad("one-json-object-per-line", "over two lines", raw(json.dumps(LOG, indent=1).encode() + b"\n")),
    Bad("json-duplicate-key", "nested", run({"record 1": dump(record(1)).replace(b'"id": 1', b'"id": 1, "id": 1')})),
    Bad("json-not-finite", "NaN", run({"record 1": record(1, price=float("nan"))})),
    Bad("json-not-finite", "Infinity", run({"record 1": record(1, price=float("-inf"))})),
    Bad("json-not-finite", "overflow", run({"record 1": dump(record(1, price=7)).replace(b"7}", b"1e999}")})),
    Bad("message-type", "unknown", raw(dump({"type": "DEBUG", "message": "x"}))),
    Bad("message-type", "missing", raw(b"{}\n")),
    Bad("message-type", "of another verb", raw(dump({"type": "SPEC", "spec": {}}))),
    Bad("message-member", "missing", raw(dump({"type": "RECORD"}))),
    Bad("message-member", "null", raw(dump({"type": "LOG", "log": None}))),
    Bad("log-shape", "level", raw(dump({"type": "LOG", "log": {"level": "WARNING", "message": ""}}))),
    Bad("log-shape", "no text", raw(dump({"type": "LOG", "log": {"level": "WARN", "message": None}}))),
    Bad("control-shape", "type", control(type="OTHER")),
    Bad("control-shape", "no config", control(connectorConfig={})),
    Bad("trace-shape", "unknown", raw(dump(trace("METRIC", "metric", {})))),
    Bad("trace-shape", "no member", raw(dump(trace("ERROR", "estimate", {})))),
    Bad("trace-shape", "no time", run({"started": without(status("STARTED"), "trace", "emitted_at")})),
    Bad("trace-shape", "unknown status", run({"started": status("BEGUN")})),
    Bad("trace-shape", "no stream", run({"started": trace("STREAM_STATUS", "stream_status", {"status": "STARTED"})})),
    Bad("error-trace", "empty message", failed_run(failure=error("events", message=" ")), {"exit_code": 1}),
    Bad("error-trace", "failure type", failed_run(failure=error("events", failure_type="bug")), {"exit_code": 1}),
    Bad("error-trace", "no failure type", failed_run(failure=error("events", failure_type=None)), {"exit_code": 1}),
    Bad("estimate-shape", "no amount", run({"estimate": estimate(row_estimate=None)})),
    Bad("estimate-shape", "fraction", run({"estimate": estimate(row_estimate=1.5)})),
    Bad("estimate-shape", "type", run({"estimate": estimate(type="TABLE")})),
    Bad("unknown-stream", "record", run({"record 3": record(3, stream="products")})),
    Bad("unknown-stream", "state", run(after={"state 2": state(0, stream="products")})),
    Bad("unknown-stream", "status", run(after={"state 2": status("STARTED", "products")})),
    Bad("unknown-stream", "error", failed_run(failure=error("products")), {"exit_code": 1}),
    Bad("unknown-stream", "estimate", run({"estimate": estimate(name="products")})),
    Bad("started-first", "running", run(drop=("started", "estimate"))),
    Bad("started-first", "record", run(drop=("started", "estimate", "running"))),
    Bad("started-first", "state", run(drop=("started", "estimate", "running", "record 1", "record 2"))),
    Bad("started-first", "estimate", run(drop=("started",))),
    Bad("started-once", "twice", run(after={"running": status("STARTED")})),
    Bad("running-before-records", "missing", run(drop=("running",))),
    Bad("running-before-records", "late", run(drop=("running",), after={"record 1": status("RUNNING")})),
    Bad("running-before-records", "only waiting", run({"running": status("RUNNING", reasons=[RATE_LIMITED])})),
    Bad("running-once", "twice", run(after={"record 1": status("RUNNING")})),
    Bad("status-reasons", "unknown", run(after={"running": status("RUNNING", reasons=[{"type": "TIRED"}])})),
    Bad("status-reasons", "of COMPLETE", run({"complete": status("COMPLETE", reasons=[RATE_LIMITED])})),
    Bad("after-terminal", "record", run() + dump(record(4))),
    Bad("after-terminal", "running", run() + dump(status("RUNNING", reasons=[RATE_LIMITED]))),
    Bad("after-terminal", "estimate", run() + dump(estimate())),
    Bad("after-terminal", "error", run() + dump(error("events")), {"exit_code": 1}),
    Bad("after-terminal", "record of a failed stream", failed_run() + dump(record(4)), {"exit_code": 1}),
    Bad("terminal-once", "twice", run() + dump(status("COMPLETE"))),
    Bad("terminal-once", "both", failed_run() + dump(status("COMPLETE")), {"exit_code": 1}),
    Bad("terminal-missing", "one of one", run(drop=("complete",))),
    Bad("terminal-missing", "one of two", run(), {"configured": ["events", "products"]}),
    Bad("terminal-missing", "one of two, failed", run() + dump(error()), {
        "exit_code": 1, "configured": ["events", "products"]}),
    Bad("terminal-missing", "nothing printed", b""),
    Bad("terminal-missing", "nothing printed, failed", b"", {"exit_code": 1}),
    Bad("terminal-missing", "error, but exit code 0", dump(error())),
    Bad("state-before-complete", "after", run() + dump(state(0))),
    Bad("state-before-complete", "after a failure", failed_run() + dump(state(0)), {"exit_code": 1}),
    Bad("complete-has-state", "none", run(drop=("state 1", "state 2", "record 1", "record 2", "record 3"))),
    Bad("records-covered", "last record", run(drop=("state 2",))),
    Bad("incomplete-has-error", "none", run({"complete": status("INCOMPLETE")}), {"exit_code": 1}),
    Bad("incomplete-has-error", "only a general one", failed_run(failure=error()), {"exit_code": 1}),
    Bad("state-type", "global", run({"state 1": state(2, kind="GLOBAL")})),
    Bad("state-type", "legacy", run({"state 1": {"type": "STATE", "state": {"data": {}}}})),
    Bad("state-object", "text", run({"state 1": state(2, content="2026-01-01")})),
    Bad("state-object", "no stream", run({"state 1": without(state(2), "state", "stream", "stream_descriptor")})),
    Bad("state-size", "too large", run({"state 1": state(2, content={"seen": "x" * STATE_LIMIT})})),
    Bad("record-count", "too low", run({"state 1": state(1)})),
    Bad("record-count", "too high", run({"state 1": state(3)})),
    Bad("record-count", "total instead of difference", run({"state 2": state(3)})),
    Bad("record-count", "missing", run({"state 1": without(state(2), "state", "sourceStats")})),
    Bad("record-count", "boolean", run({"state 2": state(True)})),
    Bad("record-count", "state ahead of its records", run({"state 1": record(2), "record 2": state(2)})),
    Bad("record-shape", "no stream", run({"record 1": without(record(1), "record", "stream")})),
    Bad("record-shape", "data", run({"record 1": {"type": "RECORD", "record": {"stream": "events", "data": []}}})),
    Bad("emitted-at", "seconds", run({"record 1": record(1, emitted_at=NOW // 1000)})),
    Bad("emitted-at", "microseconds", run({"record 1": record(1, emitted_at=NOW * 1000)})),
    Bad("emitted-at", "fraction", run({"record 1": record(1, emitted_at=float(NOW))})),
    Bad("emitted-at", "missing", run({"record 1": record(1, emitted_at=None)})),
    Bad("record-schema", "1.0 for an integer", run({"record 1": record(1.0)})),
    Bad("record-schema", "boolean for an integer", run({"record 1": record(True)})),
    Bad("record-schema", "text for a number", run({"record 1": record(1, price="7")})),
    Bad("record-schema", "no time zone", run({"record 1": record(1, updated_at="2026-01-01T00:00:00")})),
    Bad("record-schema", "nested", run({"record 1": record(1, owner={"name": 7})})),
    Bad("primary-key-present", "missing", run({"record 1": without(record(1), "record", "data", "id")})),
    Bad("primary-key-present", "null", run({"record 1": record(None)})),
    Bad("primary-key-unique", "twice", run({"record 2": record(1)})),
    Bad("primary-key-unique", "twice, beyond a state", run({"record 3": record(1)})),
    Bad("cursor-present", "missing", run({"record 1": without(record(1), "record", "data", "updated_at")})),
    Bad("meta-changes", "unknown change", run({"record 1": changed(change="LOST")})),
    Bad("meta-changes", "unknown reason", run({"record 1": changed(reason="BAD_LUCK")})),
    Bad("meta-changes", "a destination's reason", run({"record 1": changed(reason="DESTINATION_TYPECAST_ERROR")})),
    Bad("meta-changes", "unknown field", run({"record 1": changed(field="colour")})),
    Bad("meta-changes", "unknown member", run({"record 1": changed(field="owner.age")})),
    Bad("meta-changes", "member of a number", run({"record 1": changed(field="price.cents")})),
    Bad("meta-changes", "no list", run({"record 1": record(1, meta={"changes": {}})})),
    Bad("meta-changes", "no object", run({"record 1": record(1, meta=["price"])})),
    Bad("exit-code", "1 after success", run(), {"exit_code": 1}),
    Bad("exit-code", "killed after success", run(), {"exit_code": -9}),
    Bad("exit-code", "0 after a failure", failed_run()),
    Bad("exit-code", "0 after a general error", run() + dump(error())),
]  # fmt: skip


def bad_id(bad: Bad) -> str:
    return f"{bad.rule}: {bad.name}"


@pytest.mark.parametrize("bad", BAD_RUNS, ids=bad_id)
def test_a_bad_run_is_refused_by_its_rule(bad: Bad) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        read(bad.stdout, **bad.options)
    assert caught.value.rule == bad.rule, str(caught.value)


def test_the_message_shows_the_evidence() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        read(run({"record 2": record(1)}))
    lines = str(caught.value).splitlines()
    assert lines[0] == "[primary-key-unique] the key (1,) was printed before"
    assert lines[1].startswith('  line 6: {"type": "RECORD", "record": {"stream": "events"')
    assert lines[2] == f"  why: {RULES['primary-key-unique']}"


def test_a_leak_is_reported_without_the_secret() -> None:
    line = f"{'a' * 5000} {SECRET} {base64.b64encode(SECRET.encode()).decode()}".encode()
    with pytest.raises(ProtocolViolation, match=r"secret #1 .* in stderr") as caught:
        assert_no_secret(b"first\n" + line, ["another-secret", SECRET], "stderr")
    assert caught.value.line_number == 2
    assert "a" * 50 + " ***" in str(caught.value)
    assert_no_secret(str(caught.value).encode(), [SECRET])


def test_a_secret_too_short_to_search_for_is_refused() -> None:
    with pytest.raises(ValueError, match="by chance"):
        assert_no_secret(b"", ["abc"])


def test_data_without_the_secret_passes() -> None:
    assert_no_secret(run() + base64.b64encode(run()), [SECRET, "another-secret"])


# --- Read: values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T23:59:59Z",
        "2024-02-29t00:00:00z",
        "2026-01-01T00:00:00.1+00:00",
        "2026-01-01T00:00:00-23:59",
        "2016-12-31T23:59:60Z",
        "2016-12-31T18:29:60-05:30",
    ],
)
def test_a_date_time_of_rfc_3339(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0000",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "٢026-01-01T00:00:00Z",
        "",
    ],
)
def test_not_a_date_time_of_rfc_3339(text: str) -> None:
    assert not is_date_time(text)


SCHEMAS: list[Json] = [
    {},
    {"type": "integer"},
    {"type": ["null", "number"]},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    {"type": "string", "format": "time"},
    {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
    {"type": "string", "format": "ipv4"},
    {"format": "date"},
    {"type": "array", "items": {"type": "integer"}},
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["b"]},
    {"type": ["null", "object"], "properties": {"a": {"type": "array", "items": {"type": ["null", "string"]}}}},
]
VALUES: list[Any] = [
    None, True, 0, 1, 1.0, -2.5, 10**30, "", "a", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00",
    "12:00:00Z", "12:00:00", "127.0.0.1", [], [1], [1, None], [1.0], {}, {"b": None}, {"a": 1, "b": 2},
    {"a": 1.0, "b": 2}, {"a": []}, {"a": ["x", None]}, {"a": [1]}, {"c": {}},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_the_fast_path_agrees_with_the_full_validator(schema: Json) -> None:
    accepts, validator = fast_acceptor(schema), StrictDraft7Validator(schema)
    assert accepts is not None
    assert [accepts(value) for value in VALUES] == [validator.is_valid(value) for value in VALUES]


@pytest.mark.parametrize(
    "schema",
    [{"enum": [1]}, {"additionalProperties": False}, {"properties": {"a": False}}, {"items": {"minimum": 1}}],
    ids=json.dumps,
)
def test_the_fast_path_leaves_other_schemas_to_the_full_validator(schema: Json) -> None:
    assert fast_acceptor(schema) is None


def test_a_schema_beyond_the_fast_path_is_checked_too() -> None:
    catalog = json.loads(json.dumps(CATALOG))
    catalog["streams"][0]["json_schema"]["properties"]["price"] = {"enum": [7, None]}
    read(run({"record 1": record(1, price=7)}), catalog=catalog)
    with pytest.raises(ProtocolViolation, match=r"\[record-schema\] \$\.price: 8 is not one of"):
        read(run({"record 1": record(1, price=8)}), catalog=catalog)


def test_a_stream_without_key_and_cursor_needs_none() -> None:
    messages = [status("STARTED"), status("RUNNING"), record(None), record(None), state(2), status("COMPLETE")]
    catalog = {"streams": [{"name": "events", "json_schema": {"type": "object"}}]}
    assert read(dump(*messages), catalog=catalog).total == 2


@pytest.mark.slow
def test_200_000_records_are_checked_in_15_seconds_of_cpu() -> None:
    head = dump(status("STARTED"), status("RUNNING"))
    lines = [dump(record(number, price=1.5, properties={"plan": "pro"})) for number in range(200_000)]
    begin = time.process_time()
    report = read(head + b"".join(lines) + dump(state(200_000), status("COMPLETE")))
    assert report.total == 200_000
    assert time.process_time() - begin < 15


# --- Read: the report -------------------------------------------------------------------------------------


def test_the_report_tells_what_was_printed() -> None:
    report = read(run({"running": status("RUNNING", reasons=[])}))
    assert [row["id"] for row in report.records["events"]] == [1, 2, 3]
    assert report.keys("events") == [(1,), (2,), (3,)]
    assert report.values("events", "updated_at") == ["2026-01-01T00:00:00Z"] * 3
    assert [tuple(point) for point in report.states["events"]] == [(2, 2, {"v": 1}), (3, 1, {"v": 2})]
    assert report.record_counts == {"events": [2, 1]}
    assert report.statuses["events"] == ["STARTED", "RUNNING", "COMPLETE"]
    assert [row["row_estimate"] for row in report.estimates["events"]] == [3]
    assert report.log_text() == "Reading."
    assert report.errors == []
    assert [row["id"] for row in report.before_state("events", 0)] == [1, 2]
    assert len(report.before_state("events")) == report.total == 3


def test_the_report_names_the_reason_of_a_wait() -> None:
    report = read(run(after={"running": status("RUNNING", reasons=[RATE_LIMITED])}))
    assert report.statuses["events"] == ["STARTED", "RUNNING", "RUNNING(RATE_LIMITED)", "COMPLETE"]


def test_the_report_holds_the_errors_of_a_failed_run() -> None:
    report = read(failed_run() + dump(error(message="1 stream failed.")), exit_code=1)
    assert [row["message"] for row in report.errors] == ["It failed.", "1 stream failed."]


def state_input(stream: str, content: Json) -> Json:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": content}}


def test_the_last_states_are_the_input_of_the_next_run() -> None:
    before = [state_input("products", {"v": 0}), state_input("events", {"v": 0})]
    report = read(run(), state_in=before)
    assert report.last_states == [before[0], state_input("events", {"v": 2})]
    assert list(report.checkpoints()) == [[before[0], state_input("events", {"v": n})] for n in (1, 2)]


# --- A killed run -----------------------------------------------------------------------------------------


def test_a_prefix_gives_the_last_complete_state_and_its_records_wherever_it_is_cut() -> None:
    whole = run()
    first, second = (whole.index(dump(GOOD_RUN[name])) + len(dump(GOOD_RUN[name])) for name in ("state 1", "state 2"))
    for cut in range(len(whole) + 1):
        prefix = ReadPrefix(whole[:cut])
        expected = 2 if cut >= second else 1 if cut >= first else 0
        covered = [0, 2, 3][expected]
        assert prefix.last_states() == ([state_input("events", {"v": expected})] if expected else []), cut
        assert [row["id"] for row in prefix.records().get("events", [])] == [1, 2, 3][:covered], cut
        uncovered = prefix.uncovered().get("events", [])
        assert len(uncovered) == whole[:cut].count(b'"RECORD"') - covered - incomplete_record(whole[:cut]), cut


def incomplete_record(prefix: bytes) -> int:
    """1 if the unfinished last line is a record."""
    return prefix.rpartition(b"\n")[2].count(b'"RECORD"')


def test_a_prefix_keeps_streams_apart() -> None:
    prefix = ReadPrefix(TWO_STREAMS[: TWO_STREAMS.index(dump(state(1)))])
    assert prefix.last_states() == [state_input("products", {"v": 1})]
    assert [len(rows) for rows in prefix.records().values()] == [1, 0]
    assert [len(rows) for rows in prefix.uncovered().values()] == [0, 1]


@pytest.mark.parametrize(
    ("rule", "stdout"),
    [
        ("record-count", run({"state 1": record(2), "record 2": state(2)})),
        ("record-shape", run({"record 1": without(record(1), "record", "stream")})),
        ("one-json-object-per-line", run({"log": b"Killed\n"})),
    ],
)
def test_a_bad_prefix_is_refused(rule: str, stdout: bytes) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        ReadPrefix(stdout)
    assert caught.value.rule == rule


# --- Spec, check, discover --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """The output of a verb, and what its check is told."""

    rule: str
    name: str
    check: Callable[..., Any]
    stdout: bytes
    options: Json = field(default_factory=dict)


def spec(schema: Any) -> bytes:
    return dump(LOG, {"type": "SPEC", "spec": {"connectionSpecification": schema}})


def connection(status: str, message: Any = None) -> bytes:
    return dump({"type": "CONNECTION_STATUS", "connectionStatus": {"status": status, "message": message}}, LOG)


def discovered(*, schema: Json | None = None, prop: Json | None = None, **changes: Any) -> bytes:
    """A catalog of one stream, changed in one place; `prop` replaces the schema of `price`."""
    stream = json.loads(json.dumps(CATALOG["streams"][0])) | changes
    stream["json_schema"] |= schema or {}
    if prop is not None:
        stream["json_schema"]["properties"]["price"] = prop
    return catalog(stream)


def catalog(*streams: Any) -> bytes:
    return dump({"type": "CATALOG", "catalog": {"streams": list(streams)}})


FAILED = {"status": "FAILED"}
TRACEBACK = "Traceback (most recent call last):\n  ..."
GOOD_ANSWERS = [
    Answer("", "spec", check_spec, spec({"type": "object"})),
    Answer("", "check", check_check, connection("SUCCEEDED")),
    Answer("", "check failed", check_check, connection("FAILED", "The token is wrong."), FAILED),
    Answer("", "check failed with trace", check_check, dump(error()) + connection("FAILED", "No."), FAILED),
    Answer("", "failure", check_failure, dump(LOG, error()), {"exit_code": 1, "failure_type": "transient_error"}),
    Answer("", "discover", check_discover, catalog(*CATALOG["streams"])),
    Answer("", "discover types", check_discover, discovered(prop={
        "type": ["null", "string"], "format": "date-time", "airbyte_type": "timestamp_with_timezone"})),
    Answer("", "discover alternatives", check_discover, discovered(prop={
        "oneOf": [{"type": "null"}, {"type": "string"}], "format": "date"})),
    Answer("", "property called not", check_discover, discovered(schema={"properties": {
        **CATALOG["streams"][0]["json_schema"]["properties"], "not": {"type": "string"}}})),
]  # fmt: skip
BAD_ANSWERS = [
    Answer("one-answer", "no spec", check_spec, dump(LOG)),
    Answer("one-answer", "two specs", check_spec, spec({"type": "object"}) * 2),
    Answer("one-answer", "no status", check_check, b""),
    Answer("one-answer", "two catalogs", check_discover, discovered() * 2),
    Answer("message-type", "spec to check", check_check, spec({"type": "object"})),
    Answer("message-type", "record in discover", check_discover, discovered() + dump(record(1))),
    Answer("message-type", "an answer in spite of the failure", check_failure, connection("FAILED"), {"exit_code": 1}),
    Answer("secret-leak", "in a status", check_check, connection("FAILED", SECRET), FAILED),
    Answer("stderr-empty", "spec", check_spec, spec({"type": "object"}), {"stderr": b"x"}),
    Answer("exit-code", "spec", check_spec, spec({"type": "object"}), {"exit_code": 1}),
    Answer("exit-code", "check failed", check_check, connection("FAILED", "No."), FAILED | {"exit_code": 1}),
    Answer("exit-code", "success with an error", check_check, dump(error()) + connection("SUCCEEDED")),
    Answer("exit-code", "failure with 0", check_failure, dump(error())),
    Answer("exit-code", "failure without trace", check_failure, dump(LOG), {"exit_code": 1}),
    Answer("error-trace", "other type", check_failure, dump(error()), {
        "exit_code": 1, "failure_type": "config_error"}),
    Answer("spec-shape", "no schema", check_spec, spec(None)),
    Answer("spec-shape", "no object", check_spec, spec({"type": "string"})),
    Answer("spec-shape", "not draft-7", check_spec, spec({"type": "object", "required": "api_token"})),
    Answer("check-status", "failed", check_check, connection("FAILED", "No.")),
    Answer("check-status", "succeeded", check_check, connection("SUCCEEDED"), FAILED),
    Answer("check-message", "empty", check_check, connection("FAILED", ""), FAILED),
    Answer("check-message", "repr of text", check_check, connection("FAILED", repr("No.")), FAILED),
    Answer("check-message", "repr of an error", check_check, connection("FAILED", repr(ValueError(1))), FAILED),
    Answer("check-message", "traceback", check_check, connection("FAILED", TRACEBACK), FAILED),
    Answer("catalog-shape", "no streams", check_discover, catalog()),
    Answer("catalog-shape", "no name", check_discover, catalog({"json_schema": {}})),
    Answer("catalog-shape", "no schema", check_discover, catalog({"name": "events"})),
    Answer("stream-names-unique", "twice", check_discover, catalog(*CATALOG["streams"], CATALOG["streams"][0])),
    Answer("sync-modes", "none", check_discover, discovered(supported_sync_modes=[])),
    Answer("sync-modes", "unknown", check_discover, discovered(supported_sync_modes=["cdc", "incremental"])),
    Answer("sync-modes", "one with a cursor", check_discover, discovered(supported_sync_modes=["full_refresh"])),
    Answer("schema-draft-7", "type", check_discover, discovered(prop={"type": "text"})),
    Answer("schema-object", "array", check_discover, discovered(schema={"type": "array"})),
    Answer("schema-keywords", "$ref", check_discover, discovered(prop={"$ref": "money.json"})),
    Answer("schema-keywords", "in an alternative", check_discover, discovered(prop={"anyOf": [{"$ref": "x"}]})),
    Answer("schema-keywords", "allOf", check_discover, discovered(prop={"allOf": [{"type": "number"}]})),
    Answer("schema-keywords", "not", check_discover, discovered(prop={"type": "array", "items": {"not": {}}})),
    Answer("schema-open", "root", check_discover, discovered(schema={"additionalProperties": False})),
    Answer("schema-open", "nested", check_discover, discovered(prop={"type": "object", "additionalProperties": False})),
    Answer("schema-format", "number", check_discover, discovered(prop={"type": "integer", "format": "date-time"})),
    Answer("schema-format", "no type", check_discover, discovered(prop={"format": "date-time"})),
    Answer("schema-airbyte-type", "unknown", check_discover, discovered(prop={"airbyte_type": "timestamp"})),
    Answer("schema-airbyte-type", "on a wrong type", check_discover, discovered(prop={
        "type": "integer", "airbyte_type": "timestamp_with_timezone"})),
    Answer("cursor-in-schema", "absent", check_discover, discovered(default_cursor_field=["modified"])),
    Answer("primary-key-in-schema", "absent", check_discover, discovered(source_defined_primary_key=[["id"], ["no"]])),
    Answer("primary-key-scalar", "object", check_discover, discovered(source_defined_primary_key=[["owner"]])),
]  # fmt: skip


def answer_id(answer: Answer) -> str:
    return f"{answer.rule}: {answer.name}"


def ask(answer: Answer) -> Any:
    options: Json = {"stderr": b"", "exit_code": 0, "secrets": [SECRET]} | answer.options
    return answer.check(answer.stdout, **options)


@pytest.mark.parametrize("answer", GOOD_ANSWERS, ids=answer_id)
def test_a_good_answer_passes(answer: Answer) -> None:
    assert ask(answer)


@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=answer_id)
def test_a_bad_answer_is_refused_by_its_rule(answer: Answer) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        ask(answer)
    assert caught.value.rule == answer.rule, str(caught.value)


def test_answers_are_returned() -> None:
    assert ask(GOOD_ANSWERS[0]) == {"connectionSpecification": {"type": "object"}}
    assert check_discover(catalog(*CATALOG["streams"]), b"", exit_code=0) == CATALOG
    assert check_failure(dump(error()), b"", exit_code=2)[0]["message"] == "It failed."


def test_every_rule_has_a_bad_example() -> None:
    tested = {bad.rule for bad in BAD_RUNS} | {answer.rule for answer in BAD_ANSWERS}
    assert tested == set(RULES)
    assert {rule for rule, _ in DISCOVER_RULES} <= set(RULES)
