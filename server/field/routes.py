"""The phone's door for commands and images: POST /sync. Photos have one of their own, server/attachments."""

from __future__ import annotations

import gzip
import time
import zlib
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from server.access import devices
from server.access.limits import limit_syncs, limits_of
from server.clock import utc_now
from server.field.exchange import Exchanged, exchange
from shared.problems import Malformed
from sync.protocol import encode_response

router = APIRouter(tags=["field"])

BODY_BYTES_MAX = 8 * 1024 * 1024
PACKED_FROM_BYTES = 1_000

_HEADERS = {
    "parameters": [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        for name in ("authorization", "accept-encoding")
    ]
}
"""For the description only. They are read by hand: every phone comes by here all day, and to have FastAPI
find the arguments costs as much as all the rest between the network and the contact."""


async def raw_body(request: Request) -> bytes:
    """The request's bytes, unpacked. Raises Malformed when they are too many or not what they claim."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Malformed(f"The request is larger than {BODY_BYTES_MAX // 2**20} MB: send fewer commands")
    if request.headers.get("content-encoding") != "gzip":
        return bytes(body)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(bytes(body), BODY_BYTES_MAX)
    except zlib.error as error:
        raise Malformed(f"The request is not gzip: {error}", field="content-encoding") from error
    if unpacker.unconsumed_tail:
        raise Malformed(f"The request unpacks to more than {BODY_BYTES_MAX // 2**20} MB")
    return unpacked


@router.post("/sync", response_class=Response, openapi_extra=_HEADERS)
async def sync(request: Request) -> Response:
    """Push commands, pull what changed. Each command is committed before this answers.

    A device that has nothing to bring may wait here until there is something for it: the answer is then the
    changed rows themselves.
    """
    state, headers = request.app.state, request.headers
    authorization = headers.get("authorization")
    limit_syncs(request, authorization)
    body = await raw_body(request)
    started = time.monotonic()
    token = devices.bearer(authorization)
    packs = "gzip" in headers.get("accept-encoding", "")

    def contact() -> tuple[Exchanged, Response]:
        waited = timedelta(seconds=time.monotonic() - started)
        found = exchange(
            state.database, state.settings, token, body, utc_now(), waited=waited, decided=state.live.wake
        )
        return found, _answer(found, packs)

    while True:
        mark = state.doorbell.mark
        with limits_of(request).pushes.turn():
            found, answer = await run_in_threadpool(contact)
        left = found.wait_seconds - (time.monotonic() - started)
        if left <= 0:
            return answer
        await state.doorbell.wait(found.scope, mark, left)
        if state.doorbell.stopping or await request.is_disconnected():
            return answer


def _answer(found: Exchanged, packs: bool) -> Response:
    body = encode_response(found.response)
    headers = {"content-type": "application/json", "vary": "accept-encoding"}
    if packs and len(body) > PACKED_FROM_BYTES:
        body, headers["content-encoding"] = gzip.compress(body, 5), "gzip"
    return Response(body, headers=headers)
