"""A strict, independent reading of the Airbyte protocol: what a source may print, and in which order.

Every function takes the bytes that a source printed and its exit code, and raises `ProtocolViolation` with
the rule's name and the offending line. Nothing here knows the connector or the CDK, so neither can hide its
own mistakes. `RULES` lists all rules and what each protects.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

Json = dict[str, Any]
FieldPath = Sequence[str]

RULES: Mapping[str, str] = {
    # The bytes
    "secret-leak": "a credential never leaves the process, in whatever form it is written",
    "stderr-empty": "clients that merge stderr into stdout break on anything printed there",
    "utf-8": "text which is not valid Unicode cannot be stored by a destination",
    "newline-at-end": "an unfinished last line is lost by clients that read line by line",
    "one-json-object-per-line": "the platform parses each line by itself",
    "json-duplicate-key": "parsers disagree on which of two equal keys wins",
    "json-not-finite": "NaN and Infinity are not JSON; most parsers stop there",
    # The messages
    "message-type": "a type which the verb must not print is ignored or fails the sync",
    "message-member": "a message carries the object that its type names",
    "log-shape": "logs have a level that the platform knows, and text",
    "control-shape": "a config update carries the whole config",
    "trace-shape": "a trace carries the member its type names, and the time in milliseconds",
    "error-trace": "users read `message`, the platform decides on retries by `failure_type`",
    "estimate-shape": "progress bars need whole numbers of rows or bytes, of a named stream",
    # The order within a stream
    "unknown-stream": "a destination fails on a stream that it was not told of",
    "started-first": "the platform opens a stream on STARTED; what comes earlier has no place",
    "started-once": "a stream starts once in a run",
    "running-before-records": "RUNNING tells that records follow",
    "running-once": "RUNNING repeats only to say that the stream waits for a rate limit",
    "status-reasons": "RATE_LIMITED is the only reason in the protocol, and belongs to RUNNING",
    "after-terminal": "a stream that has ended is closed by the destination",
    "terminal-once": "a stream ends once",
    "terminal-missing": "without COMPLETE or INCOMPLETE the platform cannot tell how a stream ended",
    "state-before-complete": "a STATE after the end is dropped, so the next sync repeats work or loses data",
    "complete-has-state": "a stream without STATE is read again from its start",
    "records-covered": "records after the last STATE of a finished stream are read again by every sync",
    "incomplete-has-error": "a failed stream says why, under its own name",
    # States
    "state-type": "one STATE per stream, of type STREAM",
    "state-object": "`stream_state` is an object and names its stream",
    "state-size": "the platform stores and resends each state; large ones are refused",
    "record-count": "the platform compares counts and reports data loss when they differ",
    # Records
    "record-shape": "a record names its stream and carries an object",
    "emitted-at": "the time of extraction, in whole milliseconds",
    "record-schema": "typed destinations create columns from the schema and null what does not fit",
    "primary-key-present": "deduplication drops or merges rows whose key is missing or null",
    "primary-key-unique": "two records with one key become one row",
    "cursor-present": "deduplication orders versions of a row by the cursor",
    "meta-changes": "a declared change names a field of the schema, and what happened to it",
    # The outcome
    "exit-code": "0 exactly if everything was read; schedulers look at nothing else",
    "one-answer": "spec, check and discover are answered by exactly one message",
    "spec-shape": "the UI builds its form from a draft-7 schema of an object",
    "check-status": "check tells whether the connection works",
    "check-message": "a user reads this message: a sentence, not a Python exception",
    # The catalog
    "catalog-shape": "a catalog lists streams, each with a name and a schema",
    "stream-names-unique": "a stream is known by its name",
    "sync-modes": "a stream says how it can be read; with a cursor, in both modes",
    "schema-draft-7": "destinations read draft-7",
    "schema-object": "a record is an object",
    "schema-keywords": "destinations do not resolve $ref and do not know allOf and not",
    "schema-open": "a closed schema makes every new field a breaking change",
    "schema-format": "`format` has a meaning on strings only",
    "schema-airbyte-type": "an unknown airbyte_type, or one on a wrong JSON type, is ignored in silence",
    "cursor-in-schema": "a cursor that is not a column cannot be chosen or compared",
    "primary-key-in-schema": "a key that is not a column cannot be used to deduplicate",
    "primary-key-scalar": "objects and arrays cannot be keys in a database",
}

EARLIEST_EMISSION = 1_577_836_800_000  # 2020-01-01: seconds are far below, microseconds far above
DAY = 86_400_000  # milliseconds
STATE_LIMIT = 1_000_000  # bytes
SHORTEST_SECRET = 6


class ProtocolViolation(AssertionError):
    """A rule is broken; the message shows the rule, what was found, and the line."""

    def __init__(self, rule: str, detail: str, number: int | None = None, raw: bytes = b"") -> None:
        evidence = [f"[{rule}] {detail}"]
        if number is not None:
            evidence.append(f"line {number}: {_head(raw)}")
        evidence.append(f"why: {RULES[rule]}")
        super().__init__("\n  ".join(evidence))
        self.rule = rule
        self.line_number = number


def _head(raw: bytes, limit: int = 300) -> str:
    text = raw[:limit].decode("utf-8", "backslashreplace")
    return text if len(raw) <= limit else f"{text}... ({len(raw)} bytes)"


# --- Secrets ----------------------------------------------------------------------------------------------


def assert_no_secret(data: bytes, secrets: Sequence[str], where: str = "output") -> None:
    """Refuse any written form of any secret. The message masks the secret itself."""
    for index, secret in enumerate(secrets):
        forms = _secret_forms(secret)
        for needle, form in forms.items():
            position = data.find(needle)
            if position >= 0:
                number = data.count(b"\n", 0, position) + 1
                evidence = _masked_line(data, position, forms)
                raise ProtocolViolation("secret-leak", f"secret #{index} ({form}) in {where}", number, evidence)


def _masked_line(data: bytes, position: int, needles: Iterable[bytes]) -> bytes:
    """The surroundings of a leak within its line, without the secret in any form."""
    start = data.rfind(b"\n", 0, position) + 1
    line = data[start:].split(b"\n", 1)[0]
    for needle in needles:
        line = line.replace(needle, b"***")
    return line[max(0, line.find(b"***") - 100) :]


@lru_cache(maxsize=256)
def _secret_forms(secret: str) -> Mapping[bytes, str]:
    """The written forms of one secret, each with a name for the message."""
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"a secret of {len(secret)} characters would be found by chance; use a longer one")
    plain = {
        "literal": secret,
        "repr": repr(secret)[1:-1],
        "URL-quoted": quote(secret, safe=""),
        "URL-quoted path": quote(secret),
        "URL-quoted form": quote_plus(secret),
    }
    forms = dict(plain)
    for name, text in plain.items():
        forms[f"{name}, lower-case escapes"] = re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), text)
        forms[f"{name}, in JSON"] = json.dumps(text, ensure_ascii=False)[1:-1]
        forms[f"{name}, in ASCII JSON"] = json.dumps(text)[1:-1]
        forms[f"{name}, twice in JSON"] = json.dumps(json.dumps(text)[1:-1])[1:-1]
    encoded = {name: text.encode() for name, text in forms.items()} | _base64_forms(secret.encode())
    return {encoded[name]: name for name in reversed(encoded)}


def _base64_forms(secret: bytes) -> dict[str, bytes]:
    """Base64 of any text that contains the secret, as in `user:secret`.

    Base64 maps three bytes to four characters, so the secret has one of three images, depending on where it
    begins. Of each we take the characters that depend on the secret alone.
    """
    forms = {}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + secret)
        core = whole[-(-shift * 8 // 6) : (shift + len(secret)) * 8 // 6]
        forms[f"base64, offset {shift}"] = core
        forms[f"URL-safe base64, offset {shift}"] = core.translate(bytes.maketrans(b"+/", b"-_"))
        forms[f"base64 in JSON, offset {shift}"] = core.replace(b"/", b"\\/")
    return forms


# --- Lines ------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One message: its type and the object that the type names."""

    number: int
    raw: bytes
    type: str
    body: Json

    def refuse(self, rule: str, detail: str) -> ProtocolViolation:
        return ProtocolViolation(rule, detail, self.number, self.raw)


class _BadJson(Exception):
    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule


def _unique_members(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise _BadJson("json-duplicate-key", f"the keys {twice} occur twice in one object")
    return members


def _refuse_constant(text: str) -> float:
    raise _BadJson("json-not-finite", f"{text} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _BadJson("json-not-finite", f"{text} is too large for a double")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant, parse_float=_finite)


def _parse(raw: bytes) -> Json:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _BadJson("utf-8", str(error)) from None
    if not (text.startswith("{") and text.endswith("}")):
        raise _BadJson("one-json-object-per-line", "the line is not one JSON object")
    try:
        message: Json = _DECODER.decode(text)
    except ValueError as error:
        raise _BadJson("one-json-object-per-line", f"the line is not valid JSON: {error}") from None
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise _BadJson("utf-8", f"half of a surrogate pair: {error}") from None
    return message


_MEMBERS = {
    "RECORD": "record",
    "STATE": "state",
    "LOG": "log",
    "TRACE": "trace",
    "CONTROL": "control",
    "SPEC": "spec",
    "CATALOG": "catalog",
    "CONNECTION_STATUS": "connectionStatus",
}
_SIDE_TYPES = frozenset({"LOG", "TRACE", "CONTROL"})
_READ_TYPES = _SIDE_TYPES | {"RECORD", "STATE"}


def _lines(stdout: bytes, types: frozenset[str]) -> Iterator[Line]:
    """The messages in `stdout`, each valid in itself and of an expected type."""
    *complete, tail = stdout.split(b"\n")
    for number, raw in enumerate(complete, 1):
        try:
            message = _parse(raw)
        except _BadJson as error:
            raise ProtocolViolation(error.rule, str(error), number, raw) from None
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in types:
            raise ProtocolViolation("message-type", f"{kind!r} is not one of {sorted(types)}", number, raw)
        body = message.get(_MEMBERS[kind])
        if not isinstance(body, dict):
            raise ProtocolViolation("message-member", f"{kind} without `{_MEMBERS[kind]}`", number, raw)
        line = Line(number, raw, kind, body)
        if kind in _SHAPES:
            _SHAPES[kind](line)
        yield line
    if tail:
        raise ProtocolViolation("newline-at-end", "the last line has no end", len(complete) + 1, tail)


_LOG_LEVELS = frozenset({"FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"})
_FAILURE_TYPES = frozenset({"config_error", "transient_error", "system_error"})
_TRACE_MEMBERS = {
    "ERROR": "error",
    "ESTIMATE": "estimate",
    "STREAM_STATUS": "stream_status",
    "ANALYTICS": "analytics",
}


def _check_log(line: Line) -> None:
    level, text = line.body.get("level"), line.body.get("message")
    if not isinstance(level, str) or level not in _LOG_LEVELS:
        raise line.refuse("log-shape", f"level {level!r} is not one of {sorted(_LOG_LEVELS)}")
    if not isinstance(text, str):
        raise line.refuse("log-shape", "`message` is not text")


def _check_control(line: Line) -> None:
    config = line.body.get("connectorConfig")
    if line.body.get("type") != "CONNECTOR_CONFIG" or not isinstance(config, dict):
        raise line.refuse("control-shape", "not a CONNECTOR_CONFIG with `connectorConfig`")
    if not isinstance(config.get("config"), dict):
        raise line.refuse("control-shape", "`connectorConfig.config` is not an object")


def _check_trace(line: Line) -> None:
    kind = line.body.get("type")
    if not isinstance(kind, str) or kind not in _TRACE_MEMBERS:
        raise line.refuse("trace-shape", f"trace type {kind!r} is not one of {sorted(_TRACE_MEMBERS)}")
    content = line.body.get(_TRACE_MEMBERS[kind])
    if not isinstance(content, dict):
        raise line.refuse("trace-shape", f"{kind} without `{_TRACE_MEMBERS[kind]}`")
    if not _is_emission_time(line.body.get("emitted_at"), (int, float)):
        raise line.refuse("trace-shape", "`emitted_at` is not a time in milliseconds")
    if kind == "ERROR":
        _check_error(line, content)
    elif kind == "ESTIMATE":
        _check_estimate(line, content)


def _check_error(line: Line, error: Json) -> None:
    text = error.get("message")
    if not isinstance(text, str) or not text.strip():
        raise line.refuse("error-trace", "`message` is empty")
    if error.get("failure_type") not in _FAILURE_TYPES:
        raise line.refuse("error-trace", f"failure_type {error.get('failure_type')!r} is unknown")


def _check_estimate(line: Line, estimate: Json) -> None:
    if estimate.get("type") not in ("STREAM", "SYNC") or not isinstance(estimate.get("name"), str):
        raise line.refuse("estimate-shape", "an estimate needs a type STREAM or SYNC and a name")
    amounts = [estimate[key] for key in ("row_estimate", "byte_estimate") if estimate.get(key) is not None]
    if not amounts or not all(type(amount) is int and amount >= 0 for amount in amounts):
        raise line.refuse("estimate-shape", f"the amounts {amounts} are not whole numbers")


def _is_emission_time(value: Any, types: tuple[type, ...]) -> bool:
    return type(value) in types and EARLIEST_EMISSION <= value <= time.time() * 1000 + DAY


_SHAPES: Mapping[str, Callable[[Line], None]] = {
    "LOG": _check_log,
    "CONTROL": _check_control,
    "TRACE": _check_trace,
}


def _errors(lines: Iterable[Line]) -> list[Json]:
    """The `error` members of the ERROR traces among the lines."""
    return [line.body["error"] for line in lines if line.type == "TRACE" and line.body["type"] == "ERROR"]


def _with_errors(errors: Sequence[Json]) -> str:
    """What the run itself says is wrong, for the message of a rule about its end."""
    texts = [
        f"{error['failure_type']}: {error['message']} ({str(error.get('internal_message'))[:200]})" for error in errors
    ]
    return f"with the errors {texts}"


def _check_bytes(stdout: bytes, stderr: bytes, secrets: Sequence[str], allow_stderr: bool) -> None:
    """Secrets come first: no later message may print a line that holds one."""
    assert_no_secret(stdout, secrets, "stdout")
    assert_no_secret(stderr, secrets, "stderr")
    if stderr and not allow_stderr:
        raise ProtocolViolation("stderr-empty", f"{len(stderr)} bytes on stderr", 1, stderr)


# --- Values -----------------------------------------------------------------------------------------------

_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


def parse_rfc3339(text: str) -> datetime | None:
    """The instant that an RFC 3339 date-time names, or None if `text` is anything else."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    microsecond = int((fraction or "").ljust(6, "0")[:6])
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), min(int(second), 59), microsecond, zone
        )
        return moment if second != "60" else _leap_second(moment)
    except (ValueError, OverflowError):
        return None


def _leap_second(moment: datetime) -> datetime | None:
    """A second 60 exists only at the end of a day in UTC."""
    utc = moment.astimezone(timezone.utc)
    return moment + timedelta(seconds=1) if (utc.hour, utc.minute) == (23, 59) else None


def is_date_time(text: str) -> bool:
    return parse_rfc3339(text) is not None


def _is_local_date_time(text: str) -> bool:
    return parse_rfc3339(text + "Z") is not None


def _is_date(text: str) -> bool:
    return parse_rfc3339(text + "T00:00:00Z") is not None


def _is_time(text: str) -> bool:
    return parse_rfc3339("2000-01-01T" + text) is not None


def _is_local_time(text: str) -> bool:
    return parse_rfc3339("2000-01-01T" + text + "Z") is not None


_OWN_FORMATS: Mapping[tuple[str, bool], Callable[[str], bool]] = {  # by format and "has a time zone"
    ("date-time", True): is_date_time,
    ("date-time", False): _is_local_date_time,
    ("date", True): _is_date,
    ("date", False): _is_date,
    ("time", True): _is_time,
    ("time", False): _is_local_time,
}
_LIBRARY_FORMATS = FormatChecker()


def _format_check(schema: Mapping[str, Any]) -> Callable[[str], bool] | None:
    """The check of `format`; with airbyte_type `..._without_timezone` a value must have no offset."""
    name = schema.get("format")
    if not isinstance(name, str):
        return None
    zoned = not str(schema.get("airbyte_type")).endswith("_without_timezone")
    own = _OWN_FORMATS.get((name, zoned))
    return own or (lambda text: _LIBRARY_FORMATS.conforms(text, name))


def _format_keyword(_: Any, name: str, value: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    check = _format_check(schema)
    if isinstance(value, str) and check is not None and not check(value):
        yield ValidationError(f"{value!r} is not a valid {name!r}")


def _is_integer(_: Any, value: Any) -> bool:
    return type(value) is int


StrictDraft7Validator = extend(  # type: ignore[no-untyped-call]
    Draft7Validator,
    validators={"format": _format_keyword},
    type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
"""Draft-7 where 1.0 is not an integer, and dates and times are checked without optional packages."""

_PYTHON_TYPES: Mapping[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
_ANY_TYPE = frozenset[type]().union(*_PYTHON_TYPES.values())
_ANNOTATIONS = frozenset({"$schema", "title", "description", "examples", "default", "airbyte_type"})
_FAST_KEYWORDS = _ANNOTATIONS | {
    "type", "format", "properties", "required", "items", "additionalProperties",
}  # fmt: skip


def fast_acceptor(schema: Any) -> Callable[[Any], bool] | None:
    """A quick test that never accepts what `StrictDraft7Validator` refuses; None if the schema is not simple.

    jsonschema takes 100 us and more for a record of ten fields; this takes about three. What it does not
    accept, or cannot judge, goes to the full validator, which has the last word.
    """
    if schema is True:
        return lambda value: True
    if not isinstance(schema, dict) or not _FAST_KEYWORDS.issuperset(schema):
        return None
    if schema.get("additionalProperties", True) is not True:
        return None
    members = {name: fast_acceptor(sub) for name, sub in schema.get("properties", {}).items()}
    item = fast_acceptor(schema.get("items", True))
    if item is None or None in members.values():
        return None
    return _acceptor(schema, {name: member for name, member in members.items() if member}, item)


def _acceptor(
    schema: Json, members: Mapping[str, Callable[[Any], bool]], item: Callable[[Any], bool]
) -> Callable[[Any], bool]:
    allowed = _ANY_TYPE
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        allowed = frozenset[type]().union(*(_PYTHON_TYPES[name] for name in names))
    format_check = _format_check(schema)
    required = frozenset(schema.get("required", ()))

    def accepts(value: Any) -> bool:
        kind = type(value)
        if kind not in allowed:
            return False
        if kind is str:
            return format_check is None or format_check(value)
        if kind is list:
            return all(map(item, value))
        if kind is dict:
            if not required.issubset(value):
                return False
            return all(members[name](child) for name, child in value.items() if name in members)
        return True

    return accepts


_MISSING = object()


def _get(value: Any, path: FieldPath) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


# --- Streams ----------------------------------------------------------------------------------------------

_CHANGES = frozenset({"NULLED", "TRUNCATED"})
_REASONS = frozenset(
    {
        "SOURCE_RECORD_SIZE_LIMITATION",
        "SOURCE_FIELD_SIZE_LIMITATION",
        "SOURCE_SERIALIZATION_ERROR",
        "SOURCE_RETRIEVAL_ERROR",
    }
)  # the protocol's others are for platforms and destinations
_SCALARS = frozenset({str, int, float, bool})


class _DeclaredStream:
    """What the catalog promises of one stream, compiled to judge its records."""

    def __init__(self, stream: Json) -> None:
        self.schema: Json = stream["json_schema"]
        self.primary_key: list[FieldPath] = stream.get("source_defined_primary_key") or []
        self.cursor: FieldPath = stream.get("default_cursor_field") or []
        StrictDraft7Validator.check_schema(self.schema)
        self._validator = StrictDraft7Validator(self.schema)
        self._accepts = fast_acceptor(self.schema)

    def check(self, line: Line, data: Json) -> None:
        self._check_schema(line, data)
        if self.cursor and _get(data, self.cursor) is _MISSING:
            raise line.refuse("cursor-present", f"the cursor {'.'.join(self.cursor)} is missing")
        meta = line.body.get("meta")
        if meta is not None:
            self._check_meta(line, meta)

    def _check_schema(self, line: Line, data: Json) -> None:
        if self._accepts is not None and self._accepts(data):
            return
        for error in self._validator.iter_errors(data):
            raise line.refuse("record-schema", f"{error.json_path}: {error.message[:300]}")

    def key(self, line: Line, data: Json) -> tuple[Any, ...]:
        values = tuple(_get(data, path) for path in self.primary_key)
        for path, value in zip(self.primary_key, values, strict=True):
            if type(value) not in _SCALARS:
                found = "missing" if value is _MISSING else json.dumps(value)
                raise line.refuse("primary-key-present", f"the key {'.'.join(path)} is {found}")
        return values

    def _check_meta(self, line: Line, meta: Any) -> None:
        changes = meta.get("changes") if isinstance(meta, dict) else _MISSING
        if not isinstance(changes, list | None):
            raise line.refuse("meta-changes", "`meta.changes` is not a list")
        for change in changes or []:
            if not isinstance(change, dict) or change.get("change") not in _CHANGES:
                raise line.refuse("meta-changes", f"{change} has no known `change`")
            if change.get("reason") not in _REASONS:
                raise line.refuse("meta-changes", f"{change} has no `reason` that a source may give")
            if not self._has_field(change.get("field")):
                raise line.refuse("meta-changes", f"{change} names a field that is not in the schema")

    def _has_field(self, name: Any) -> bool:
        """A declared column, or a dotted path into one; below a free-form object any name goes."""
        if not isinstance(name, str):
            return False
        if name in self.schema.get("properties", {}):
            return True
        node = self.schema
        for part in name.split("."):
            if node is not self.schema and not node.get("properties"):
                return "object" in _json_types(node)
            if part not in node.get("properties", {}):
                return False
            node = node["properties"][part]
        return True


@dataclass
class _StreamRun:
    """How far one stream has come in the output."""

    declared: _DeclaredStream
    started: bool = False
    running: bool = False
    terminal: str | None = None
    failed: bool = False
    records: list[Json] = field(default_factory=list)
    states: list["StatePoint"] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    estimates: list[Json] = field(default_factory=list)
    keys: set[tuple[Any, ...]] = field(default_factory=set)

    @property
    def uncovered(self) -> int:
        """Records printed since the previous STATE."""
        return len(self.records) - (self.states[-1].position if self.states else 0)


class StatePoint(NamedTuple):
    """One STATE: how many records of its stream were printed before it, its own count, and its content."""

    position: int
    record_count: int
    stream_state: Json


def _descriptor_name(line: Line, holder: Json, rule: str) -> str:
    descriptor = holder.get("stream_descriptor")
    name = descriptor.get("name") if isinstance(descriptor, dict) else None
    if not isinstance(name, str):
        raise line.refuse(rule, "`stream_descriptor.name` is missing")
    return name


def _parse_record(line: Line) -> tuple[str, Json]:
    """The stream and the data of a RECORD line."""
    name, data = line.body.get("stream"), line.body.get("data")
    if not isinstance(name, str) or not isinstance(data, dict):
        raise line.refuse("record-shape", "a record needs `stream` (text) and `data` (an object)")
    return name, data


def _parse_state(line: Line) -> tuple[str, Json]:
    """The stream and the content of a STATE line."""
    stream = line.body.get("stream")
    if line.body.get("type") != "STREAM" or not isinstance(stream, dict):
        raise line.refuse("state-type", "not a state of type STREAM with a `stream`")
    name = _descriptor_name(line, stream, "state-object")
    content = stream.get("stream_state")
    if not isinstance(content, dict):
        raise line.refuse("state-object", f"`stream_state` is {json.dumps(content)[:80]}, not an object")
    if len(line.raw) >= STATE_LIMIT:
        raise line.refuse("state-size", f"{len(line.raw)} bytes")
    return name, content


def _check_record_count(line: Line, printed: int) -> None:
    stats = line.body.get("sourceStats")
    count = stats.get("recordCount") if isinstance(stats, dict) else None
    if type(count) not in (int, float) or count != printed:
        raise line.refuse("record-count", f"recordCount is {count}, but {printed} records were printed")


def _state_input(states: Iterable[Json]) -> list[Json]:
    """The last state of each stream, in the form that `--state` takes."""
    last = {state["stream"]["stream_descriptor"]["name"]: state["stream"] for state in states}
    return [{"type": "STREAM", "stream": stream} for stream in last.values()]


# --- Read -------------------------------------------------------------------------------------------------


@dataclass
class ReadReport:
    """What a valid run printed."""

    records: dict[str, list[Json]]
    states: dict[str, list[StatePoint]]
    statuses: dict[str, list[str]]
    """Per stream in order; a RUNNING with a reason reads `RUNNING(RATE_LIMITED)`."""
    estimates: dict[str, list[Json]]
    logs: list[Json]
    errors: list[Json]
    """The `error` members of the ERROR traces."""
    primary_keys: dict[str, list[FieldPath]]
    state_in: list[Json]
    state_out: list[Json]
    """Every STATE of the run, in the order of printing."""

    @property
    def last_states(self) -> list[Json]:
        """What the platform would pass as `--state` to the next run."""
        return _state_input([*self.state_in, *self.state_out])

    def checkpoints(self) -> Iterator[list[Json]]:
        """The `--state` of a run that resumes after each STATE of this one, in order."""
        for end in range(1, len(self.state_out) + 1):
            yield _state_input([*self.state_in, *self.state_out[:end]])

    @property
    def record_counts(self) -> dict[str, list[int]]:
        return {name: [state.record_count for state in states] for name, states in self.states.items()}

    @property
    def total(self) -> int:
        return sum(map(len, self.records.values()))

    def keys(self, stream: str) -> list[tuple[Any, ...]]:
        """The primary keys of a stream's records, in the order of printing."""
        paths = self.primary_keys[stream]
        return [tuple(_get(record, path) for path in paths) for record in self.records[stream]]

    def values(self, stream: str, name: str) -> list[Any]:
        return [record.get(name) for record in self.records[stream]]

    def before_state(self, stream: str, index: int = -1) -> list[Json]:
        """The records of a stream that its state number `index` covers."""
        return self.records[stream][: self.states[stream][index].position]

    def log_text(self) -> str:
        return "\n".join(log["message"] for log in self.logs)


def check_read(
    stdout: bytes,
    stderr: bytes,
    *,
    exit_code: int,
    catalog: Json,
    configured: Sequence[str] | Json,
    secrets: Sequence[str] = (),
    state_in: Sequence[Json] | None = None,
    unique_keys: bool = True,
    allow_stderr: bool = False,
) -> ReadReport:
    """Hold the output of `read` against every rule.

    `catalog` is the discovered one; `configured` the names of the selected streams, or the configured
    catalog. `unique_keys=False` is for outputs joined from several runs. A run that fails before any stream
    STARTED needs no statuses: its ERROR trace and exit code say everything.
    """
    _check_bytes(stdout, stderr, secrets, allow_stderr)
    checker = _ReadChecker(catalog, _configured_names(configured), unique_keys)
    for line in _lines(stdout, _READ_TYPES):
        checker.feed(line)
    checker.finish(exit_code)
    return checker.report(list(state_in or []))


def _configured_names(configured: Sequence[str] | Json) -> list[str]:
    if isinstance(configured, dict):
        return [stream["stream"]["name"] for stream in configured["streams"]]
    return list(configured)


class _ReadChecker:
    """Follows the lines of one run, one handler per message type."""

    def __init__(self, catalog: Json, configured: Sequence[str], unique_keys: bool) -> None:
        self._configured = configured
        self._unique_keys = unique_keys
        self._runs = {
            stream["name"]: _StreamRun(_DeclaredStream(stream))
            for stream in catalog["streams"]
            if stream["name"] in configured
        }
        self._logs: list[Json] = []
        self._errors: list[Json] = []
        self._states: list[Json] = []
        self._handlers: Mapping[str, Callable[[Line], None]] = {
            "RECORD": self._on_record,
            "STATE": self._on_state,
            "LOG": self._on_log,
            "CONTROL": lambda line: None,
            "TRACE": lambda line: self._trace_handlers[line.body["type"]](line),
        }
        self._trace_handlers: Mapping[str, Callable[[Line], None]] = {
            "STREAM_STATUS": self._on_status,
            "ERROR": self._on_error,
            "ESTIMATE": self._on_estimate,
            "ANALYTICS": lambda line: None,
        }

    def feed(self, line: Line) -> None:
        self._handlers[line.type](line)

    def _run(self, line: Line, name: str) -> _StreamRun:
        if name not in self._runs:
            raise line.refuse("unknown-stream", f"{name!r} is not one of {sorted(self._runs)}")
        return self._runs[name]

    def _open_run(self, line: Line, name: str, rule: str = "after-terminal") -> _StreamRun:
        """The run of a stream which has started and has not ended."""
        run = self._run(line, name)
        if run.terminal is not None:
            raise line.refuse(rule, f"{line.type} of {name} after {run.terminal}")
        if not run.started:
            raise line.refuse("started-first", f"{line.type} of {name} before STARTED")
        return run

    def _on_log(self, line: Line) -> None:
        self._logs.append(line.body)

    def _on_record(self, line: Line) -> None:
        name, data = _parse_record(line)
        run = self._open_run(line, name)
        if not run.running:
            raise line.refuse("running-before-records", f"a record of {name} before RUNNING")
        if not _is_emission_time(line.body.get("emitted_at"), (int,)):
            found = line.body.get("emitted_at")
            raise line.refuse("emitted-at", f"{found!r} is not a time in whole milliseconds")
        run.declared.check(line, data)
        self._check_key(line, run, data)
        run.records.append(data)

    def _check_key(self, line: Line, run: _StreamRun, data: Json) -> None:
        key = run.declared.key(line, data)
        if key and self._unique_keys:
            if key in run.keys:
                raise line.refuse("primary-key-unique", f"the key {key} was printed before")
            run.keys.add(key)

    def _on_state(self, line: Line) -> None:
        name, content = _parse_state(line)
        run = self._open_run(line, name, rule="state-before-complete")
        _check_record_count(line, run.uncovered)
        run.states.append(StatePoint(len(run.records), run.uncovered, content))
        self._states.append(line.body)

    def _on_status(self, line: Line) -> None:
        content = line.body["stream_status"]
        name = _descriptor_name(line, content, "trace-shape")
        status = content.get("status")
        transition = self._transitions.get(status) if isinstance(status, str) else None
        if transition is None:
            raise line.refuse("trace-shape", f"status {status!r} is not one of {sorted(self._transitions)}")
        reasons = self._reasons(line, status, content.get("reasons"))
        run = self._run(line, name)
        transition(self, line, name, run, reasons)
        run.statuses.append(f"{status}({','.join(reasons)})" if reasons else status)

    @staticmethod
    def _reasons(line: Line, status: str, reasons: Any) -> list[str]:
        if not reasons:
            return []
        kinds = [str(reason.get("type") if isinstance(reason, dict) else reason) for reason in reasons]
        if status != "RUNNING" or any(kind != "RATE_LIMITED" for kind in kinds):
            raise line.refuse("status-reasons", f"{status} with the reasons {kinds}")
        return kinds

    def _started(self, line: Line, name: str, run: _StreamRun, _: list[str]) -> None:
        if run.started:
            raise line.refuse("started-once", f"{name} STARTED twice")
        run.started = True

    def _running(self, line: Line, name: str, run: _StreamRun, reasons: list[str]) -> None:
        self._open_run(line, name)
        if not reasons:
            if run.running:
                raise line.refuse("running-once", f"{name} RUNNING twice without a reason")
            run.running = True

    def _complete(self, line: Line, name: str, run: _StreamRun, _: list[str]) -> None:
        self._open_run(line, name, rule="terminal-once")
        if not run.states:
            raise line.refuse("complete-has-state", f"{name} is COMPLETE without any STATE")
        if run.uncovered:
            raise line.refuse("records-covered", f"{run.uncovered} records of {name} after its last STATE")
        run.terminal = "COMPLETE"

    def _incomplete(self, line: Line, name: str, run: _StreamRun, _: list[str]) -> None:
        self._open_run(line, name, rule="terminal-once")
        run.terminal = "INCOMPLETE"

    _transitions: Mapping[str, Callable[["_ReadChecker", Line, str, _StreamRun, list[str]], None]] = {
        "STARTED": _started,
        "RUNNING": _running,
        "COMPLETE": _complete,
        "INCOMPLETE": _incomplete,
    }

    def _on_error(self, line: Line) -> None:
        error = line.body["error"]
        self._errors.append(error)
        if error.get("stream_descriptor") is not None:
            name = _descriptor_name(line, error, "error-trace")
            run = self._run(line, name)
            if run.terminal is not None:
                raise line.refuse("after-terminal", f"an ERROR of {name} after {run.terminal}")
            run.failed = True

    def _on_estimate(self, line: Line) -> None:
        estimate = line.body["estimate"]
        if estimate["type"] == "STREAM":
            self._open_run(line, estimate["name"]).estimates.append(estimate)

    def finish(self, exit_code: int) -> None:
        """The rules that can be judged only at the end."""
        failed_early = exit_code != 0 and self._errors and not any(r.started for r in self._runs.values())
        if not failed_early:
            self._check_endings()
        succeeded = not failed_early and not self._errors
        if succeeded != (exit_code == 0):
            raise ProtocolViolation("exit-code", f"exit code {exit_code} {_with_errors(self._errors)}")

    def _check_endings(self) -> None:
        for name in self._configured:
            run = self._runs.get(name)
            if run is None or run.terminal is None:
                found = _with_errors(self._errors)
                raise ProtocolViolation("terminal-missing", f"{name} has no COMPLETE or INCOMPLETE {found}")
            if run.terminal == "INCOMPLETE" and not run.failed:
                raise ProtocolViolation("incomplete-has-error", f"{name} is INCOMPLETE without its own ERROR")

    def report(self, state_in: list[Json]) -> ReadReport:
        runs = self._runs.items()
        return ReadReport(
            records={name: run.records for name, run in runs},
            states={name: run.states for name, run in runs},
            statuses={name: run.statuses for name, run in runs},
            estimates={name: run.estimates for name, run in runs},
            primary_keys={name: run.declared.primary_key for name, run in runs},
            logs=self._logs,
            errors=self._errors,
            state_in=state_in,
            state_out=self._states,
        )


class ReadPrefix:
    """What a killed run left behind: its output cut at an arbitrary byte, the unfinished last line ignored.

    A resume test reads again with `last_states()` and asserts that `records()` and the second run together
    hold every record: if a state was ahead of its records, some are in neither.
    """

    def __init__(self, stdout_prefix: bytes) -> None:
        complete = stdout_prefix[: stdout_prefix.rfind(b"\n") + 1]
        self._records: dict[str, list[Json]] = {}
        self._covered: dict[str, int] = {}
        self._states: list[Json] = []
        for line in _lines(complete, _READ_TYPES):
            if line.type == "RECORD":
                name, data = _parse_record(line)
                self._records.setdefault(name, []).append(data)
            elif line.type == "STATE":
                self._on_state(line)

    def _on_state(self, line: Line) -> None:
        name, _ = _parse_state(line)
        printed = len(self._records.get(name, []))
        _check_record_count(line, printed - self._covered.get(name, 0))
        self._covered[name] = printed
        self._states.append(line.body)

    def last_states(self) -> list[Json]:
        """The last complete state per stream, as `--state` takes it."""
        return _state_input(self._states)

    def records(self) -> dict[str, list[Json]]:
        """Per stream, the records that its last complete state covers."""
        return {name: rows[: self._covered.get(name, 0)] for name, rows in self._records.items()}

    def uncovered(self) -> dict[str, list[Json]]:
        """Per stream, the complete records after its last state: the resumed run prints them again."""
        return {name: rows[self._covered.get(name, 0) :] for name, rows in self._records.items()}


# --- Spec, check, discover --------------------------------------------------------------------------------


def _answer(
    kind: str, stdout: bytes, stderr: bytes, exit_code: int, secrets: Sequence[str], allow_error: bool = False
) -> Line:
    """The one message of type `kind` which answers a verb that ended well."""
    _check_bytes(stdout, stderr, secrets, allow_stderr=False)
    lines = list(_lines(stdout, _SIDE_TYPES | {kind}))
    answers = [line for line in lines if line.type == kind]
    errors = _errors(lines)
    if len(answers) != 1:
        raise ProtocolViolation("one-answer", f"{len(answers)} messages of type {kind} {_with_errors(errors)}")
    if exit_code != 0 or (errors and not allow_error):
        raise ProtocolViolation("exit-code", f"exit code {exit_code} {_with_errors(errors)}")
    return answers[0]


def check_spec(stdout: bytes, stderr: bytes, *, exit_code: int, secrets: Sequence[str] = ()) -> Json:
    """One SPEC with a valid schema of an object; returns the `spec` member."""
    line = _answer("SPEC", stdout, stderr, exit_code, secrets)
    schema = line.body.get("connectionSpecification")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise line.refuse("spec-shape", "`connectionSpecification` is not the schema of an object")
    for problem in _draft_7_problems(schema):
        raise line.refuse("spec-shape", problem)
    return line.body


_PYTHON_ERROR = re.compile(r"""Traceback \(most recent call last\)|^(['"]).*\1$|^\w*(Error|Exception)\(""")


def check_check(
    stdout: bytes, stderr: bytes, *, exit_code: int, secrets: Sequence[str] = (), status: str = "SUCCEEDED"
) -> Json:
    """One CONNECTION_STATUS with the expected `status`, SUCCEEDED or FAILED; returns `connectionStatus`.

    FAILED also exits with 0, and an ERROR trace may stand beside it.
    """
    line = _answer("CONNECTION_STATUS", stdout, stderr, exit_code, secrets, allow_error=status == "FAILED")
    if line.body.get("status") != status:
        raise line.refuse("check-status", f"status is {line.body.get('status')!r}, not {status}")
    message = line.body.get("message")
    if status == "FAILED" and (not isinstance(message, str) or not message.strip()):
        raise line.refuse("check-message", "FAILED without a message")
    if isinstance(message, str) and _PYTHON_ERROR.search(message):
        raise line.refuse("check-message", "the message is a Python exception")
    return line.body


def check_failure(
    stdout: bytes,
    stderr: bytes,
    *,
    exit_code: int,
    secrets: Sequence[str] = (),
    failure_type: str | None = None,
) -> list[Json]:
    """Any verb that fails with an exception: ERROR traces, no answer, non-zero exit; returns the errors."""
    _check_bytes(stdout, stderr, secrets, allow_stderr=False)
    errors = _errors(_lines(stdout, _SIDE_TYPES))
    if exit_code == 0 or not errors:
        raise ProtocolViolation("exit-code", f"exit code {exit_code} {_with_errors(errors)}")
    if failure_type is not None and any(error["failure_type"] != failure_type for error in errors):
        raise ProtocolViolation("error-trace", f"not only {failure_type} {_with_errors(errors)}")
    return errors


def check_discover(stdout: bytes, stderr: bytes, *, exit_code: int, secrets: Sequence[str] = ()) -> Json:
    """One CATALOG whose streams keep every rule of `DISCOVER_RULES`; returns the `catalog` member."""
    line = _answer("CATALOG", stdout, stderr, exit_code, secrets)
    _check_catalog_shape(line)
    names = [stream["name"] for stream in line.body["streams"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise line.refuse("stream-names-unique", f"the streams {twice} occur more than once")
    for stream in line.body["streams"]:
        for rule, find_problems in DISCOVER_RULES:
            problems = list(find_problems(stream))
            if problems:
                raise line.refuse(rule, f"{stream['name']}: {'; '.join(problems)}")
    return line.body


def _check_catalog_shape(line: Line) -> None:
    streams = line.body.get("streams")
    if not isinstance(streams, list) or not streams:
        raise line.refuse("catalog-shape", "the catalog has no streams")
    for stream in streams:
        if not isinstance(stream, dict) or not isinstance(stream.get("name"), str):
            raise line.refuse("catalog-shape", "a stream has no name")
        if not isinstance(stream.get("json_schema"), dict):
            raise line.refuse("catalog-shape", f"{stream['name']} has no json_schema")


_SCHEMA_MAPS = ("properties", "patternProperties", "definitions", "dependencies", "$defs")
_SCHEMA_LISTS = ("oneOf", "anyOf", "allOf", "items", "prefixItems")
_SCHEMA_SINGLES = (
    "items", "additionalItems", "additionalProperties", "contains", "propertyNames",
    "not", "if", "then", "else",
)  # fmt: skip


def iter_subschemas(schema: Any, pointer: str = "#") -> Iterator[tuple[str, Json]]:
    """Every schema within `schema`, with its JSON pointer; property names are never taken for keywords."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for keyword in _SCHEMA_MAPS:
        children = schema.get(keyword)
        if isinstance(children, dict):
            for name, child in children.items():
                yield from iter_subschemas(child, f"{pointer}/{keyword}/{name}")
    for keyword in _SCHEMA_LISTS:
        children = schema.get(keyword)
        if isinstance(children, list):
            for index, child in enumerate(children):
                yield from iter_subschemas(child, f"{pointer}/{keyword}/{index}")
    for keyword in _SCHEMA_SINGLES:
        yield from iter_subschemas(schema.get(keyword), f"{pointer}/{keyword}")


def _json_types(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types a schema allows, its alternatives included; empty if it does not say."""
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    for keyword in ("anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            types |= _json_types(branch) if isinstance(branch, dict) else set()
    return types


def _find_property(schema: Json, path: FieldPath) -> Any:
    for name in path:
        schema = schema.get("properties", {}).get(name, _MISSING)
        if not isinstance(schema, dict):
            return _MISSING
    return schema


def _draft_7_problems(schema: Json) -> Iterator[str]:
    for error in Draft7Validator(Draft7Validator.META_SCHEMA).iter_errors(schema):
        yield f"{error.json_path}: {error.message[:300]}"


def _sync_mode_problems(stream: Json) -> Iterator[str]:
    modes = stream.get("supported_sync_modes")
    if not isinstance(modes, list) or not modes or not {"full_refresh", "incremental"}.issuperset(modes):
        yield f"supported_sync_modes is {modes}"
    elif stream.get("default_cursor_field") and len(set(modes)) < 2:
        yield f"a cursor is given, but only {modes}"


def _schema_draft_problems(stream: Json) -> Iterator[str]:
    return _draft_7_problems(stream["json_schema"])


def _schema_object_problems(stream: Json) -> Iterator[str]:
    if "object" not in _json_types(stream["json_schema"]):
        yield "the schema is not that of an object"


def _keyword_problems(stream: Json) -> Iterator[str]:
    for pointer, schema in iter_subschemas(stream["json_schema"]):
        for keyword in ("$ref", "allOf", "not"):
            if keyword in schema:
                yield f"{keyword} at {pointer}"


def _open_problems(stream: Json) -> Iterator[str]:
    for pointer, schema in iter_subschemas(stream["json_schema"]):
        if schema.get("additionalProperties") is False:
            yield f"additionalProperties is false at {pointer}"


def _format_problems(stream: Json) -> Iterator[str]:
    for pointer, schema in iter_subschemas(stream["json_schema"]):
        types = _json_types(schema)
        if "format" in schema and (not types or types - {"null", "string"}):
            yield f"format on {sorted(types)} at {pointer}"


_AIRBYTE_TYPES: Mapping[str, frozenset[str]] = {
    "timestamp_with_timezone": frozenset({"string"}),
    "timestamp_without_timezone": frozenset({"string"}),
    "time_with_timezone": frozenset({"string"}),
    "time_without_timezone": frozenset({"string"}),
    "integer": frozenset({"integer", "number"}),
}


def _airbyte_type_problems(stream: Json) -> Iterator[str]:
    for pointer, schema in iter_subschemas(stream["json_schema"]):
        name = schema.get("airbyte_type")
        if name is None:
            continue
        if not isinstance(name, str) or name not in _AIRBYTE_TYPES:
            yield f"unknown airbyte_type {name!r} at {pointer}"
        elif not _json_types(schema) & _AIRBYTE_TYPES[name]:
            yield f"{name} on {sorted(_json_types(schema))} at {pointer}"


def _cursor_problems(stream: Json) -> Iterator[str]:
    cursor = stream.get("default_cursor_field")
    if cursor and _find_property(stream["json_schema"], cursor) is _MISSING:
        yield f"the cursor {'.'.join(cursor)} is not in the schema"


def _primary_key_problems(stream: Json) -> Iterator[str]:
    for path in stream.get("source_defined_primary_key") or []:
        if _find_property(stream["json_schema"], path) is _MISSING:
            yield f"the key {'.'.join(path)} is not in the schema"


def _key_type_problems(stream: Json) -> Iterator[str]:
    for path in stream.get("source_defined_primary_key") or []:
        types = _json_types(_find_property(stream["json_schema"], path))
        if types & {"object", "array"}:
            yield f"the key {'.'.join(path)} is of type {sorted(types)}"


DISCOVER_RULES: Sequence[tuple[str, Callable[[Json], Iterator[str]]]] = (
    ("sync-modes", _sync_mode_problems),
    ("schema-draft-7", _schema_draft_problems),
    ("schema-object", _schema_object_problems),
    ("schema-keywords", _keyword_problems),
    ("schema-open", _open_problems),
    ("schema-format", _format_problems),
    ("schema-airbyte-type", _airbyte_type_problems),
    ("cursor-in-schema", _cursor_problems),
    ("primary-key-in-schema", _primary_key_problems),
    ("primary-key-scalar", _key_type_problems),
)
"""Per stream, in this order: a later rule may rely on the earlier ones."""
