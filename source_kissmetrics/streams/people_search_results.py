"""Stream `people_search_results`."""

from __future__ import annotations

from collections.abc import Iterator

from connector_kit.errors import ConfigError, ConnectorError, Failure
from connector_kit.http import HttpClient
from connector_kit.pagination import ReadAhead
from connector_kit.polling import Polling
from connector_kit.records import Row
from source_kissmetrics.config import Config, PeopleSearch
from source_kissmetrics.people_rows import PeopleRows
from source_kissmetrics.queries import Request, ResultPage, RowsRepeated
from source_kissmetrics.streams.reports import Reports
from source_kissmetrics.windowed import Subject, WindowedStream
from source_kissmetrics.windows import Window

RUNNABLE = "people_search_v2"
"""The only type of report that the API runs [D]."""


class PeopleSearchResults(WindowedStream):
    """People that a saved search finds in a window, with the columns that it calculates.

    docs/wire-kissmetrics.md, Queries.
    Dialect v1 takes unix seconds, v2 ISO 8601 in the product's offset; both include the end.
    """

    name = "people_search_results"
    primary_key = ("report_id", "window_start", "row_key")
    cursor_field = "window_end"

    def __init__(self, config: Config, search: PeopleSearch, http: HttpClient, ahead: ReadAhead) -> None:
        super().__init__(config, http, ahead, Polling(deadline=search.timeout_minutes * 60))
        self.size = search.window
        self.lookback_days = search.lookback_days
        self._search = search

    def subjects(self) -> list[Subject]:
        runnable = {report["id"]: report for report in self.selected(Reports) if report.get("report_type") == RUNNABLE}
        missing = [report_id for report_id in self._search.report_ids if report_id not in runnable]
        if missing:
            raise ConfigError(
                f"people_search.report_ids: {', '.join(missing)} cannot be run: there is no report of the type "
                f"{RUNNABLE} with this id that the token may see. Leave report_ids empty for all, or take ids from the "
                "reports stream."
            )
        timezones = self.timezones()
        return [
            Subject(
                report_id,
                str(runnable[report_id].get("name")),
                runnable[report_id]["product_id"],
                timezones.get(runnable[report_id]["product_id"], "UTC"),
            )
            for report_id in self._search.report_ids or runnable
        ]

    def request(self, subject: Subject, window: Window) -> Request:
        if self._search.dialect == "v1":
            seconds = {"start_date": window.start.int_timestamp, "end_date": window.end.int_timestamp}
            return Request(f"/query/reports/{subject.id}/run", {"report": seconds})
        return Request(
            f"{self._search.query_base_url}/v2/products/{subject.product_id}/reports/{subject.id}/run",
            {"start_date": window.start.to_iso8601_string(), "end_date": window.end.to_iso8601_string()},
        )

    def records(self, subject: Subject, window: Window, pages: Iterator[ResultPage]) -> Iterator[list[Row]]:
        common = {
            "report_id": subject.id,
            "report_name": subject.name,
            "product_id": subject.product_id,
            "product_timezone": subject.timezone,
            "window_start": window.start.to_iso8601_string(),
            "window_end": window.end.to_iso8601_string(),
        }
        rows: PeopleRows | None = None
        for page in pages:
            rows = rows or PeopleRows(page.columns)
            try:
                found = [rows.record(row) for row in page.rows]
            except ValueError as error:
                raise ConnectorError(
                    Failure.SYSTEM,
                    f"A result row of report {subject.id} is not understood: {error}. Please report this.",
                ) from None
            yield [{**common, **record} for record in found if record is not None]
        if rows and rows.repeats:
            raise RowsRepeated
