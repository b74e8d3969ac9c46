"""The two tables of `connector_kit.errors`: every status and every exception has a row, and it is the right one."""

import io
import re
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
import requests
import requests.exceptions as rx
import urllib3
import urllib3.exceptions as ux

from connector_kit.errors import (
    EXCEPTION_RULES,
    STATUS_RULES,
    UNKNOWN_STATUS,
    Failure,
    HttpError,
    Rule,
    UnreadableBody,
    causes,
    rule_for_exception,
    rule_for_status,
)
from connector_kit.http import BearerAuth, HttpClient, Pacer, Patience

CONFIG, TRANSIENT, SYSTEM = Failure.CONFIG, Failure.TRANSIENT, Failure.SYSTEM

STANDARD: dict[int, tuple[bool, Failure]] = {
    300: (False, CONFIG), 301: (False, CONFIG), 302: (False, CONFIG), 303: (False, CONFIG), 304: (False, CONFIG),
    305: (False, CONFIG), 307: (False, CONFIG), 308: (False, CONFIG),
    400: (False, SYSTEM), 401: (False, CONFIG), 402: (False, CONFIG), 403: (False, CONFIG), 404: (False, CONFIG),
    405: (False, SYSTEM), 406: (False, SYSTEM), 407: (False, CONFIG), 408: (True, TRANSIENT), 409: (True, TRANSIENT),
    410: (False, CONFIG), 411: (False, SYSTEM), 412: (False, SYSTEM), 413: (False, SYSTEM), 414: (False, SYSTEM),
    415: (False, SYSTEM), 416: (False, SYSTEM), 417: (False, SYSTEM), 418: (False, SYSTEM), 421: (False, SYSTEM),
    422: (False, SYSTEM), 423: (True, TRANSIENT), 424: (True, TRANSIENT), 425: (True, TRANSIENT), 426: (False, SYSTEM),
    428: (False, SYSTEM), 429: (True, TRANSIENT), 431: (False, SYSTEM), 451: (False, SYSTEM),
    500: (True, TRANSIENT), 501: (False, SYSTEM), 502: (True, TRANSIENT), 503: (True, TRANSIENT),
    504: (True, TRANSIENT), 505: (False, SYSTEM), 506: (True, TRANSIENT), 507: (True, TRANSIENT),
    508: (True, TRANSIENT), 510: (True, TRANSIENT), 511: (True, TRANSIENT),
}  # fmt: skip
"""Status: whether to try again, and the failure type."""

OF_COMMON_PROXIES: dict[int, tuple[bool, Failure]] = {
    499: (False, SYSTEM), 520: (True, TRANSIENT), 522: (True, TRANSIENT), 524: (True, TRANSIENT), 529: (True, TRANSIENT)
}  # fmt: skip


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    """The exceptions that a module of the HTTP stack defines; its warnings are never raised, only shown."""
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ == module.__name__
    ]


def bare(kind: type[Exception], *args: object) -> Exception:
    """An instance without its constructor, which may ask for a connection pool."""
    return kind.__new__(kind, *args)


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the next request ends with: an exception, or an answer."""
    outcomes: list[Any] = []

    def fake(*args: object, **kwargs: object) -> requests.Response:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, requests.Response)
        return outcome

    monkeypatch.setattr(requests.Session, "send", fake)
    yield outcomes
    assert not outcomes, "a request was not made"


def message_of(outcome: object, send: list[Any]) -> str:
    """What the user is told if a request ends so."""
    client = HttpClient(
        "https://api.example.com",
        BearerAuth("T0KEN-T0KEN"),
        user_agent="test",
        connections=1,
        pacer=Pacer(None),
        patience=Patience(attempts=1, max_wait=0),
    )
    send.append(outcome)
    with pytest.raises(HttpError) as raised:
        client.get("/things", {"key": "QUERY-QUERY"})
    return raised.value.message


def test_the_hand_written_table_names_every_status_that_python_knows() -> None:
    assert {int(status) for status in HTTPStatus if status >= 300} <= STANDARD.keys() | {306, 427, 430}


@pytest.mark.parametrize(("status", "expected"), [*STANDARD.items(), *OF_COMMON_PROXIES.items()])
def test_a_standard_status_is_retried_and_typed_as_written_here(status: int, expected: tuple[bool, Failure]) -> None:
    rule = rule_for_status(status)
    assert (rule.retry, rule.failure) == expected


def test_every_status_from_300_to_599_has_exactly_one_row() -> None:
    rows = {status: [rule for statuses, rule in STATUS_RULES.items() if status in statuses] for status in range(0, 800)}
    assert {status for status, rules in rows.items() if len(rules) == 1} == set(range(300, 600))
    assert not [status for status, rules in rows.items() if len(rules) > 1]
    assert all(rule_for_status(status) is rows[status][0] for status in range(300, 600))


def test_a_number_that_is_no_status_of_a_failure_is_unknown() -> None:
    for status in [*range(0, 200), *range(600, 1100), -1]:
        assert rule_for_status(status) is UNKNOWN_STATUS, status
    assert (UNKNOWN_STATUS.retry, UNKNOWN_STATUS.failure) == (False, SYSTEM)


def test_the_introspection_finds_the_exceptions_that_matter() -> None:
    assert {rx.ConnectionError, rx.ReadTimeout, rx.InvalidHeader, rx.JSONDecodeError} <= set(exceptions_of(rx))
    assert {ux.MaxRetryError, ux.IncompleteRead, ux.ProxySchemeUnsupported} <= set(exceptions_of(ux))
    assert rx.RequestsWarning not in exceptions_of(rx)


@pytest.mark.parametrize("kind", [*exceptions_of(rx), *exceptions_of(ux)], ids=lambda kind: f"{kind.__module__}.{kind}")
def test_every_exception_of_the_http_stack_has_a_row(kind: type[Exception]) -> None:
    assert rule_for_exception(bare(kind)) is not None


@pytest.mark.parametrize(
    ("kind", "retry", "failure", "what"),
    [
        (UnreadableBody, True, SYSTEM, "The server's answer is not valid JSON"),
        (rx.ProxyError, True, TRANSIENT, "The proxy does not connect to the server"),
        (rx.SSLError, True, TRANSIENT, "The secure connection to the server failed"),
        (rx.ConnectTimeout, True, TRANSIENT, "No connection to the server"),
        (rx.ReadTimeout, True, TRANSIENT, "The server did not answer in time"),
        (rx.Timeout, True, TRANSIENT, "No connection to the server"),
        (rx.ChunkedEncodingError, True, TRANSIENT, "The connection broke while the answer was read"),
        (rx.ContentDecodingError, True, TRANSIENT, "The connection broke while the answer was read"),
        (rx.StreamConsumedError, True, TRANSIENT, "The connection broke while the answer was read"),
        (rx.ConnectionError, True, TRANSIENT, "No connection to the server"),
        (rx.InvalidHeader, False, CONFIG, "The credentials hold characters that no header can carry"),
        (rx.InvalidProxyURL, False, CONFIG, "The proxy's address cannot be used"),
        (rx.InvalidURL, False, CONFIG, "The address cannot be used"),
        (rx.InvalidSchema, False, CONFIG, "The address cannot be used"),
        (rx.MissingSchema, False, CONFIG, "The address cannot be used"),
        (rx.URLRequired, False, CONFIG, "The address cannot be used"),
        (ux.LocationParseError, False, CONFIG, "The address cannot be used"),
        (ux.ProxySchemeUnknown, False, CONFIG, "The proxy's address cannot be used"),
        (ux.ProxySchemeUnsupported, False, CONFIG, "The proxy's address cannot be used"),
    ],
)
def test_an_exception_gets_its_own_row_and_not_a_wider_one(
    kind: type[Exception], retry: bool, failure: Failure, what: str
) -> None:
    rule = rule_for_exception(bare(kind))
    assert rule is not None
    assert (rule.retry, rule.failure, rule.what) == (retry, failure, what)


def test_no_row_is_hidden_by_a_wider_one_before_it() -> None:
    kinds = [kind for kind, _ in EXCEPTION_RULES]
    hidden = [
        (kind.__name__, wider.__name__)
        for place, kind in enumerate(kinds)
        for wider in kinds[:place]
        if issubclass(kind, wider)
    ]
    assert not hidden


def test_an_untrusted_certificate_is_found_inside_what_requests_makes_of_it() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    chain = rx.SSLError(ux.MaxRetryError(_pool(), "/things", ux.SSLError(cause)))
    rule = rule_for_exception(chain)
    assert rule is not None
    assert (rule.retry, rule.failure) == (False, CONFIG)
    assert rule.what == "The server's certificate cannot be trusted"


def test_a_name_that_does_not_resolve_is_found_inside_what_requests_makes_of_it() -> None:
    connection = urllib3.connection.HTTPConnection("nowhere.invalid")
    cause = ux.NameResolutionError("nowhere.invalid", connection, socket.gaierror(-2, "Name or service not known"))
    rule = rule_for_exception(rx.ConnectionError(ux.MaxRetryError(_pool(), "/things", cause)))
    assert rule is not None
    assert (rule.retry, rule.failure, rule.what) == (True, CONFIG, "The server's name cannot be found")


def test_a_refused_connection_is_no_unknown_name() -> None:
    cause = ux.NewConnectionError(urllib3.connection.HTTPConnection("127.0.0.1"), "Connection refused")
    rule = rule_for_exception(rx.ConnectionError(ux.MaxRetryError(_pool(), "/things", cause)))
    assert rule is not None
    assert (rule.retry, rule.failure, rule.what) == (True, TRANSIENT, "No connection to the server")


def test_a_server_that_falls_silent_within_its_answer_did_not_answer_in_time() -> None:
    rule = rule_for_exception(rx.ConnectionError(ux.ReadTimeoutError(_pool(), "/things", "Read timed out.")))
    assert rule is not None
    assert (rule.retry, rule.failure, rule.what) == (True, TRANSIENT, "The server did not answer in time")


def test_a_server_that_hangs_up_without_an_answer_broke_the_connection() -> None:
    reset = ConnectionResetError(104, "Connection reset by peer")
    rule = rule_for_exception(rx.ConnectionError(ux.ProtocolError("Connection aborted.", reset)))
    assert rule is not None
    assert (rule.retry, rule.failure) == (True, TRANSIENT)
    assert rule.what == "The connection broke while the answer was read"


@pytest.mark.parametrize("error", [KeyError("id"), TypeError(), ValueError("x"), ZeroDivisionError(), OSError(2, "no")])
def test_an_exception_from_elsewhere_has_no_row(error: Exception) -> None:
    assert rule_for_exception(error) is None


def test_causes_are_found_in_arguments_reason_cause_and_context_and_a_cycle_ends() -> None:
    inner, reason, cause, context = KeyError("inner"), KeyError("reason"), KeyError("cause"), KeyError("context")
    outer = ux.MaxRetryError(_pool(), "/", reason)
    outer.args = (inner, "text")
    outer.__cause__, outer.__context__ = cause, context
    inner.__context__ = outer
    assert {id(error) for error in causes(outer)} == {id(error) for error in (outer, inner, reason, cause, context)}


@pytest.mark.parametrize("status", [199, *STANDARD, *OF_COMMON_PROXIES, 600, 999])
def test_what_the_user_is_told_about_a_status_says_what_where_and_what_to_do(status: int, send: list[Any]) -> None:
    answer = requests.Response()
    answer.status_code = status
    answer.raw = urllib3.HTTPResponse(io.BytesIO(b"BODY-BODY"), status=status, preload_content=False)
    rule = rule_for_status(status)
    message = message_of(answer, send)
    assert message == f"{rule.what} (status {status}, GET api.example.com/things). {rule.advice}"
    _assert_is_presentable(rule, message)


@pytest.mark.parametrize("kind", [*exceptions_of(rx), *exceptions_of(ux)], ids=lambda kind: f"{kind.__module__}.{kind}")
def test_what_the_user_is_told_about_an_exception_holds_none_of_its_own_words(
    kind: type[Exception], send: list[Any]
) -> None:
    error = bare(kind, "https://api.example.com/things?key=QUERY-QUERY", "T0KEN-T0KEN BODY-BODY")
    rule = rule_for_exception(error)
    assert rule is not None
    message = message_of(error, send)
    assert message == f"{rule.what} (GET api.example.com/things). {rule.advice}"
    _assert_is_presentable(rule, message)


def _assert_is_presentable(rule: Rule, message: str) -> None:
    assert rule.advice
    assert re.fullmatch(r"[A-Z][^.]*[^. ]", rule.what), "the sentence gets its full stop when it is rendered"
    assert message.endswith(".")
    assert ".." not in message.replace("https://", "")
    for secret in ("T0KEN", "QUERY", "BODY"):
        assert secret not in message


def _pool() -> urllib3.HTTPConnectionPool:
    return urllib3.HTTPConnectionPool("api.example.com")
