"""What plans were made of, over HTTP: to read, to replay at home, and to have made again here."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch import plan_records
from server.dispatch.plan_records import RecordLine, Verdict

router = APIRouter(tags=["plan"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]


@router.get("/api/plan/records")
def list_records(request: Request, person: Dispatcher, day: Day | None = None) -> list[RecordLine]:
    """The plans that were made of a day (default: today), newest first, and what each was made by."""
    shown = day or utc_now().astimezone(settings_of(request).zone).date()
    with database_of(request).read() as session:
        return plan_records.lines(session, shown)


@router.get("/api/plan/records/{record_id}/request")
def asked(request: Request, person: Dispatcher, record_id: UUID) -> Response:
    """What the scheduler was asked, as `python -m scheduler solve` reads it. 404 when it is not kept."""
    with database_of(request).read() as session:
        return _bytes(plan_records.open_record(session, record_id).request)


@router.get("/api/plan/records/{record_id}/answer")
def answered(request: Request, person: Dispatcher, record_id: UUID) -> Response:
    """The plan that it answered, byte for byte."""
    with database_of(request).read() as session:
        return _bytes(plan_records.open_record(session, record_id).answer)


@router.post("/api/plan/records/{record_id}/verify")
async def verify(request: Request, person: Dispatcher, record_id: UUID) -> Verdict:
    """Have the same request answered again, and say whether it is the same plan, byte for byte."""
    return await run_in_threadpool(plan_records.verify, database_of(request), record_id)


def _bytes(data: bytes) -> Response:
    return Response(data, media_type="application/json", headers={"Cache-Control": "no-store"})
