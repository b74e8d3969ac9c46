"""The typed config. spec.json says what a value must look like; this says it to the user, field by field."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from urllib.parse import urlsplit

import pendulum
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from connector_kit.errors import ConfigError
from source_kissmetrics import __version__

LATER = {
    "queries": "ad-hoc queries",
    "raw_export": "the raw data export",
    "csv_exports": "CSV exports",
    "webhooks": "webhooks",
    "properties": "data minimisation (there is no stream with properties to apply it to)",
}
"""Parts of the config whose streams this version does not have. Set, they are an error: silence would look like
success."""

QUERY_HOSTS = {"https://api.kissmetrics.com": "https://query.kissmetrics.com"}
"""Where queries run, for the Core API's own host: version 1 points there and back, version 2 lives there."""

SECRETS = ("api_token", "password", "aws_secret_access_key")
"""The fields that spec.json marks as secret."""


@dataclass(frozen=True)
class ApiToken:
    """Access to the Core API."""

    api_token: str
    base_url: str


@dataclass(frozen=True)
class PeopleSearch:
    """How saved people searches are run."""

    report_ids: tuple[str, ...]
    """Reports to run; empty for all that can be."""
    window: str
    """What one run covers: `day`, `week`, `month`, or `all` of the range."""
    lookback_days: int
    """Days after its end during which a window may still change, and is run again."""
    dialect: str
    """Generation of the query API, `v1` or `v2`."""
    timeout_minutes: int
    query_base_url: str
    """Origin of the query service; together with the Core API's, the only ones that see the token."""


@dataclass(frozen=True)
class Config:
    """A config that holds what it promises: checked, with defaults filled in."""

    credentials: ApiToken
    start_date: date | None = None
    """First day of query windows, in the product's time zone."""
    end_date: date | None = None
    """Last day, inclusive; None for yesterday."""
    product_ids: tuple[str, ...] = ()
    """Products to read; empty for all."""
    include_tracking_keys: bool = False
    people_search: PeopleSearch | None = None
    """None where it is not configured: then its stream is not offered."""
    metric_interval: str | None = None
    """`day`, `week` or `month`; None where metric series are not enabled."""
    num_workers: int = 8
    requests_per_minute: int | None = None
    page_size: int | None = None

    @property
    def query_hosts(self) -> list[str]:
        """Origins besides the Core API's that may see the token: where queries run, if any are configured."""
        if self.people_search:
            return [self.people_search.query_base_url]
        own = self.credentials.base_url
        return [QUERY_HOSTS.get(own, own)] if self.metric_interval else []


def parse(raw: Mapping[str, Any]) -> Config:
    """The typed config. Raises ConfigError that says which field is wrong, and what to do."""
    config = _without_empty(raw)
    schema = _schema()
    properties = schema["properties"]
    variants = properties["credentials"].pop("oneOf")
    properties["credentials"] |= _variant(config, variants)
    problems = sorted(Draft7Validator(schema).iter_errors(config), key=lambda problem: list(map(str, problem.path)))
    if problems:
        secrets = _secrets(config)
        raise ConfigError(" ".join(dict.fromkeys(_sentence(problem, secrets).strip() for problem in problems)))
    _refuse_later(config)
    start, end = _day(config, "start_date"), _day(config, "end_date")
    if start and end and end < start:
        raise ConfigError(f"end_date: {end} lies before start_date {start}. Swap them, or leave end_date empty.")
    credentials = _api_token(config["credentials"], properties["credentials"])
    series = config.get("metric_series", {})
    metric_interval = series.get("interval", "day") if series.get("enabled") else None
    for part in ("people_search", *(["metric_series"] if metric_interval else [])):
        if part in config and start is None:
            raise ConfigError(f"start_date: is missing. {part} needs the first day to query. Write YYYY-MM-DD.")
    return Config(
        credentials=credentials,
        start_date=start,
        end_date=end,
        product_ids=tuple(dict.fromkeys(config.get("product_ids", ()))),
        include_tracking_keys=config.get("include_tracking_keys", False),
        people_search=_people_search(config, credentials) if "people_search" in config else None,
        metric_interval=metric_interval,
        # To JSON Schema, 8.0 is an integer too.
        **{name: int(config[name]) for name in ("num_workers", "requests_per_minute", "page_size") if name in config},
    )


def _schema() -> dict[str, Any]:
    content = pkgutil.get_data("source_kissmetrics", "spec.json")
    assert content is not None
    schema: dict[str, Any] = json.loads(content)["connectionSpecification"]
    return deepcopy(schema)


def _without_empty(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves out what a form sends for a field that nobody filled in: null, and empty text, at any depth of objects."""
    return {
        key: _without_empty(value) if isinstance(value, Mapping) else value
        for key, value in raw.items()
        if value is not None and value != ""
    }


def _variant(config: Mapping[str, Any], variants: list[dict[str, Any]]) -> dict[str, Any]:
    """The schema of the chosen credentials, so that an error is about them and not about all that were not chosen."""
    by_type = {variant["properties"]["auth_type"]["const"]: variant for variant in variants}
    credentials = config.get("credentials")
    if not isinstance(credentials, Mapping):
        return {}
    auth_type = credentials.get("auth_type")
    if not isinstance(auth_type, str) or auth_type not in by_type:
        raise ConfigError(f"credentials.auth_type: must be one of {', '.join(by_type)}.")
    return by_type[auth_type]


def _secrets(config: Mapping[str, Any]) -> list[str]:
    """The secrets that the config holds, for none of them is shown, in whatever field it turns up."""
    parts = [part for part in config.values() if isinstance(part, Mapping)]
    return [part[name] for part in parts for name in SECRETS if isinstance(part.get(name), str)]


def _is_shown(value: Any, schema: Mapping[str, Any], secrets: list[str]) -> bool:
    """Whether a wrong value may be told: never a secret, nor a URL with a password."""
    if schema.get("airbyte_secret") or isinstance(value, (dict, list)):
        return False
    return not isinstance(value, str) or not any(hidden in value for hidden in ("@", *secrets))


def _sentence(problem: ValidationError, secrets: list[str]) -> str:
    """One wrong field, in words. The value is shown only where it cannot be a secret."""
    path = ".".join(str(part) for part in problem.absolute_path)
    field = path or "config"
    schema = problem.schema if isinstance(problem.schema, Mapping) else {}
    shown = f" {problem.instance!r}" if _is_shown(problem.instance, schema, secrets) else ""
    rule: str = str(problem.validator)
    value: Any = problem.validator_value
    if rule == "required":
        prefix = f"{path}." if path else ""
        hints = schema.get("properties", {})
        missing = [name for name in value if name not in cast(dict[str, Any], problem.instance)]
        return " ".join(f"{prefix}{name}: is missing. {_hint(hints.get(name, {}))}".strip() for name in missing)
    if rule == "type":
        kinds = [value] if isinstance(value, str) else [kind for kind in value if kind != "null"]
        return f"{field}: must be of the type {' or '.join(kinds)}, not {type(problem.instance).__name__}."
    if rule == "enum":
        return f"{field}:{shown} is not one of {', '.join(map(str, value))}."
    if rule == "pattern":
        return f"{field}:{shown} is not allowed. Write it as {schema.get('pattern_descriptor', value)}. {_hint(schema)}"
    if rule in ("minimum", "maximum"):
        return f"{field}:{shown} is too {'small' if rule == 'minimum' else 'large'}; the {rule} is {value}."
    return f"{field}: must not be empty. {_hint(schema)}"


def _hint(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", ""))


def _refuse_later(config: Mapping[str, Any]) -> None:
    auth_type = config["credentials"]["auth_type"]
    if auth_type != "api_token":
        raise ConfigError(
            f"credentials.auth_type: {auth_type!r} is not supported by version {__version__} of this connector. "
            "Choose api_token, or use a later version."
        )
    for name, what in LATER.items():
        part = config.get(name)
        if any(part.values()) if isinstance(part, dict) else part:
            raise ConfigError(
                f"{name}: version {__version__} of this connector does not read {what} yet. Remove {name} from the "
                "config, or use a later version."
            )


def _api_token(credentials: Mapping[str, Any], schema: Mapping[str, Any]) -> ApiToken:
    token = credentials["api_token"].strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            "credentials.api_token: holds characters that no token has. Copy it again, without spaces or line breaks."
        )
    base_url = credentials.get("base_url", schema["properties"]["base_url"]["default"])
    if not _is_plain(base_url):
        raise ConfigError(
            "credentials.base_url: must hold only scheme, host and path, such as https://api.kissmetrics.com; "
            "no user name, query or fragment."
        )
    return ApiToken(token, base_url.rstrip("/"))


def _people_search(config: Mapping[str, Any], credentials: ApiToken) -> PeopleSearch:
    part = config["people_search"]
    own = credentials.base_url
    query_base_url = part.get("query_base_url", QUERY_HOSTS.get(own, own))
    if not _is_plain(query_base_url):
        raise ConfigError(
            "people_search.query_base_url: must hold only scheme, host and path, such as "
            "https://query.kissmetrics.com; no user name, query or fragment."
        )
    return PeopleSearch(
        report_ids=tuple(dict.fromkeys(part.get("report_ids", ()))),
        window=part.get("window", "day"),
        lookback_days=int(part.get("lookback_days", 1)),
        dialect=part.get("dialect", "v1"),
        timeout_minutes=int(part.get("timeout_minutes", 60)),
        query_base_url=query_base_url.rstrip("/"),
    )


def _is_plain(base_url: str) -> bool:
    """Whether a URL can be taken apart, and has nothing besides scheme, host, port and path."""
    try:
        parts = urlsplit(base_url)
        return (
            base_url.isprintable()
            and " " not in base_url
            and parts.port != 0
            and not (parts.username or parts.password or parts.query or parts.fragment)
        )
    except ValueError:
        return False


def _day(config: Mapping[str, Any], field: str) -> date | None:
    text = config.get(field)
    if text is None:
        return None
    try:
        return pendulum.Date.fromisoformat(text[:10])
    except ValueError:
        raise ConfigError(f"{field}: {text!r} is no day of the calendar. Write YYYY-MM-DD.") from None
