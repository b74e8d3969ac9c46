"""The config: what spec.json allows is taken, and everything else is an error that names the field and helps."""

import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError, Failure
from source_kissmetrics.config import LATER, SECRETS, ApiToken, Config, PeopleSearch, parse

SECRET = "s3cr3t-t0k3n-0123456789"
CREDENTIALS = {"auth_type": "api_token", "api_token": SECRET}

Json = dict[str, Any]


def spec() -> Json:
    content = pkgutil.get_data("source_kissmetrics", "spec.json")
    assert content is not None
    specification: Json = json.loads(content)["connectionSpecification"]
    return specification


def config(**parts: Any) -> Json:
    """A valid config with these parts; `credentials` are added to the token's."""
    return {**parts, "credentials": {**CREDENTIALS, **parts.get("credentials", {})}}


def outcome(raw: Mapping[str, Any]) -> Config | str:
    """The config, or the message that says why there is none."""
    try:
        return parse(raw)
    except ConfigError as error:
        return error.message


def names_a_field(message: str) -> bool:
    return re.match(r"[a-z_]+(\.[a-z_0-9]+)*: ", message) is not None


def refusal(raw: Mapping[str, Any]) -> str:
    """The message of a config's error, which never holds the secret."""
    with pytest.raises(ConfigError) as raised:
        parse(raw)
    message = raised.value.message
    assert raised.value.failure is Failure.CONFIG
    assert SECRET not in message
    assert message.endswith((".", ")"))
    return message


def test_a_token_is_all_that_is_needed() -> None:
    assert parse(config()) == Config(
        credentials=ApiToken(SECRET, "https://api.kissmetrics.com"),
        start_date=None,
        end_date=None,
        product_ids=(),
        include_tracking_keys=False,
        people_search=None,
        metric_interval=None,
        num_workers=8,
        requests_per_minute=None,
        page_size=None,
    )


@pytest.mark.parametrize(
    ("raw", "field", "expected"),
    [
        ({"start_date": "2026-01-31"}, "start_date", date(2026, 1, 31)),
        ({"start_date": "2026-01-31T00:00:00Z"}, "start_date", date(2026, 1, 31)),
        ({"start_date": "2026-01-31T23:59:59.5-05:00"}, "start_date", date(2026, 1, 31)),
        ({"end_date": "2024-02-29"}, "end_date", date(2024, 2, 29)),
        ({"product_ids": ["b", "a", "b"]}, "product_ids", ("b", "a")),
        ({"product_ids": []}, "product_ids", ()),
        ({"include_tracking_keys": True}, "include_tracking_keys", True),
        ({"num_workers": 1}, "num_workers", 1),
        ({"num_workers": 32}, "num_workers", 32),
        ({"num_workers": 4.0}, "num_workers", 4),
        ({"requests_per_minute": 1}, "requests_per_minute", 1),
        ({"requests_per_minute": 100_000}, "requests_per_minute", 100_000),
        ({"page_size": 2_000}, "page_size", 2_000),
        ({"page_size": 50.0}, "page_size", 50),
        ({"credentials": {"api_token": f"  {SECRET}\n"}}, "credentials", ApiToken(SECRET, "https://api.kissmetrics.com")),
        (
            {"credentials": {"base_url": "https://eu.example.com:8443/core/"}},
            "credentials",
            ApiToken(SECRET, "https://eu.example.com:8443/core"),
        ),
        ({"credentials": {"base_url": "http://localhost:80"}}, "credentials", ApiToken(SECRET, "http://localhost:80")),
        ({"credentials": {"base_url": "http://127.0.0.1"}}, "credentials", ApiToken(SECRET, "http://127.0.0.1")),
        ({"credentials": {"base_url": "http://[::1]:9/x"}}, "credentials", ApiToken(SECRET, "http://[::1]:9/x")),
    ],
)  # fmt: skip
def test_a_good_value_is_taken(raw: Json, field: str, expected: object) -> None:
    value = getattr(parse(config(**raw)), field)
    assert value == expected
    assert type(value) is type(expected) or isinstance(expected, date)


@pytest.mark.parametrize("unset", [None, ""])
def test_null_and_empty_text_mean_unset(unset: object) -> None:
    fields = [field for field in spec()["properties"] if field != "credentials"]
    raw = config(**dict.fromkeys(fields, unset), credentials={"base_url": unset})
    assert parse(raw) == parse(config())


def test_unknown_keys_are_tolerated() -> None:
    raw = config(of_the_platform={"x": 1}, credentials={"of_the_platform": [1]}, metric_series={"other": None})
    assert parse(raw) == parse(config())


def test_a_config_is_not_changed_by_being_read() -> None:
    raw = config(start_date="2026-01-01", product_ids=["a"], end_date=None, credentials={"base_url": ""})
    before = deepcopy(raw)
    parse(raw)
    assert raw == before


# Wrong ones.


@pytest.mark.parametrize(
    ("raw", "names", "helps"),
    [
        ({}, "credentials: is missing", "How to sign in"),
        ({"credentials": None}, "credentials: is missing", "How to sign in"),
        ({"credentials": SECRET}, "credentials: must be of the type object", "object"),
        ({"credentials": [SECRET]}, "credentials: must be of the type object", "object"),
        ({"credentials": {}}, "credentials.auth_type: ", "must be one of api_token, basic, none"),
        ({"credentials": {"auth_type": SECRET}}, "credentials.auth_type: ", "must be one of api_token, basic, none"),
        ({"credentials": {"auth_type": [SECRET]}}, "credentials.auth_type: ", "must be one of api_token, basic, none"),
        ({"credentials": {"auth_type": "api_token"}}, "credentials.api_token: is missing", "A Personal Token"),
        (config(credentials={"api_token": ""}), "credentials.api_token: is missing", "A Personal Token"),
        (config(credentials={"api_token": None}), "credentials.api_token: is missing", "A Personal Token"),
        (config(credentials={"api_token": 5}), "credentials.api_token: must be of the type string", "not int"),
        (config(credentials={"api_token": [SECRET]}), "credentials.api_token: must be of the type string", "not list"),
        (config(credentials={"api_token": "   "}), "credentials.api_token: ", "Copy it again"),
        (config(credentials={"api_token": f"{SECRET} x"}), "credentials.api_token: ", "Copy it again"),
        (config(credentials={"api_token": f"{SECRET}\nX: y"}), "credentials.api_token: ", "Copy it again"),
        (config(credentials={"api_token": f"{SECRET}é"}), "credentials.api_token: ", "Copy it again"),
        (config(credentials={"api_token": f"{SECRET}\0"}), "credentials.api_token: ", "Copy it again"),
        (config(credentials={"base_url": 5}), "credentials.base_url: must be of the type string", "not int"),
        ({"credentials": {"auth_type": "basic"}}, "credentials.username: is missing", "The e-mail address"),
        (config(start_date="2026-13-01"), "start_date: '2026-13-01' is no day of the calendar", "Write YYYY-MM-DD"),
        (config(end_date="2026-02-29"), "end_date: '2026-02-29' is no day of the calendar", "Write YYYY-MM-DD"),
        (config(start_date="0000-01-01"), "start_date: '0000-01-01' is no day of the calendar", "Write YYYY-MM-DD"),
        (config(start_date="01/02/2026"), "start_date: '01/02/2026' is not allowed", "Write it as YYYY-MM-DD"),
        (config(start_date="2026-1-1"), "start_date: '2026-1-1' is not allowed", "Write it as YYYY-MM-DD"),
        (config(end_date="yesterday"), "end_date: 'yesterday' is not allowed", "Write it as YYYY-MM-DD"),
        (config(start_date=20260101), "start_date: must be of the type string", "not int"),
        (config(end_date=["2026-01-01"]), "end_date: must be of the type string", "not list"),
        (
            config(start_date="2026-01-02", end_date="2026-01-01"),
            "end_date: 2026-01-01 lies before start_date 2026-01-02",
            "Swap them",
        ),
        (config(product_ids="a"), "product_ids: must be of the type array", "not str"),
        (config(product_ids=["a", 5]), "product_ids.1: must be of the type string", "not int"),
        (config(product_ids=["a", ""]), "product_ids.1: must not be empty", "empty"),
        (config(include_tracking_keys="yes"), "include_tracking_keys: must be of the type boolean", "not str"),
        (config(include_tracking_keys=1), "include_tracking_keys: must be of the type boolean", "not int"),
        (config(num_workers=0), "num_workers: 0 is too small", "the minimum is 1"),
        (config(num_workers=33), "num_workers: 33 is too large", "the maximum is 32"),
        (config(num_workers="8"), "num_workers: must be of the type integer", "not str"),
        (config(num_workers=8.5), "num_workers: must be of the type integer", "not float"),
        (config(num_workers=True), "num_workers: must be of the type integer", "not bool"),
        (config(requests_per_minute=0), "requests_per_minute: 0 is too small", "the minimum is 1"),
        (config(requests_per_minute="9"), "requests_per_minute: must be of the type integer", "not str"),
        (config(page_size=0), "page_size: 0 is too small", "the minimum is 1"),
        (config(page_size=2_001), "page_size: 2001 is too large", "the maximum is 2000"),
        (config(page_size=[]), "page_size: must be of the type integer", "not list"),
        (config(people_search=[1]), "people_search: must be of the type object", "not list"),
        (config(people_search={"window": "year"}), "people_search.window: 'year' is not one of", "day, week, month"),
        (config(people_search={"window": ""}), "start_date: is missing. people_search", "Write YYYY-MM-DD"),
        (config(people_search={"report_ids": "r"}), "people_search.report_ids: must be of the type array", "not str"),
        (config(people_search={"report_ids": [5]}), "people_search.report_ids.0: must be of the type string", "int"),
        (config(people_search={"lookback_days": -1}), "people_search.lookback_days: -1 is too small", "is 0"),
        (config(people_search={"lookback_days": "1"}), "people_search.lookback_days: must be of the type int", "str"),
        (config(people_search={"dialect": "v3"}), "people_search.dialect: 'v3' is not one of", "v1, v2"),
        (config(people_search={"timeout_minutes": 0}), "people_search.timeout_minutes: 0 is too small", "is 1"),
        (config(people_search={"timeout_minutes": 1.5}), "people_search.timeout_minutes: must be of the type", "float"),
        (config(people_search={"query_base_url": "x.com"}), "people_search.query_base_url: 'x.com' is not", "https://h"),
        (config(metric_series={"interval": "hour"}), "metric_series.interval: 'hour' is not one of", "day, week, mo"),
        (config(metric_series={"enabled": "no"}), "metric_series.enabled: must be of the type boolean", "not str"),
        (config(raw_export={"region": "x"}), "raw_export.uri: is missing", "Where the files lie"),
        (config(queries=[{"name": "A", "product_id": 1, "query_type": "sql"}]), "queries.0.name: 'A' is not", "^["),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_to_do(raw: Json, names: str, helps: str) -> None:
    message = refusal(raw)
    assert message.startswith(names)
    assert helps in message


def test_every_field_of_the_spec_has_a_wrong_value_that_is_named() -> None:
    """A list is right for three fields only; there, a number is wrong."""
    for field in spec()["properties"]:
        wrong: object = 5 if field in ("product_ids", "queries") else [[]]
        raw = {**config(), field: wrong}
        assert refusal(raw).startswith(f"{field}: must be of the type "), field


def test_all_wrong_fields_are_named_at_once_and_each_once() -> None:
    message = refusal(config(num_workers=0, page_size=0, start_date="x", queries=[{}]))
    for field in ("num_workers", "page_size", "start_date"):
        assert message.count(f"{field}: ") == 1
    for field in ("name", "product_id", "query_type"):
        assert message.count(f"queries.0.{field}: is missing.") == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api.kissmetrics.com",
        "http://localhost.example.com",
        "http://127.0.0.2",
        "http://192.168.0.1",
        "http://0.0.0.0",
        "http://example.com/http://localhost",
        "http://localhost@example.com",
        "ftp://api.kissmetrics.com",
        "HTTP://api.kissmetrics.com",
        "api.kissmetrics.com",
        "//api.kissmetrics.com",
        "https://",
        "file:///etc/passwd",
    ],
)
def test_http_is_for_localhost_only(url: str) -> None:
    message = refusal(config(credentials={"base_url": url}))
    assert message.startswith("credentials.base_url:")
    assert "Write it as https://host[/path]." in message
    assert "http:// is taken for localhost only" in message


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pa55word@example.com",
        "https://user@example.com",
        "https://example.com?key=pa55word",
        "https://example.com/#pa55word",
        "https://[example.com",
        "https://[::1",
        "https://example.com:port",
        "https://example.com:99999",
        "http://user:pa55word@localhost",
        "http://user:pa55word@example.com",
    ],
)
def test_a_base_url_is_scheme_host_and_path_and_a_password_in_it_is_not_repeated(url: str) -> None:
    message = refusal(config(credentials={"base_url": url}))
    assert message.startswith("credentials.base_url:")
    assert "https://" in message
    assert "pa55word" not in message


# What later versions read.


@pytest.mark.parametrize("auth_type", ["basic", "none"])
def test_another_way_to_sign_in_is_refused_by_name(auth_type: str) -> None:
    credentials = {"auth_type": auth_type, "username": "me@example.com", "password": SECRET}
    message = refusal({"credentials": credentials})
    assert message.startswith(f"credentials.auth_type: '{auth_type}' is not supported by version ")
    assert "Choose api_token" in message


REFUSED = [
    ("queries", [{"name": "trials", "product_id": 12, "query_type": "sql"}]),
    ("raw_export", {"uri": "s3://bucket/prefix", "aws_secret_access_key": SECRET}),
    ("csv_exports", {"uri": "file:///tmp", "aws_secret_access_key": SECRET}),
    ("webhooks", {"uri": "file:///tmp"}),
    ("properties", {"deny": ["e-mail"]}),
    ("properties", {"hash": ["e-mail"]}),
]


def test_the_table_of_refused_parts_is_complete() -> None:
    assert {part for part, _ in REFUSED} == set(LATER)


@pytest.mark.parametrize(("part", "value"), REFUSED)
def test_a_part_that_this_version_does_not_read_is_refused_by_name(part: str, value: object) -> None:
    message = refusal(config(**{part: value}))
    assert message.startswith(f"{part}: version ")
    assert f"Remove {part} from the config" in message


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("metric_series", {"enabled": False}),
        ("metric_series", {"enabled": False, "interval": "day"}),
        ("metric_series", {"interval": "week"}),
        ("metric_series", {}),
        ("people_search", None),
        ("queries", []),
        ("properties", {"allow": [], "deny": [], "hash": []}),
    ],
)
def test_a_part_that_asks_for_nothing_is_fine(part: str, value: object) -> None:
    assert parse(config(**{part: value})) == parse(config())


READ_AS = {"metric_series": "metric_interval"}
"""Parts that the typed config has under another name."""


def test_every_part_is_either_read_or_refused_and_the_spec_says_so() -> None:
    properties = spec()["properties"]
    refused = {field for field, schema in properties.items() if "Not in this version" in str(schema)} - {"credentials"}
    assert set(LATER) == refused
    read = {READ_AS.get(field, field) for field in set(properties) - refused}
    assert read == set(Config.__dataclass_fields__)


# Queries by window.

START = "2026-01-01"


def search(part: Json, **credentials: str) -> PeopleSearch:
    found = parse(config(start_date=START, people_search=part, credentials=credentials)).people_search
    assert found is not None
    return found


@pytest.mark.parametrize("part", [{}, {"report_ids": [], "window": None, "query_base_url": "", "of_the_platform": 1}])
def test_a_people_search_is_asked_for_by_being_there_and_has_a_default_for_everything(part: Json) -> None:
    assert search(part) == PeopleSearch(
        report_ids=(),
        window="day",
        lookback_days=1,
        dialect="v1",
        timeout_minutes=60,
        query_base_url="https://query.kissmetrics.com",
    )


def test_the_defaults_are_those_of_the_spec() -> None:
    declared = spec()["properties"]["people_search"]["properties"]
    for name, schema in declared.items():
        if "default" in schema:
            default = getattr(search({}), name)
            assert (list(default) if isinstance(default, tuple) else default) == schema["default"], name
    assert set(declared) == set(PeopleSearch.__dataclass_fields__)
    series = parse(config(start_date=START, metric_series={"enabled": True}))
    assert series.metric_interval == spec()["properties"]["metric_series"]["properties"]["interval"]["default"]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("report_ids", ["b", "a", "b"], ("b", "a")),
        ("window", "week", "week"),
        ("window", "month", "month"),
        ("window", "all", "all"),
        ("lookback_days", 0, 0),
        ("lookback_days", 7.0, 7),
        ("dialect", "v2", "v2"),
        ("timeout_minutes", 1, 1),
        ("timeout_minutes", 90.0, 90),
        ("query_base_url", "https://query.example.com/", "https://query.example.com"),
        ("query_base_url", "https://example.com:8443/km/", "https://example.com:8443/km"),
        ("query_base_url", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_good_value_of_a_people_search_is_taken(field: str, value: object, expected: object) -> None:
    found = getattr(search({field: value}), field)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.kissmetrics.com", "https://query.kissmetrics.com"),
        ("https://api.kissmetrics.com/", "https://query.kissmetrics.com"),
        ("https://eu.example.com:8443", "https://eu.example.com:8443"),
        ("https://example.com/km/", "https://example.com/km"),
        ("http://localhost:9", "http://localhost:9"),
    ],
)
def test_queries_run_on_the_services_query_host_or_else_where_the_core_api_is(base_url: str, expected: str) -> None:
    """No other host than the configured one is trusted with the token unless it is the service's own."""
    assert search({}, base_url=base_url).query_base_url == expected
    elsewhere = {"query_base_url": "https://query.example.com"}
    assert search(elsewhere, base_url=base_url).query_base_url == "https://query.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pa55word@example.com",
        "https://example.com?key=pa55word",
        "https://example.com/#pa55word",
        "https://[::1",
        "https://example.com:99999",
        "http://query.kissmetrics.com",
        "ftp://example.com",
    ],
)
def test_the_address_of_queries_is_scheme_host_and_path_too(url: str) -> None:
    message = refusal(config(start_date=START, people_search={"query_base_url": url}))
    assert message.startswith("people_search.query_base_url:")
    assert "https://" in message
    assert "pa55word" not in message


@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_metric_series_are_read_where_they_are_enabled(interval: str) -> None:
    for enabled, expected in ((True, interval), (False, None)):
        raw = config(start_date=START, metric_series={"enabled": enabled, "interval": interval})
        assert parse(raw).metric_interval == expected


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("people_search", {}),
        ("people_search", {"report_ids": []}),
        ("metric_series", {"enabled": True}),
    ],
)
@pytest.mark.parametrize("start", [None, ""])
def test_queries_need_a_first_day(part: str, value: Json, start: str | None) -> None:
    for more in ({}, {"start_date": start}, {"end_date": "2026-01-01"}):
        message = refusal(config(**{part: value}, **more))
        assert message == f"start_date: is missing. {part} needs the first day to query. Write YYYY-MM-DD."
    assert parse(config(**{part: value}, start_date=START)).start_date == date(2026, 1, 1)


# Secrets.


def strings_of(schema: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every text in a config of this schema."""
    kinds = schema.get("type", [])
    if "string" in kinds:
        yield path
    for variant in [schema, *schema.get("oneOf", [])]:
        for name, part in variant.get("properties", {}).items():
            yield from strings_of(part, (*path, name))
    if "items" in schema:
        yield from strings_of(schema["items"], (*path, 0))


def planted(path: tuple[str | int, ...], value: object) -> Json:
    """A valid config but for a value at this place; the rest of what the place needs is not there."""
    raw: Any = config()
    place = raw
    for number, step in enumerate(path[:-1]):
        following = path[number + 1]
        empty: Any = [] if following == 0 else {}
        if isinstance(place, list):
            place.append(empty)
            place = place[0]
        else:
            place = place.setdefault(step, empty)
    if isinstance(place, list):
        place.append(value)
    else:
        place[path[-1]] = value
    assert isinstance(raw, dict)
    return raw


PLACES = sorted(set(strings_of(spec())), key=str)


def test_the_places_of_texts_are_all_found() -> None:
    assert len(PLACES) >= 30
    assert {
        ("start_date",),
        ("product_ids", 0),
        ("credentials", "password"),
        ("csv_exports", "files", 0, "glob"),
    } <= set(PLACES)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("form", ["{}", "https://me:{}@example.com", "http://example.com/{}", " {} ", "2026-01-01 {}"])
def test_a_secret_is_repeated_by_no_message_whatever_field_it_stands_in(path: tuple[str | int, ...], form: str) -> None:
    """A token in the wrong field is a mistake that users make, and messages are read by many."""
    message = outcome(planted(path, form.format(SECRET)))
    assert isinstance(message, Config) or (SECRET not in message and names_a_field(message))


def test_the_fields_that_are_never_repeated_are_those_that_the_spec_marks() -> None:
    def marked(schema: Json) -> Iterator[str]:
        for variant in [schema, *schema.get("oneOf", [])]:
            for name, part in variant.get("properties", {}).items():
                if part.get("airbyte_secret"):
                    yield name
                yield from marked(part)

    assert set(marked(spec())) == set(SECRETS)


# Anything.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["2026-01-01", "https://a.b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
ANY_CREDENTIALS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "auth_type": st.sampled_from(["api_token", "api_token", "basic", "none"]) | JSON,
        "api_token": st.text() | JSON,
        "base_url": st.text().map("https://{}".format) | st.text().map("http://localhost{}".format) | JSON,
        "username": JSON,
        "password": JSON,
    },
)
ANY_CONFIG = st.fixed_dictionaries(
    {},
    optional={**dict.fromkeys([*spec()["properties"], "unknown"], JSON), "credentials": ANY_CREDENTIALS},
)
ALMOST_A_CONFIG = st.fixed_dictionaries(
    {"credentials": st.just(CREDENTIALS) | ANY_CREDENTIALS},
    optional={
        "start_date": st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?\Z"),
        "end_date": st.dates().map(str),
        "product_ids": st.lists(st.text()),
        "num_workers": st.integers(0, 33) | st.floats(0, 33),
        "requests_per_minute": st.integers(0),
        "page_size": st.integers(0, 2_001) | st.just(7.0),
        "people_search": st.fixed_dictionaries(
            {},
            optional={
                "report_ids": st.lists(st.text()),
                "window": st.sampled_from(["day", "all", "year"]),
                "lookback_days": st.integers(-1) | st.just(2.0),
                "query_base_url": st.text().map("https://{}".format),
            },
        ),
        "metric_series": st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "interval": JSON}),
    },
)


@given(ANY_CONFIG | ALMOST_A_CONFIG)
@example({"credentials": {**CREDENTIALS, "base_url": "https://["}})
@example({"credentials": {**CREDENTIALS, "base_url": "https://a:b"}})
@example({"credentials": {**CREDENTIALS, "api_token": " "}})
@example({"credentials": CREDENTIALS, "num_workers": 3.0})
@settings(deadline=None, max_examples=300)
def test_any_json_object_is_a_config_or_a_config_error(raw: Json) -> None:
    parsed = outcome(raw)
    if isinstance(parsed, str):
        assert names_a_field(parsed)
        return
    assert type(parsed.num_workers) is int
    assert 1 <= parsed.num_workers <= 32
    assert type(parsed.page_size) in (int, type(None))
    assert type(parsed.requests_per_minute) in (int, type(None))
    assert type(parsed.include_tracking_keys) is bool
    token = parsed.credentials.api_token
    assert token == token.strip()
    assert token
    assert token.isascii()
    assert parsed.credentials.base_url.startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]"))
    if parsed.people_search:
        assert type(parsed.people_search.lookback_days) is int
        assert parsed.people_search.lookback_days >= 0
    assert parsed.start_date or not (parsed.people_search or parsed.metric_interval)
    if parsed.start_date and parsed.end_date:
        assert parsed.start_date <= parsed.end_date
