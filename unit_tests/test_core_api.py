"""The Core API's answers: every shape is understood or an error that names what came instead, never zero rows."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError, ConnectorError, Failure, HttpError
from connector_kit.http import Answer
from connector_kit.pagination import Page
from source_kissmetrics.config import ApiToken, Config
from source_kissmetrics.core_api import parse_item, parse_page, verify

SERVED_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
LINK = {"name": "Self", "rel": "self", "href": "https://api.kissmetrics.com/core/events", "templated": False}
NEXT = {**LINK, "name": "Next", "rel": "next"}
ROWS = [{"id": "a"}, {"id": "b"}]


def answer(body: Any) -> Answer:
    return Answer(200, body, SERVED_AT)


def envelope(**parts: Any) -> dict[str, Any]:
    """A list as recorded."""
    pagination = {"limit": 20, "offset": 0, "total": 2}
    return {"meta": {"status": 200}, "data": ROWS, "pagination": pagination, "links": [LINK], **parts}


def page(rows: Any = ROWS, total: int | None = None, has_next: bool = False) -> Page:
    return Page(rows, total=total, has_next=has_next, served_at="2026-03-04T05:06:07")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (envelope(), page(total=2)),
        (envelope(links=[LINK, NEXT]), page(total=2, has_next=True)),
        (envelope(data=[], pagination={"limit": 20, "offset": 0, "total": 0}), page([], total=0)),
        ({"data": ROWS}, page()),
        (ROWS, page()),
        ([], page([])),
        ({"data": []}, page([])),
        (envelope(data=[None, 5, "text"]), page([None, 5, "text"], total=2)),
    ],
    ids=["envelope", "with a next page", "empty envelope", "data alone", "bare array", "empty array", "empty data",
         "items that are no rows are left to the stream to refuse"],
)  # fmt: skip
def test_a_list_is_read_from_its_envelope_or_bare(body: Any, expected: Page) -> None:
    assert parse_page(answer(body)) == expected


@pytest.mark.parametrize("total", ["2", "two", "", None, -1, -100, True, False, 2.0, 2.5, [2], {"value": 2}])
def test_a_total_that_is_no_count_counts_as_untold(total: object) -> None:
    """The list is then read to its first empty page; a wrong number would end it too early."""
    assert parse_page(answer(envelope(pagination={"limit": 20, "offset": 0, "total": total}))) == page()


@pytest.mark.parametrize("total", [0, 1, 2, 815, 2**40])
def test_a_count_is_taken_as_it_is(total: int) -> None:
    assert parse_page(answer(envelope(pagination={"total": total}))).total == total


@pytest.mark.parametrize("pagination", [None, {}, [], [2], "2", 2, {"limit": 20}, {"Total": 2}])
def test_a_pagination_of_another_shape_tells_no_total(pagination: object) -> None:
    assert parse_page(answer(envelope(pagination=pagination))) == page()


@pytest.mark.parametrize(
    ("links", "has_next"),
    [
        (None, False),
        ({}, False),
        ([], False),
        ("next", False),
        (5, False),
        ({"next": NEXT}, False),
        ({"rel": "next"}, False),
        ([None, 5, "next", ["next"], {}], False),
        ([{"rel": None}, {"rel": ["next"]}, {"rel": "NEXT"}, {"name": "next"}], False),
        ([None, "x", NEXT], True),
        ([{"rel": "next"}], True),
        ([{**NEXT, "templated": True, "href": None}], True),
    ],
)
def test_links_of_any_shape_tell_whether_there_is_a_next_page(links: object, has_next: bool) -> None:
    assert parse_page(answer(envelope(links=links))).has_next is has_next


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"data": {"id": "a"}}, "an object with the keys data"),
        ({"data": None, "meta": {}}, "an object with the keys data, meta"),
        ({"data": "rows"}, "an object with the keys data"),
        ({"data": 5, "pagination": {"total": 5}}, "an object with the keys data, pagination"),
        ({"events": ROWS}, "an object with the keys events"),
        ({"meta": {"status": 404}, "errors": []}, "an object with the keys errors, meta"),
        ({}, "an object with the keys (none)"),
        (dict.fromkeys("jihgfedcba"), "an object with the keys a, b, c, d, e, f, g, h."),
        (None, "a JSON NoneType"),
        ("rows", "a JSON str"),
        (5, "a JSON int"),
        (True, "a JSON bool"),
    ],
)
def test_what_is_no_list_is_an_error_that_names_what_came(body: Any, found: str) -> None:
    with pytest.raises(ConnectorError) as raised:
        parse_page(answer(body))
    assert raised.value.failure is Failure.SYSTEM
    assert f"is no list: it is {found}" in raised.value.message
    assert "Check credentials.base_url" in raised.value.message


def test_an_error_names_keys_and_never_values() -> None:
    with pytest.raises(ConnectorError) as raised:
        parse_page(answer({"events": [{"tracking_key": "s3cret"}], "token": "s3cret"}))
    assert "s3cret" not in raised.value.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"meta": {"status": 200}, "data": {"id": "a", "links": [LINK]}, "links": [LINK]},
            {"id": "a", "links": [LINK]},
        ),
        ({"data": {"id": "a"}}, {"id": "a"}),
        ({"data": {}}, {}),
        ({"id": "a", "links": []}, {"id": "a", "links": []}),
        ({"id": "a", "data": "a field of that name"}, {"id": "a", "data": "a field of that name"}),
        ({}, {}),
    ],
)
def test_an_object_is_read_from_its_envelope_or_bare(body: Any, expected: object) -> None:
    assert parse_item(answer(body)) == expected


@pytest.mark.parametrize(
    ("body", "found"),
    [([], "list"), (ROWS, "list"), (None, "NoneType"), ("text", "str"), (5, "int"), (1.5, "float"), (False, "bool")],
)
def test_what_is_no_object_is_an_error_that_names_what_came(body: Any, found: str) -> None:
    with pytest.raises(ConnectorError) as raised:
        parse_item(answer(body))
    assert raised.value.failure is Failure.SYSTEM
    assert f"is no object: it is a JSON {found}." in raised.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "links", "rel", "x"]), inner),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
@settings(deadline=None)
def test_any_json_is_a_page_or_a_connector_error(data: Any, pagination: Any, links: Any) -> None:
    for body in (data, {"data": data, "pagination": pagination, "links": links}):
        listed = body["data"] if isinstance(body, dict) and "data" in body else body
        if isinstance(listed, list):
            assert parse_page(answer(body)).rows == listed
        else:
            with pytest.raises(ConnectorError):
                parse_page(answer(body))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (SERVED_AT, "2026-03-04T05:06:07"),
        (SERVED_AT + timedelta(microseconds=500_000), "2026-03-04T05:06:07.5"),
        (SERVED_AT.astimezone(timezone(timedelta(hours=-5))), "2026-03-04T05:06:07"),
    ],
)
def test_a_page_knows_the_services_clock(moment: datetime, expected: str) -> None:
    assert parse_page(Answer(200, [], moment)).served_at == expected


# check


class FakeHttp:
    """Answers by path: with a body, or a failure of this status."""

    def __init__(self, bodies: Mapping[str, Any]) -> None:
        self._bodies = bodies
        self.asked: list[str] = []

    def get(self, path: str, params: object = None) -> Answer:
        self.asked.append(path)
        body = self._bodies[path]
        if isinstance(body, int):
            raise HttpError(Failure.CONFIG, f"status {body}", body)
        return answer(body)


def check(bodies: Mapping[str, Any], product_ids: tuple[str, ...] = ()) -> list[str]:
    http = FakeHttp(bodies)
    config = Config(ApiToken("token", "https://api.kissmetrics.com"), product_ids=product_ids)
    verify(config, http)  # type: ignore[arg-type]
    return http.asked


def test_a_check_asks_for_products_once() -> None:
    assert check({"/core/products": envelope()}) == ["/core/products"]


def test_a_check_looks_up_only_products_that_are_not_listed() -> None:
    bodies = {"/core/products": envelope(), "/core/products/z": {"data": {"id": "z"}}}
    assert check(bodies, ("a", "z", "b")) == ["/core/products", "/core/products/z"]


@pytest.mark.parametrize("products", [envelope(data=[]), []])
def test_a_check_of_an_account_without_products_is_a_config_error(products: object) -> None:
    with pytest.raises(ConfigError, match="no product can be seen"):
        check({"/core/products": products})


def test_a_check_names_a_product_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="product_ids: there is no product 'z' that the token may see"):
        check({"/core/products": envelope(), "/core/products/z": 404}, ("a", "z"))


@pytest.mark.parametrize("path", ["/core/products", "/core/products/z"])
@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_check_passes_other_failures_on_as_they_are(path: str, status: int) -> None:
    with pytest.raises(HttpError, match=f"status {status}") as raised:
        check({"/core/products": envelope(), path: status}, ("z",))
    assert raised.value.status == status
