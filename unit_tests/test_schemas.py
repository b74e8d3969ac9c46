"""The streams and their schema files: one name, and everything declared that the platform and the kit need."""

import inspect
import json
import pkgutil
from importlib import import_module, resources
from typing import Any

import pytest
from jsonschema import Draft7Validator

from connector_kit.stream import ListStream, Stream
from source_kissmetrics import streams as package
from source_kissmetrics.streams import CORE_STREAMS
from source_kissmetrics.streams.metric_series import MetricBySegment, MetricOverTime
from source_kissmetrics.streams.people_search_results import PeopleSearchResults
from source_kissmetrics.windowed import WindowedStream

Json = dict[str, Any]

SCHEMAS: dict[str, Json] = {
    file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
    for file in resources.files("source_kissmetrics").joinpath("schemas").iterdir()
    if file.name.endswith(".json")
}


def stream_classes() -> dict[str, type[Stream]]:
    """The streams that the modules of the package define, by name."""
    modules = [import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)]
    defined = [kind for module in modules for kind in vars(module).values() if inspect.getmodule(kind) is module]
    streams = [kind for kind in defined if isinstance(kind, type) and issubclass(kind, Stream)]
    return {kind.name: kind for kind in streams if not inspect.isabstract(kind) and hasattr(kind, "name")}


STREAMS = stream_classes()
every_schema = pytest.mark.parametrize("name", sorted(SCHEMAS))
every_stream = pytest.mark.parametrize("name", sorted(STREAMS))


def test_every_stream_has_a_schema_file_of_its_name_and_every_file_a_stream() -> None:
    assert set(SCHEMAS) == set(STREAMS)


def test_every_stream_of_the_core_api_is_offered() -> None:
    lists = {name: kind for name, kind in STREAMS.items() if issubclass(kind, ListStream)}
    assert {kind.name: kind for kind in CORE_STREAMS} == lists
    assert [kind.name for kind in CORE_STREAMS] == [
        "accounts",
        "products",
        "reports",
        "events",
        "properties",
        "metrics",
    ]


def test_the_streams_of_queries_are_all_there() -> None:
    windowed = {name: kind for name, kind in STREAMS.items() if issubclass(kind, WindowedStream)}
    kinds: list[type[Stream]] = [PeopleSearchResults, MetricOverTime, MetricBySegment]
    assert {kind.name: kind for kind in kinds} == windowed
    assert set(STREAMS) == set(windowed) | {kind.name for kind in CORE_STREAMS}


@pytest.mark.parametrize(
    ("name", "key", "cursor"),
    [
        ("people_search_results", ("report_id", "window_start", "row_key"), "window_end"),
        ("metric_over_time", ("metric_id", "time"), "time"),
        ("metric_by_segment", ("metric_id", "window_start", "segment"), "window_end"),
    ],
)
def test_a_stream_of_queries_has_the_key_and_cursor_that_were_promised(
    name: str, key: tuple[str, ...], cursor: str
) -> None:
    assert (STREAMS[name].primary_key, STREAMS[name].cursor_field) == (key, cursor)


@pytest.mark.parametrize("name", ["metric_over_time", "metric_by_segment"])
def test_a_stream_on_a_contract_of_our_own_says_so(name: str) -> None:
    assert SCHEMAS[name]["description"].startswith("Experimental: ")
    assert "publishes no contract" in SCHEMAS[name]["description"]


@pytest.mark.parametrize("kind", CORE_STREAMS, ids=lambda kind: kind.name)
def test_a_stream_lies_in_the_module_of_its_name(kind: type[ListStream]) -> None:
    assert kind.__module__ == f"source_kissmetrics.streams.{kind.name}"


@pytest.mark.parametrize(
    ("name", "key", "cursor"),
    [
        ("accounts", ("id",), "updated_at"),
        ("products", ("id",), "created_at"),
        ("reports", ("id",), "created_at"),
        ("events", ("id",), "last_sent_at"),
        ("properties", ("id",), "last_sent_at"),
        ("metrics", ("id",), "config_last_changed_at"),
    ],
)
def test_a_core_stream_has_the_key_and_cursor_that_were_promised(name: str, key: tuple[str], cursor: str) -> None:
    assert (STREAMS[name].primary_key, STREAMS[name].cursor_field) == (key, cursor)


@every_schema
def test_a_schema_is_valid_draft_7_of_its_own_name(name: str) -> None:
    schema = SCHEMAS[name]
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert (schema["type"], schema["title"], schema["additionalProperties"]) == ("object", name, True)
    assert schema["description"].endswith(".")
    assert "required" not in schema, "a service may leave out any field"


@every_schema
def test_every_property_has_a_list_of_types_and_a_description(name: str) -> None:
    for field, declared in SCHEMAS[name]["properties"].items():
        types = declared["type"]
        assert isinstance(types, list), field
        assert set(types) <= {"null", "string", "integer", "number", "boolean", "object", "array"}, field
        assert len([kind for kind in types if kind != "null"]) == 1, f"{field}: one type besides null"
        assert len(types) == len(set(types)), field
        assert declared["description"].endswith("."), field


@every_schema
def test_every_moment_is_declared_as_one_for_jsonschema_and_for_the_platform(name: str) -> None:
    for field, declared in SCHEMAS[name]["properties"].items():
        has_format, has_type = declared.get("format"), declared.get("airbyte_type")
        assert (has_format == "date-time") == (has_type == "timestamp_with_timezone"), field
        if field.endswith("_at") or field in ("window_start", "window_end", "time"):
            assert has_format == "date-time", field
        if has_format:
            assert "string" in declared["type"], field


@every_stream
def test_the_key_is_declared_and_never_null(name: str) -> None:
    stream = STREAMS[name]
    assert stream.primary_key
    for field in stream.primary_key:
        assert "null" not in SCHEMAS[name]["properties"][field]["type"], field


@every_stream
def test_the_cursor_is_declared_and_a_moment(name: str) -> None:
    cursor = STREAMS[name].cursor_field
    if cursor is not None:
        declared = SCHEMAS[name]["properties"][cursor]
        assert declared.get("airbyte_type", "") or "integer" in declared["type"]


@every_stream
def test_a_stream_says_what_it_holds(name: str) -> None:
    assert (STREAMS[name].__doc__ or "").strip()
