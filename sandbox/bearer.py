"""What the surfaces of the first two generations share: the personal token, and the headers of their answers."""

from __future__ import annotations

import hmac
import uuid
from http import HTTPStatus

from starlette.requests import Request

from sandbox.answer import Answer
from sandbox.journal import Authorization
from sandbox.surface import Surface


class BearerApi(Surface):
    """A surface that takes `Authorization: Bearer <token>`."""

    def authorization(self, request: Request) -> Authorization:
        given = request.headers.get("authorization")
        if given is None:
            return "missing"
        expected = f"Bearer {self.stage.token}"
        return "right" if hmac.compare_digest(given.encode(), expected.encode()) else "wrong"

    def headers(self, answer: Answer, seconds: float) -> dict[str, str]:
        try:
            status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        except ValueError:
            status = str(answer.status)
        fresh = answer.status in (200, 304)
        return {
            "server": "nginx/1.6.2",
            "status": status,
            "cache-control": "max-age=0, private, must-revalidate" if fresh else "no-cache",
            "vary": "Accept-Encoding",
            "x-request-id": str(uuid.uuid4()),
            "x-runtime": f"{seconds:.6f}",
        }


def phrase(status: int) -> str:
    """`Not Found` and its like; `Error` for a status without a name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
