"""Whose answer is it, and what does it say? Pure. Only what our server plainly said may change anything."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from shared.problems import Malformed, Problem, every_problem, type_uri
from sync.client.messages import Answered, Garbled, Heard, Refused
from sync.client.records import Registration
from sync.client.transport import Answer
from sync.protocol import decode_response

NOT_OURS = "Something else than the Truckroll server answered: sign in to this network, or use another one."
SERVER_TROUBLE = "The server has trouble. Your work is kept and will be sent later."
HALF_AN_ANSWER = "The server's answer could not be read. Your work is kept and will be sent again."

RETRY_AFTER_MAX = 3600.0
"""A misconfigured proxy shall not keep a phone silent for a day."""


def problem_in(answer: Answer) -> Problem | None:
    """The refusal in an answer, or None when it is no problem+json of ours."""
    if "application/problem+json" not in answer.headers.get("content-type", ""):
        return None
    body = _json(answer.body)
    uri, detail = body.get("type"), body.get("detail")
    if not (isinstance(uri, str) and uri.startswith(type_uri) and isinstance(detail, str)):
        return None
    slug = uri.removeprefix(type_uri)
    leaf = next((kind for kind in every_problem() if kind.slug == slug), Problem)
    field, subject = body.get("field"), body.get("subject")
    return leaf(
        detail,
        field=field if isinstance(field, str) else None,
        subject=subject if isinstance(subject, str) else None,
    )


def read_sync(answer: Answer) -> Answered:
    """Heard, Refused or Garbled."""
    if answer.status == 200:
        try:
            return Heard(decode_response(answer.body))
        except Malformed:
            cut = answer.body.lstrip().startswith(b"{")
            return Garbled(200, HALF_AN_ANSWER if cut else NOT_OURS)
    return refusal(answer)


def read_registration(answer: Answer) -> Registration:
    """Raises the server's Problem, or Malformed when somebody else answered."""
    if answer.status == 201:
        body = _json(answer.body)
        try:
            technician = body["technician"]
            return Registration(
                device_id=UUID(body["device_id"]),
                token=str(body["token"]),
                technician_id=UUID(technician["id"]),
                technician_name=str(technician["name"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Malformed(HALF_AN_ANSWER) from error
    raise problem_in(answer) or Malformed(refusal(answer).detail)


def refusal(answer: Answer) -> Refused | Garbled:
    seconds = _retry_after(answer)
    if problem := problem_in(answer):
        return Refused(answer.status, problem.detail, problem.slug, seconds)
    return Garbled(answer.status, SERVER_TROUBLE if answer.status >= 500 else NOT_OURS, seconds)


def _retry_after(answer: Answer) -> float:
    """Seconds; 0 when nothing was asked for, or as a date."""
    asked = answer.headers.get("retry-after", "").strip()
    return min(float(asked), RETRY_AFTER_MAX) if asked.isascii() and asked.isdigit() else 0.0


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
