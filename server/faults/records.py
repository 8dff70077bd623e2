"""Faults of cabinets on SQL: rows ↔ shared.network_faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow
from server.faults.models import NetworkFaultReportRow, NetworkFaultRow
from shared.network_faults import (
    Cabinet,
    FaultSign,
    FaultState,
    KnownFault,
    NetworkFaultReported,
    ReportNetworkFault,
    joined,
)

KIND = "network_fault"
"""Of feed entries; the key is the fault's id. Phones have it as part of their briefs."""


def cabinet(session: Session, name: str, *, locked: bool = False) -> Cabinet:
    """A cabinet with its newest fault; `locked` for who is about to change that."""
    row = NetworkFaultRow
    query = select(row).where(row.cabinet == name).order_by(row.closed_at.is_not(None), row.closed_at.desc())
    if locked:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    newest = session.scalars(query.limit(1)).first()
    place = select(ServiceLocationRow.id).where(ServiceLocationRow.cabinet == name).limit(1)
    exists = session.scalar(place) is not None
    if newest is None:
        return Cabinet(name=name, exists=exists)
    reports = reports_of(session, [newest.id])[newest.id]
    return Cabinet(
        name=name,
        exists=exists,
        fault=known(newest, reports),
        closed_at=newest.closed_at,
        reported=tuple(report.id for report in reports),
    )


def cabinet_of(session: Session, report_id: UUID) -> str | None:
    """The cabinet that a report is about; None where there is no such report."""
    row = NetworkFaultRow
    query = select(row.cabinet).join(NetworkFaultReportRow, NetworkFaultReportRow.fault_id == row.id)
    return session.scalar(query.where(NetworkFaultReportRow.id == report_id))


def reports_of(session: Session, fault_ids: Iterable[UUID]) -> dict[UUID, list[NetworkFaultReportRow]]:
    """Fault → its reports, in the order in which they were made."""
    row = NetworkFaultReportRow
    query = select(row).where(row.fault_id.in_(sorted(fault_ids))).order_by(row.seen_at, row.id)
    found: dict[UUID, list[NetworkFaultReportRow]] = defaultdict(list)
    for report in session.scalars(query):
        found[report.fault_id].append(report)
    return found


def known(fault: NetworkFaultRow, reports: Sequence[NetworkFaultReportRow]) -> KnownFault:
    """The fault as phones show it, from all its reports."""
    made: KnownFault | None = None
    for report in reports:
        made = joined(made, _event(fault, report))
    assert made is not None, "a fault begins with its first report"
    return KnownFault(
        id=made.id,
        cabinet=made.cabinet,
        state=FaultState(fault.state),
        since=made.since,
        newest_at=made.newest_at,
        signs=made.signs,
        safe=made.safe,
        reports=made.reports,
        ports=made.ports,
        customers=made.customers,
        note=made.note,
    )


def _event(fault: NetworkFaultRow, report: NetworkFaultReportRow) -> NetworkFaultReported:
    command = ReportNetworkFault(
        report_id=report.id,
        cabinet=fault.cabinet,
        sign=FaultSign(report.sign),
        safe=report.safe,
        ports=report.ports,
        customers=report.customers,
        note=report.note,
    )
    return NetworkFaultReported(at=report.seen_at, fault_id=fault.id, opens=False, report=command)


def fault_values(event: NetworkFaultReported) -> dict[str, Any]:
    """The columns of a fault that this report opens."""
    return {
        "id": event.fault_id,
        "cabinet": event.report.cabinet,
        "state": FaultState.SUBMITTED.value,
        "opened_at": event.at,
        "closed_at": None,
        "acts": [],
    }


def report_values(event: NetworkFaultReported, technician_id: UUID) -> dict[str, Any]:
    report = event.report
    return {
        "id": report.report_id,
        "fault_id": event.fault_id,
        "technician_id": technician_id,
        "sign": report.sign.value,
        "ports": report.ports,
        "customers": report.customers,
        "safe": report.safe,
        "note": report.note,
        "photos": [photo.digest for photo in report.photos],
        "lat": report.lat,
        "lon": report.lon,
        "accuracy_m": report.accuracy_m,
        "seen_at": event.at,
        "for_order_id": report.for_order_id,
    }


def open_faults(session: Session, cabinets: Iterable[str]) -> dict[str, KnownFault]:
    """Cabinet → its open fault, for those that have one."""
    row = NetworkFaultRow
    wanted = sorted(set(cabinets))
    query = select(row).where(row.cabinet.in_(wanted), row.closed_at.is_(None)).order_by(row.cabinet)
    found = session.scalars(query).all() if wanted else []
    reports = reports_of(session, [fault.id for fault in found]) if found else {}
    return {fault.cabinet: known(fault, reports[fault.id]) for fault in found}
