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

from shared.charges import Bill
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


class RemovalCause(StrEnum):
    """Why a device came off the wall. A fault is the vendor's to answer for; the others are used again."""

    NO_POWER = "no_power"
    NO_LIGHT = "no_light"  # or too little of it, with a good line
    WIFI_FAULT = "wifi_fault"
    UNSTABLE = "unstable"  # restarts, drops the line
    DEAD_ON_ARRIVAL = "dead_on_arrival"
    DAMAGED = "damaged"
    OTHER_FAULT = "other_fault"
    UPGRADE = "upgrade"
    CUSTOMER_LEAVES = "customer_leaves"
    OTHER = "other"

    @property
    def is_fault(self) -> bool:
        return self not in (RemovalCause.UPGRADE, RemovalCause.CUSTOMER_LEAVES, RemovalCause.OTHER)


class ItemKind(StrEnum):
    """What an item of a checklist asks for. A photo item is answered by the photo itself."""

    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"
    TEXT = "text"
    PHOTO = "photo"


class SkipReason(StrEnum):
    """Why an item of a checklist was left out. OTHER says it in words."""

    NOT_APPLICABLE = "not_applicable"
    NOT_POSSIBLE = "not_possible"
    NO_TOOL = "no_tool"
    CUSTOMER_REFUSED = "customer_refused"
    UNSAFE = "unsafe"
    OTHER = "other"


class PauseReason(StrEnum):
    """Why the work rests."""

    BREAK = "break"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_NETWORK = "waiting_network"
    FETCHING_PART = "fetching_part"
    OTHER = "other"


class TimePoint(StrEnum):
    """What of a visit has a time."""

    TRAVEL_STARTED = "travel_started"
    ARRIVED = "arrived"
    FINISHED = "finished"
    PAUSE_STARTED = "pause_started"
    PAUSE_ENDED = "pause_ended"


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
    """The customer's service as the visit finds it, and the plan it should run afterwards.

    `running_plan_code`: the plan until then; empty from a server that did not say.
    """

    id: UUID
    state: ServiceState
    plan_code: str
    plan_name: str
    down_mbps: int
    running_plan_code: str = ""


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
class Choice:
    code: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Met when an earlier item that applies itself was answered with one of `answers`, or is out of range."""

    code: str
    answers: tuple[str, ...] = ()
    out_of_range: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One line of a checklist. `low` and `high` as in CheckSpec, for numbers; `choices` for choices.

    `good`: the answers that will do, empty for any. `must_pass`: what is not good blocks the close.
    `photo`: a photo belongs to it too. `only_if`: it is asked only then.
    """

    code: str
    label: str
    kind: ItemKind
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[Choice, ...] = ()
    good: tuple[str, ...] = ()
    required: bool = True
    must_pass: bool = True
    skippable: bool = True
    photo: bool = False
    only_if: Condition | None = None

    @property
    def spec(self) -> CheckSpec:
        """A number's test."""
        return CheckSpec(code=self.code, label=self.label, unit=self.unit, low=self.low, high=self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The items as they were when the order was made: a newer `version` of its kind changes no visit."""

    kind: WorkOrderKind
    version: int
    items: tuple[CheckItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was said to an item, or that it was `skipped` and, in `value`, what was said about that.

    `value`: `yes` or `no`, the code of a choice, or the text. Numbers are a CheckResult.
    """

    code: str
    value: str
    passed: bool
    at: datetime
    by: UUID
    skipped: SkipReason | None = None


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
    """A device fitted on this visit; it leaves `source_id` for the customer when the job closes.

    `replaces`: the serial of the one that was taken off for it in the same go.
    """

    serial: str
    sku: str
    source_id: UUID
    mac: str | None = None
    gpon_serial: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedAsset:
    """A device taken off the wall on this visit; it comes to the van when the job closes.

    `reason` is in the technician's words, `cause` one of ours; None where an older app said only the words.
    """

    serial: str
    sku: str
    reason: str
    cause: RemovalCause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRef:
    """A photo or signature by the SHA-256 of its bytes; the bytes follow on their own road.

    `check`: the item of the checklist that the photo belongs to, None for one of the finished work.
    """

    kind: EvidenceKind
    digest: str
    size_bytes: int
    media_type: str
    taken_at: datetime
    signer: str | None = None
    check: str | None = None
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
class Pause:
    reason: PauseReason
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCorrection:
    """Somebody says that `point` was at `value`. `base`: what they saw; what was recorded stays as it is.

    `pause`: which one, from 0, where the point is of a pause.
    """

    point: TimePoint
    base: datetime
    value: datetime
    reason: str
    by: UUID
    at: datetime
    pause: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTimes:
    """The times of one visit as they were recorded, and what was said about them afterwards."""

    technician_id: UUID | None
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    corrections: tuple[TimeCorrection, ...] = ()


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
    answers: tuple[Answer, ...] = ()


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
class AskedVisit:
    """Another visit to the same place that `by` asked for on site: the order `order_id`.

    `follow_up`: the same work goes on; else it is other work that was found there. `parts` and `skill` are
    what was missing.
    """

    order_id: UUID
    number: str
    kind: WorkOrderKind
    summary: str
    expected_minutes: int
    by: UUID
    at: datetime
    parts: tuple[PartLine, ...] = ()
    skill: SkillNeed | None = None
    follow_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The customer was shown `bill`, its lines in their `language`, and agreed or `refused`.

    `name`: who said so, `by`: whose phone showed it, by the price list `price_version`. `signature`: None
    where a tap said it; its bytes follow on their own road.
    """

    bill: Bill
    name: str
    refused: bool
    by: UUID
    at: datetime
    language: str
    price_version: str
    signature: EvidenceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One piece of work at one place, with all that its technician needs and records.

    The same value is the aggregate that rules decide on and the row that a phone keeps.
    `version` rises by one with every event. `on_site_serials` is what was installed there before the visit.
    `required_checks` are the tests that every app knows; `checklist` has them in its order, with what else is
    asked, and is None on orders from before there were checklists. See shared/checklists.py.
    `parts_booked`: so many of the first `parts` have left the van's stock already, at a cancellation.
    `consents`: what the customer said to the price, `bill`: what the completed visit costs them.
    `customer_link`: their page, only on what is sent to phones.
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
    checklist: Checklist | None = None
    removal_required: bool = False
    signature_required: bool = False
    photos_required: int = 0
    on_site_serials: tuple[str, ...] = ()
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    checks: tuple[CheckResult, ...] = ()
    answers: tuple[Answer, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    failed: tuple[RemovedAsset, ...] = ()  # fitted on this visit, and taken off again for a fault
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
    pauses: tuple[Pause, ...] = ()
    time_corrections: tuple[TimeCorrection, ...] = ()
    earlier_visits: tuple[VisitTimes, ...] = ()
    asked_for: tuple[AskedVisit, ...] = ()
    consents: tuple[Consent, ...] = ()
    bill: Bill | None = None
    customer_link: str = ""
    version: int = 0

    @property
    def times(self) -> VisitTimes:
        """Those of the present visit; one that ended before a reopening is among the `earlier_visits`."""
        return VisitTimes(
            technician_id=self.technician_id,
            travel_started_at=self.travel_started_at,
            arrived_at=self.arrived_at,
            finished_at=self.finished_at,
            pauses=self.pauses,
            corrections=self.time_corrections,
        )

    @property
    def pause(self) -> Pause | None:
        """The pause that goes on now."""
        newest = self.pauses[-1] if self.pauses else None
        return newest if newest and newest.ended_at is None and self.state.is_under_way else None

    @property
    def next_number(self) -> str:
        """Of the next order that comes out of this one: WO-7 gives WO-7-2, then WO-7-3."""
        return f"{self.number}-{len(self.split_off) + len(self.asked_for) + 2}"

    def result_of(self, code: str) -> CheckResult | None:
        """The result that counts: the one measured last, whoever sent it when. Others stay on record."""
        found = [result for result in reversed(self.checks) if result.code == code]
        return max(found, key=lambda result: result.at, default=None)

    @property
    def handled_serials(self) -> frozenset[str]:
        """Of the devices that its visits put up or took off."""
        taken = (device.serial for device in (*self.removed, *self.failed))
        return frozenset(device.serial for device in self.fitted).union(taken)

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
