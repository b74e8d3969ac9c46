"""The queries: run a saved report or a metric over a window, ask how far it is, page through its results.

They lie under `/query` on the Core API's host, and under `/v1` and `/v2` on a host of their own. A query that
was started on one host can be followed on the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from starlette.routing import BaseRoute

from sandbox.answer import Answer
from sandbox.bearer import BearerApi, phrase
from sandbox.dialects import V1, V2, Dialect, Progress
from sandbox.finder import Finder, Table
from sandbox.job import Job, Question
from sandbox.metrics import INTERVALS, SEGMENT, event_of, property_of
from sandbox.paging import Page
from sandbox.searches import search_of
from sandbox.stage import Stage
from sandbox.surface import Ask
from sandbox.window import Window

_DEFAULT_LIMIT = 50
_RUNNABLE = "people_search_v2"
_DIALECTS: dict[str, Dialect] = {"v1": V1(), "v2": V2()}


class _Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class QueryApi(BearerApi):
    """The queries under one `prefix` of one host. `twin` is where the other host has the same ones."""

    def __init__(self, stage: Stage, dialect: str, prefix: str, twin: tuple[str, str], *, starts: bool = True) -> None:
        super().__init__(stage)
        self._dialect = dialect
        self._shape = _DIALECTS[dialect]
        self._prefix = prefix
        self._twin = twin
        self._starts = starts

    def routes(self) -> list[BaseRoute]:
        follow: list[BaseRoute] = [
            self.route(f"{self._prefix}/queries/{{id}}/status", self._guarded(self._status)),
            self.route(f"{self._prefix}/queries/{{id}}/results", self._guarded(self._results)),
        ]
        if not self._starts:
            return follow
        run = self._guarded(self._run)
        if self._dialect == "v2":
            return [*follow, self.route("/v2/products/{product_id}/reports/{id}/run", run, "POST")]
        metrics = f"{self._prefix}/metrics/{{id}}"
        return [
            *follow,
            self.route(f"{self._prefix}/reports/{{id}}/run", run, "POST"),
            self.route(f"{metrics}/over-time", self._guarded(partial(self._metric, "metric_over_time")), "POST"),
            self.route(f"{metrics}/by-segment", self._guarded(partial(self._metric, "metric_by_segment")), "POST"),
        ]

    def error(self, status: int) -> Answer:
        return self._shape.error(status, phrase(status))

    def _guarded(self, handler: Callable[[Ask], Answer]) -> Callable[[Ask], Answer]:
        def guarded(ask: Ask) -> Answer:
            try:
                return handler(ask)
            except _Refusal as refusal:
                answer = self._shape.error(refusal.status, str(refusal))
                answer.headers.update(refusal.headers)
                return answer

        return guarded

    def _run(self, ask: Ask) -> Answer:
        reports = self.stage.universe["reports"]
        number = reports.find(ask.parameters["id"])
        report = None if number is None else reports.row(number)
        if report is None or ask.parameters.get("product_id", report["product_id"]) != report["product_id"]:
            raise _Refusal(404, "Invalid report_guid provided: report not found.")
        if report["report_type"] != _RUNNABLE:
            raise _Refusal(400, f"Only {_RUNNABLE} reports can be run.")
        body = _body(ask)
        window = self._window(body.get("report") if self._dialect == "v1" else body, self._shape.iso_dates)
        question = self._question("people_search", self._dialect, report, window)
        return self._start(ask, question, lambda finder: finder.search(search_of(report)))

    def _metric(self, kind: str, ask: Ask) -> Answer:
        metrics = self.stage.universe["metrics"]
        number = metrics.find(ask.parameters["id"])
        if number is None:
            raise _Refusal(404, "Invalid metric_guid provided: metric not found.")
        metric = metrics.row(number)
        body = _body(ask)
        measured = event_of(metric), metric["unit_type"]
        detail = body.get("interval", "day") if kind == "metric_over_time" else self._segment(metric, body)
        if kind == "metric_over_time" and detail not in INTERVALS:
            raise _Refusal(400, f"interval is not one of {', '.join(INTERVALS)}.")
        question = self._question(kind, "v2", metric, self._window(body, iso=True), detail)
        if kind == "metric_over_time":
            return self._start(ask, question, lambda finder: finder.over_time(*measured, detail))
        return self._start(ask, question, lambda finder: finder.by_segment(*measured, detail))

    def _segment(self, metric: dict[str, Any], body: dict[str, Any]) -> str:
        if body.get("property_id") is None:
            return SEGMENT
        properties = self.stage.universe["properties"]
        number = properties.find(str(body["property_id"]))
        row = None if number is None else properties.row(number)
        if row is None or row["product_id"] != metric["product_id"]:
            raise _Refusal(404, "Invalid property_id provided: property not found.")
        return property_of(row)

    def _window(self, body: Any, iso: bool) -> Window:
        if not isinstance(body, dict):
            raise _Refusal(400, "report is missing.")
        try:
            return Window.of(body, iso=iso)
        except ValueError as error:
            raise _Refusal(400, f"{error}.") from None

    def _question(self, kind: str, dialect: str, subject: dict[str, Any], window: Window, detail: str = "") -> Question:
        return Question(kind, subject["id"], subject["product_id"], dialect, window, detail)

    def _start(self, ask: Ask, question: Question, answer: Callable[[Finder], Table]) -> Answer:
        jobs, clock = self.stage.jobs, self.stage.virtual_clock
        running = jobs.running()
        if ask.modes.max_running is not None and len(running) >= ask.modes.max_running:
            wait = min((job.remaining(clock.now) for job in running), default=0) / (clock.rate or 1)
            raise _Refusal(429, "Too many queries are running.", {"retry-after": str(max(1, math.ceil(wait)))})
        universe = self.stage.universe
        products = universe["products"]
        number = products.find(question.product_id)
        if number is None:
            raise _Refusal(404, "Invalid product_guid provided: product not found.")
        finder = Finder(universe.people, products.row(number), question.window.start, question.window.end)
        job = jobs.start(question, ask.modes, lambda: answer(finder))
        return _DIALECTS[question.dialect].started(job, self._href(ask, job, "status"))

    def _status(self, ask: Ask) -> Answer:
        job = self._job(ask)
        now = self.stage.virtual_clock.now
        state, progress = job.state(now), job.progress(now)
        job.polls += 1
        results = self._href(ask, job, "results")
        told = Progress(state == "completed", progress)
        if state == "failed":
            told = Progress(job.modes.fail_queries == "error_completed", progress, "Query failed: out of memory")
        code = 201 if state == "completed" else 200
        own = ask.base + ask.request.scope["path"]
        answer = _DIALECTS[job.question.dialect].status(code, told, own, results)
        if state == "completed":
            answer.headers["location"] = results
        return answer

    def _results(self, ask: Ask) -> Answer:
        job = self._job(ask)
        if job.state(self.stage.virtual_clock.now) != "completed":
            raise _Refusal(404, "Results of this query are not available.")
        limit, offset = _paging(ask)
        cap = ask.modes.results_limit_cap
        rows = job.answer().rows
        page = Page(len(rows), min(limit, cap or limit), offset)
        shown = rows[: ask.modes.results_rows_cap][offset : offset + page.limit]
        job.pages += 1
        path = ask.request.scope["path"]
        return _DIALECTS[job.question.dialect].results(job, ask.base, path, page, shown, ask.modes)

    def _job(self, ask: Ask) -> Job:
        """The query that the path names. Those of v1 and of metrics are not known under `/v2`, nor the reverse."""
        job = self.stage.jobs.find(ask.parameters["id"])
        if job is not None:
            home = "v2" if job.question.kind == "people_search" and job.question.dialect == "v2" else "v1"
            if home == self._dialect:
                return job
        raise _Refusal(404, "Invalid query_guid provided: query not found.")

    def _href(self, ask: Ask, job: Job, what: str) -> str:
        origin, prefix = ask.base, self._prefix
        if ask.modes.location == "cross":
            origin, prefix = self.stage.origins[self._twin[0]], self._twin[1]
        elif ask.modes.location == "foreign":
            origin = ask.modes.foreign_origin
        return f"{origin}{prefix}/queries/{job.id}/{what}"


def query_surfaces(stage: Stage) -> tuple[list[QueryApi], list[QueryApi]]:
    """The queries as the Core API's host has them, and as their own host has them."""
    at_core = [
        QueryApi(stage, "v1", "/query", ("query", "/v1")),
        QueryApi(stage, "v2", "/v2", ("query", "/v2"), starts=False),
    ]
    at_query = [
        QueryApi(stage, "v1", "/v1", ("core", "/query")),
        QueryApi(stage, "v2", "/v2", ("core", "/v2")),
    ]
    return at_core, at_query


def _body(ask: Ask) -> dict[str, Any]:
    if not ask.request.headers.get("content-type", "").startswith("application/json"):
        raise _Refusal(400, "Content-Type is not application/json.")
    try:
        body = orjson.loads(ask.body)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise _Refusal(400, "The body is not a JSON object.")
    return body


def _paging(ask: Ask) -> tuple[int, int]:
    parameters = ask.request.query_params
    try:
        limit, offset = int(parameters.get("limit", _DEFAULT_LIMIT)), int(parameters.get("offset", 0))
    except ValueError:
        limit, offset = 0, 0
    if limit < 1 or offset < 0:
        raise _Refusal(400, "limit or offset is not a number of rows.")
    return limit, offset
