"""From the kit's errors to the CDK's, with every secret masked before a text leaves."""

from __future__ import annotations

import traceback

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from connector_kit import secrets
from connector_kit.errors import ConnectorError, Failure


def protect(forms: list[str]) -> None:
    """Masks these texts in every log line, trace and message from here on; see `connector_kit.secrets`."""
    secrets.protect(forms)
    for form in forms:
        add_to_secrets(form)


def traced(error: Exception, where: str | None = None) -> AirbyteTracedException:
    """The exception that the CDK prints as a TRACE message.

    Its own stack trace would show only this line, and the CDK's engine prints it unmasked; so the trace of an
    unexpected error goes, masked, into `internal_message`. Raise it `from None`.
    """
    prefix = f"{where}: " if where else ""
    if isinstance(error, AirbyteTracedException):
        return error
    if isinstance(error, ConnectorError):
        message = filter_secrets(prefix + error.message)
        return AirbyteTracedException(message, message, FailureType(error.failure.value))
    message = (
        f"{prefix}an unexpected {type(error).__name__} stopped the connector. "
        "This is a defect; please report it with the log."
    )
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return AirbyteTracedException(filter_secrets(details), filter_secrets(message), FailureType.system_error)


def worst(failures: list[AirbyteTracedException]) -> Failure:
    """What to call a sync of which several streams failed: trying again helps if it helps one of them."""
    types = {failure.failure_type for failure in failures}
    if FailureType.transient_error in types:
        return Failure.TRANSIENT
    return Failure.SYSTEM if FailureType.system_error in types else Failure.CONFIG
