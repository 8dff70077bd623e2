"""The phone's door for commands and images: POST /sync. Photos have one of their own, server/attachments."""

from __future__ import annotations

import gzip
import time
import zlib
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from server.access import devices
from server.access.limits import limits_of, sync_limited
from server.clock import utc_now
from server.dependencies import DatabaseDep, SettingsDep
from server.field.exchange import Exchanged, exchange
from shared.problems import Malformed
from sync.protocol import encode_response

router = APIRouter(tags=["field"])

BODY_BYTES_MAX = 8 * 1024 * 1024
Authorization = Annotated[str | None, Header()]


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


@router.post("/sync", response_class=Response, dependencies=[Depends(sync_limited)])
async def sync(
    body: Annotated[bytes, Depends(raw_body)],
    database: DatabaseDep,
    settings: SettingsDep,
    request: Request,
    authorization: Authorization = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """Push commands, pull what changed. Each command is committed before this answers.

    A device that has nothing to bring may wait here until there is something for it: the answer is then the
    changed rows themselves.
    """
    token, doorbell = devices.bearer(authorization), request.app.state.doorbell

    started = time.monotonic()

    def contact() -> Exchanged:
        wake, waited = request.app.state.live.wake, timedelta(seconds=time.monotonic() - started)
        return exchange(database, settings, token, body, utc_now(), waited=waited, decided=wake)

    while True:
        mark = doorbell.mark
        with limits_of(request).pushes.turn():
            found = await run_in_threadpool(contact)
        left = found.wait_seconds - (time.monotonic() - started)
        if left <= 0:
            break
        await doorbell.wait(found.scope, mark, left)
        if doorbell.stopping or await request.is_disconnected():
            break
    answer = encode_response(found.response)
    headers = {"content-type": "application/json", "vary": "accept-encoding"}
    if len(answer) > 1_000 and "gzip" in accept_encoding:
        answer, headers["content-encoding"] = await run_in_threadpool(gzip.compress, answer, 5), "gzip"
    return Response(answer, headers=headers)
