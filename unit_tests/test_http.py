"""The HTTP client against a small real server on a free local port. Nothing sleeps: waiting and chance are given."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError, Failure, HttpError
from connector_kit.http import Answer, BearerAuth, HttpClient, Pacer, Patience, origin, parse_retry_after

TOKEN = "T0KEN-T0KEN-T0KEN"
BODY = b'{"data": [1, 2]}'


@dataclass(frozen=True)
class Reply:
    """One scripted answer. `instead` does something else with the connection than to answer."""

    status: int = 200
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=dict)
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None


OK = Reply()


class Server(ThreadingHTTPServer):
    """Answers by script; the last reply stays. Notes what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Reply] = [OK]
        self.asked: list[tuple[str, Message]] = []
        self.posted: list[bytes] = []
        self.peers: list[object] = []
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._lock = threading.Lock()

    def next(self, path: str, headers: Message) -> Reply:
        with self._lock:
            self.asked.append((path, headers))
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def handle_error(self, request: object, client_address: object) -> None:
        """A test's broken connection is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        reply = self.server.next(self.path, self.headers)
        self.server.peers.append(self.client_address)
        if reply.instead:
            self.close_connection = True
            reply.instead(self)
            return
        self.send_response_only(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        self.server.posted.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def stay_silent(handler: BaseHTTPRequestHandler) -> None:
    assert isinstance(handler.server, Server)
    handler.server.released.wait(30)


def fall_silent_within_the_answer(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,")
    stay_silent(handler)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def listening() -> Iterator[Server]:
    """A server, answering until the block ends."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with listening() as server:
        yield server


@pytest.fixture
def naps() -> list[float]:
    """The seconds that a client would have slept."""
    return []


Make = Callable[..., HttpClient]


@pytest.fixture
def make(server: Server, naps: list[float]) -> Make:
    """A client for the server. `jitter` 0 gives half of each exponential wait: 0.5, 1, 2, 4 s and so on."""

    def client(
        base_url: str | None = None, jitter: float = 0.0, pacer: Pacer | None = None, **options: Any
    ) -> HttpClient:
        return HttpClient(
            base_url or server.url,
            BearerAuth(TOKEN),
            user_agent="test-agent/1",
            connections=2,
            pacer=pacer or Pacer(None),
            sleep=naps.append,
            jitter=lambda: jitter,
            **options,
        )

    return client


def failure(client: HttpClient, path: str = "/things", params: dict[str, Any] | None = None) -> HttpError:
    """How the request ends, checked for what no message may hold and all must."""
    with pytest.raises(HttpError) as raised:
        client.get(path, {"secret_key": "QUERY-QUERY"} if params is None else params)
    error = raised.value
    assert f"GET {client.url('/x').split('/')[2]}/things" in error.message
    assert error.message.endswith(".")
    assert TOKEN not in error.message
    assert "secret_key" not in error.message
    assert "QUERY" not in error.message
    return error


# What is sent.


def test_a_request_carries_the_token_the_user_agent_and_the_query(server: Server, make: Make) -> None:
    answer = make().get("/things", {"limit": 2, "offset": 4})
    assert (answer.status, answer.body) == (200, {"data": [1, 2]})
    [(path, headers)] = server.asked
    assert path == "/things?limit=2&offset=4"
    assert headers.get_all("Authorization") == [f"Bearer {TOKEN}"]
    assert headers["User-Agent"] == "test-agent/1"
    assert headers["Accept"] == "application/json"


def test_a_netrc_that_names_the_host_does_not_replace_the_token(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    requests.get(server.url, timeout=10)
    make().get("/things")
    assert [headers["Authorization"].split()[0] for _, headers in server.asked] == ["Basic", "Bearer"]


def test_a_path_is_put_behind_the_path_of_the_base_url(server: Server, make: Make) -> None:
    make(base_url=f"{server.url}/v3/").get("/things")
    assert server.paths == ["/v3/things"]


def test_a_proxy_of_the_environment_is_used(server: Server, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert make(base_url="http://nowhere.invalid").get("/things").status == 200
    assert server.paths == ["http://nowhere.invalid/things"]


# What is posted.


def test_a_post_carries_its_body_as_json_and_the_credentials(server: Server, make: Make) -> None:
    body = {"report": {"start_date": 1388534400}, "name": "é"}
    assert make().post("/things/run", body).body == {"data": [1, 2]}
    [(path, headers)] = server.asked
    assert path == "/things/run"
    assert json.loads(server.posted[0]) == body
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "application/json"
    assert headers.get_all("Authorization") == [f"Bearer {TOKEN}"]


def test_a_get_carries_no_body(server: Server, make: Make) -> None:
    make().get("/things")
    [(_, headers)] = server.asked
    assert (headers["Content-Type"], headers["Content-Length"], server.posted) == (None, None, [])


@pytest.mark.parametrize("body", [{}, {"a": None}])
def test_an_empty_object_is_a_body_too(body: dict[str, Any], server: Server, make: Make) -> None:
    make().post("/things", body)
    assert [json.loads(posted) for posted in server.posted] == [body]


def test_a_post_that_fails_in_passing_is_sent_again_whole(server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(503), Reply(instead=reset), Reply(202, b"{}")]
    assert make().post("/things", {"a": 1}).status == 202
    assert server.posted == [server.posted[0]] * 3
    assert json.loads(server.posted[0]) == {"a": 1}
    assert naps == [0.5, 1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_post_that_is_refused_is_sent_once_and_the_message_names_the_verb_and_nothing_of_the_body(
    status: int, server: Server, make: Make
) -> None:
    server.script = [Reply(status)]
    with pytest.raises(HttpError) as raised:
        make().post("/things", {"secret": "BODY-BODY"})
    assert raised.value.status == status
    assert f"(status {status}, POST 127.0.0.1:{server.server_port}/things)" in raised.value.message
    assert "BODY" not in raised.value.message
    assert len(server.posted) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_post_is_not_followed(status: int, server: Server, make: Make) -> None:
    """Most clients would make a GET of it, or send the body to the other address."""
    server.script = [Reply(status, headers={"Location": "/elsewhere"}), OK]
    with pytest.raises(HttpError) as raised:
        make().post("/things", {})
    assert raised.value.failure is Failure.CONFIG
    assert server.paths == ["/things"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_to_a_post_may_be_empty(status: int, server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(status, b"", {"Location": "/jobs/1"})]
    answer = make().post("/things", {})
    assert (answer.status, answer.body, answer.location) == (status, None, "/jobs/1")
    assert naps == []


@pytest.mark.parametrize("body", [b" ", b"<html></html>", b"accepted", b'{"id": '])
def test_an_answer_to_a_post_that_is_not_empty_is_json(body: bytes, server: Server, make: Make) -> None:
    server.script = [Reply(202, body)]
    with pytest.raises(HttpError) as raised:
        make(patience=Patience(attempts=1)).post("/things", {})
    assert "is not valid JSON" in raised.value.message


# What is tried again.


@pytest.mark.parametrize("status", [408, 409, 423, 425, 429, 500, 502, 503, 504, 520])
def test_a_passing_failure_is_tried_again(status: int, server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(status), OK]
    assert make().get("/things").body == {"data": [1, 2]}
    assert len(server.asked) == 2
    assert naps == [0.5]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 407, 410, 413, 422, 426, 431, 451, 501, 505])
def test_a_lasting_failure_is_asked_for_once(status: int, server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(status, headers={"Retry-After": "1"}), OK]
    error = failure(make())
    assert error.status == status
    assert f"(status {status}, GET " in error.message
    assert "tries" not in error.message
    assert len(server.asked) == 1
    assert naps == []


@pytest.mark.parametrize(
    ("body", "decoded"),
    [
        (b'{"name": "cut \\ud83d"}', {"name": "cut \ufffd"}),
        (b'{"name": "whole \\ud83d\\ude00"}', {"name": "whole \U0001f600"}),
        (b'["caf\xe9"]', ["caf\ufffd"]),
    ],
)
def test_characters_that_are_no_unicode_are_replaced(body: bytes, decoded: object, server: Server, make: Make) -> None:
    """A name that was cut within an emoji must not stop a stream."""
    server.script = [Reply(200, body)]
    assert make().get("/things").body == decoded
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "failure_type", "says"),
    [
        (Reply(503), Failure.TRANSIENT, "The service is not available at the moment (status 503, "),
        (Reply(200, b"<html>\nHello</html>"), Failure.SYSTEM, "is not valid JSON (19 bytes, an HTML page, "),
        (Reply(200, b" \n<!doctype html>"), Failure.SYSTEM, "is not valid JSON (17 bytes, an HTML page, "),
        (Reply(200, b'{"data": [1, 2'), Failure.SYSTEM, "is not valid JSON (14 bytes, not JSON, "),
        (Reply(200, b'"\xff'), Failure.SYSTEM, "is not valid JSON (2 bytes, not JSON, "),
        (Reply(200, b""), Failure.SYSTEM, "is not valid JSON (0 bytes, empty, "),
        (Reply(204, b""), Failure.SYSTEM, "is not valid JSON (0 bytes, empty, "),
        (Reply(200, b"[1]", {"Content-Length": "9", "Connection": "close"}), Failure.TRANSIENT, "connection broke"),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), Failure.TRANSIENT, "connection broke"),
        (Reply(instead=reset), Failure.TRANSIENT, "The connection broke while the answer was read ("),
        (Reply(instead=hang_up), Failure.TRANSIENT, "The connection broke while the answer was read ("),
    ],
)
def test_an_unusable_answer_is_tried_five_times_and_then_reported(
    reply: Reply, failure_type: Failure, says: str, server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [reply, OK]
    assert make().get("/things").status == 200
    server.script = [reply]
    server.asked.clear()
    naps.clear()
    error = failure(make())
    assert error.failure is failure_type
    assert says in error.message
    assert ", 5 tries" in error.message
    assert len(server.asked) == 5
    assert naps == [0.5, 1, 2, 4]


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (401, {"Content-Encoding": "gzip"}, "The server does not accept the credentials (status 401, "),
        (404, {"Content-Length": "999", "Connection": "close"}, "The server does not know this address (status 404, "),
    ],
)
def test_a_failure_is_known_by_its_status_even_if_its_body_is_broken(
    status: int, headers: dict[str, str], expected: str, server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(status, b"not as it says", headers)]
    assert failure(make()).message.startswith(expected)
    assert naps == []


def test_a_connection_is_used_again_after_an_answer_and_after_a_failure(server: Server, make: Make) -> None:
    server.script = [OK, Reply(503, b"<html>busy</html>"), OK, Reply(404, b"x" * 100_000), OK]
    client = make()
    client.get("/things")
    client.get("/things")
    failure(client)
    client.get("/things")
    assert len(server.asked) == 5
    assert len(set(server.peers)) == 1


@pytest.mark.parametrize("silence", [stay_silent, fall_silent_within_the_answer])
def test_a_server_that_falls_silent_is_given_up_after_the_timeout(
    silence: Callable[[BaseHTTPRequestHandler], None], server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(instead=silence)]
    error = failure(make(patience=Patience(attempts=2, timeout=(5, 0.05))))
    assert error.failure is Failure.TRANSIENT
    assert error.message.startswith("The server did not answer in time (GET ")
    assert naps == [0.5]


def test_a_dead_port_is_tried_and_then_reported(make: Make, naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    error = failure(make(base_url=f"http://127.0.0.1:{port}", patience=Patience(attempts=3)))
    assert (error.failure, error.status) == (Failure.TRANSIENT, None)
    assert error.message.startswith(f"No connection to the server (GET 127.0.0.1:{port}/things, 3 tries). Check base_")
    assert naps == [0.5, 1]


def test_a_server_that_does_not_speak_tls_is_reported_as_such(server: Server, make: Make) -> None:
    secure = make(base_url=server.url.replace("http://", "https://"), patience=Patience(attempts=1))
    assert failure(secure).message.startswith("The secure connection to the server failed (GET ")


@pytest.mark.parametrize("address", ["https://", "https://exa mple.com", "https://host:port", "ftp://example.com"])
def test_an_address_that_no_request_can_be_made_of_is_a_config_error(address: str, make: Make) -> None:
    with pytest.raises(HttpError) as raised:
        make(base_url=address).get("/things")
    assert raised.value.failure is Failure.CONFIG
    assert raised.value.message.startswith("The address cannot be used (GET ")


def test_an_error_that_is_none_of_the_http_stacks_passes_as_it_is(make: Make, naps: list[float]) -> None:
    class Defect(requests.auth.AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            raise KeyError("token")

    client = HttpClient(
        "http://127.0.0.1:1", Defect(), user_agent="", connections=1, pacer=Pacer(None), sleep=naps.append
    )
    with pytest.raises(KeyError):
        client.get("/things")
    assert naps == []


# How long it waits.


@pytest.mark.parametrize(("jitter", "expected"), [(0.0, [0.5, 1, 2, 4]), (0.5, [0.75, 1.5, 3, 6]), (1.0, [1, 2, 4, 8])])
def test_half_of_each_exponential_wait_is_random(
    jitter: float, expected: list[float], server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(500)]
    failure(make(jitter=jitter))
    assert naps == expected


def test_the_real_jitter_stays_within_half_and_all_of_the_wait(server: Server, naps: list[float]) -> None:
    server.script = [Reply(500)]
    for _ in range(5):
        client = HttpClient(
            server.url, BearerAuth(TOKEN), user_agent="", connections=1, pacer=Pacer(None), sleep=naps.append
        )
        failure(client)
    assert len(naps) == 20
    assert all(2 ** (n % 4) / 2 <= nap <= 2 ** (n % 4) for n, nap in enumerate(naps))
    assert len(set(naps)) > 4


@pytest.mark.parametrize(
    ("retry_after", "low", "high"),
    [
        ("7", 7.5, 7.5),
        ("0", 0.5, 0.5),
        ("2.5", 3.0, 3.0),
        (lambda: format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90), usegmt=True), 80, 90.5),
        (lambda: format_datetime(datetime.now(timezone.utc) - timedelta(days=90), usegmt=True), 0.5, 0.5),
        ("soon", 0.5, 0.5),
        ("", 0.5, 0.5),
        ("-9", 0.5, 0.5),
        ("nan", 0.5, 0.5),
        ("inf", 0.5, 0.5),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 0.5, 0.5),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_time_to_come_back_is_kept_and_an_unusable_one_ignored(
    status: int,
    retry_after: str | Callable[[], str],
    low: float,
    high: float,
    server: Server,
    make: Make,
    naps: list[float],
) -> None:
    value = retry_after if isinstance(retry_after, str) else retry_after()
    server.script = [Reply(status, headers={"Retry-After": value}), OK]
    make().get("/things")
    [nap] = naps
    assert low <= nap <= high


@pytest.mark.parametrize("retry_after", ["86400", "Fri, 31 Dec 2999 23:59:59 GMT", "601"])
def test_a_time_to_come_back_beyond_all_patience_ends_it_at_once(
    retry_after: str, server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(429, headers={"Retry-After": retry_after}), OK]
    error = failure(make())
    assert error.failure is Failure.TRANSIENT
    assert "The server was asked too often (status 429, GET " in error.message
    assert "Set requests_per_minute" in error.message
    assert len(server.asked) == 1
    assert naps == []


def test_a_rate_limit_without_end_is_borne_until_max_wait_and_not_counted(
    server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(429)]
    error = failure(make(patience=Patience(attempts=2, max_wait=100)))
    assert naps == [0.5, 1, 2, 4, 8, 16, 30, 30]  # 91.5 s; another 30 would be more than 100
    assert len(server.asked) == 9
    assert ", 9 tries" in error.message


def test_tries_are_not_counted_where_the_server_names_a_time(server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(503, headers={"Retry-After": "3"})] * 4 + [OK]
    assert make(patience=Patience(attempts=2)).get("/things").status == 200
    assert naps == [3.5, 4, 5, 7]


@pytest.mark.parametrize("attempts", [1, 2, 7])
def test_tries_are_counted_with_the_first_one(attempts: int, server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(500)]
    error = failure(make(patience=Patience(attempts=attempts)))
    assert len(server.asked) == attempts
    assert len(naps) == attempts - 1
    assert (f", {attempts} tries" in error.message) == (attempts > 1)


def test_waiting_ends_at_max_wait_though_tries_are_left(server: Server, make: Make, naps: list[float]) -> None:
    server.script = [Reply(500)]
    failure(make(patience=Patience(attempts=5, max_wait=1.5)))
    assert naps == [0.5, 1]


@given(st.text())
@settings(deadline=None)
def test_any_retry_after_is_a_number_of_seconds_or_nothing(text: str) -> None:
    seconds = parse_retry_after(text)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("0.25", 0.25),
        ("-1", 0.0),
        ("1e999", None),
        ("nan", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30.0),
        ("Wed, 21 Oct 2026 07:28:30", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 32 Oct 2026 07:27:00 GMT", None),
        ("2026-10-21T07:28:30Z", None),
        ("in a minute", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value, now=datetime(2026, 10, 21, 7, 28, tzinfo=timezone.utc)) == expected


# Where it goes.


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://elsewhere.example/deep/path?token=abc", " to the host elsewhere.example,"),
        ("{own}/deep/path?token=abc", " to the host 127.0.0.1,"),
        ("//elsewhere.example/deep/path", " to the host elsewhere.example,"),
        ("/deep/path", ""),
        ("", ""),
        ("http://[::1/deep/path", ""),
        ("http://elsewhere.example:port/deep/path", " to the host elsewhere.example,"),
    ],
)
def test_a_redirect_is_not_followed_but_named_without_its_path(
    status: int, location: str, host: str, server: Server, make: Make, naps: list[float]
) -> None:
    server.script = [Reply(status, headers={"Location": location.format(own=server.url)}), OK]
    error = failure(make())
    assert error.failure is Failure.CONFIG
    if status == 300:
        host = ""
    assert error.message.startswith(
        f"The server redirects to another address (status {status},{host} GET 127.0.0.1:{server.server_port}/things). "
        "Set base_url"
    )
    assert "deep" not in error.message
    assert "token=" not in error.message
    assert len(server.asked) == 1
    assert naps == []


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/things?key=abc",
        "http://127.0.0.1/things",
        "http://127.0.0.1:1/things",
        "https://127.0.0.1:{port}/things",
        "http://localhost:{port}/things",
        "http://127.0.0.1.elsewhere.example:{port}/things",
        "http://127.0.0.1:{port}@elsewhere.example/things",
        "things",
        "",
        "http://127.0.0.1:port/things",
        "http://[::1/things",
    ],
)
def test_a_url_of_another_origin_is_refused_before_anything_is_sent(url: str, server: Server, make: Make) -> None:
    with pytest.raises(ConfigError) as raised:
        make().get(url.format(port=server.server_port))
    assert "127.0.0.1" in raised.value.message
    assert "Set base_url" in raised.value.message
    assert "things" not in raised.value.message
    assert "abc" not in raised.value.message
    assert server.asked == []


def test_a_url_of_the_same_origin_is_requested(server: Server, make: Make) -> None:
    make(base_url=f"{server.url}/v3").get(f"{server.url}/things?offset=100")
    make().get(server.url.upper().replace("HTTP", "http") + "/things")
    assert server.paths == ["/things?offset=100", "/things"]


@pytest.fixture
def other() -> Iterator[Server]:
    """Another origin."""
    with listening() as server:
        yield server


def test_a_trusted_origin_receives_requests_and_the_credentials(server: Server, other: Server, make: Make) -> None:
    client = make(trusted=[f"{other.url}/v2/"])
    client.get(f"{other.url}/queries/1?a=b", {"limit": 2})
    client.post(f"{other.url}/queries", {"a": 1})
    client.get("/things")
    assert other.paths == ["/queries/1?a=b&limit=2", "/queries"]
    assert all(headers.get_all("Authorization") == [f"Bearer {TOKEN}"] for _, headers in other.asked)
    assert server.paths == ["/things"], "a path is of the client's own origin"


def test_trust_in_one_origin_is_none_in_another(server: Server, other: Server, make: Make) -> None:
    client = make(trusted=["https://query.example.com"])
    for send in (client.get, lambda url: client.post(url, {})):
        with pytest.raises(ConfigError) as raised:
            send(f"{other.url}/things")
        assert f"points to http://127.0.0.1:{other.server_port}, but only" in raised.value.message
    for url in (f"https://127.0.0.1:{other.server_port}/x", "http://query.example.com/x", "https://example.com/x"):
        with pytest.raises(ConfigError):
            client.get(url)
    assert (server.asked, other.asked) == ([], [])


def test_a_redirect_to_a_trusted_origin_is_not_followed_either(server: Server, other: Server, make: Make) -> None:
    server.script = [Reply(302, headers={"Location": f"{other.url}/things"})]
    failure(make(trusted=[other.url]))
    assert other.asked == []


def test_the_absolute_url_of_a_path_and_of_a_url(server: Server, make: Make) -> None:
    client = make(base_url=f"{server.url}/base/", trusted=["https://query.example.com"])
    assert client.url("/things?a=b") == f"{server.url}/base/things?a=b"
    assert client.url("https://query.example.com/x?y") == "https://query.example.com/x?y"
    assert client.url("https://query.example.com:443/x") == "https://query.example.com:443/x"


@pytest.mark.parametrize(
    "spelling",
    [
        "http://somebody:pa55word@{own}/things",
        "http://{other}\\@{own}/things",
        "http://{other}#@{own}/things",
        "http://{other}?@{own}/things",
        "http://{own}\\@{other}/things",
        "http://{own} @{other}/things",
        "//{other}/things",
    ],
)
def test_a_url_that_parsers_take_apart_differently_is_refused(
    spelling: str, server: Server, other: Server, make: Make
) -> None:
    url = spelling.format(own=f"127.0.0.1:{server.server_port}", other=f"127.0.0.1:{other.server_port}")
    with pytest.raises(ConfigError) as raised:
        make().get(url)
    assert "pa55word" not in raised.value.message
    assert (server.asked, other.asked) == ([], [])


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("https://a.example/x", "https://a.example:443/y", True),
        ("https://A.example", "https://a.example", True),
        ("http://a.example", "http://a.example:80", True),
        ("http://a.example", "https://a.example", False),
        ("http://a.example:443", "https://a.example:443", False),
        ("https://a.example", "https://a.example:444", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://sub.a.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, equal: bool) -> None:
    assert (origin(one) == origin(other)) is equal


# What it says.


def test_a_message_names_the_request_id(server: Server, make: Make) -> None:
    server.script = [Reply(404, headers={"X-Request-Id": "a1-b2"})]
    message = failure(make()).message
    assert message == (
        "The server does not know this address "
        f"(status 404, GET 127.0.0.1:{server.server_port}/things, request id a1-b2). "
        "Check base_url and the configured ids."
    )


def test_a_message_ends_with_the_vendors_advice_where_there_is_one(server: Server, make: Make) -> None:
    client = make(advice={401: "Make a new token under Settings."})
    server.script = [Reply(401), Reply(403)]
    assert failure(client).message.endswith("). Make a new token under Settings.")
    assert failure(client).message.endswith("). Ask an administrator of the account for access.")


def test_the_warning_before_another_try_holds_neither_token_nor_query(
    server: Server, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    server.script = [Reply(503), OK]
    make().get("/things", {"secret_key": "QUERY"})
    assert caplog.messages == [
        "The service is not available at the moment "
        f"(GET 127.0.0.1:{server.server_port}/things); try 2 follows in 0.5 s."
    ]


# What it hands back.


@pytest.mark.parametrize("body", [b"[]", b"null", b"0", b'"text"', b'{"a": [1.5, null, true, "\xc3\xa9"]}'])
def test_any_json_is_a_body(body: bytes, server: Server, make: Make) -> None:
    server.script = [Reply(200, body)]
    assert make().get("/things").body == json.loads(body)


def test_any_status_of_success_is_one(server: Server, make: Make) -> None:
    server.script = [Reply(201), Reply(206), Reply(299)]
    client = make()
    assert [client.get("/things").status for _ in range(3)] == [201, 206, 299]


@pytest.mark.parametrize("location", ["/jobs/1", "https://elsewhere.example/jobs/1?a=b", "http://[::1/x", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_location_comes_with_the_answer_as_it_was_sent(
    method: str, location: str, server: Server, make: Make
) -> None:
    """Whether it may be requested is decided when it is."""
    server.script = [Reply(201, headers={"Location": location})]
    client = make()
    answer = client.get("/things") if method == "GET" else client.post("/things", {})
    assert answer.location == location
    assert len(server.asked) == 1


def test_without_a_location_there_is_none(make: Make) -> None:
    assert make().get("/things").location is None


def test_the_servers_clock_comes_with_the_answer(server: Server, make: Make) -> None:
    server.script = [Reply(headers={"Date": "Wed, 21 Oct 2026 07:28:00 GMT"})]
    assert make().get("/things").served_at == datetime(2026, 10, 21, 7, 28, tzinfo=timezone.utc)


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": "Mon, 01 Jan 2024 00:00:00 +9" + "9" * 20}])
def test_without_a_servers_clock_the_moment_of_sending_is_taken(
    headers: dict[str, str], server: Server, make: Make
) -> None:
    server.script = [Reply(headers=headers)]
    before = datetime.now(timezone.utc)
    answer: Answer = make().get("/things")
    assert before <= answer.served_at <= datetime.now(timezone.utc)


# How it is paced.


class FakeTime:
    """A clock that only sleeping moves. `moves` off: all callers come at the same instant."""

    def __init__(self, now: float = 1000.0, moves: bool = True) -> None:
        self.now = now
        self.slept: list[float] = []
        self._moves = moves

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._moves:
            self.now += seconds


def test_requests_are_spaced_evenly() -> None:
    time = FakeTime()
    pacer = Pacer(30, clock=time.clock, sleep=time.sleep)
    starts = []
    for _ in range(5):
        pacer.wait()
        starts.append(time.now)
    assert starts == [1000, 1002, 1004, 1006, 1008]


def test_time_that_passed_is_not_waited_for_again_nor_saved_up() -> None:
    time = FakeTime()
    pacer = Pacer(60, clock=time.clock, sleep=time.sleep)
    pacer.wait()
    time.now += 0.25
    pacer.wait()
    time.now += 100
    pacer.wait()
    pacer.wait()
    assert time.slept == [0.75, 1.0]


def test_threads_that_come_at_once_get_turns_of_their_own() -> None:
    time = FakeTime(moves=False)
    pacer = Pacer(60, clock=time.clock, sleep=time.sleep)
    barrier = threading.Barrier(8)

    def caller() -> None:
        barrier.wait()
        pacer.wait()

    threads = [threading.Thread(target=caller) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(time.slept) == [1, 2, 3, 4, 5, 6, 7]


def test_without_a_rate_nobody_waits() -> None:
    time = FakeTime()
    pacer = Pacer(None, clock=time.clock, sleep=time.sleep)
    for _ in range(100):
        pacer.wait()
    assert time.slept == []


def test_every_try_of_a_request_takes_a_turn(server: Server, make: Make) -> None:
    time = FakeTime()
    server.script = [Reply(503), Reply(503), OK]
    make(pacer=Pacer(6, clock=time.clock, sleep=time.sleep)).get("/things")
    assert time.slept == [10, 10]
