"""The work order: what it is, what a visit records on it, and what its kind asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import cos, hypot, radians
from uuid import UUID

from shared.skills import SkillNeed
from shared.windows import TimeWindow

EARTH_METRES = 6_371_000


class WorkOrderKind(StrEnum):
    """Why somebody drives there."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    REPAIR = "repair"
    SWAP = "swap"
    DISCONNECT = "disconnect"


class WorkOrderState(StrEnum):
    """How far it has got (TMF697 words where they exist)."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    COMPLETED = "completed"
    UNFINISHED = "unfinished"  # visited, could not be done; goes back to dispatch
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (WorkOrderState.COMPLETED, WorkOrderState.UNFINISHED, WorkOrderState.CANCELLED)

    @property
    def is_under_way(self) -> bool:
        return self in (WorkOrderState.TRAVELLING, WorkOrderState.ON_SITE)


class ServiceState(StrEnum):
    """TMF638's states, as far as a visit moves them."""

    RESERVED = "reserved"  # ordered, not yet built
    ACTIVE = "active"
    TERMINATED = "terminated"


class EvidenceKind(StrEnum):
    PHOTO = "photo"
    SIGNATURE = "signature"


class UnfinishedReason(StrEnum):
    """Why a visit could not be completed."""

    NO_ACCESS = "no_access"
    CUSTOMER_ABSENT = "customer_absent"
    MISSING_PART = "missing_part"
    MISSING_SKILL = "missing_skill"
    NETWORK_FAULT = "network_fault"
    UNSAFE = "unsafe"
    CUSTOMER_REFUSED = "customer_refused"


class ContactField(StrEnum):
    """What office and technician may both correct. A gate code stands in the access notes."""

    NAME = "name"
    PHONE = "phone"
    ACCESS_NOTES = "access_notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Who to meet. `language` is BCP 47; messages go out in it."""

    customer_id: UUID
    name: str
    phone: str
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service location (TMF674), WGS 84. Its `id` is also the stock place of what is installed there."""

    id: UUID
    street: str
    house_number: str
    postcode: str
    city: str
    lat: float
    lon: float
    access_notes: str = ""
    cabinet: str | None = None

    @property
    def line(self) -> str:
        return f"{self.street} {self.house_number}, {self.postcode} {self.city}".replace(",  ", ", ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCard:
    """The customer's service as the visit finds it, and the plan it should run afterwards."""

    id: UUID
    state: ServiceState
    plan_code: str
    plan_name: str
    down_mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentNeed:
    """One device to be fitted: any of `skus` will do."""

    role: str
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """`quantity` of a counted SKU, in its unit (each or whole metres)."""

    sku: str
    quantity: int


def fewer(lines: Sequence[PartLine], taken: Sequence[PartLine]) -> tuple[PartLine, ...]:
    """`lines` without the quantities of `taken`, from the newest line on. There must be enough of each."""
    left = Counter({line.sku: 0 for line in taken})
    for line in taken:
        left[line.sku] += line.quantity
    kept = []
    for line in reversed(lines):
        less = min(line.quantity, left[line.sku])
        left[line.sku] -= less
        if less < line.quantity:
            kept.append(replace(line, quantity=line.quantity - less))
    return tuple(reversed(kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A test the visit must record; `low` and `high` are inclusive limits in `unit`, None for open."""

    code: str
    label: str
    unit: str
    low: Decimal | None = None
    high: Decimal | None = None

    def allows(self, value: Decimal) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def limits(self) -> str:
        if self.low is None:
            return f"at most {self.high} {self.unit}"
        return (
            f"at least {self.low} {self.unit}"
            if self.high is None
            else f"{self.low} to {self.high} {self.unit}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """`by`: who measured; None on records that older versions made."""

    code: str
    value: Decimal
    unit: str
    passed: bool
    at: datetime
    by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedAsset:
    """A device fitted on this visit; it leaves `source_id` for the customer when the job closes."""

    serial: str
    sku: str
    source_id: UUID
    mac: str | None = None
    gpon_serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedAsset:
    """A device taken off the wall on this visit; it comes to the van when the job closes."""

    serial: str
    sku: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRef:
    """A photo or signature by the SHA-256 of its bytes; the bytes follow on their own road."""

    kind: EvidenceKind
    digest: str
    size_bytes: int
    media_type: str
    taken_at: datetime
    signer: str | None = None
    lat: float | None = None  # where it was taken, within accuracy_m metres; all three or none
    lon: float | None = None
    accuracy_m: float | None = None

    def metres_from(self, place: Place) -> int | None:
        """How far from `place` it was taken, as the crow flies; None where the phone did not say."""
        if self.lat is None or self.lon is None:
            return None
        north = radians(self.lat - place.lat)
        east = radians(self.lon - place.lon) * cos(radians(self.lat + place.lat) / 2)
        return round(EARTH_METRES * hypot(north, east))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Appended, never edited: a new version names the note that it `replaces`, and both are kept.

    `id` is minted where the note is written; None on records that older versions made.
    """

    author_id: UUID
    text: str
    at: datetime
    id: UUID | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedStep:
    """A step that was taken although somebody had taken it already. `step` is the command's type."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """What `technician_id` did on a job that was done already, or did twice. Stock moves, money doesn't."""

    technician_id: UUID
    steps: tuple[ReportedStep, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSuggestion:
    """A correction that lost: the office had changed the field meanwhile. `base`: what the sender saw."""

    field: ContactField
    base: str
    value: str
    by: UUID
    at: datetime
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPlan:
    """What was promised and planned until the office moved the job at `moved_at`."""

    moved_at: datetime
    window: TimeWindow | None
    planned_start: datetime | None
    planned_end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """The part of the work that the office moved to another order."""

    order_id: UUID
    number: str
    equipment: tuple[EquipmentNeed, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    parts: tuple[PartLine, ...] = ()
    removal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One piece of work at one place, with all that its technician needs and records.

    The same value is the aggregate that rules decide on and the row that a phone keeps.
    `version` rises by one with every event. `on_site_serials` is what was installed there before the visit.
    `parts_booked`: so many of the first `parts` have left the van's stock already, at a cancellation.
    """

    id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    priority: int  # 1 emergency … 4 whenever
    contact: Contact
    place: Place
    service: ServiceCard
    summary: str
    expected_minutes: int
    window: TimeWindow | None = None
    sla_due_at: datetime | None = None
    technician_id: UUID | None = None
    former_technician_ids: frozenset[UUID] = frozenset()
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    travel_minutes: int = 0
    route_position: int | None = None
    required_skills: tuple[SkillNeed, ...] = ()
    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = ()
    required_checks: tuple[CheckSpec, ...] = ()
    removal_required: bool = False
    signature_required: bool = False
    photos_required: int = 0
    on_site_serials: tuple[str, ...] = ()
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    checks: tuple[CheckResult, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    notes: tuple[Note, ...] = ()
    unfinished_reason: UnfinishedReason | None = None
    parts_booked: int = 0
    reports: tuple[VisitReport, ...] = ()
    suggestions: tuple[ContactSuggestion, ...] = ()
    earlier_plans: tuple[EarlierPlan, ...] = ()
    split_off: tuple[SplitOff, ...] = ()
    call_out_at: datetime | None = None
    deleted_at: datetime | None = None
    version: int = 0

    def result_of(self, code: str) -> CheckResult | None:
        """The result that counts: the one measured last, whoever sent it when. Others stay on record."""
        found = [result for result in reversed(self.checks) if result.code == code]
        return max(found, key=lambda result: result.at, default=None)

    def used(self, sku: str) -> int:
        return sum(line.quantity for line in self.parts if line.sku == sku)

    def unbooked(self, sku: str) -> int:
        """Units that the visit has used and that the ledger still has on the van."""
        return sum(line.quantity for line in self.parts[self.parts_booked :] if line.sku == sku)

    @property
    def notes_shown(self) -> tuple[Note, ...]:
        """The notes that no other replaces. Two that replace the same one both stay."""
        replaced = {note.replaces for note in self.notes}
        return tuple(note for note in self.notes if note.id is None or note.id not in replaced)

    def contact_value(self, field: ContactField) -> str:
        match field:
            case ContactField.NAME:
                return self.contact.name
            case ContactField.PHONE:
                return self.contact.phone
        return self.place.access_notes

    @property
    def suggested(self) -> tuple[ContactSuggestion, ...]:
        """Corrections of the contact that wait for the office."""
        return tuple(item for item in self.suggestions if not item.settled)

    @property
    def fitting_skus(self) -> frozenset[str]:
        """Every model that a need of this job accepts, or did before a split; empty when it asks for none."""
        needs = [*self.required_equipment, *(need for off in self.split_off for need in off.equipment)]
        return frozenset(sku for need in needs for sku in need.skus)


OPTICAL_POWER = CheckSpec(
    code="optical_power",
    label="Optical receive power",
    unit="dBm",
    low=Decimal("-27"),
    high=Decimal("-8"),
)


def speed_check(down_mbps: int) -> CheckSpec:
    """Nine tenths of the plan's speed, measured by cable."""
    return CheckSpec(
        code="download_speed",
        label="Download speed",
        unit="Mbit/s",
        low=Decimal(down_mbps * 9) / 10,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRules:
    """What a kind of work order asks of its visit."""

    measures_line: bool
    fits_equipment: bool
    takes_equipment: bool
    needs_signature: bool
    photos: int


RULES_BY_KIND: dict[WorkOrderKind, KindRules] = {
    WorkOrderKind.INSTALL: KindRules(
        measures_line=True, fits_equipment=True, takes_equipment=False, needs_signature=True, photos=1
    ),
    WorkOrderKind.UPGRADE: KindRules(
        measures_line=True, fits_equipment=True, takes_equipment=True, needs_signature=True, photos=0
    ),
    WorkOrderKind.REPAIR: KindRules(
        measures_line=True, fits_equipment=False, takes_equipment=False, needs_signature=False, photos=1
    ),
    WorkOrderKind.SWAP: KindRules(
        measures_line=True, fits_equipment=True, takes_equipment=True, needs_signature=True, photos=0
    ),
    WorkOrderKind.DISCONNECT: KindRules(
        measures_line=False, fits_equipment=False, takes_equipment=True, needs_signature=True, photos=0
    ),
}


def checks_for(kind: WorkOrderKind, down_mbps: int) -> tuple[CheckSpec, ...]:
    """The tests a visit of this kind must record."""
    return (OPTICAL_POWER, speed_check(down_mbps)) if RULES_BY_KIND[kind].measures_line else ()
