"""What is known of a place before one rings: earlier visits, their light, what else is open, bad lots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from urllib.parse import quote

from mobile import words
from mobile.rule_words import said
from mobile.views.quantities import product_name
from mobile.views.sketch import is_located
from mobile.views.today import Lookup
from shared.assets import Asset, AssetState, HolderKind
from shared.briefs import OpenOrder, PastVisit, PlaceBrief
from shared.work_orders import OPTICAL_POWER, Place, WorkOrder, WorkOrderState

CHARTED = OPTICAL_POWER.code
READINGS_LEAST = 2
"""One value is no course: it stands in its visit's line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """An earlier visit: what and when, who and how it ended, what was measured."""

    heading: str
    outcome: str
    readings: str

    @property
    def label(self) -> str:
        return words.listed([self.heading, self.outcome, self.readings])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One reading: from the start (0) to the end (1), from the bottom (0) to the top (1) of the chart."""

    x: float
    y: float
    good: bool
    day: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Readings oldest first, with the band that they had to keep to; `said` is all of it in words."""

    title: str
    dots: tuple[Dot, ...]
    band: tuple[float, float]
    low: str
    high: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """Empty where nothing is known."""

    visits: tuple[VisitLine, ...]
    chart: Chart | None
    others: tuple[str, ...]
    faults: tuple[str, ...]


def map_address(place: Place, *, apple: bool) -> str:
    """Opens the phone's own map at the place; Apple's asks at once for the way there.

    The map looks for the address where nobody has said where that is.
    """
    if not is_located(place):
        address = quote(place.line, safe="")
        return f"maps://?daddr={address}" if apple else f"geo:0,0?q={address}"
    here = f"{place.lat:.6f},{place.lon:.6f}"
    return f"maps://?daddr={here}" if apple else f"geo:{here}?q={here}"


def place_view(order: WorkOrder, brief: PlaceBrief | None, now: datetime, zone: tzinfo | None) -> PlaceView:
    """The job itself is left out: neither its own visit nor its own number is news to who reads this."""
    if brief is None:
        return PlaceView(visits=(), chart=None, others=(), faults=())
    today = now.astimezone(zone).date()
    visits = [visit for visit in brief.visits if visit.order_id != order.id]
    return PlaceView(
        visits=tuple(_visit(visit, zone) for visit in visits),
        chart=_chart(visits, zone),
        others=tuple(_other(other, zone) for other in brief.open_orders if other.order_id != order.id),
        faults=tuple(
            words.fault(
                fault.number,
                words.STATES[fault.state],
                words.clock_and_day(fault.since.astimezone(zone), today),
            )
            for fault in brief.faults
        ),
    )


def _other(other: OpenOrder, zone: tzinfo | None) -> str:
    day = words.day_and_year(other.planned_start.astimezone(zone).date()) if other.planned_start else ""
    kind, state = words.KINDS[other.kind], words.STATES[other.state]
    return words.open_order(other.number, kind, state, day, here=other.here)


def _visit(visit: PastVisit, zone: tzinfo | None) -> VisitLine:
    ended = words.day_and_year(visit.at.astimezone(zone).date())
    state = words.STATES[visit.state]
    reason = words.REASONS[visit.reason] if visit.state is WorkOrderState.UNFINISHED and visit.reason else ""
    return VisitLine(
        heading=words.listed([ended, words.KINDS[visit.kind], visit.number]),
        outcome=words.listed([state, reason, visit.technician]),
        readings=words.listed(
            [
                words.reading(words.measured(reading.value, reading.unit), passed=reading.passed)
                for reading in visit.readings
            ]
        ),
    )


def _chart(visits: Sequence[PastVisit], zone: tzinfo | None) -> Chart | None:
    """The course of the received light. Visits lie as far apart as their days, so a jump shows when."""
    found = [
        (visit.at, reading)
        for visit in reversed(visits)
        for reading in visit.readings
        if reading.code == CHARTED
    ]
    if len(found) < READINGS_LEAST:
        return None
    newest = found[-1][1]
    low = newest.low if newest.low is not None else OPTICAL_POWER.low
    high = newest.high if newest.high is not None else OPTICAL_POWER.high
    assert low is not None and high is not None, "our own check has both limits"
    values = [reading.value for _, reading in found]
    bottom, top = min(low, *values), max(high, *values)
    room = (top - bottom) / 10
    bottom, top = bottom - room, top + room

    def height(value: Decimal) -> float:
        return float((value - bottom) / (top - bottom))

    first, last = found[0][0], found[-1][0]
    span = (last - first).total_seconds()
    dots = tuple(
        Dot(
            x=(at - first).total_seconds() / span if span else index / (len(found) - 1),
            y=height(reading.value),
            good=reading.passed,
            day=words.short_day(at.astimezone(zone).date()),
            value=words.measured(reading.value, reading.unit),
        )
        for index, (at, reading) in enumerate(found)
    )
    title = said(OPTICAL_POWER.label)
    band = words.band(words.measured(low, newest.unit), words.measured(high, newest.unit))
    return Chart(
        title=title,
        dots=dots,
        band=(height(low), height(high)),
        low=words.measured(low, newest.unit),
        high=words.measured(high, newest.unit),
        said=f"{title}. {band}. {words.listed([f'{dot.day}: {dot.value}' for dot in dots])}",
    )


def lot_warnings(order: WorkOrder, devices: Iterable[Asset], lookup: Lookup) -> tuple[str, ...]:
    """Devices at this place, or on the van for this job, that are in quarantine or of a lot that is."""
    known = list(devices)
    bad = {(device.sku, device.batch) for device in known if is_bad(device) and device.batch}
    fits = order.fitting_skus
    warned = [
        device
        for device in known
        if (is_bad(device) or (device.sku, device.batch) in bad)
        and (
            device.holder_id == order.place.id
            or (device.holder_kind is HolderKind.VAN and device.sku in fits)
        )
    ]
    ordered = sorted(warned, key=lambda device: (device.holder_id != order.place.id, device.serial))
    return tuple(_lot_warning(order, device, lookup) for device in ordered)


def _lot_warning(order: WorkOrder, device: Asset, lookup: Lookup) -> str:
    told = words.lot_here if device.holder_id == order.place.id else words.lot_on_van
    lot = "" if is_bad(device) else device.batch or ""
    return told(device.serial, product_name(lookup(device.sku), device.sku), lot)


def is_bad(device: Asset) -> bool:
    return device.state is AssetState.QUARANTINED
