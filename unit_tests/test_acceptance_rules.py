"""Each acceptance rule: a good input passes, the smallest bad variation is refused by the rule's name."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration_tests.acceptance import (
    SPEC_RULES,
    AcceptanceViolation,
    check_spec_rules,
    every_field_appears,
    primary_keys_not_null,
    second_read_not_older,
    two_full_refreshes_identical,
)

Json = dict[str, Any]

TEXT: Json = {"type": "string"}


def choice(**changes: Any) -> Json:
    """Credentials of two kinds; `changes` replace members of the first variant's discriminator."""
    return {
        "type": "object",
        "oneOf": [
            {"properties": {"auth_type": {"type": "string", "const": "api_token"} | changes, "base_url": TEXT}},
            {"properties": {"auth_type": {"type": "string", "const": "none"}, "base_url": TEXT}},
        ],
    }


def variants(*properties: Any) -> Json:
    return {"type": "object", "oneOf": [{"properties": members} for members in properties]}


def const(value: str) -> Json:
    return {"type": "string", "const": value}


def secret(**changes: Any) -> Json:
    return {"type": "string", "airbyte_secret": True} | changes


def objects(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


GOOD_PROPERTIES: list[tuple[str, Json]] = [
    ("text", {"name": TEXT}),
    ("nullable", {"name": {"type": ["string", "null"]}}),
    ("list with one type", {"name": {"type": ["string"]}}),
    ("object", {"settings": objects(name=TEXT) | {"additionalProperties": True}}),
    ("texts", {"names": {"type": "array", "items": TEXT}}),
    ("objects", {"names": {"type": "array", "items": objects(name=TEXT)}}),
    ("choices", {"names": {"type": "array", "items": {"enum": ["a", "b"]}}}),
    ("anything", {"names": {"type": "array"}}),
    ("date", {"start_date": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}}),
    ("enum", {"window": {"type": "string", "enum": ["day", "week"]}}),
    ("one of", {"credentials": choice()}),
    ("properties named as keywords", dict.fromkeys(["not", "if", "anyOf", "$ref", "format", "items"], TEXT)),
    ("secret", {"api_token": secret()}),
    ("secrets", {"token": {"type": "array", "items": secret()}}),
    ("secret under another name", {"passphrase": secret()}),
    ("reviewed: not a secret", {"key": secret(airbyte_secret=False)}),
    ("constant", {"key": const("id")}),
    ("switch", {"use_token": {"type": "boolean"}}),
    ("key pair", {"access_key": TEXT, "secret_key": secret()}),
    ("key id", {"aws_access_key_id": TEXT, "aws_secret_access_key": secret()}),
]

BAD_PROPERTIES: list[tuple[str, str, Json]] = [
    *(
        ("spec-forbidden-keyword", keyword, {"name": {keyword: value}})
        for keyword, value in {
            "anyOf": [TEXT],
            "allOf": [TEXT],
            "not": TEXT,
            "if": TEXT,
            "then": TEXT,
            "else": TEXT,
            "patternProperties": {"x": TEXT},
            "prefixItems": [TEXT],
            "dependentSchemas": {"x": TEXT},
            "dependentRequired": {"x": ["y"]},
        }.items()
    ),
    ("spec-no-ref", "property", {"name": {"$ref": "#/definitions/name"}}),
    ("spec-open", "nested", {"settings": objects(name=TEXT) | {"additionalProperties": False}}),
    ("spec-open", "schema", {"settings": objects(name=TEXT) | {"additionalProperties": TEXT}}),
    ("spec-enum-unique", "text", {"window": {"type": "string", "enum": ["day", "week", "day"]}}),
    ("spec-object-not-empty", "no properties", {"settings": {"type": "object"}}),
    ("spec-object-not-empty", "empty", {"settings": objects()}),
    ("spec-object-not-empty", "items", {"list": {"type": "array", "items": {"type": "object"}}}),
    ("spec-array-items", "tuple", {"names": {"type": "array", "items": [TEXT]}}),
    ("spec-array-items", "mixed", {"names": {"type": "array", "items": {"type": ["string", "integer"]}}}),
    ("spec-array-items", "lists", {"names": {"type": "array", "items": {"type": "array"}}}),
    ("spec-property-type", "two types", {"name": {"type": ["string", "integer"]}}),
    ("spec-property-type", "null first", {"name": {"type": ["null", "string"]}}),
    ("spec-property-type", "three types", {"name": {"type": ["string", "integer", "null"]}}),
    ("spec-property-type", "no type", {"name": {"type": []}}),
    ("spec-date-pattern", "date", {"start_date": {"type": "string", "format": "date"}}),
    ("spec-date-pattern", "date-time", {"start_date": {"type": "string", "format": "date-time"}}),
    ("spec-one-of", "parent", {"credentials": choice() | {"type": "string"}}),
    ("spec-one-of", "no parent type", {"credentials": {"oneOf": choice()["oneOf"]}}),
    ("spec-one-of", "variant without properties", {"credentials": {"type": "object", "oneOf": [TEXT]}}),
    ("spec-one-of", "no constant", {"credentials": variants({"a": TEXT}, {"a": TEXT})}),
    ("spec-one-of", "no common constant", {"credentials": variants({"a": const("x")}, {"b": const("y")})}),
    ("spec-one-of", "two constants", {"credentials": variants(*({"a": const(v), "b": const(v)} for v in "xy"))}),
    ("spec-one-of", "same constant", {"credentials": variants({"a": const("x")}, {"a": const("x")})}),
    ("spec-one-of", "default", {"credentials": choice(default="api_token")}),
    ("spec-one-of", "enum", {"credentials": choice(enum=["api_token"])}),
    *(
        ("spec-secret-marked", name, {name: TEXT})
        for name in (
            "api_token",
            "key",
            "password",
            "clientSecret",
            "client-secret",
            "Basic_Password",
            "my_api_key",
            "rsa_private_key",
            "access_key",
            "aws_secret_access_key",
            "credentials",
        )
    ),
    ("spec-secret-marked", "number", {"token": {"type": "integer"}}),
    ("spec-secret-marked", "nullable", {"token": {"type": ["string", "null"]}}),
    ("spec-secret-marked", "items", {"token": {"type": "array", "items": TEXT}}),
    ("spec-secret-marked", "in a variant", {"credentials": variants({"a": const("x"), "token": TEXT})}),
    ("spec-secret-marked", "object", {"settings": objects(name=TEXT) | {"airbyte_secret": True}}),
    ("spec-secret-marked", "boolean", {"flag": {"type": "boolean", "airbyte_secret": True}}),
    ("spec-secret-marked", "text instead of true", {"token": secret(airbyte_secret="true")}),
    ("spec-secret-marked", "1 instead of true", {"token": secret(airbyte_secret=1)}),
]


def spec(properties: Json, **changes: Any) -> Json:
    return {"connectionSpecification": {"type": "object", "properties": properties} | changes}


@pytest.mark.parametrize(("name", "properties"), GOOD_PROPERTIES, ids=[name for name, _ in GOOD_PROPERTIES])
def test_a_good_spec_passes(name: str, properties: Json) -> None:
    check_spec_rules(spec(properties))


@pytest.mark.parametrize(
    ("rule", "name", "properties"), BAD_PROPERTIES, ids=[f"{rule}: {name}" for rule, name, _ in BAD_PROPERTIES]
)
def test_a_bad_spec_is_refused_by_its_rule(rule: str, name: str, properties: Json) -> None:
    with pytest.raises(AcceptanceViolation) as caught:
        check_spec_rules(spec(properties))
    assert caught.value.rule == rule, str(caught.value)


def test_an_empty_root_passes() -> None:
    check_spec_rules({"connectionSpecification": {"type": "object"}})


def test_a_choice_at_the_root_is_refused() -> None:
    with pytest.raises(AcceptanceViolation, match=r"\[spec-forbidden-keyword\]\n  oneOf at #"):
        check_spec_rules(spec({"name": TEXT}, oneOf=choice()["oneOf"]))


def test_every_spec_rule_has_a_bad_example() -> None:
    assert {rule for rule, _, _ in BAD_PROPERTIES} == set(SPEC_RULES)


def test_the_message_lists_the_places_but_not_all_of_many() -> None:
    with pytest.raises(AcceptanceViolation) as caught:
        check_spec_rules(spec({f"name_{number}": {"$ref": "#/x"} for number in range(12)}))
    lines = str(caught.value).splitlines()
    assert lines[:2] == ["[spec-no-ref]", "  #/x at #/properties/name_0"]
    assert len(lines) == 12
    assert lines[-1] == "  ... and 2 more"


# --- Records and runs -------------------------------------------------------------------------------------

SCHEMA = objects(id={"type": "integer"}, owner=objects(name=TEXT), tags={"type": "array", "items": objects(tag=TEXT)})
FULL: Json = {"id": 1, "owner": {"name": "Ann"}, "tags": [{"tag": "x"}]}


def dated(*values: Any) -> list[Json]:
    return [{"id": number, "at": value} for number, value in enumerate(values)]


def day(number: int, zone: str = "Z") -> str:
    return f"2026-01-{number:02}T00:00:00{zone}"


GOOD_RECORDS: list[tuple[str, Callable[[], None]]] = [
    ("all fields in one record", lambda: every_field_appears([FULL], SCHEMA)),
    ("all fields in several", lambda: every_field_appears([{"id": 1, "tags": []}, FULL | {"id": None}], SCHEMA)),
    ("optional field", lambda: every_field_appears([FULL | {"owner": {}}], SCHEMA, optional=["owner.name"])),
    ("null allowed", lambda: every_field_appears([FULL | {"id": None}], SCHEMA, allow_null=True)),
    ("keys", lambda: primary_keys_not_null([FULL], [["id"], ["owner", "name"]])),
    ("false and 0 are keys", lambda: primary_keys_not_null([{"id": 0, "b": False, "c": ""}], [["id"], ["b"], ["c"]])),
    ("equal", lambda: second_read_not_older(dated(day(1), day(2)), dated(day(2)), "at")),
    ("newer", lambda: second_read_not_older(dated(day(1)), dated(day(2)), ["at"])),
    ("nothing new", lambda: second_read_not_older(dated(day(1)), [], "at")),
    ("nothing before", lambda: second_read_not_older([], dated(day(1)), "at")),
    ("null cursors", lambda: second_read_not_older(dated(day(2), None), dated(None, day(2)), "at")),
    ("same instant", lambda: second_read_not_older(dated(day(2)), dated("2026-01-02T01:00:00+01:00"), "at")),
    ("dates", lambda: second_read_not_older(dated("2026-01-02"), dated("2026-01-02"), "at")),
    ("numbers", lambda: second_read_not_older(dated(9), dated(10), "at")),
    ("lookback", lambda: second_read_not_older(dated(day(3)), dated(day(2)), "at", lookback=timedelta(days=1))),
    ("other order", lambda: two_full_refreshes_identical(dated(1, 2), dated(1, 2)[::-1], [["id"]])),
    ("other order of members", lambda: two_full_refreshes_identical([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], [["a"]])),
    ("same without key", lambda: two_full_refreshes_identical(dated(1, 2), dated(1, 2), [])),
]
BAD_RECORDS: list[tuple[str, str, Callable[[], None]]] = [
    ("every-field-appears", "missing", lambda: every_field_appears([FULL, {"id": 1}], objects(name=TEXT))),
    ("every-field-appears", "always null", lambda: every_field_appears([FULL | {"id": None}], SCHEMA)),
    ("every-field-appears", "nested", lambda: every_field_appears([FULL | {"owner": {"x": 1}}], SCHEMA)),
    ("every-field-appears", "in items", lambda: every_field_appears([FULL | {"tags": [{}]}], SCHEMA)),
    ("every-field-appears", "no records", lambda: every_field_appears([], SCHEMA)),
    ("primary-keys-not-null", "null", lambda: primary_keys_not_null([FULL, {"id": None}], [["id"]])),
    ("primary-keys-not-null", "missing", lambda: primary_keys_not_null([FULL, {}], [["id"]])),
    ("primary-keys-not-null", "nested", lambda: primary_keys_not_null([{"id": 1}], [["owner", "name"]])),
    ("second-read-not-older", "older", lambda: second_read_not_older(dated(day(1), day(3)), dated(day(2)), "at")),
    ("second-read-not-older", "offset", lambda: second_read_not_older(dated(day(2)), dated(day(2, "+01:00")), "at")),
    ("second-read-not-older", "number", lambda: second_read_not_older(dated(10), dated(9), "at")),
    (
        "second-read-not-older",
        "beyond the lookback",
        lambda: second_read_not_older(dated(day(4)), dated(day(2)), "at", lookback=timedelta(days=1)),
    ),
    ("two-full-refreshes-identical", "lost", lambda: two_full_refreshes_identical(dated(1, 2), dated(1), [["id"]])),
    ("two-full-refreshes-identical", "new", lambda: two_full_refreshes_identical([], dated(1), [["id"]])),
    ("two-full-refreshes-identical", "changed", lambda: two_full_refreshes_identical(dated(1), dated(2), [["id"]])),
    ("two-full-refreshes-identical", "doubled", lambda: two_full_refreshes_identical(dated(1), dated(1) * 2, [["id"]])),
    ("two-full-refreshes-identical", "no key", lambda: two_full_refreshes_identical(dated(1), dated(2), [])),
]


@pytest.mark.parametrize(("name", "check"), GOOD_RECORDS, ids=[name for name, _ in GOOD_RECORDS])
def test_good_records_pass(name: str, check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    ("rule", "name", "check"), BAD_RECORDS, ids=[f"{rule}: {name}" for rule, name, _ in BAD_RECORDS]
)
def test_bad_records_are_refused_by_their_rule(rule: str, name: str, check: Callable[[], None]) -> None:
    with pytest.raises(AcceptanceViolation) as caught:
        check()
    assert caught.value.rule == rule, str(caught.value)


def test_a_difference_between_two_reads_is_shown() -> None:
    with pytest.raises(AcceptanceViolation) as caught:
        two_full_refreshes_identical(dated(1, 2), dated(1, 3), [["id"]])
    assert str(caught.value).splitlines()[1] == '  [1]: {"at": 2, "id": 1} became {"at": 3, "id": 1}'
