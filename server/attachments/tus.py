"""The words of tus 1.0.0, the protocol of resumable uploads: headers in, headers out, refusals."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Coroutine
from email.utils import format_datetime
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from server.attachments.filing import Standing
from server.attachments.partial import WrongOffset
from server.attachments.pictures import check_digest_name
from server.attachments.store import StoreAway
from server.dependencies import problem_response
from shared.problems import BadEvidence, Conflict, Malformed, Problem, ServerFault
from shared.visit_rules import EVIDENCE_BYTES_MAX

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
OFFERED = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,expiration,termination",
    "Tus-Max-Size": str(EVIDENCE_BYTES_MAX),
}


class Refused(Exception):
    """A problem whose status the protocol prescribes."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.status = status


class TusRoute(APIRoute):
    """Every answer names the protocol, a refusal too; problems leave as problem+json like everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except Refused as refused:
                response = problem_response(refused.problem, refused.status)
            except Problem as problem:
                response = problem_response(problem)
            except WrongOffset as wrong:
                conflict = Conflict(f"The upload goes on at byte {wrong.offset}", field="upload-offset")
                response = problem_response(conflict)
                response.headers["Upload-Offset"] = str(wrong.offset)
            except StoreAway:
                fault = ServerFault("The store of photos is away or full. Nothing was lost; try again later")
                response = problem_response(fault, 503)
            if response.status_code == 412:
                response.headers["Tus-Version"] = VERSION
            response.headers["Tus-Resumable"] = VERSION
            return response

        return answer


def check_version(version: str | None) -> None:
    if version != VERSION:
        raise Refused(Malformed(f"Speak tus {VERSION}", field="tus-resumable"), 412)


def check_content_type(content_type: str | None) -> None:
    if content_type != CONTENT_TYPE:
        raise Refused(Malformed(f"The bytes come as {CONTENT_TYPE}", field="content-type"), 415)


def number(text: str | None, field: str) -> int:
    """A count of bytes from a header."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Malformed(f"{field} is a number of bytes", field=field)
    return int(text)


def length(text: str | None) -> int:
    """The length that is announced. Too much is 413 here, as the protocol has it."""
    announced = number(text, "upload-length")
    if announced > EVIDENCE_BYTES_MAX:
        limit = EVIDENCE_BYTES_MAX // 2**20
        problem = BadEvidence(
            f"The picture is larger than {limit} MB: send it scaled down", field="upload-length"
        )
        raise Refused(problem, 413)
    return announced


def digest(metadata: str | None) -> str:
    """The digest that `Upload-Metadata: sha256 BASE64,…` names."""
    for pair in (metadata or "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "sha256":
            try:
                found = base64.b64decode(value, validate=True).decode("ascii")
            except (binascii.Error, UnicodeDecodeError, ValueError) as error:
                raise Malformed("Metadata is written in base64", field="upload-metadata") from error
            check_digest_name(found)
            return found
    raise Malformed("Name the SHA-256 of the bytes in the metadata", field="upload-metadata")


def headers(standing: Standing) -> dict[str, str]:
    """What every answer about an upload says of it."""
    told = {"Upload-Offset": str(standing.offset), "Cache-Control": "no-store"}
    if standing.expires_at:
        told["Upload-Expires"] = format_datetime(standing.expires_at, usegmt=True)
    return told
