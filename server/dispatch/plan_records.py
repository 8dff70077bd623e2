"""What the scheduler was asked and answered, kept small, opened again, and made again to see that it is so.

A request of a hundred technicians and eight hundred jobs is ten megabytes, nearly all of it drives. Those
are kept once, by their digest: a day that is planned again and again has the same places all day.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer

from scheduler.codec import plan_from_json, request_from_json
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from scheduler.versions import versions
from server.clock import mint
from server.db.base import upserting
from server.db.engine import Database
from server.dispatch.models import DayPlanRow, DrivesRow, PlanRecordRow, SavedPlanRow
from server.dispatch.plan_request import Question
from server.dispatch.thinking import Effort, Thought, answer_to
from shared.problems import NotFound

DRIVES = '"travel": '
BEGINS = DRIVES + '{"seconds": '
"""How the drives begin in a request's JSON. No text in it can look like this, for its quotes are escaped."""
Outcome = Literal["same", "different", "not repeatable"]
KEPT = timedelta(days=30)
LEVEL = 4  # of zlib: 6 takes four times as long for four per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A run made small, ready to be written. That is done before the transaction, for it takes its time."""

    drives_digest: str
    drives: bytes
    request: bytes
    request_digest: str
    answer: bytes
    answer_digest: str
    effort: Effort
    names: dict[str, dict[str, str]]
    searched: bool = True


def pack(thought: Thought, question: Question, *, searched: bool = True) -> Packed:
    """searched: False for a plan that no search has made."""
    text = thought.request.decode()
    begin = text.index(BEGINS) + len(DRIVES)
    _, end = json.JSONDecoder().raw_decode(text, begin)
    drives = text[begin:end].encode()
    digest = _digest(drives)
    rest = text[:begin] + _quoted(digest) + text[end:]
    return Packed(
        drives_digest=digest,
        drives=zlib.compress(drives, LEVEL),
        request=zlib.compress(rest.encode(), LEVEL),
        request_digest=_digest(thought.request),
        answer=zlib.compress(thought.answer, LEVEL),
        answer_digest=_digest(thought.answer),
        effort=thought.effort,
        names={
            "technicians": {name: str(id) for name, id in question.technicians.items()},
            "orders": {number: str(order.id) for number, order in question.orders.items()},
        },
        searched=searched,
    )


def keep(session: Session, packed: Packed, now: datetime) -> UUID:
    """Write it down; gives the record's id."""
    drives = upserting(session, DrivesRow).values(digest=packed.drives_digest, body=packed.drives)
    session.execute(drives.on_conflict_do_nothing())
    effort = packed.effort
    row = PlanRecordRow(
        id=mint(),
        kept_at=now,
        request=packed.request,
        request_digest=packed.request_digest,
        drives_digest=packed.drives_digest,
        answer=packed.answer,
        answer_digest=packed.answer_digest,
        seconds=effort.seconds,
        rounds=effort.rounds,
        threads=effort.threads,
        seed=effort.seed,
        searched=packed.searched,
        versions=versions(),
        names=packed.names,
    )
    session.add(row)
    session.flush()
    return row.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run opened again. `request` and `answer` are as they were, byte for byte."""

    id: UUID
    request: bytes
    answer: bytes
    answer_digest: str
    effort: Effort
    searched: bool
    versions: Mapping[str, str]
    technicians: Mapping[str, UUID]
    orders: Mapping[str, UUID]

    @property
    def repeatable(self) -> bool:
        return self.searched and self.effort.repeatable

    @property
    def asked(self) -> PlanRequest:
        return request_from_json(self.request)

    @property
    def plan(self) -> Plan:
        return plan_from_json(self.answer)


def open_record(session: Session, record_id: UUID | None) -> Record:
    """Raises NotFound when there is none (any more)."""
    row = session.get(PlanRecordRow, record_id) if record_id else None
    if row is None:
        raise NotFound(f"What this plan was made of is kept for {KEPT.days} days, and is gone")
    drives = zlib.decompress(session.get_one(DrivesRow, row.drives_digest).body)
    rest = zlib.decompress(row.request)
    request = rest.replace((DRIVES + _quoted(row.drives_digest)).encode(), DRIVES.encode() + drives)
    return Record(
        id=row.id,
        request=request,
        answer=zlib.decompress(row.answer),
        answer_digest=row.answer_digest,
        effort=effort_of(row),
        searched=row.searched,
        versions=row.versions,
        technicians={name: UUID(id) for name, id in row.names["technicians"].items()},
        orders={number: UUID(id) for number, id in row.names["orders"].items()},
    )


def answer_of(session: Session, record_id: UUID) -> tuple[Plan, dict[str, UUID]]:
    """The plan alone, and technician's name → id: the drives, which take long to open, stay packed."""
    row = session.get_one(PlanRecordRow, record_id)
    technicians = {name: UUID(id) for name, id in row.names["technicians"].items()}
    return plan_from_json(zlib.decompress(row.answer)), technicians


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a plan could be made again. other_versions: name → (then, now) of what has changed since."""

    verdict: Outcome
    sentence: str
    answer_digest: str
    again_digest: str | None
    other_versions: dict[str, tuple[str, str]]
    command: str


def verify(database: Database, record_id: UUID) -> Verdict:
    """Have the scheduler answer the kept request once more, and compare byte for byte.

    A plan that was searched for by the clock is not repeatable, and not tried. Raises NotFound.
    """
    with database.read() as session:
        record = open_record(session, record_id)
    now = versions()
    others = {
        name: (was, now.get(name, "none"))
        for name, was in record.versions.items()
        if now.get(name, "none") != was
    }
    again = _digest(answer_to(record.request, record.effort)) if record.repeatable else None
    verdict: Outcome
    if not record.searched:
        verdict, sentence = "not repeatable", "It was put together from the moves of a saved plan"
    elif again is None:
        verdict, sentence = "not repeatable", "It looked by the clock; only so many rounds can be repeated"
    elif again == record.answer_digest:
        verdict, sentence = "same", "The same plan, byte for byte"
    else:
        verdict, sentence = "different", "Another plan than then"
    if others:
        changed = ", ".join(f"{name} was {was}, is {is_now}" for name, (was, is_now) in others.items())
        sentence += f"; {changed}"
    return Verdict(
        verdict=verdict,
        sentence=sentence,
        answer_digest=record.answer_digest,
        again_digest=again,
        other_versions=others,
        command=command_of(record.effort),
    )


def command_of(effort: Effort) -> str:
    """What makes the plan of the saved request on a command line."""
    return " ".join(["python -m scheduler solve request.json", *effort.options, "--out", "plan.json"])


def forget(database: Database, now: datetime, kept: timedelta = KEPT) -> int:
    """Drop runs older than `kept`, saved plans that old, and drives that nobody refers to any more.

    Returns how many runs went.
    """
    with database.write() as session:
        old = select(PlanRecordRow.id).where(PlanRecordRow.kept_at < now - kept)
        session.execute(
            delete(SavedPlanRow)
            .where(SavedPlanRow.record_id.in_(old))
            .execution_options(synchronize_session=False)
        )
        gone = session.execute(
            delete(PlanRecordRow)
            .where(PlanRecordRow.kept_at < now - kept)
            .returning(PlanRecordRow.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.execute(
            delete(DrivesRow)
            .where(DrivesRow.digest.not_in(select(PlanRecordRow.drives_digest)))
            .execution_options(synchronize_session=False)
        )
        return len(gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """A plan that was made of a day, and by what; `record_id` is None where that is not kept (any more)."""

    plan_id: UUID
    made_at: datetime
    engine: str
    record_id: UUID | None
    effort: str
    repeatable: bool
    versions: dict[str, str]
    command: str


def lines(session: Session, day: date) -> list[RecordLine]:
    """The plans of a day, newest first."""
    row = PlanRecordRow
    query = (
        select(DayPlanRow, row)
        .outerjoin(row, row.id == DayPlanRow.record_id)
        .where(DayPlanRow.day == day)
        .order_by(DayPlanRow.made_at.desc())
        .options(defer(row.request), defer(row.answer))
    )
    found = []
    for plan, kept in session.execute(query):
        effort = effort_of(kept) if kept else None
        found.append(
            RecordLine(
                plan_id=plan.id,
                made_at=plan.made_at,
                engine=plan.engine,
                record_id=kept.id if kept else None,
                effort=effort_in_words(effort) if effort else "",
                repeatable=effort is not None and effort.repeatable and kept.searched,
                versions=kept.versions if kept else {},
                command=command_of(effort) if effort else "",
            )
        )
    return found


def effort_of(row: PlanRecordRow) -> Effort:
    return Effort(seconds=row.seconds, rounds=row.rounds, threads=row.threads, seed=row.seed)


def effort_in_words(effort: Effort) -> str:
    if effort.rounds is not None:
        return f"{effort.rounds} rounds, seed {effort.seed}"
    return f"{effort.seconds} s, seed {effort.seed}" if effort.seconds else "the quick plan"


def _quoted(digest: str) -> str:
    return f'"{digest}"'


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
