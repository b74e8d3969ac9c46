"""The assertions of Airbyte's retired connector acceptance tests, and its spec lint, as plain functions.

They judge what a source says (its spec) and what it delivers over several runs; `protocol` judges how it
says it. Each raises `AcceptanceViolation` with the rule's name and every place that breaks it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from integration_tests.protocol import iter_subschemas, parse_rfc3339

Json = dict[str, Any]
FieldPath = Sequence[str]

_SHOWN = 10


class AcceptanceViolation(AssertionError):
    """A rule is broken; the message lists the first places."""

    def __init__(self, rule: str, problems: Sequence[str]) -> None:
        more = [f"... and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        super().__init__("\n  ".join([f"[{rule}]", *problems[:_SHOWN], *more]))
        self.rule = rule


def _refuse_any(rule: str, problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        raise AcceptanceViolation(rule, found)


# --- Spec -------------------------------------------------------------------------------------------------


def check_spec_rules(spec: Mapping[str, Any]) -> None:
    """Hold the `spec` member of a SPEC message against every rule of `SPEC_RULES`."""
    schema = spec["connectionSpecification"]
    for rule, find_problems in SPEC_RULES.items():
        _refuse_any(rule, find_problems(schema))


_FORBIDDEN = (
    "anyOf", "allOf", "not", "if", "then", "else",
    "patternProperties", "prefixItems", "dependentSchemas", "dependentRequired",
)  # fmt: skip


def _forbidden_keywords(schema: Json) -> Iterator[str]:
    """The UI's form builder does not know these; at the root, oneOf also hides secrets from the log filter."""
    if "oneOf" in schema:
        yield "oneOf at #"
    for pointer, sub in iter_subschemas(schema):
        yield from (f"{keyword} at {pointer}" for keyword in _FORBIDDEN if keyword in sub)


def _references(schema: Json) -> Iterator[str]:
    """The platform does not resolve references."""
    for pointer, sub in iter_subschemas(schema):
        if "$ref" in sub:
            yield f"{sub['$ref']} at {pointer}"


def _closed_objects(schema: Json) -> Iterator[str]:
    """A closed object makes the removal of an option break saved configs."""
    for pointer, sub in iter_subschemas(schema):
        if sub.get("additionalProperties", True) is not True:
            yield f"additionalProperties is not true at {pointer}"


def _repeated_enum_values(schema: Json) -> Iterator[str]:
    """The UI shows each value as a choice."""
    for pointer, sub in iter_subschemas(schema):
        counts = Counter(json.dumps(value, sort_keys=True) for value in sub.get("enum", ()))
        yield from (f"{value} occurs {count} times at {pointer}" for value, count in counts.items() if count > 1)


def _empty_objects(schema: Json) -> Iterator[str]:
    """The UI has nothing to show for an object without properties; only the root may be empty."""
    for pointer, sub in iter_subschemas(schema):
        if pointer != "#" and _main_type(sub) == "object" and not sub.get("properties") and "oneOf" not in sub:
            yield pointer


def _mixed_arrays(schema: Json) -> Iterator[str]:
    """The UI edits lists of one kind: objects, texts, numbers or choices."""
    for pointer, sub in iter_subschemas(schema):
        items = sub.get("items")
        if _main_type(sub) != "array" or items is None:
            continue
        single = isinstance(items, dict) and (
            items.get("type") in ("object", "string", "number", "integer") or "enum" in items
        )
        if not single:
            yield f"items at {pointer}"


def _mixed_properties(schema: Json) -> Iterator[str]:
    """The UI has one input per property: one type, or that type and then "null"."""
    for prop in _properties(schema):
        declared = prop.schema.get("type")
        if isinstance(declared, list) and (len(declared) not in (1, 2) or declared[1:] not in ([], ["null"])):
            yield f"type {declared} at {prop.pointer}"


def _dates_without_pattern(schema: Json) -> Iterator[str]:
    """The date picker writes what the pattern says, and the UI checks nothing else."""
    for prop in _properties(schema):
        if prop.schema.get("format") in ("date", "date-time") and not prop.schema.get("pattern"):
            yield prop.pointer


def _bad_choices(schema: Json) -> Iterator[str]:
    """The UI tells the variants of a oneOf apart by exactly one constant that all of them have."""
    for pointer, sub in iter_subschemas(schema):
        if "oneOf" in sub:
            yield from (f"{problem} at {pointer}" for problem in _choice_problems(sub))


def _choice_problems(parent: Json) -> Iterator[str]:
    if parent.get("type") != "object":
        yield "oneOf in something that is not of type object"
    variants = parent["oneOf"]
    if not all(isinstance(variant, dict) and variant.get("properties") for variant in variants):
        yield "a variant without properties"
        return
    constants = [{name for name, sub in variant["properties"].items() if "const" in sub} for variant in variants]
    common = sorted(set.intersection(*constants))
    if len(common) != 1:
        yield f"{len(common)} constants {common} common to all variants, not 1"
        return
    selectors = [variant["properties"][common[0]] for variant in variants]
    if any("default" in selector or "enum" in selector for selector in selectors):
        yield f"`default` or `enum` in the constant {common[0]}"
    if len({json.dumps(selector["const"]) for selector in selectors}) < len(selectors):
        yield f"two variants with the same {common[0]}"


def _main_type(schema: Mapping[str, Any]) -> Any:
    declared = schema.get("type")
    return declared[0] if isinstance(declared, list) and declared else declared


class _Property(NamedTuple):
    """A property of the form, or the items of one: they are secret together."""

    pointer: str
    name: str
    siblings: frozenset[str]
    schema: Json


def _properties(schema: Json) -> Iterator[_Property]:
    for pointer, parent in iter_subschemas(schema):
        children = parent.get("properties", {})
        for name, child in children.items():
            place = f"{pointer}/properties/{name}"
            while isinstance(child, dict):
                yield _Property(place, name, frozenset(children) - {name}, child)
                child, place = child.get("items"), f"{place}/items"


_SECRET_NAMES = frozenset(
    {
        "access_token",
        "api_token",
        "certificate",
        "client_secret",
        "client_token",
        "credentials",
        "jwt",
        "key",
        "password",
        "refresh_token",
        "secret",
        "service_account",
        "service_account_info",
        "token",
    }
)
_SECRET_ENDINGS = (
    "_token", "_secret", "password", "api_key", "apikey", "secret_key", "private_key", "access_key",
)  # fmt: skip
_SECRET_TYPES = frozenset({"string", "integer", "number"})


def _badly_marked_secrets(schema: Json) -> Iterator[str]:
    """An unmarked secret is shown in the UI, stored in clear text, and not masked in logs.

    `airbyte_secret: false` says that a name which looks like a secret is none.
    """
    for prop in _properties(schema):
        mark = prop.schema.get("airbyte_secret")
        declared = prop.schema.get("type")
        types = {declared} if isinstance(declared, str) else set(declared or ())
        can_be_secret = bool(types & _SECRET_TYPES) and "const" not in prop.schema
        if mark is not None and not isinstance(mark, bool):
            yield f"airbyte_secret is {mark!r}, not a boolean, at {prop.pointer}"
        elif mark and not can_be_secret:
            yield f"airbyte_secret on {sorted(types) or 'no type'} at {prop.pointer}"
        elif mark is None and can_be_secret and _is_secret_name(prop.name, prop.siblings):
            yield f"no airbyte_secret at {prop.pointer}"


def _is_secret_name(name: str, siblings: Collection[str]) -> bool:
    snake = _snake(name)
    if snake in _SECRET_NAMES:
        return True
    if snake.endswith("access_key") and not snake.endswith("secret_access_key"):
        # Beside its secret half, an access key is only the name of the pair.
        others = map(_snake, siblings)
        return not any(other == "secret" or other.endswith(("_secret", "secret_key")) for other in others)
    return snake.endswith(_SECRET_ENDINGS)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")


SPEC_RULES: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "spec-forbidden-keyword": _forbidden_keywords,
    "spec-no-ref": _references,
    "spec-open": _closed_objects,
    "spec-enum-unique": _repeated_enum_values,
    "spec-object-not-empty": _empty_objects,
    "spec-array-items": _mixed_arrays,
    "spec-property-type": _mixed_properties,
    "spec-date-pattern": _dates_without_pattern,
    "spec-one-of": _bad_choices,
    "spec-secret-marked": _badly_marked_secrets,
}


# --- Records ----------------------------------------------------------------------------------------------


def every_field_appears(
    records: Iterable[Json], schema: Json, *, optional: Collection[str] = (), allow_null: bool = False
) -> None:
    """Each declared field has a value in at least one record: a misspelt one never has.

    `optional` lists dotted names that may stay absent; `allow_null` is the original, milder rule, for which a
    null is enough.
    """
    seen: set[str] = set()
    for record in records:
        seen.update(_present_fields(record, allow_null))
    missing = [name for name in _declared_fields(schema) if name not in seen and name not in optional]
    _refuse_any("every-field-appears", (f"{name} is in no record" for name in missing))


def _declared_fields(schema: Json, prefix: str = "") -> Iterator[str]:
    for name, child in schema.get("properties", {}).items():
        yield prefix + name
        yield from _declared_fields(child, f"{prefix}{name}.")
    if isinstance(schema.get("items"), dict):
        yield from _declared_fields(schema["items"], prefix)


def _present_fields(value: Any, allow_null: bool, prefix: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _present_fields(item, allow_null, prefix)
    elif isinstance(value, dict):
        for name, child in value.items():
            if child is not None or allow_null:
                yield prefix + name
                yield from _present_fields(child, allow_null, f"{prefix}{name}.")


def primary_keys_not_null(records: Iterable[Json], primary_key: Sequence[FieldPath]) -> None:
    """Every part of the key has a value in every record: a null key cannot be deduplicated."""
    _refuse_any(
        "primary-keys-not-null",
        (
            f"record {index}: {'.'.join(path)} is null or missing"
            for index, record in enumerate(records)
            for path in primary_key
            if _value_at(record, path) is None
        ),
    )


def _value_at(record: Any, path: FieldPath) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


# --- Several runs -----------------------------------------------------------------------------------------


def second_read_not_older(
    first: Iterable[Json], second: Iterable[Json], cursor: FieldPath | str, *, lookback: timedelta = timedelta(0)
) -> None:
    """A read that resumes gives nothing older than the newest record of the read before it.

    Records whose cursor is null are left out: they are always read. `lookback` is what the stream reads again
    on purpose; it needs a cursor of date-times or dates.
    """
    path = [cursor] if isinstance(cursor, str) else cursor
    known = [_comparable(value) for record in first if (value := _value_at(record, path)) is not None]
    if not known:
        return
    floor = max(known) - lookback if lookback else max(known)
    _refuse_any(
        "second-read-not-older",
        (
            f"record {index}: {value} is older than {floor}"
            for index, record in enumerate(second)
            if (value := _value_at(record, path)) is not None and _comparable(value) < floor
        ),
    )


def _comparable(value: Any) -> Any:
    """Date-times compare as instants whatever their offsets, and dates as midnight in UTC."""
    if not isinstance(value, str):
        return value
    return parse_rfc3339(value) or parse_rfc3339(f"{value}T00:00:00Z") or value


def two_full_refreshes_identical(a: Iterable[Json], b: Iterable[Json], keys: Sequence[FieldPath]) -> None:
    """Two full reads of unchanged data give the same records, in whatever order.

    Records are matched by `keys` (whole records if there are none), so the message can name what differs.
    """
    first, second = _by_key(a, keys), _by_key(b, keys)
    problems = []
    for key in sorted(first.keys() | second.keys()):
        if first.get(key, []) != second.get(key, []):
            problems.append(f"{key}: {_sides(first.get(key, []), second.get(key, []))}")
    _refuse_any("two-full-refreshes-identical", problems)


def _by_key(records: Iterable[Json], keys: Sequence[FieldPath]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for record in records:
        whole = json.dumps(record, sort_keys=True)
        key = json.dumps([_value_at(record, path) for path in keys]) if keys else whole
        grouped.setdefault(key, []).append(whole)
    return {key: sorted(wholes) for key, wholes in grouped.items()}


def _sides(first: Sequence[str], second: Sequence[str]) -> str:
    if len(first) != len(second):
        return f"{len(first)} times in the first read, {len(second)} times in the second"
    return f"{' '.join(first)[:200]} became {' '.join(second)[:200]}"
