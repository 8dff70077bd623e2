"""A fault of a street cabinet as technicians report it: what they saw, and the one fault that it becomes.

Several reports of one cabinet are one fault. Its states are those of a service problem (TMF656); why it is
not called one: docs/adr/0030-a-cabinets-fault-is-a-service-problem-of-many-reports.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.problems import BadValue
from shared.remarks import Remark

NOTE_LENGTH_MAX = 2_000
COUNT_MAX = 10_000
PHOTOS_MAX = 5
PHOTO_BYTES_MAX = 10 * 1024 * 1024


class FaultSign(StrEnum):
    """What one sees at the cabinet."""

    NO_LIGHT = "no_light"
    DAMAGED = "damaged"
    WATER = "water"
    POWER = "power"
    VANDALISM = "vandalism"
    OTHER = "other"


class FaultState(StrEnum):
    """As TMF656 has them. The first two are open."""

    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"  # the office has confirmed it
    RESOLVED = "resolved"
    REJECTED = "rejected"  # it was none


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPhoto:
    """Its bytes follow by themselves, under their SHA-256 in hex."""

    digest: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNetworkFault:
    """Something is wrong with the cabinet `cabinet`. `report_id` is minted on the phone.

    `ports`: so many show no light. `customers`: so many seem to be hit, as far as one sees there. `safe`:
    nobody is in danger. `for_order_id`: the job on which it was found. Position: where the phone was, if the
    technician lets it say so.
    """

    report_id: UUID
    cabinet: str
    sign: FaultSign
    safe: bool
    ports: int | None = None
    customers: int | None = None
    note: str = ""
    photos: tuple[FaultPhoto, ...] = ()
    for_order_id: UUID | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    type: Literal["report_network_fault"] = "report_network_fault"


NetworkCommand = ReportNetworkFault
"""What a phone may send about the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFault:
    """An open fault as phones show it, all its reports together: nobody's name, and no more than is needed.

    `ports` and `customers`: the most that anybody saw. `safe`: nobody said it is not. `note`: the newest.
    """

    id: UUID
    cabinet: str
    state: FaultState
    since: datetime
    newest_at: datetime
    signs: tuple[FaultSign, ...]
    safe: bool
    reports: int
    ports: int | None = None
    customers: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cabinet:
    """What the rule looks at: the cabinet's newest fault, when that was closed, and what was reported.

    `exists`: whether any place hangs on it. `reported`: the ids of its reports, as far as known here.
    """

    name: str
    exists: bool
    fault: KnownFault | None = None
    closed_at: datetime | None = None
    reported: Collection[UUID] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFaultReported:
    """`fault_id`: of the fault that it belongs to; `opens`: as its first report. `again`: it came before."""

    at: datetime
    fault_id: UUID
    opens: bool
    report: ReportNetworkFault
    again: bool = False


NetworkEvent = NetworkFaultReported


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDecision:
    """What a report causes. `remarks` are for people."""

    events: tuple[NetworkEvent, ...]
    remarks: tuple[Remark, ...] = ()
    after: Cabinet


def decide_network(command: NetworkCommand, now: Cabinet, at: datetime) -> NetworkDecision:
    """What was seen at `at` (UTC) joins the cabinet's open fault, or opens one. Raises BadValue.

    A report from before the newest fault was closed belongs to that one: it does not open it again.
    """
    command = replace(command, note=command.note.replace("\x00", ""))  # which no database keeps
    _check(command, now)
    again = command.report_id in now.reported
    joins = now.fault is not None and (now.closed_at is None or at <= now.closed_at)
    fault_id = now.fault.id if now.fault is not None and (joins or again) else command.report_id
    event = NetworkFaultReported(
        at=at,
        fault_id=fault_id,
        opens=not (joins or again),
        report=command,
        again=again,
    )
    return NetworkDecision(events=(event,), after=evolve_cabinet(now, event))


def _check(command: NetworkCommand, now: Cabinet) -> None:
    if not now.exists:
        raise BadValue("There is no such cabinet: choose one of the list", field="cabinet")
    for name, count in (("ports", command.ports), ("customers", command.customers)):
        if count is not None and not 0 <= count <= COUNT_MAX:
            raise BadValue(f"The number must be 0 to {COUNT_MAX:,}", field=name)
    if len(command.note) > NOTE_LENGTH_MAX:
        raise BadValue(f"The note has more than {NOTE_LENGTH_MAX:,} characters", field="note")
    if command.sign is FaultSign.OTHER and not command.note.strip():
        raise BadValue("Say in the note what you see", field="note")
    if len(command.photos) > PHOTOS_MAX:
        raise BadValue(f"At most {PHOTOS_MAX} photos", field="photos")
    for photo in command.photos:
        if not (_is_digest(photo.digest) and 1 <= photo.size_bytes <= PHOTO_BYTES_MAX):
            raise BadValue("A photo is named that can't be one", field="photos")


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def evolve_cabinet(before: Cabinet, event: NetworkEvent) -> Cabinet:
    if event.again:
        return before
    reported = (*before.reported, event.report.report_id)
    if event.opens:
        return replace(before, fault=joined(None, event), closed_at=None, reported=reported)
    return replace(before, fault=joined(before.fault, event), reported=reported)


def joined(fault: KnownFault | None, event: NetworkEvent) -> KnownFault:
    """The fault with one more report."""
    report = event.report
    if fault is None:
        return KnownFault(
            id=event.fault_id,
            cabinet=report.cabinet,
            state=FaultState.SUBMITTED,
            since=event.at,
            newest_at=event.at,
            signs=(report.sign,),
            safe=report.safe,
            reports=1,
            ports=report.ports,
            customers=report.customers,
            note=report.note,
        )
    newer = event.at >= fault.newest_at
    return replace(
        fault,
        since=min(fault.since, event.at),
        newest_at=max(fault.newest_at, event.at),
        signs=tuple(dict.fromkeys((*fault.signs, report.sign))),
        safe=fault.safe and report.safe,
        reports=fault.reports + 1,
        ports=_most(fault.ports, report.ports),
        customers=_most(fault.customers, report.customers),
        note=report.note if report.note and (newer or not fault.note) else fault.note,
    )


def _most(one: int | None, other: int | None) -> int | None:
    known = [count for count in (one, other) if count is not None]
    return max(known, default=None)
