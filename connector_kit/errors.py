"""What can go wrong, what is done about it and what the user is told: one error class and two tables.

A failure is of one of three types, Airbyte's own: `config_error` (the user must change something), `transient_error`
(trying again may help) and `system_error` (the service or this connector misbehaves). Texts are fixed sentences with
named facts; a URL's query, a request body or a config never becomes part of one.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import Enum

import requests.exceptions as rx
import urllib3.exceptions as ux


class Failure(str, Enum):
    """Airbyte's failure types; they drive the platform's retries and whom it asks to act."""

    CONFIG = "config_error"
    TRANSIENT = "transient_error"
    SYSTEM = "system_error"


class ConnectorError(Exception):
    """Ends a stream or a verb. `message` is for the user: what failed, where, what to do."""

    concerns_all = False
    """Whether what it says of one slice of a stream holds for all: then the others are not tried."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


class ConfigError(ConnectorError):
    """The user's configuration, catalog or state cannot be used as it is."""

    concerns_all = True

    def __init__(self, message: str) -> None:
        super().__init__(Failure.CONFIG, message)


class HttpError(ConnectorError):
    """A request that failed for good; `status` is the last answer's, None where no answer came."""

    def __init__(self, failure: Failure, message: str, status: int | None = None) -> None:
        super().__init__(failure, message)
        self.status = status
        self.concerns_all = status in (None, 401, 402, 407, 410)


class UnreadableBody(Exception):
    """A successful answer whose body is not the JSON it should be: an error page, or cut short."""


@dataclass(frozen=True)
class Rule:
    """A row of the table: whether to try again, the failure type once given up, and the text for the user."""

    retry: bool
    failure: Failure
    what: str
    advice: str


_LATER = "The sync can be started again later; nothing is lost."
_REPORT = "Please report this with the log."

STATUS_RULES: dict[range, Rule] = {
    range(300, 400): Rule(
        False,
        Failure.CONFIG,
        "The server redirects to another address",
        "Set base_url to the final https:// address: redirects are not followed, the credentials would travel along.",
    ),
    range(400, 401): Rule(False, Failure.SYSTEM, "The server does not understand the request", _REPORT),
    range(401, 402): Rule(
        False, Failure.CONFIG, "The server does not accept the credentials", "Check them, or create new ones."
    ),
    range(402, 403): Rule(
        False, Failure.CONFIG, "The server asks for payment", "Check the state of the account and its plan."
    ),
    range(403, 404): Rule(
        False,
        Failure.CONFIG,
        "The credentials are valid but may not read this",
        "Ask an administrator of the account for access.",
    ),
    range(404, 405): Rule(
        False,
        Failure.CONFIG,
        "The server does not know this address",
        "Check base_url and the configured ids.",
    ),
    range(405, 407): Rule(False, Failure.SYSTEM, "The server does not offer this request", _REPORT),
    range(407, 408): Rule(
        False, Failure.CONFIG, "A proxy on the way asks for credentials", "Check the proxy settings."
    ),
    range(408, 409): Rule(True, Failure.TRANSIENT, "The server waited too long for the request", _LATER),
    range(409, 410): Rule(True, Failure.TRANSIENT, "The server is busy with a conflicting request", _LATER),
    range(410, 411): Rule(
        False, Failure.CONFIG, "The server says that this address is gone for good", "Check base_url."
    ),
    range(411, 423): Rule(False, Failure.SYSTEM, "The server refuses the request", _REPORT),
    range(423, 426): Rule(True, Failure.TRANSIENT, "The server is not ready for the request", _LATER),
    range(426, 429): Rule(False, Failure.SYSTEM, "The server refuses the request", _REPORT),
    range(429, 430): Rule(
        True,
        Failure.TRANSIENT,
        "The server was asked too often",
        "Set requests_per_minute, or sync less often.",
    ),
    range(430, 500): Rule(False, Failure.SYSTEM, "The server refuses the request", _REPORT),
    range(500, 501): Rule(True, Failure.TRANSIENT, "The server failed", _LATER),
    range(501, 502): Rule(False, Failure.SYSTEM, "The server does not offer this request", _REPORT),
    range(502, 505): Rule(True, Failure.TRANSIENT, "The service is not available at the moment", _LATER),
    range(505, 506): Rule(False, Failure.SYSTEM, "The server does not speak this version of HTTP", _REPORT),
    range(506, 600): Rule(True, Failure.TRANSIENT, "The server failed", _LATER),
}
"""Every status that is not a success. Unlisted numbers are no HTTP statuses and end as `UNKNOWN_STATUS`."""

UNKNOWN_STATUS = Rule(False, Failure.SYSTEM, "The server answers with a status that HTTP does not have", _REPORT)

_BAD_ADDRESS = Rule(
    False,
    Failure.CONFIG,
    "The address cannot be used",
    "Check base_url: it must look like https://api.example.com.",
)
_BAD_PROXY = Rule(False, Failure.CONFIG, "The proxy's address cannot be used", "Check the proxy.")
_SILENT = Rule(True, Failure.TRANSIENT, "The server did not answer in time", _LATER)
_BROKEN = Rule(True, Failure.TRANSIENT, "The connection broke while the answer was read", _LATER)
_UNREACHABLE = Rule(
    True, Failure.TRANSIENT, "No connection to the server", "Check base_url and the network, then try again."
)
_TLS = Rule(True, Failure.TRANSIENT, "The secure connection to the server failed", _LATER)
_CERTIFICATE = Rule(
    False,
    Failure.CONFIG,
    "The server's certificate cannot be trusted",
    "Check base_url. Certificate checks are never switched off.",
)
_UNKNOWN_HOST = Rule(
    True,
    Failure.CONFIG,
    "The server's name cannot be found",
    "Check base_url for a typing mistake, and the network.",
)

EXCEPTION_RULES: tuple[tuple[type[Exception], Rule], ...] = (
    (
        UnreadableBody,
        Rule(True, Failure.SYSTEM, "The server's answer is not valid JSON", "Check base_url. " + _REPORT),
    ),
    (ssl.SSLCertVerificationError, _CERTIFICATE),
    (ux.NameResolutionError, _UNKNOWN_HOST),
    (
        rx.ProxyError,
        Rule(True, Failure.TRANSIENT, "The proxy does not connect to the server", "Check the proxy."),
    ),
    (rx.SSLError, _TLS),
    (rx.ConnectTimeout, _UNREACHABLE),
    (rx.ReadTimeout, _SILENT),
    (ux.ReadTimeoutError, _SILENT),
    (rx.Timeout, _UNREACHABLE),
    (rx.ChunkedEncodingError, _BROKEN),
    (rx.ContentDecodingError, _BROKEN),
    (rx.StreamConsumedError, _BROKEN),
    (ux.ProtocolError, _BROKEN),
    (rx.ConnectionError, _UNREACHABLE),
    (
        rx.InvalidHeader,
        Rule(
            False,
            Failure.CONFIG,
            "The credentials hold characters that no header can carry",
            "Copy them again, without spaces or line breaks.",
        ),
    ),
    (rx.InvalidProxyURL, _BAD_PROXY),
    (ux.ProxySchemeUnknown, _BAD_PROXY),
    (ux.ProxySchemeUnsupported, _BAD_PROXY),
    (rx.InvalidURL, _BAD_ADDRESS),
    (rx.InvalidSchema, _BAD_ADDRESS),
    (rx.MissingSchema, _BAD_ADDRESS),
    (rx.URLRequired, _BAD_ADDRESS),
    (ux.LocationValueError, _BAD_ADDRESS),
    (rx.RequestException, _BROKEN),
    (ux.HTTPError, _BROKEN),
)
"""Everything that can be raised instead of an answer: the first row whose class fits wins, specific ones stand first.

`requests` wraps the interesting causes (a certificate, a name that does not resolve) in wider classes, so the rows are
matched against the whole chain of causes, `causes()`.
"""


def rule_for_status(status: int) -> Rule:
    """The row of an answer that is no success."""
    return next((rule for statuses, rule in STATUS_RULES.items() if status in statuses), UNKNOWN_STATUS)


def rule_for_exception(error: Exception) -> Rule | None:
    """The row of an exception of the HTTP stack; None for anything else, which is a defect of the caller's."""
    chain = causes(error)
    for kind, rule in EXCEPTION_RULES:
        if any(isinstance(cause, kind) for cause in chain):
            return rule
    return None


def causes(error: BaseException) -> list[BaseException]:
    """The exception, and what it wraps: in its arguments, as its `reason`, or as the context it was raised in."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and not any(item is seen for seen in found):
            found.append(item)
            waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found
