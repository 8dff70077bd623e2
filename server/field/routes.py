"""The phone's two doors: POST /sync for commands and images, PUT /api/attachments for bytes."""

from __future__ import annotations

import gzip
import zlib
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from server.access import devices
from server.access.guard import require
from server.access.models import DeviceRow
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.db.engine import Database
from server.dependencies import DatabaseDep, SettingsDep
from server.field import attachments
from server.field.exchange import exchange
from server.work_orders.models import AttachmentRow
from shared.problems import Malformed, NotFound
from sync.protocol import encode

router = APIRouter(tags=["field"])

BODY_BYTES_MAX = 8 * 1024 * 1024
Authorization = Annotated[str | None, Header()]
Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]


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


@router.post("/sync", response_class=Response)
def sync(
    body: Annotated[bytes, Depends(raw_body)],
    database: DatabaseDep,
    settings: SettingsDep,
    request: Request,
    authorization: Authorization = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """Push commands, pull what changed. Each command is committed before this answers."""
    token = devices.bearer(authorization)
    found = exchange(database, settings, token, body, utc_now())
    if found.decided:
        request.app.state.live.wake()
    answer = encode(found.response)
    headers = {"content-type": "application/json", "vary": "accept-encoding"}
    if len(answer) > 1_000 and "gzip" in accept_encoding:
        answer, headers["content-encoding"] = gzip.compress(answer, 5), "gzip"
    return Response(answer, headers=headers)


@router.head("/api/attachments/{digest}")
def has_attachment(digest: str, database: DatabaseDep, authorization: Authorization = None) -> Response:
    """200 when the bytes came from this technician's devices, else 404."""
    with database.read() as session:
        device = devices.authenticate(session, devices.bearer(authorization), utc_now())
        return Response(status_code=200 if attachments.sent_by(session, digest, device) else 404)


@router.put("/api/attachments/{digest}", response_class=Response)
async def put_attachment(
    digest: str,
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    authorization: Authorization = None,
) -> Response:
    """Store a photo or signature under the SHA-256 of its bytes. 201, or 200 when it was there."""
    device = await run_in_threadpool(_authenticate, database, authorization)
    with attachments.incoming(settings.attachments, digest) as incoming:
        async for chunk in request.stream():
            incoming.add(chunk)
        new = await run_in_threadpool(attachments.keep, database, incoming, device.id)
    return Response(status_code=201 if new else 200)


@router.get("/api/attachments/{digest}", tags=["board"])
def show_attachment(digest: str, person: Looker, database: DatabaseDep, settings: SettingsDep) -> Response:
    """A photo or signature, for the office."""
    with database.read() as session:
        row = session.get(AttachmentRow, digest)
        media_type = row.media_type if row else ""
    path = attachments.path_of(settings.attachments, digest)
    if not media_type or not path.exists():
        raise NotFound("These bytes have not come from the phone yet")
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=media_type, headers=headers)


def _authenticate(database: Database, authorization: str | None) -> DeviceRow:
    with database.read() as session:
        return devices.authenticate(session, devices.bearer(authorization), utc_now())
