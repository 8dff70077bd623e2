"""Photos and signatures over HTTP: in pieces by tus, whole for older apps, and out again for the office."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from server.access import callers, devices
from server.access.guard import require
from server.access.limits import upload_limited
from server.access.people import Person
from server.access.roles import Permission
from server.attachments import tus
from server.attachments.filing import NOT_BEGUN, Attachments, Standing
from server.attachments.pictures import check_digest_name, check_size
from server.attachments.records import Sender
from server.clock import utc_now
from server.dependencies import DatabaseDep
from server.work_orders.models import AttachmentRow
from shared.problems import NotFound
from shared.visit_rules import EVIDENCE_BYTES_MAX

router = APIRouter(tags=["attachments"], route_class=tus.TusRoute)

Text = Annotated[str | None, Header()]
Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]


def _attachments(request: Request) -> Attachments:
    attachments: Attachments = request.app.state.attachments
    return attachments


def _sender(
    database: DatabaseDep, _limit: Annotated[None, Depends(upload_limited)], authorization: Text = None
) -> Sender:
    """The device that speaks: the one place that says who may bring bytes."""
    caller = callers.admit(database, devices.bearer(authorization), utc_now())
    return Sender(device_id=caller.device.id, technician_id=caller.technician.id, refusal=caller.refusal)


AttachmentsDep = Annotated[Attachments, Depends(_attachments)]
SenderDep = Annotated[Sender, Depends(_sender)]


@router.options("/api/uploads/{digest}", status_code=204)
def what_is_offered_for(digest: str) -> Response:
    """The same for one upload, begun or not."""
    check_digest_name(digest)
    return what_is_offered()


@router.options("/api/uploads", status_code=204)
def what_is_offered() -> Response:
    """Which parts of tus 1.0.0 this server speaks, and how much it takes."""
    return Response(status_code=204, headers=tus.OFFERED)


@router.post("/api/uploads", status_code=201, response_class=Response)
def create_upload(
    request: Request,
    sender: SenderDep,
    attachments: AttachmentsDep,
    tus_resumable: Text = None,
    upload_length: Text = None,
    upload_metadata: Text = None,
) -> Response:
    """Begin, or find again, the upload of the bytes with that SHA-256; `Upload-Offset` says what is here.

    413 above 10 MB, 429 when this technician has too much half sent.
    """
    tus.check_version(tus_resumable)
    digest = tus.digest(upload_metadata)
    standing = attachments.offer(sender, digest, tus.length(upload_length), utc_now())
    _tell(request, standing)
    headers = {"Location": f"/api/uploads/{digest}"} | tus.headers(standing)
    return Response(status_code=201, headers=headers)


@router.head("/api/uploads/{digest}", response_class=Response)
def see_upload(
    digest: str, request: Request, sender: SenderDep, attachments: AttachmentsDep, tus_resumable: Text = None
) -> Response:
    """How far this technician's upload has come. 404 when none was begun."""
    tus.check_version(tus_resumable)
    standing = _see(attachments, sender, digest)
    _tell(request, standing)
    return Response(headers=tus.headers(standing) | {"Upload-Length": str(standing.length)})


@router.patch("/api/uploads/{digest}", status_code=204, response_class=Response)
async def add_to_upload(
    digest: str,
    request: Request,
    sender: SenderDep,
    attachments: AttachmentsDep,
    tus_resumable: Text = None,
    upload_offset: Text = None,
    content_type: Text = None,
) -> Response:
    """Bytes from `Upload-Offset` on. What arrives is kept, also when the rest does not.

    409 with the right `Upload-Offset`. The last byte completes: 422 when these are not the bytes that were
    announced, or no picture; nothing of them is kept then.
    """
    tus.check_version(tus_resumable)
    tus.check_content_type(content_type)
    offset = tus.number(upload_offset, "upload-offset")
    growing = await run_in_threadpool(attachments.grow, sender, digest, offset, utc_now())
    if isinstance(growing, Standing):
        return Response(status_code=204, headers=tus.headers(growing))
    with growing:
        # Nobody hears the answer then. What came is kept, and when that was all, it is filed.
        with suppress(ClientDisconnect):
            async for piece in request.stream():
                if piece:
                    await run_in_threadpool(growing.add, piece)
        await run_in_threadpool(growing.make_safe)
    standing = await run_in_threadpool(_see, attachments, sender, digest)
    _tell(request, standing)
    return Response(status_code=204, headers=tus.headers(standing))


@router.delete("/api/uploads/{digest}", status_code=204, response_class=Response)
def end_upload(
    digest: str, sender: SenderDep, attachments: AttachmentsDep, tus_resumable: Text = None
) -> Response:
    """Throw away what was half sent. What is complete stays."""
    tus.check_version(tus_resumable)
    attachments.admit(sender, digest)
    partial = attachments.partials.find(sender.technician_id, digest)
    if partial is None:
        raise NotFound(NOT_BEGUN)
    partial.discard()
    return Response(status_code=204)


@router.head("/api/attachments/{digest}", response_class=Response)
def has_attachment(digest: str, sender: SenderDep, attachments: AttachmentsDep) -> Response:
    """200 when the bytes came from this technician's devices, else 404."""
    if not attachments.has(sender, digest):
        raise NotFound("These bytes have not come from your devices")
    return Response()


@router.put("/api/attachments/{digest}", status_code=201, response_class=Response)
async def put_attachment(
    digest: str, request: Request, sender: SenderDep, attachments: AttachmentsDep
) -> Response:
    """A whole photo or signature in one request, as older apps send it. 201, or 200 when it was there."""
    check_digest_name(digest)
    await run_in_threadpool(attachments.admit, sender, digest)
    with attachments.partials.whole(EVIDENCE_BYTES_MAX, utc_now()) as growing:
        async for piece in request.stream():
            if piece:
                check_size(growing.offset + len(piece))
                await run_in_threadpool(growing.add, piece)
        new = await run_in_threadpool(attachments.file, sender, digest, growing.partial.path, utc_now())
    request.app.state.live.wake()
    return Response(status_code=201 if new else 200)


@router.get("/api/attachments/{digest}", tags=["board"], response_class=StreamingResponse)
def show_attachment(
    digest: str, person: Looker, database: DatabaseDep, attachments: AttachmentsDep
) -> Response:
    """A photo or signature, for the office."""
    with database.read() as session:
        row = session.get(AttachmentRow, digest)
    try:
        if row is None:
            raise KeyError(digest)
        pieces = attachments.store.open(digest)
    except KeyError as error:
        raise NotFound("These bytes have not come from the phone yet") from error
    headers = {
        "Cache-Control": "private, max-age=86400",
        "Content-Length": str(row.size_bytes),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(pieces, media_type=row.media_type, headers=headers)


def _see(attachments: Attachments, sender: Sender, digest: str) -> Standing:
    standing = attachments.look(sender, digest, utc_now())
    if standing is None:
        raise NotFound(NOT_BEGUN)
    return standing


def _tell(request: Request, standing: Standing) -> None:
    """Pages that wait for this photo look again at once."""
    if standing.expires_at is None:
        request.app.state.live.wake()
