"""What the office does about a reported fault: confirm it, say that it is mended, or that it was none.

Each act is one transaction, by a named person. It stands in the fault's own row, in the log as an entry (so
that a replay has it) and in the board's feed. Raises NotFound, AlreadyClosed or BadValue: then nothing moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.db import feed
from server.dispatch.models import TechnicianRow
from server.faults import records
from server.faults.models import NetworkFaultReportRow, NetworkFaultRow
from server.work_orders import briefs
from server.work_orders.models import WorkOrderRow
from shared.network_faults import FaultSign, FaultState, KnownFault
from shared.problems import AlreadyClosed, BadValue, Conflict, NotFound

REASON_LENGTH_MAX = 500
CLOSED_SHOWN_MAX = 30


class Act(StrEnum):
    """What may be done about an open fault, by its name in the address."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REJECT = "reject"


LEADS_TO = {
    Act.ACKNOWLEDGE: FaultState.ACKNOWLEDGED,
    Act.RESOLVE: FaultState.RESOLVED,
    Act.REJECT: FaultState.REJECTED,
}
TOPICS = {
    Act.ACKNOWLEDGE: "NetworkFaultAcknowledged",
    Act.RESOLVE: "NetworkFaultResolved",
    Act.REJECT: "NetworkFaultRejected",
}


def act(
    session: Session,
    fault_id: UUID,
    what: Act,
    reason: str,
    *,
    by: str,
    at: datetime,
    seen: int | None = None,
) -> None:
    """Do it and tell the board and every phone with a job on that cabinet.

    `seen`: how many reports were on the page. Raises Conflict when there are more by now.
    """
    said = " ".join(reason.replace("\x00", "").split())
    if what is not Act.ACKNOWLEDGE and not said:
        raise BadValue("Say what was done, or why it is none", field="reason")
    if len(said) > REASON_LENGTH_MAX:
        raise BadValue(f"The reason holds {REASON_LENGTH_MAX} letters", field="reason")
    fault = session.get(NetworkFaultRow, fault_id, with_for_update={"key_share": True})
    if fault is None:
        raise NotFound("There is no fault under that number", subject=str(fault_id))
    state = LEADS_TO[what]
    if fault.closed_at is not None or fault.state == state:
        raise AlreadyClosed(f"The fault of {fault.cabinet} is {fault.state} already", subject=str(fault_id))
    if seen is not None and len(records.reports_of(session, [fault.id])[fault.id]) > seen:
        raise Conflict("There are new reports since. Read them, then say it again", subject=str(fault_id))
    fault.state = state.value
    fault.acts = [*fault.acts, {"act": what.value, "at": at.isoformat(), "by": by, "reason": said}]
    if what is not Act.ACKNOWLEDGE:
        fault.closed_at = at
    topic = TOPICS[what]
    facts = {"cabinet": fault.cabinet, "state": fault.state, "reason": said}
    feed.append(session, [feed.BOARD], records.KIND, fault.id, topic, at=at, actor=by, facts=facts)
    touched = briefs.Touched(cabinet=fault.cabinet, is_fault=True, topic=topic, actor=by)
    for technician_id, place_id in briefs.shown_by(session, [touched], at):
        scope = feed.technician_scope(technician_id)
        feed.append(session, [scope], briefs.KIND, place_id, topic, at=at, actor=by)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One report. `number`: the job on which it was made; `photos`: digests."""

    technician: str
    seen_at: datetime
    sign: FaultSign
    ports: int | None
    customers: int | None
    safe: bool
    note: str
    photos: tuple[str, ...]
    lat: float | None
    lon: float | None
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """One fault with all that was said of it, and what the office did: `acts`, the oldest first."""

    fault: KnownFault
    closed_at: datetime | None
    reports: tuple[ReportLine, ...]
    acts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCounts:
    """How many faults are open, and at how many of them somebody said that it is not safe."""

    open: int
    unsafe: int


def counts(session: Session) -> FaultCounts:
    row, report = NetworkFaultRow, NetworkFaultReportRow
    unsafe = select(report.fault_id).where(~report.safe)
    query = select(func.count(), func.count().filter(row.id.in_(unsafe))).where(row.closed_at.is_(None))
    open_, dangerous = session.execute(query).one()
    return FaultCounts(open=open_, unsafe=dangerous)


def lines(session: Session, *, closed: bool) -> list[FaultLine]:
    """Open ones, not safe ones first, then the oldest; or those that were closed last."""
    row = NetworkFaultRow
    if closed:
        query = select(row).where(row.closed_at.is_not(None)).order_by(row.closed_at.desc(), row.id)
        found = session.scalars(query.limit(CLOSED_SHOWN_MAX)).all()
    else:
        found = session.scalars(
            select(row).where(row.closed_at.is_(None)).order_by(row.opened_at, row.id)
        ).all()
    reports = records.reports_of(session, [fault.id for fault in found])
    people, orders = _names(session, [report for some in reports.values() for report in some])
    made = [_line(fault, reports[fault.id], people, orders) for fault in found]
    return made if closed else sorted(made, key=lambda line: line.fault.safe)


def _names(
    session: Session, reports: Sequence[NetworkFaultReportRow]
) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """Technician → name, order → number."""
    people = select(TechnicianRow.id, TechnicianRow.name).where(
        TechnicianRow.id.in_(sorted({report.technician_id for report in reports}))
    )
    orders = select(WorkOrderRow.id, WorkOrderRow.number).where(
        WorkOrderRow.id.in_(sorted({report.for_order_id for report in reports if report.for_order_id}))
    )
    return (
        {id: name for id, name in session.execute(people)},
        {id: number for id, number in session.execute(orders)},
    )


def _line(
    fault: NetworkFaultRow,
    reports: Sequence[NetworkFaultReportRow],
    people: dict[UUID, str],
    orders: dict[UUID, str],
) -> FaultLine:
    return FaultLine(
        fault=records.known(fault, reports),
        closed_at=fault.closed_at,
        reports=tuple(
            ReportLine(
                technician=people.get(report.technician_id, ""),
                seen_at=report.seen_at,
                sign=FaultSign(report.sign),
                ports=report.ports,
                customers=report.customers,
                safe=report.safe,
                note=report.note,
                photos=tuple(report.photos),
                lat=report.lat,
                lon=report.lon,
                number=orders.get(report.for_order_id) if report.for_order_id else None,
            )
            for report in reports
        ),
        acts=tuple(fault.acts),
    )
