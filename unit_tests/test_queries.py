"""A query's life against a small real server on a free local port: started, waited for, paged. Nothing sleeps."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connector_kit.errors import ConfigError, ConnectorError, Failure, HttpError
from connector_kit.http import BearerAuth, HttpClient, Pacer, Patience
from connector_kit.pagination import ReadAhead
from connector_kit.polling import Polling
from source_kissmetrics.queries import QueryExpired, QueryFailed, Request, ResultPage, results, start, wait

Json = dict[str, Any]

GUID = "ce3db280-50da-11e4-916c-0800200c9a66"
RUN = Request("/query/reports/r1/run", {"report": {"start_date": 1388534400, "end_date": 1391212800}})
STATUS = f"/query/queries/{GUID}/status"
RESULTS = f"/query/queries/{GUID}/results"
COLUMNS = [{"display_name": "KMID", "type": "internal", "display_return_option": "internal"}]


@dataclass(frozen=True)
class Reply:
    """One answer. A body of None is sent as no bytes at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Answers by script, the last reply stays; or by `answer`, if there is one. Notes what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script: list[Reply] = []
        self.answer: Callable[[dict[str, str]], Reply] | None = None
        self.asked: list[tuple[str, str, Any]] = []
        self._lock = threading.Lock()

    def next(self, method: str, path: str, body: bytes) -> Reply:
        with self._lock:
            self.asked.append((method, path, json.loads(body) if body else None))
            if self.answer:
                return self.answer(dict(parse_qsl(urlsplit(path).query)))
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @property
    def queries(self) -> list[dict[str, list[str]]]:
        """The parameters of each request."""
        return [parse_qs(urlsplit(path).query) for _, path, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.next(self.command, self.path, body)
        content = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response_only(reply.status)
        for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


server = pytest.fixture(_serving, name="server")
other = pytest.fixture(_serving, name="other")
"""Another origin, which is the query host or a foreign one."""


@pytest.fixture
def http(server: Server) -> HttpClient:
    return client(server)


def client(server: Server, *trusted: Server) -> HttpClient:
    return HttpClient(
        server.url,
        BearerAuth("T0KEN"),
        user_agent="test-agent/1",
        connections=4,
        trusted=[each.url for each in trusted],
        pacer=Pacer(None),
        patience=Patience(attempts=2),
        sleep=lambda seconds: None,
    )


@pytest.fixture
def ahead() -> Iterator[ReadAhead]:
    with ThreadPoolExecutor(4) as pool:
        yield ReadAhead(pool, 4)


def link(rel: str, href: Any, **more: Any) -> Json:
    return {"name": rel.title(), "rel": rel, "href": href, "templated": False, **more}


def system_error(raised: pytest.ExceptionInfo[ConnectorError]) -> str:
    assert raised.value.failure is Failure.SYSTEM
    assert "Please report this" in raised.value.message
    return raised.value.message


# To start one.


def test_a_query_is_started_by_a_post_of_its_body(server: Server, http: HttpClient) -> None:
    server.script = [Reply(202, {"success": True, "query_guid": GUID}, {"Location": server.url + STATUS})]
    assert start(http, RUN) == server.url + STATUS
    assert server.asked == [("POST", RUN.path, RUN.body)]


@pytest.mark.parametrize("body", [None, {}, [], "ok", {"links": None}, {"query_guid": "another"}])
def test_the_location_alone_is_enough_and_goes_first(body: Any, server: Server, http: HttpClient) -> None:
    server.script = [Reply(202, body, {"Location": server.url + STATUS})]
    assert start(http, RUN) == server.url + STATUS


def test_without_a_location_the_link_to_the_status_is_taken(server: Server, http: HttpClient) -> None:
    links = [
        "status",
        None,
        link("self", f"{server.url}/self"),
        link("query-status", f"{server.url}/queries/{{id}}/status", templated=True),
        link("query-status", server.url + STATUS),
        link("query-status", f"{server.url}/later"),
    ]
    server.script = [Reply(202, {"data": {"message": "success"}, "links": links})]
    assert start(http, RUN) == server.url + STATUS


def test_a_link_is_unescaped(server: Server, http: HttpClient) -> None:
    server.script = [Reply(202, {"links": [link("query-status", f"{server.url}/s?a=1&amp;b=2")]})]
    assert start(http, RUN) == f"{server.url}/s?a=1&b=2"


def test_without_both_the_address_is_made_from_the_querys_id(server: Server, http: HttpClient) -> None:
    server.script = [Reply(200, {"success": True, "query_guid": GUID})]
    assert start(http, RUN) == server.url + STATUS


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        "started",
        {"query_guid": None},
        {"query_guid": ""},
        {"links": "none"},
        {"links": [link("self", "/x"), {"rel": "query-status"}, link("query-status", None)]},
        {"links": [link("query-status", "/queries/{id}/status", templated=True)]},
    ],
    ids=str,
)
def test_a_query_that_cannot_be_asked_for_is_an_error(body: Any, server: Server, http: HttpClient) -> None:
    server.script = [Reply(202, body)]
    with pytest.raises(ConnectorError) as raised:
        start(http, RUN)
    assert "does not say where to ask for it" in system_error(raised)


@pytest.mark.parametrize(
    "location", ["{own}/v2/queries/1/status", "/v2/queries/1/status", "../../../../queries/1/status"]
)
def test_a_relative_address_is_on_the_host_that_was_asked(location: str, server: Server, other: Server) -> None:
    """With v2 that is not the Core API's own."""
    other.script = [Reply(202, {}, {"Location": location.format(own=other.url)})]
    request = Request(f"{other.url}/v2/products/p/reports/r/run", {})
    assert start(client(server, other), request) == f"{other.url}/v2/queries/1/status"


@pytest.mark.parametrize("place", ["header", "link"])
def test_an_address_on_a_foreign_host_is_refused_and_one_on_a_trusted_host_taken(
    place: str, server: Server, other: Server
) -> None:
    """The first generation's answer to a POST at one host points to the other."""
    address = f"{other.url}/v1/queries/{GUID}/status"
    server.script = [
        Reply(202, {}, {"Location": address})
        if place == "header"
        else Reply(202, {"links": [link("query-status", address)]})
    ]
    assert start(client(server, other), RUN) == address
    with pytest.raises(ConfigError) as raised:
        start(client(server), RUN)
    assert "may receive the credentials" in raised.value.message
    assert other.asked == []


@pytest.mark.parametrize("location", ["//elsewhere.example/status", "http://[::1/status", "ftp://127.0.0.1/status"])
def test_an_address_that_leads_elsewhere_in_disguise_is_refused(
    location: str, server: Server, http: HttpClient
) -> None:
    server.script = [Reply(202, {"query_guid": GUID}, {"Location": location})]
    with pytest.raises(ConfigError):
        start(http, RUN)


def test_a_report_that_the_service_does_not_know_is_an_error_not_an_expired_query(
    server: Server, http: HttpClient
) -> None:
    server.script = [Reply(404, {"message": "report not found", "error": "Not Found", "status": 404})]
    with pytest.raises(HttpError) as raised:
        start(http, RUN)
    assert raised.value.status == 404


# To wait for one.


RUNNING = Reply(200, {"completed": False, "progress": 0.483333333333333})
DONE = Reply(201, {"completed": True, "progress": 1.0}, {"Location": RESULTS})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def polling(self, deadline: float = 600.0) -> Polling:
        return Polling(deadline, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def waited(server: Server, http: HttpClient, clock: Clock | None = None, path: str = STATUS) -> str:
    """The address of the results, as path."""
    address = wait(http, server.url + path, (clock or Clock()).polling(), "'Sign-ups' (r1)")
    assert address.startswith(server.url)
    return address.removeprefix(server.url)


def test_a_query_is_asked_for_until_it_is_done(server: Server, http: HttpClient) -> None:
    clock = Clock()
    server.script = [RUNNING, RUNNING, RUNNING, DONE]
    assert waited(server, http, clock) == RESULTS
    assert server.asked == [("GET", STATUS, None)] * 4
    assert len(clock.naps) == 3


@pytest.mark.parametrize(
    "done",
    [
        Reply(201, {}),
        Reply(201, []),
        Reply(201, {"completed": False}),
        Reply(201, {"completed": True, "error": None}),
        Reply(200, {"completed": True}),
        Reply(200, {"completed": True, "progress": 1.0, "error": None}),
        Reply(200, {"meta": {"status": 200}, "data": {"completed": True}}),
        Reply(201, {"meta": {"status": 201}, "data": {"completed": True, "progress": 1.0}, "links": []}),
    ],
    ids=lambda done: f"{done.status} {done.body}",
)
def test_done_is_a_status_of_201_or_a_body_that_says_so(done: Reply, server: Server, http: HttpClient) -> None:
    """Without a Location the results are beside the status."""
    server.script = [done]
    assert waited(server, http) == RESULTS


@pytest.mark.parametrize("body", [{}, [], "soon", {"data": []}, {"data": {"state": "failed"}}], ids=str)
def test_a_status_of_another_shape_is_an_error_at_once(body: Any, server: Server, http: HttpClient) -> None:
    """It would be waited for until the deadline otherwise."""
    clock = Clock()
    server.script = [Reply(200, body)]
    with pytest.raises(ConnectorError) as raised:
        wait(http, server.url + STATUS, clock.polling(600), "'Sign-ups' (r1)")
    assert raised.value.failure is Failure.SYSTEM
    assert "is not understood: it holds" in raised.value.message
    assert clock.now == 0


@pytest.mark.parametrize(
    "body",
    [
        {"completed": None},
        {"completed": False, "progress": 1.0},
        {"completed": "true"},
        {"completed": 1},
        {"progress": "half"},
        {"progress": None},
        {"progress": True},
        {"data": {"completed": False, "progress": 0.5}},
        {"error": None, "completed": False},
    ],
    ids=str,
)
def test_anything_else_is_not_done_and_ends_at_the_deadline(body: Any, server: Server, http: HttpClient) -> None:
    clock = Clock()
    server.script = [Reply(200, body)]
    with pytest.raises(ConnectorError) as raised:
        wait(http, server.url + STATUS, clock.polling(600), "'Sign-ups' (r1)")
    assert raised.value.failure is Failure.TRANSIENT
    assert raised.value.message.startswith("The query for 'Sign-ups' (r1) was not done after 10 minutes.")
    assert "people_search.timeout_minutes" in raised.value.message
    assert clock.now == pytest.approx(600)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"completed": False, "error": "out of memory"}),
        Reply(200, {"completed": True, "error": "out of memory"}),
        Reply(201, {"completed": True, "error": "out of memory"}),
        Reply(200, {"meta": {"status": 200}, "data": {"completed": False, "error": "out of memory"}}),
        Reply(200, {"meta": {"status": 200}, "data": {"completed": False}, "error": "out of memory"}),
        Reply(200, {"error": {"reason": "out of memory"}}),
    ],
    ids=lambda reply: str(reply.body),
)
def test_an_error_in_the_status_means_that_the_query_failed(reply: Reply, server: Server, http: HttpClient) -> None:
    server.script = [RUNNING, reply]
    with pytest.raises(QueryFailed) as raised:
        waited(server, http)
    assert raised.value.failure is Failure.TRANSIENT
    assert "The query for 'Sign-ups' (r1) failed on the service: " in raised.value.message
    assert "out of memory" in raised.value.message
    assert len(server.asked) == 2


def test_what_the_service_says_about_an_error_is_cut(server: Server, http: HttpClient) -> None:
    server.script = [Reply(200, {"error": "x" * 10_000})]
    with pytest.raises(QueryFailed) as raised:
        waited(server, http)
    assert len(raised.value.message) < 400


@pytest.mark.parametrize("status", [404, 410])
def test_a_query_that_the_service_does_not_know_any_more_has_expired(
    status: int, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    server.script = [Reply(status, {"message": "not found"})]
    with pytest.raises(QueryExpired):
        waited(server, http)
    with pytest.raises(QueryExpired):
        list(results(http, server.url + RESULTS, ahead, None))
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [401, 403, 500])
def test_any_other_failure_is_one(status: int, server: Server, http: HttpClient, ahead: ReadAhead) -> None:
    server.script = [Reply(status)]
    with pytest.raises(HttpError) as raised:
        waited(server, http)
    assert raised.value.status == status
    with pytest.raises(HttpError):
        list(results(http, server.url + RESULTS, ahead, None))


@pytest.mark.parametrize("location", ["{own}/v2/r", "/v2/r", "../../../v2/r"])
def test_the_results_are_where_the_location_says_whether_absolute_or_relative(
    location: str, server: Server, http: HttpClient
) -> None:
    server.script = [Reply(201, {}, {"Location": location.format(own=server.url)})]
    assert waited(server, http) == "/v2/r"


def test_without_a_location_the_link_to_the_results_is_taken(server: Server, http: HttpClient) -> None:
    links = [link("self", server.url + STATUS), link("query-results", f"{server.url}/v2/r?a=1&amp;b=2")]
    server.script = [Reply(201, {"data": {"completed": True}, "links": links})]
    assert waited(server, http) == "/v2/r?a=1&b=2"


def test_the_results_lie_beside_the_status_also_where_its_address_has_parameters(
    server: Server, http: HttpClient
) -> None:
    server.script = [Reply(201, {})]
    assert waited(server, http, path=f"{STATUS}?query_guid={GUID}") == f"{RESULTS}?query_guid={GUID}"


def test_results_on_a_relative_address_are_on_the_host_of_the_status(server: Server, other: Server) -> None:
    other.script = [Reply(201, {}, {"Location": "/v1/queries/1/results"})]
    address = wait(client(server, other), f"{other.url}/v1/queries/1/status", Clock().polling(), "r1")
    assert address == f"{other.url}/v1/queries/1/results"


@pytest.mark.parametrize("place", ["header", "link"])
def test_results_on_a_foreign_host_are_refused(place: str, server: Server, other: Server) -> None:
    address = other.url + RESULTS
    headers = {"Location": address} if place == "header" else {}
    server.script = [Reply(201, {"links": [link("query-results", address)]}, headers)]
    assert wait(client(server, other), server.url + STATUS, Clock().polling(), "r1") == address
    with pytest.raises(ConfigError):
        waited(server, client(server))
    assert other.asked == []


def test_a_foreign_status_address_from_the_state_is_refused(server: Server, other: Server, http: HttpClient) -> None:
    with pytest.raises(ConfigError):
        wait(http, other.url + STATUS, Clock().polling(), "r1")
    assert other.asked == []


def test_progress_is_logged_once_for_each_tenth(
    server: Server, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airbyte.queries")
    server.script = [Reply(200, {"progress": done}) for done in (0, 0.05, 0.1, 0.19, 0.1, 0.55, 0.999)] + [DONE]
    waited(server, http)
    assert [message.split(": the query is ")[1] for message in caplog.messages] == [
        f"{percent} % done." for percent in (0, 10, 55, 99)
    ]


# To page the results.


def paged(
    rows: list[Any], generation: str, *, tells: bool = True, cap: int | None = None, **more: Any
) -> Callable[[dict[str, str]], Reply]:
    """A result of v1 or v2, page by page."""

    def answer(parameters: dict[str, str]) -> Reply:
        offset, limit = int(parameters["offset"]), min(int(parameters["limit"]), cap or len(rows) + 1)
        part = rows[offset : offset + limit]
        place = {"limit": limit, "offset": offset}
        total = {"total": len(rows)} if tells else {}
        if generation == "v1":
            return Reply(200, {**total, "links": [], "metadata": place, "columns": COLUMNS, "rows": part, **more})
        return Reply(200, {"meta": {"status": 200}, "data": part, "pagination": {**place, **total}, **more})

    return answer


def read(
    server: Server, http: HttpClient, ahead: ReadAhead, page_size: int | None = None, query: str = ""
) -> list[ResultPage]:
    return list(results(http, server.url + RESULTS + query, ahead, page_size))


def rows_of(pages: list[ResultPage]) -> list[Any]:
    return [row for page in pages for row in page.rows]


both_generations = pytest.mark.parametrize("generation", ["v1", "v2"])


@both_generations
@pytest.mark.parametrize("tells", [True, False], ids=["total", "no total"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 9, 10])
def test_all_rows_come_once_and_in_order(
    size: int, tells: bool, generation: str, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    rows = [[number, f"p{number}"] for number in range(size)]
    server.answer = paged(rows, generation, tells=tells)
    pages = read(server, http, ahead, page_size=3)
    assert rows_of(pages) == rows
    assert pages[0].total == (size if tells else None)
    assert {page.columns is not None for page in pages} == {generation == "v1"}
    assert all(method == "GET" for method, _, _ in server.asked)


@both_generations
def test_a_server_that_gives_less_than_asked_is_followed(
    generation: str, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    rows = [[number] for number in range(23)]
    server.answer = paged(rows, generation, cap=5)
    assert rows_of(read(server, http, ahead)) == rows
    assert {query["limit"][0] for query in server.queries} == {"1000"}


def test_rows_may_be_objects_and_equal_to_each_other(server: Server, http: HttpClient, ahead: ReadAhead) -> None:
    """Rows without a person may be alike: what tells them apart is their place."""
    rows = [{"identity": None, "columns": [1]}] * 2 + [{"identity": "a", "columns": [2]}, [None, None, 1]] * 3
    server.answer = paged(rows, "v2")
    assert rows_of(read(server, http, ahead, page_size=3)) == rows


def test_the_parameters_of_the_address_are_kept_and_those_of_the_page_replaced(
    server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    server.answer = paged([[number] for number in range(5)], "v1")
    read(server, http, ahead, page_size=2, query=f"?limit=50&offset=100&query_guid={GUID}&sort=a%26b")
    assert len(server.queries) > 2
    assert sorted({int(query["offset"][0]) for query in server.queries})[:3] == [0, 2, 4]
    for query in server.queries:
        assert query == {"limit": ["2"], "offset": query["offset"], "query_guid": [GUID], "sort": ["a&b"]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "it holds nothing"),
        ({"total": 5, "columns": COLUMNS}, "it holds columns, total"),
        ({"completed": False, "progress": 0.5}, "it holds completed, progress"),
        ({"rows": None}, "it holds rows"),
        ({"rows": {"a": 1}}, "it holds rows"),
        ({"data": {"rows": []}}, "it holds data"),
        ([], "it holds a JSON list"),
        ([[1, "bob"]], "it holds a JSON list"),
        ("rows", "it holds a JSON str"),
    ],
    ids=str,
)
def test_an_answer_without_rows_is_an_error_never_zero_rows(
    body: Any, says: str, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    server.script = [Reply(200, body)]
    with pytest.raises(ConnectorError) as raised:
        read(server, http, ahead)
    assert says in system_error(raised)
    assert "bob" not in raised.value.message


@pytest.mark.parametrize("total", [None, "2", -1, True, 2.5, []])
def test_a_total_that_is_no_count_counts_as_untold(
    total: Any, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    rows = [[1], [2], [3]]
    server.answer = paged(rows, "v1", **{"total": total})
    pages = read(server, http, ahead, page_size=2)
    assert (rows_of(pages), pages[0].total) == (rows, None)


@pytest.mark.parametrize("columns", [None, {}, "KMID"])
def test_columns_of_another_shape_count_as_not_described(
    columns: Any, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    server.answer = paged([[1]], "v1", columns=columns)
    assert [page.columns for page in read(server, http, ahead)] == [None]


@both_generations
@pytest.mark.parametrize("tells", [True, False], ids=["total", "no total"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_service_that_ignores_the_offset_is_noticed(
    size: int, tells: bool, generation: str, server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    """Its first page comes again and again; without a total there would be no end to it."""
    served = paged([[number, f"p{number}"] for number in range(size)], generation, tells=False)
    total = {"total": 7} if tells else {}
    more = total if generation == "v1" else {"pagination": total}

    def answer(parameters: dict[str, str]) -> Reply:
        assert len(server.asked) < 50, "it does not end"
        reply = served({**parameters, "offset": "0"})
        return Reply(200, {**reply.body, **more})

    server.answer = answer
    with pytest.raises(ConnectorError) as raised:
        read(server, http, ahead, page_size=3)
    assert "with its first page again; rows are missing" in system_error(raised)


def test_single_rows_that_are_alike_are_no_repeated_page(server: Server, http: HttpClient, ahead: ReadAhead) -> None:
    rows = [[None, None, 1]] * 4
    server.answer = paged(rows, "v1")
    assert rows_of(read(server, http, ahead, page_size=1)) == rows


def test_fewer_rows_than_the_service_names_are_an_error_after_all_were_handed_out(
    server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    server.answer = paged([[1], [2], [3]], "v1", total=5)
    pages = results(http, server.url + RESULTS, ahead, 2)
    got: list[Any] = []
    with pytest.raises(ConnectorError) as raised:
        got.extend(row for page in pages for row in page.rows)
    assert raised.value.failure is Failure.TRANSIENT
    assert got == [[1], [2], [3]]


def test_a_page_that_fails_is_asked_for_again_alone(server: Server, http: HttpClient, ahead: ReadAhead) -> None:
    rows = [[number] for number in range(9)]
    served = paged(rows, "v2")
    failed: list[str] = []

    def answer(parameters: dict[str, str]) -> Reply:
        if parameters["offset"] == "6" and not failed:
            failed.append("6")
            return Reply(502)
        return served(parameters)

    server.answer = answer
    assert rows_of(read(server, http, ahead, page_size=3)) == rows
    assert [query["offset"] for query in server.queries].count(["6"]) == 2
    assert [query["offset"] for query in server.queries].count(["3"]) == 1


def test_a_result_that_expires_between_two_pages_has_expired(
    server: Server, http: HttpClient, ahead: ReadAhead
) -> None:
    served = paged([[number] for number in range(9)], "v2")
    server.answer = lambda parameters: Reply(404) if parameters["offset"] == "6" else served(parameters)
    with pytest.raises(QueryExpired):
        read(server, http, ahead, page_size=3)
