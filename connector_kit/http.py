"""The HTTP client: one origin, one set of credentials, JSON answers, and a table that decides about every failure."""

from __future__ import annotations

import json
import logging
import math
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from connector_kit.errors import (
    ConfigError,
    HttpError,
    Rule,
    UnreadableBody,
    rule_for_exception,
    rule_for_status,
)

_LOG = logging.getLogger("airbyte.http")


_PLAIN_URL = re.compile(r"https?://[\w.:\[\]-]+(?:[/?#][!-\[\]-~]*)?", re.ASCII).fullmatch
"""URLs that every parser takes apart alike: no user name before the host, no backslash, blank or control character."""


class BearerAuth(AuthBase):
    """`Authorization: Bearer <token>`.

    An auth object rather than a header: `requests` would replace a plain header with what a `~/.netrc` holds for the
    host.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Pacer:
    """Spaces request starts evenly over all threads: `per_minute` of them at most in any minute; None sets no limit."""

    def __init__(
        self,
        per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when the caller's turn has come; turns are given in the order of the calls."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)


@dataclass(frozen=True)
class Patience:
    """How long failures are borne before a request is given up."""

    attempts: int = 5
    """Tries of a request, the first included; not counted where the server limits the rate or names a time to come
    back."""
    max_wait: float = 600.0
    """Seconds spent waiting between the tries of one request."""
    timeout: tuple[float, float] = (10.0, 60.0)
    """Seconds to connect, and between two bytes of an answer."""


@dataclass(frozen=True)
class Answer:
    """A successful answer."""

    status: int
    body: Any
    """The decoded JSON; None for an empty body, which only a POST may have."""
    served_at: datetime
    """The server's clock; ours at sending, if it sends no `Date`."""
    location: str | None = None
    """The Location header."""


@dataclass
class _Failed:
    """One failed try."""

    rule: Rule
    status: int | None = None
    retry_after: float | None = None
    request_id: str | None = None
    facts: list[str] = field(default_factory=list)


class HttpClient:
    """Sends requests to one origin, and to those in `trusted`. Thread-safe.

    `advice` replaces the table's advice for a status with the vendor's own words. Redirects are not followed and no
    URL of another origin is ever requested, so the credentials cannot leave for another host.
    """

    def __init__(
        self,
        base_url: str,
        auth: AuthBase,
        *,
        user_agent: str,
        connections: int,
        pacer: Pacer,
        trusted: Collection[str] = (),
        patience: Patience | None = None,
        advice: Mapping[int, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._origins = {origin(url) for url in (base_url, *trusted)}
        self._pacer = pacer
        self._patience = patience or Patience()
        self._advice = dict(advice or {})
        self._sleep = sleep
        self._jitter = jitter
        self._session = requests.Session()
        self._session.auth = auth
        # Else it would take a redirect's Location apart, and raise a bare ValueError for a malformed one.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        adapter = HTTPAdapter(pool_connections=len(self._origins), pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # Proxies and certificates of the environment, looked up once: `Session.get` would do so for each request.
        self._environment = self._session.merge_environment_settings(self._base_url, {}, True, None, None)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """GETs a path of the origin, or an absolute URL on it, and tries again as the table says.

        Raises HttpError once given up, ConfigError for a URL of another origin.
        """
        return self._send("GET", path, params, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POSTs JSON, as `get` GETs. Tried again like a GET: what it starts may have been started twice then."""
        return self._send("POST", path, None, body)

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> Answer:
        url = self.url(path)
        where = f"{method} {urlsplit(url).netloc.rpartition('@')[2]}{urlsplit(url).path}"
        waited = 0.0
        for attempt in count(1):
            self._pacer.wait()
            outcome = self._try(method, url, params, body)
            if isinstance(outcome, Answer):
                return outcome
            delay = self._delay(outcome, attempt)
            if delay is None or waited + delay > self._patience.max_wait:
                raise self._error(outcome, where, attempt)
            _LOG.warning("%s (%s); try %d follows in %.1f s.", outcome.rule.what, where, attempt + 1, delay)
            waited += delay
            self._sleep(delay)
        raise AssertionError("unreachable: the loop has no end")

    def url(self, path: str) -> str:
        """The absolute URL of a path. A full URL passes only if its origin is the client's own, or trusted."""
        if path.startswith("/") and not path.startswith("//"):
            return self._base_url + path
        self._require_origin(path if _PLAIN_URL(path) else "")
        return path

    def _require_origin(self, url: str) -> None:
        if origin(url) not in self._origins:
            known = ", ".join(sorted(_shown(known) for known in self._origins))
            raise ConfigError(
                f"The service points to {_shown(origin(url))}, but only {known} may receive the credentials. "
                "Set base_url to the service's present address."
            )

    def _try(
        self, method: str, url: str, params: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> Answer | _Failed:
        sent_at = datetime.now(timezone.utc)
        try:
            request = self._session.prepare_request(requests.Request(method, url, params=params, json=body))
            self._require_origin(request.url or "")  # once more, as the library that connects has understood it
            response = self._session.send(
                request, timeout=self._patience.timeout, allow_redirects=False, **self._environment
            )
            if not 200 <= response.status_code < 300:
                return self._refused(response)
            # In one piece: `response.content` takes it in pieces of 10 KB, which costs a quarter of a page's time.
            content = response.raw.read(decode_content=True)
            served_at = _parse_date(response.headers.get("Date", "")) or sent_at
            is_empty = method == "POST" and not content
            decoded = None if is_empty else _decode(content)
            return Answer(response.status_code, decoded, served_at, response.headers.get("Location"))
        except Exception as error:
            rule = rule_for_exception(error)
            if rule is None:
                raise
            return _Failed(rule, facts=[str(error)] if isinstance(error, UnreadableBody) else [])

    def _refused(self, response: requests.Response) -> _Failed:
        response.raw.drain_conn()  # frees the connection; whatever is wrong with the body, the status decides
        facts = [f"status {response.status_code}"]
        target = _host(response.headers.get("Location", "")) if response.is_redirect else None
        if target:
            facts.append(f"to the host {target}")
        return _Failed(
            rule_for_status(response.status_code),
            status=response.status_code,
            retry_after=parse_retry_after(response.headers.get("Retry-After")),
            request_id=response.headers.get("X-Request-Id"),
            facts=facts,
        )

    def _delay(self, failed: _Failed, attempt: int) -> float | None:
        """Seconds until the next try, None for no further one.

        Half of the exponential wait is random, so that workers that failed together do not come back together. It is
        added to a time that the server names; then, and where the server was asked too often, only `max_wait` ends
        the tries.
        """
        if not failed.rule.retry:
            return None
        if attempt >= self._patience.attempts and failed.retry_after is None and failed.status != 429:
            return None
        backoff = min(60.0, 2.0 ** (attempt - 1)) * (0.5 + self._jitter() / 2)
        return (failed.retry_after or 0.0) + backoff

    def _error(self, failed: _Failed, where: str, attempts: int) -> HttpError:
        facts = [*failed.facts, where]
        if attempts > 1:
            facts.append(f"{attempts} tries")
        if failed.request_id:
            facts.append(f"request id {failed.request_id}")
        advice = self._advice.get(failed.status or 0, failed.rule.advice)
        return HttpError(failed.rule.failure, f"{failed.rule.what} ({', '.join(facts)}). {advice}", failed.status)


def _decode(content: bytes) -> Any:
    """The JSON of a body. Half of a surrogate pair, or bytes that are no UTF-8, become replacement characters: a name
    that was cut within an emoji must not stop a stream."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        try:
            repaired = json.dumps(json.loads(content.decode("utf-8", "replace")), ensure_ascii=False)
            decoded = orjson.loads(repaired.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        except ValueError:
            kind = "an HTML page" if content.lstrip()[:1] == b"<" else "not JSON"
            raise UnreadableBody(f"{len(content)} bytes, {kind if content else 'empty'}") from None
        _LOG.warning("An answer holds characters that are no Unicode; they are replaced.")
        return decoded


def _host(url: str) -> str | None:
    """The host of a URL; None for a relative or malformed one."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _shown(of: tuple[str, str, int]) -> str:
    """An origin in words."""
    scheme, host, port = of
    return f"{scheme}://{host}:{port}" if host else "an address that cannot be read"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what must be equal for two URLs to share credentials. A malformed URL has none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0


def parse_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds to wait according to a `Retry-After` header, given in seconds or as a date; None if there is none to
    use."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _parse_date(value)
        if moment is None:
            return None
        seconds = (moment - (now or datetime.now(timezone.utc))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _parse_date(text: str) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
