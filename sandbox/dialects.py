"""The two spellings of a query's answers. Which one a query speaks depends on the path that started it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from sandbox.answer import Answer, enveloped_error
from sandbox.bearer import phrase
from sandbox.collection import as_json
from sandbox.job import Job
from sandbox.links import Link, link, respelt
from sandbox.modes import Modes
from sandbox.paging import Page


@dataclass(frozen=True)
class Progress:
    """What a status tells."""

    completed: bool
    progress: float
    error: str | None = None

    def body(self) -> dict[str, Any]:
        """As JSON; there is an error only where there is one."""
        told = {"completed": self.completed, "progress": self.progress}
        return told if self.error is None else {**told, "error": self.error}


class Dialect(ABC):
    """How the answers to run, status and results look. Hrefs come ready made."""

    iso_dates: bool

    @abstractmethod
    def error(self, status: int, message: str) -> Answer:
        """A refusal."""

    @abstractmethod
    def started(self, job: Job, status_href: str) -> Answer:
        """A run was taken on."""

    @abstractmethod
    def status(self, status: int, told: Progress, self_href: str, results_href: str) -> Answer:
        """How far it is."""

    @abstractmethod
    def results(self, job: Job, base: str, path: str, page: Page, shown: list[list[Any]], modes: Modes) -> Answer:
        """One page; `path` is that of the results."""


class V1(Dialect):
    """2014: flat bodies, `total` and `metadata`, results with their columns."""

    iso_dates = False

    def error(self, status: int, message: str) -> Answer:
        return Answer(status, as_json({"message": message, "error": phrase(status), "status": status}))

    def started(self, job: Job, status_href: str) -> Answer:
        return Answer(202, as_json({"success": True, "query_guid": job.id}), headers={"location": status_href})

    def status(self, status: int, told: Progress, self_href: str, results_href: str) -> Answer:
        return Answer(status, as_json(told.body()))

    def results(self, job: Job, base: str, path: str, page: Page, shown: list[list[Any]], modes: Modes) -> Answer:
        def at(offset: int) -> str:
            return f"{base}{path}?limit={page.limit}&offset={offset}&query_guid={job.id}"

        links = _page_links(at, page)
        export = f"{base}/v1/queries/{job.id}/export?format=csv&product_uuid={job.question.product_id}"
        columns, rows = job.answer().columns, shown
        if modes.kmid_position != 0:
            columns = _moved(columns, modes.kmid_position)
            rows = [_moved(row, modes.kmid_position) for row in shown]
        return Answer(
            200,
            as_json(
                {
                    "total": page.total,
                    "links": [*_respelt(links, base, modes), link("Export", "export", export)],
                    "metadata": {"limit": page.limit, "offset": page.offset},
                    "columns": columns,
                    "rows": rows,
                }
            ),
        )


class V2(Dialect):
    """2015: the Core API's envelope, results without columns. Metrics speak it too."""

    iso_dates = True

    def error(self, status: int, message: str) -> Answer:
        return enveloped_error(status, message)

    def started(self, job: Job, status_href: str) -> Answer:
        body = {
            "meta": {"status": 202},
            "data": {"message": "success"},
            "links": [link("Status", "query-status", status_href)],
        }
        return Answer(202, as_json(body), headers={"location": status_href})

    def status(self, status: int, told: Progress, self_href: str, results_href: str) -> Answer:
        links = [link("Self", "self", self_href)]
        if status == 201:
            links.append(link("Results", "query-results", results_href))
        return Answer(status, as_json({"meta": {"status": status}, "data": told.body(), "links": links}))

    def results(self, job: Job, base: str, path: str, page: Page, shown: list[list[Any]], modes: Modes) -> Answer:
        def at(offset: int) -> str:
            return f"{base}{path}?limit={page.limit}&offset={offset}"

        links = _page_links(at, page) if page.total > page.limit else [link("Self", "self", at(page.offset))]
        export = f"{base}{path.removesuffix('/results')}/export"
        as_objects = modes.rows_as == "objects" and job.question.kind == "people_search"
        return Answer(
            200,
            as_json(
                {
                    "meta": {"status": 200},
                    "data": list(map(_as_object, shown)) if as_objects else shown,
                    "pagination": {"limit": page.limit, "offset": page.offset, "total": page.total},
                    "links": [*_respelt(links, base, modes), link("Export", "export", export)],
                }
            ),
        )


def _page_links(at: Any, page: Page) -> list[Link]:
    links = [link("Self", "self", at(page.offset)), link("First", "first", at(0)), link("Last", "last", at(page.last))]
    if page.next is not None:
        links.append(link("Next", "next", at(page.next)))
    if page.previous is not None:
        links.append(link("Previous", "prev", at(page.previous)))
    return links


def _respelt(links: list[Link], base: str, modes: Modes) -> list[Link]:
    return links if modes.hrefs == "normal" else respelt(links, base, modes.hrefs, modes.foreign_origin)


def _moved(cells: list[Any], position: int | None) -> list[Any]:
    rest = cells[1:]
    return rest if position is None else [*rest[:position], cells[0], *rest[position:]]


def _as_object(row: list[Any]) -> dict[str, Any]:
    return {"identity": row[1], "columns": [None if cell is None else str(cell) for cell in row[2:]]}
