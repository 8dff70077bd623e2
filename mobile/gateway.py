"""The screens' only door: reading is local and instant, writing is durable when it returns.

No Flet here: the same gateway runs headless in tests and in the demo's check.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Literal
from uuid import UUID

from mobile import news, words
from mobile.device.place import Spot
from mobile.lock import PinLock, required_length
from mobile.queue_words import ruled, title
from mobile.rule_words import said
from mobile.scan_words import ScanVerdict, canonical, judge, label_of, serial_of
from mobile.views.handover import HeldOut, given, held_out, read_answer, read_offer, taken
from shared.agreed import over
from shared.assets import Asset, AssetState, HolderKind
from shared.barcodes.label import NO_LABEL, Label, LabelReading
from shared.briefs import PlaceBrief
from shared.catalogue import Product
from shared.charges import Bill
from shared.clocks import Tap, tick
from shared.commands import AddEvidence, AskForVisit, ConsentToCharge, FieldCommand, Source, files_of
from shared.decide import Decision, StockDecision
from shared.ids import new_id
from shared.money import Money
from shared.network_faults import FaultPhoto, KnownFault, NetworkCommand, NetworkDecision, ReportNetworkFault
from shared.part_requests import PartRequest, PartSupply
from shared.problems import BadEvidence, BadValue, NotFound, Problem, SignInNeeded, UnsentWork
from shared.rating import expected, price, version_of
from shared.stock_commands import AskForPart, TakeOver
from shared.timesheet import DaySheet, day_sheet
from shared.transfers import HandedDevice, Offer, Transfer
from shared.visit_rules import missing_for_close
from shared.work_orders import EvidenceKind, EvidenceRef, PartLine, WorkOrder, WorkOrderState
from sync.client.contact import LATE, Surroundings
from sync.client.driver import Driver, unix_ms
from sync.client.messages import Hush, Wake
from sync.client.rebase import (
    AnyDecision,
    Overlay,
    apply,
    corrected,
    prices_of,
    rebase,
    situation_of,
    zone_of,
)
from sync.client.records import Entry, Images, NewCommand, NewEvidence, NotSaved, Registration
from sync.client.replies import read_registration
from sync.client.report import SyncReport
from sync.client.schema import MIGRATIONS
from sync.client.store import ClientStore
from sync.client.transport import NoNetwork, Transport
from sync.protocol import PROTOCOL, WAIT_SECONDS_MAX, Profile

__all__ = ["Gateway", "QueueItem", "ScanVerdict", "StockView", "SyncReport", "SyncStatus"]

QueueState = Literal["saved", "sending", "accepted", "held", "refused_local", "corrected", "dismissed"]

REGISTER_SECONDS = 30
OFFERING, TAKING = "offering", "taking"
"""Drafts: an offer of one's own that waits for its answer, and a colleague's that was read."""
SUPPLY_OLD, SUPPLY_FRESH = timedelta(minutes=30), timedelta(minutes=2)
"""Who else has parts is asked anew in passing when it is so old; and when somebody looks, unless so fresh."""
SUPPLY_PAUSE = timedelta(minutes=1)
"""It is not asked for more often, whatever the clocks say."""
ROOM_FOR_A_COMMAND = 65_536  # bytes, generously
PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8")
"""JPEG, PNG, WebP, GIF; HEIC has its mark four bytes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView:
    """One SKU on the van, in its unit. `used_unbooked` is used on open jobs and leaves when they close.

    `low`: what is left does not cover what is promised, or is at most half of par.
    """

    product: Product
    on_hand: int
    reserved: int
    used_unbooked: int
    par: int
    low: bool
    serials: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        return self.on_hand - self.used_unbooked

    @property
    def short(self) -> int:
        """What to take along, so that par is there and enough for what is promised."""
        return max(max(self.par, self.reserved) - self.left, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One command, from the tap to its receipt and 14 days on. `made_at` is UTC by the device's clock.

    saved: on this device only · sending: on its way · accepted, held: the server's answer, held meaning a
    dispatcher decides · accepted, corrected, dismissed: what a dispatcher ruled about one that was held ·
    refused_local: unsent, and the job has changed since; it is still sent.
    `work_order_id` is None for what is about the van.
    `detail` is a sentence or empty; `remarks` are sentences. `confirming`: the server was restored from a
    backup, and is asked again. `picture_lost`: the office could not keep a photo or signature of it.
    """

    id: UUID
    seq: int
    made_at: datetime
    type: str
    title: str
    work_order_id: UUID | None
    order_number: str
    state: QueueState
    detail: str = ""
    remarks: tuple[str, ...] = ()
    decided_at: datetime | None = None
    confirming: bool = False
    picture_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What is true now. `online` is None until the first try; `last_contact` is by the device's clock.

    `clock_offset_seconds` is server minus device. `problem` is a sentence, None when all is well.
    `held`: dispatch has not ruled on them. `confirming`: decided, and asked again of a server that was
    restored. `aside`: unsent entries of those who had the device before; they go under their own names.
    `listening`: the server tells of news at once. `whole`: all that this technician may see has come once;
    `tables`: version of the device's own tables. `photos_wait`: photos that wait for Wi-Fi, as was chosen.
    `network_known`: this device says whether it is on Wi-Fi.
    """

    unsent_commands: int
    unsent_photos: int
    held: int
    syncing: bool
    online: bool | None
    last_contact: datetime | None
    problem: str | None
    sign_in_needed: bool
    retry_in_seconds: float | None
    clock_offset_seconds: int
    app_version: str
    protocol: int
    confirming: int = 0
    aside: int = 0
    listening: bool = False
    whole: bool = False
    tables: int = 0
    photos_wait: int = 0
    network_known: bool = False

    @property
    def only_here(self) -> int:
        """Entries and photos that would be lost with this device."""
        return self.unsent_commands + self.unsent_photos + self.aside


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _boot_time() -> Callable[[], float] | None:
    """Seconds since the device was switched on, sleep included; None where Python has no such clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is None:
        return None
    try:
        time.clock_gettime(clock)
    except OSError:  # Pyodide has the name, and no such clock behind it
        return None
    return lambda: time.clock_gettime(clock)


class Gateway:
    """One technician's device. Writes raise `shared.problems.Problem`: nothing was queued then."""

    def __init__(
        self,
        store: ClientStore,
        transport: Transport,
        *,
        now: Callable[[], datetime] = _utc_now,
        entropy: Callable[[int], bytes] = os.urandom,
        monotonic: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        storage_left: Callable[[], int | None] = lambda: None,
        metered: Callable[[], bool | None] = lambda: None,
        app_version: str = "0.1.0",
    ) -> None:
        """`monotonic`: seconds, sleep of the device included; `storage_left`: bytes, None where unknown.

        `metered`: whether the present network is a mobile one; None where the device does not tell.

        Who injects `now` alone gets no second clock: the two would not agree.
        """
        steady = monotonic or (_boot_time() if now is _utc_now else None)
        self._steady_ms = (lambda: round(steady() * 1000)) if steady else lambda: None
        self._store = store
        self._transport = transport
        self._now = now
        self._entropy = entropy
        self._boot = entropy(8).hex()  # a new run: its monotonic times can't be compared with older ones
        self._app_version = app_version
        self._metered = metered
        self._photos_let_go = False
        self._looks_for_parts = False
        self._known_to_who_looked: datetime | None = None
        self._supply_asked_at: datetime | None = None
        self._taken: dict[str, Registration] = {}  # code → what it brought, while older work is in the way
        self._listeners: dict[object, Callable[[], None]] = {}
        self._rows: Images | None = None
        self._overlay: Overlay | None = None
        self._news: Mapping[UUID, news.News] | None = None
        self.lock = PinLock(store, now, entropy=entropy, changed=self._tell)
        self._driver = Driver(
            store,
            transport,
            Surroundings(
                now=now,
                monotonic=monotonic or time.monotonic,
                sleep=sleep,
                steady_ms=self._steady_ms,
                entropy=entropy,
                boot=self._boot,
                app_version=app_version,
                storage_left=storage_left,
                photos_may_go=self._photos_may_go,
                supply_wanted=self._ask_for_supply,
            ),
            stored=self._take_in,
            changed=self._tell,
        )

    # Reading

    @property
    def registered(self) -> bool:
        """Whether this device was given to a technician."""
        return self._store.registration is not None

    @property
    def technician_name(self) -> str | None:
        """By the registration, so it is there before the first sync."""
        registration = self._store.registration
        return registration.technician_name if registration else None

    @property
    def technician_id(self) -> UUID | None:
        registration = self._store.registration
        return registration.technician_id if registration else None

    @property
    def profile(self) -> Profile | None:
        """None until the first sync."""
        return self._shown.images.profile

    @property
    def pin_length_min(self) -> int:
        """Digits that the PIN must have, for the office requires one; 0: it does not."""
        return required_length(self.profile.pin_length_min) if self.profile else 0

    @property
    def pin_due(self) -> bool:
        """Whether the office requires a PIN that this device does not have."""
        return self.lock.length < self.pin_length_min

    @property
    def zone(self) -> tzinfo | None:
        """Where the technician works; None, the device's own zone, where its rules are not installed."""
        return zone_of(self.profile.time_zone) if self.profile else None

    def preference(self, name: str) -> str | None:
        """What was chosen on this device; it stays when another technician signs in."""
        return self._store.preference(name)

    def today(self, day: date | None = None) -> list[WorkOrder]:
        """This technician's orders of `day` (default: today where they work), in route order.

        Today also shows what is under way from another day, and jobs with unsent work that went to others.
        """
        zone, me = self.zone, self._store.registration
        if me is None:
            return []
        chosen = day or self.at().astimezone(zone).date()
        unsent = self._store.jobs_unsent() if day is None else set()
        return sorted(
            (
                order
                for order in self._shown.images.orders.values()
                if (
                    order.technician_id == me.technician_id
                    and (_day(order, zone) == chosen or (day is None and order.state.is_under_way))
                )
                or order.id in unsent
            ),
            key=_route_order,
        )

    def days(self) -> dict[date, int]:
        """How many jobs of this technician are on this device for each day that has any."""
        me = self._store.registration
        found = Counter(
            day
            for order in self._shown.images.orders.values()
            if me and order.technician_id == me.technician_id and order.state is not WorkOrderState.CANCELLED
            if (day := _day(order, self.zone))
        )
        return dict(sorted(found.items()))

    @property
    def images(self) -> Images:
        """All rows, as they look with what is unsent."""
        return self._shown.images

    def news(self) -> Mapping[UUID, news.News]:
        """What the office changed since the technician last looked, by job."""
        if self._news is None:
            me, before = self._store.registration, self._seen
            now = self.at().astimezone(self.zone).date()
            self._news = news.news_of(before, self._jobs(), now, self.zone) if me and before else {}
        return self._news

    def looked_at(self, id: UUID) -> None:
        """The technician has this job before them: what changed of it is news no more. Raises NotSaved."""
        if id in self.news() and self._seen is not None:
            self._keep_seen(news.looked_at(self._seen, self._jobs(), id))

    def looked_at_all(self) -> None:
        """The technician has taken note of all news. Raises NotSaved."""
        self._keep_seen(self._jobs())

    def order(self, id: UUID) -> WorkOrder | None:
        return self._shown.images.orders.get(id)

    def closed_at_office(self, id: UUID) -> bool:
        """The office has the close of this job: its customer's page shows the receipt."""
        _, rows = self._shown, self._rows
        assert rows is not None, "the overlay was built on them"
        order = rows.orders.get(id)
        return order is not None and order.state is WorkOrderState.COMPLETED

    def missing(self, id: UUID) -> tuple[Problem, ...]:
        """What still blocks the close; empty for an order that is not here."""
        order = self.order(id)
        return missing_for_close(order) if order else ()

    def price_before(self, id: UUID) -> Bill | None:
        """What the visit will cost with the parts that are planned or used; None where that is unknown."""
        order = self.order(id)
        return self._price(expected(order)) if order else None

    def price_now(self, id: UUID) -> Bill | None:
        """What it costs as it stands: a close now would bill so much, were all of it agreed to."""
        order = self.order(id)
        return self._price(order) if order else None

    def not_agreed(self, id: UUID) -> Money | None:
        """How much of that the customer has not agreed to; None where nothing is in question."""
        order, bill = self.order(id), self.price_now(id)
        found = over(order, bill) if order and bill else None
        return found if found and found.minor else None

    def _price(self, order: WorkOrder) -> Bill | None:
        images = self._shown.images
        prices = prices_of(images)
        return price(order, prices, images.products, self.at()) if prices else None

    def timesheet(self, day: date) -> DaySheet:
        """Where this technician's `day` went, as far as the jobs on this device tell."""
        me, now = self._store.registration, self.at()
        if me is None:
            return DaySheet(day=day, stretches=())
        return day_sheet(self._shown.images.orders.values(), me.technician_id, day, self.zone, now)

    def van_stock(self) -> list[StockView]:
        """What the van carries, by name."""
        images = self._shown.images
        used = self._used_unbooked()
        devices = self.devices_on_van()
        views = []
        for sku, line in images.stock.items():
            if (product := images.products.get(sku)) is None:
                continue
            left = line.on_hand - used[sku]
            views.append(
                StockView(
                    product=product,
                    on_hand=line.on_hand,
                    reserved=line.reserved,
                    used_unbooked=used[sku],
                    par=line.par,
                    low=left < line.reserved or (line.par > 0 and 2 * left <= line.par),
                    serials=tuple(
                        asset.serial
                        for asset in devices
                        if asset.sku == sku and asset.state is not AssetState.QUARANTINED
                    ),
                )
            )
        return sorted(views, key=lambda view: (view.product.name, view.product.sku))

    def devices_on_van(self) -> list[Asset]:
        """By serial. One that is fitted on an open job is still booked on the van, and has `claimed_by`."""
        van_id = self.profile.van_id if self.profile else None
        return self._devices(lambda asset: asset.holder_kind is HolderKind.VAN and asset.holder_id == van_id)

    def devices_at(self, place_id: UUID) -> list[Asset]:
        """What is installed at a service location, by serial."""
        return self._devices(lambda asset: asset.holder_id == place_id)

    def brief(self, place_id: UUID) -> PlaceBrief | None:
        """What is known of a place; None where the server has not sent it."""
        return self._shown.images.briefs.get(place_id)

    @property
    def supply(self) -> PartSupply | None:
        """Who else has parts, as the office knew it then."""
        return self._shown.images.supply

    def part_requests(self) -> list[PartRequest]:
        """What this technician asked for and was asked for, open ones first, then the newest."""
        found = self._shown.images.part_requests.values()
        newest = sorted(found, key=lambda request: (request.asked_at, request.id), reverse=True)
        return sorted(newest, key=lambda request: not request.is_open)

    def requests_waiting(self) -> frozenset[UUID]:
        """The requests for parts that were made here and that the office has not got yet."""
        unsent = (entry.command for entry in self._store.entries() if entry.outcome is None)
        return frozenset(command.request_id for command in unsent if isinstance(command, AskForPart))

    def answers_to_me(self) -> list[PartRequest]:
        """Own open requests that whoever has the part has answered, the newest answer first."""
        me = self.technician_id
        found = [
            request
            for request in self._shown.images.part_requests.values()
            if request.is_open and request.asker_id == me and request.answered_at is not None
        ]
        return sorted(found, key=lambda request: (request.answered_at, request.id), reverse=True)

    def asked_of_me(self) -> list[PartRequest]:
        """Open requests of others for what is on this van."""
        van_id = self.profile.van_id if self.profile else None
        return [one for one in self.part_requests() if one.is_open and one.holder_id == van_id]

    def cabinets(self) -> dict[str, KnownFault | None]:
        """The street cabinets that jobs on this device hang on, each with its open fault; today's first."""
        today = {order.id: place for place, order in enumerate(self.today())}
        orders = sorted(
            (order for order in self._shown.images.orders.values() if order.place.cabinet),
            key=lambda order: (today.get(order.id, len(today)), order.place.cabinet),
        )
        faults = {
            fault.cabinet: fault
            for brief in self._shown.images.briefs.values()
            for fault in brief.network_faults
        }
        return {order.place.cabinet: faults.get(order.place.cabinet) for order in orders}

    def product(self, sku: str) -> Product | None:
        return self._shown.images.products.get(sku)

    def products(self) -> list[Product]:
        """The catalogue, by name."""
        return sorted(self._shown.images.products.values(), key=lambda product: (product.name, product.sku))

    @property
    def catalogue(self) -> Mapping[str, Product]:
        """SKU → product."""
        return self._shown.images.products

    def held_out(self) -> HeldOut | None:
        """What this technician offers a colleague and has no answer to yet; it outlives a restart."""
        return self._offer_kept(OFFERING)

    def offered_to_me(self) -> HeldOut | None:
        """The colleague's offer that was read last, until it is done with."""
        return self._offer_kept(TAKING)

    def took(self, offer_id: UUID) -> TakeOver | None:
        """What was taken of an offer, as it is in the queue: the answer can be shown again."""
        commands = (entry.command for entry in self._store.entries())
        return next(
            (one for one in commands if isinstance(one, TakeOver) and one.transfer.id == offer_id), None
        )

    def _offer_kept(self, name: str) -> HeldOut | None:
        text = self._store.draft(name)
        return read_offer(text) if text else None

    def read_label(self, readings: Iterable[LabelReading]) -> Label:
        """What all codes of one picture say together."""
        return label_of(readings, self._shown.images.products)

    def serial_of(self, text: str) -> str | None:
        """Which device a code on its label names, known here or not; None for a code that names none."""
        return serial_of(text, self._shown.images.assets)

    def judge_scan(self, order_id: UUID, text: str, source: Source, label: Label = NO_LABEL) -> ScanVerdict:
        """What was scanned, and what may be done with it here. Raises NotFound for a job that is not here."""
        return judge(situation_of(self._shown.images, order_id), text, source, self.at(), label)

    def queue(self) -> list[QueueItem]:
        """What this device has said and the server's answers, newest first."""
        refused = self._store.refused_evidence()
        return [self._item(entry, refused) for entry in reversed(self._store.entries())]

    def orders_waiting(self) -> frozenset[UUID]:
        """The orders that were asked for here and that the office has not got yet."""
        entries = self._store.entries()
        unsent = (entry.command for entry in entries if entry.outcome is None)
        return frozenset(command.new_order_id for command in unsent if isinstance(command, AskForVisit))

    def evidence_bytes(self, digest: str) -> bytes | None:
        """The photo or signature, as long as this device keeps it: 14 days after the server has it."""
        evidence = self._store.evidence(digest)
        return evidence.body if evidence else None

    def make_room(self, to_free: Callable[[int], int]) -> None:
        """Give up the oldest photos that the office has. `to_free`: bytes, given what our file has free."""
        if (wanted := to_free(self._store.reusable())) and self._store.shelf.give_up_oldest(wanted):
            self._tell()

    def status(self) -> SyncStatus:
        counts, state, refusal = self._store.counts(), self._driver.state, self._store.refusal
        return SyncStatus(
            unsent_commands=counts.unsent_commands,
            unsent_photos=counts.unsent_photos,
            held=counts.held,
            syncing=self._driver.syncing,
            online=state.online,
            last_contact=self._store.last_contact,
            problem=said(refusal or state.trouble or "")
            or (words.PHOTO_REFUSED if counts.photos_refused else None),
            sign_in_needed=refusal is not None,
            retry_in_seconds=self._driver.retry_in_seconds,
            clock_offset_seconds=round(self._store.clock_offset.total_seconds()),
            app_version=self._app_version,
            protocol=PROTOCOL,
            confirming=counts.confirming,
            aside=counts.aside,
            listening=self._driver.waiting,
            whole=self._store.is_whole,
            tables=len(MIGRATIONS),
            photos_wait=0 if self._photos_may_go() else self._store.photos_left(),
            network_known=self._metered() is not None,
        )

    @property
    def photos_only_on_wifi(self) -> bool:
        return self._store.preference("photos") == "wifi"

    @property
    def photos_say_where(self) -> bool:
        return self._store.preference("photo_place") == "yes"

    def _photos_may_go(self) -> bool:
        return self._photos_let_go or not self.photos_only_on_wifi or self._metered() is False

    def look_for_parts(self) -> None:
        """Somebody looks who has parts: ask the office at once, where there is a network."""
        supply = self.supply
        self._looks_for_parts = True
        self._known_to_who_looked = supply.known_at if supply else None
        self.wake()

    def _ask_for_supply(self) -> bool:
        """Whether this request is to bring who has parts; then it is not asked again in the same minute."""
        now, supply = self.at(), self._shown.images.supply
        pause = self._supply_asked_at
        if pause is not None and timedelta(0) <= now - pause < SUPPLY_PAUSE:
            return False
        known = supply.known_at if supply else None
        if known and (known != self._known_to_who_looked or now - known <= SUPPLY_FRESH):
            self._looks_for_parts = False  # only an answer ends it: a request may have been lost
        old = SUPPLY_FRESH if self._looks_for_parts else SUPPLY_OLD
        wanted = now - known > old if known else True
        if wanted:
            self._supply_asked_at = now
        return wanted

    # Writing

    def send(self, command: FieldCommand, *, ends_draft: str | None = None) -> AnyDecision:
        """Decide and queue. Durable when it returns; when it raises, nothing was queued.

        `ends_draft`: what was kept under this name became the command, and goes with it.
        """
        return self._send(command, ends_draft=ends_draft)

    def add_photo(
        self,
        order_id: UUID,
        data: bytes,
        media_type: str,
        *,
        check: str | None = None,
        spot: Spot | None = None,
    ) -> EvidenceRef:
        """Queue a photo and its bytes together. Raises BadEvidence.

        `check`: the item of the checklist; `spot`: where it was taken.
        """
        return self._add_evidence(order_id, EvidenceKind.PHOTO, data, media_type, check=check, spot=spot)

    def add_signature(self, order_id: UUID, png: bytes, signer: str) -> EvidenceRef:
        """Queue a signature and its bytes together. Raises BadEvidence."""
        return self._add_evidence(order_id, EvidenceKind.SIGNATURE, png, "image/png", signer=signer)

    def answer_price(
        self, order_id: UUID, bill: Bill, name: str, language: str, *, refused: bool = False, png: bytes = b""
    ) -> Decision:
        """Queue what the customer said to `bill`, with their signature if they gave one (`png`)."""
        prices = prices_of(self._shown.images)
        signature, evidence = None, None
        if png:
            named = name.strip() or None
            drawn, evidence = self._evidence(order_id, EvidenceKind.SIGNATURE, png, "image/png", signer=named)
            signature = EvidenceRef(
                kind=drawn.kind,
                digest=drawn.digest,
                size_bytes=drawn.size_bytes,
                media_type=drawn.media_type,
                taken_at=drawn.taken_at,
                signer=drawn.signer,
            )
        command = ConsentToCharge(
            work_order_id=order_id,
            bill=bill,
            name=name,
            language=language,
            price_version=version_of(prices, self.catalogue.values()) if prices else "",
            refused=refused,
            signature=signature,
        )
        decision = self._send(command, (evidence,) if evidence else ())
        assert isinstance(decision, Decision), "it is about a job"
        return decision

    def send_with_photo(
        self, command: FieldCommand, jpeg: bytes | None, spot: Spot | None = None
    ) -> Decision:
        """Decide and queue `command`, and a photo that belongs to it: both are saved, or neither.

        `spot`: where it was taken.
        """
        if jpeg is None:
            return self.send(command)
        photo, evidence = self._evidence(
            command.work_order_id, EvidenceKind.PHOTO, jpeg, "image/jpeg", spot=spot
        )
        return self._send_all(((command, ()), (photo, (evidence,))))[0]

    def report_fault(
        self, report: ReportNetworkFault, photos: Sequence[bytes], spot: Spot | None = None
    ) -> NetworkDecision:
        """Queue a report of a network fault with its photos: all are saved, or nothing. Raises Problem.

        `spot`: where it was seen.
        """
        files = [self._photo(photo) for photo in photos]
        named = tuple(
            FaultPhoto(digest=file.digest, size_bytes=len(file.body), media_type=file.media_type)
            for file in files
        )
        command = replace(
            report,
            photos=named,
            lat=spot.lat if spot else None,
            lon=spot.lon if spot else None,
            accuracy_m=spot.accuracy_m if spot else None,
        )
        return self._send(command, files)

    def _photo(self, data: bytes) -> NewEvidence:
        if not data.startswith(PICTURE_STARTS):
            raise BadEvidence(words.not_a_picture(EvidenceKind.PHOTO.value), field="photo")
        return NewEvidence(digest=sha256(data).hexdigest(), media_type="image/jpeg", body=data)

    def _add_evidence(
        self,
        order_id: UUID,
        kind: EvidenceKind,
        data: bytes,
        media_type: str,
        *,
        signer: str | None = None,
        check: str | None = None,
        spot: Spot | None = None,
    ) -> EvidenceRef:
        asked = self._evidence(order_id, kind, data, media_type, signer=signer, check=check, spot=spot)
        command, file = asked
        decision = self._send(command, (file,))
        return decision.after.order.evidence[-1]

    def _evidence(
        self,
        order_id: UUID,
        kind: EvidenceKind,
        data: bytes,
        media_type: str,
        *,
        signer: str | None = None,
        check: str | None = None,
        spot: Spot | None = None,
    ) -> tuple[AddEvidence, NewEvidence]:
        if data and not data.startswith(PICTURE_STARTS) and data[4:8] != b"ftyp":
            raise BadEvidence(words.not_a_picture(kind.value), field="photo")
        digest = sha256(data).hexdigest()
        command = AddEvidence(
            work_order_id=order_id,
            kind=kind,
            digest=digest,
            size_bytes=len(data),
            media_type=media_type,
            taken_at=self.at(),
            signer=signer,
            check=check,
            lat=spot.lat if spot else None,
            lon=spot.lon if spot else None,
            accuracy_m=spot.accuracy_m if spot else None,
        )
        return command, NewEvidence(digest=digest, media_type=media_type, body=data)

    def _send(
        self,
        command: FieldCommand,
        files: Sequence[NewEvidence] = (),
        ends_draft: str | None = None,
    ) -> AnyDecision:
        return self._send_all(((command, files),), ends_draft)[0]

    def _send_all(
        self, wanted: Sequence[tuple[FieldCommand, Sequence[NewEvidence]]], ends_draft: str | None = None
    ) -> list[AnyDecision]:
        """Decide each on what those before it leave behind, and queue them in one transaction."""
        if (registration := self._store.registration) is None:
            raise SignInNeeded(words.NOT_REGISTERED)
        shown, made_at = self._shown, self._now()
        rows, images, hlc = self._rows, shown.images, self._store.hlc
        assert rows is not None, "the overlay was built on them"
        made_mono_ms = self._steady_ms()
        tap = Tap(made_at=made_at, mono_ms=made_mono_ms, boot=self._boot)
        at = corrected(tap, self._store.contact)
        decisions: list[AnyDecision] = []
        queued: list[tuple[NewCommand, Sequence[NewEvidence]]] = []
        for asked, files in wanted:
            command = canonical(asked, images.assets)
            decision, images = apply(images, command, at)
            order = decision.after.order if isinstance(decision, Decision) else None
            hlc = tick(hlc, unix_ms(made_at))
            new = NewCommand(
                id=new_id(unix_ms(made_at), self._entropy(10)),
                made_at=made_at,
                base_version=rows.orders[order.id].version if order else 0,
                order_number=order.number if order else "",
                command=command,
                made_mono_ms=made_mono_ms,
                boot=self._boot,
                hlc=hlc,
                technician_id=registration.technician_id,
            )
            decisions.append(decision)
            queued.append((new, files))
        try:
            self._enqueue(queued, ends_draft)
        except BaseException:
            self._look_again()  # what is on the disk counts, whatever went wrong
            raise
        self._overlay, self._news = replace(shown, images=images), None
        self._driver.interrupt(Wake())
        self._tell()
        return decisions

    def prefer(self, **chosen: str) -> None:
        self._store.prefer(**chosen)

    def mint(self) -> UUID:
        """The id of something that begins on this device."""
        return new_id(unix_ms(self._now()), self._entropy(10))

    def hold_out(self, lines: tuple[PartLine, ...], devices: tuple[HandedDevice, ...]) -> HeldOut:
        """Offer a colleague stock of this van. It stays on the list until they have answered."""
        profile = self._sealing()
        offer = Offer(
            id=self.mint(),
            giver_id=profile.technician_id,
            giver_van_id=profile.van_id,
            offered_at=self.at().replace(microsecond=0),
            lines=lines,
            devices=devices,
        )
        held = held_out(offer, profile.sealing_key, profile.name)
        self.keep_draft(OFFERING, held.as_text())
        self._tell()
        return held

    def withdraw(self) -> None:
        """Nobody takes it. Where somebody has, and was not read, their phone tells the office."""
        self.keep_draft(OFFERING, None)
        self._tell()

    def hand_over(self, answer: str) -> StockDecision:
        """The colleague's answer was read: what they took leaves this van."""
        held = self.held_out()
        if held is None:
            raise BadValue(words.ANSWERS_ANOTHER, field="answer")
        return self._send(given(held, read_answer(answer)), ends_draft=OFFERING)

    def look_at_offer(self, text: str) -> HeldOut:
        """Read a colleague's offer and keep it. Raises BadValue."""
        held, profile = read_offer(text), self._sealing()
        if held.offer.giver_id == profile.technician_id:
            raise BadValue(words.OWN_OFFER, field="offer")
        self.keep_draft(TAKING, held.as_text())
        self._tell()
        return held

    def take_over(
        self, held: HeldOut, lines: tuple[PartLine, ...], devices: tuple[HandedDevice, ...]
    ) -> StockDecision:
        """What of it is in hand is on this van from now on."""
        profile = self._sealing()
        transfer = Transfer(
            offer=held.offer,
            taker_id=profile.technician_id,
            taker_van_id=profile.van_id,
            lines=lines,
            devices=devices,
        )
        return self._send(taken(held, transfer, profile.sealing_key))

    def leave_offer(self) -> None:
        """The colleague's offer was answered, or comes to nothing."""
        self.keep_draft(TAKING, None)
        self._tell()

    def _sealing(self) -> Profile:
        profile = self.profile
        if profile is None or not profile.sealing_key:
            raise NotFound(words.NO_SEALING_KEY)
        return profile

    def draft(self, name: str) -> str | None:
        """What was begun under this name and is no command yet; it is still here after a restart."""
        return self._store.draft(name)

    def drafts(self, prefix: str) -> dict[str, str]:
        """All whose names begin so."""
        return self._store.drafts(prefix)

    def keep_draft(self, name: str, body: str | None) -> None:
        """None: it is done, or given up."""
        self._store.keep_draft(name, body)

    def _enqueue(
        self, queued: Sequence[tuple[NewCommand, Sequence[NewEvidence]]], ends_draft: str | None
    ) -> None:
        """Queue them; where the device is full, in the place of photos that the office has."""
        try:
            self._store.enqueue_all(queued, ends_draft=ends_draft)
        except NotSaved:
            wanted = sum(ROOM_FOR_A_COMMAND + sum(len(file.body) for file in files) for _, files in queued)
            if not self._store.shelf.give_up_oldest(wanted):
                raise
            self._store.enqueue_all(queued, ends_draft=ends_draft)

    # Network

    async def register(self, code: str, device_name: str, platform: str, *, keep_aside: bool = False) -> None:
        """Become a technician's device. Raises Problem (wrong or used code) or NoNetwork.

        UnsentWork while unsent work of another technician is here. With `keep_aside` it stays here, is shown
        to nobody, and is sent under its own technician's name.
        """
        code, before, counts = code.strip(), self._store.registration, self._store.counts()
        unsent = counts.unsent_commands + counts.unsent_photos
        if (registration := self._taken.get(code)) is None:
            body = {"code": code, "device_name": device_name, "platform": platform}
            if before and unsent and not keep_aside:
                body["unsent_of"] = str(before.technician_id)
            try:
                async with asyncio.timeout(REGISTER_SECONDS):
                    answer = await self._transport.request(
                        "POST",
                        "/api/devices/register",
                        headers={"Content-Type": "application/json"},
                        body=json.dumps(body).encode(),
                    )
            except TimeoutError as error:
                raise NoNetwork(LATE) from error
            registration = read_registration(answer)
        if before and unsent and not keep_aside and before.technician_id != registration.technician_id:
            # An older server gives the code away all the same. It is good for the next try.
            self._taken[code] = registration
            raise UnsentWork(words.unsent_of(unsent, before.technician_name))
        self._store.register(registration)
        self._taken.clear()
        self._look_again()
        self._tell()

    async def sync(self) -> SyncReport:
        """Send and fetch until all is said, then the photos. No network is no error: the report says it."""
        report = await self._driver.run()
        self._keep_back_again()
        return report

    async def listen(self, seconds: int = WAIT_SECONDS_MAX) -> SyncReport:
        """Wait at most so long for the server to have news, and take it in. A write or `sync` ends it."""
        report = await self._driver.run(seconds)
        self._keep_back_again()
        return report

    def _keep_back_again(self) -> None:
        if self._photos_let_go and not self._store.photos_left():
            self._photos_let_go = False

    def send_photos_now(self) -> None:
        """Those that wait for Wi-Fi go by whatever network there is; those taken later wait again."""
        self._photos_let_go = True
        self._tell()
        self.wake()

    def stop_listening(self) -> None:
        """Nobody looks at the screen: spare the battery. What is being sent goes on."""
        self._driver.interrupt(Hush())

    def wake(self) -> None:
        """Say at once what is to be said, if a conversation runs; `sync` begins one."""
        self._driver.interrupt(Wake())

    @property
    def must_confirm_wipe(self) -> bool:
        """This device was erased, and the office does not know it yet."""
        return self._store.wiped_token is not None

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """`callback()` after every change of rows, queue or status; call what is returned to stop.

        It must not raise: by then, what the technician did is saved.
        """
        token = object()
        self._listeners[token] = callback

        def stop() -> None:
            self._listeners.pop(token, None)

        return stop

    # Inside

    def _look_again(self) -> None:
        self._rows = self._overlay = self._news = None

    def _take_in(self) -> None:
        """Rows or receipts have come. What is no news counts as seen, and at the first time all does."""
        self._look_again()
        if self._store.registration is None or not self._store.is_whole:
            return
        kept = news.kept_up(self._seen, self._jobs(), self.news())
        if kept != self._seen:
            with contextlib.suppress(NotSaved):  # then it is news once more: better than an app that stops
                self._keep_seen(kept)

    @property
    def _seen(self) -> dict[UUID, news.Seen] | None:
        return news.from_text(self._store.last_seen)

    def _keep_seen(self, seen: Mapping[UUID, news.Seen]) -> None:
        self._store.keep_seen(news.as_text(seen))
        self._news = None
        self._tell()

    def _jobs(self) -> dict[UUID, news.Seen]:
        me = self._store.registration
        return news.seen_of(self._shown.images.orders.values(), me.technician_id) if me else {}

    def _tell(self) -> None:
        for listener in tuple(self._listeners.values()):
            listener()

    @property
    def _shown(self) -> Overlay:
        if self._overlay is None:
            self._rows = self._store.images()
            self._overlay = rebase(self._rows, self._store.to_replay(), self._store.contact)
        return self._overlay

    def at(self) -> datetime:
        """Now by the server's clock, as far as this device knows it."""
        tap = Tap(made_at=self._now(), mono_ms=self._steady_ms(), boot=self._boot)
        return corrected(tap, self._store.contact)

    def _devices(self, wanted: Callable[[Asset], bool]) -> list[Asset]:
        found = filter(wanted, self._shown.images.assets.values())
        return sorted(found, key=lambda asset: asset.serial)

    def _used_unbooked(self) -> Counter[str]:
        van_id = self.profile.van_id if self.profile else None
        used: Counter[str] = Counter()
        me = self._store.registration
        for order in self._shown.images.orders.values():
            if me and order.technician_id == me.technician_id and not order.state.is_over:
                for line in order.parts:
                    used[line.sku] += line.quantity
                used.update(device.sku for device in order.fitted if device.source_id == van_id)
        return used

    def _item(self, entry: Entry, refused: Mapping[str, str]) -> QueueItem:
        images, blocked = self._shown.images, self._shown.blocked.get(entry.id)
        state: QueueState = entry.outcome or "saved"
        detail = entry.detail or ""
        if entry.outcome is None and blocked:
            state, detail = "refused_local", blocked.detail
        if entry.outcome is None and entry.id in self._driver.in_flight:
            state = "sending"
        named = files_of(entry.command) if entry.command is not None else ()
        lost = [refused[digest] for digest in named if digest in refused]
        detail = said(lost[0] if lost else detail)
        if entry.outcome == "held" and (ruling := images.rulings.get(entry.id)):
            state, detail = ruling.outcome, ruled(ruling, self.at(), self.zone)
        return QueueItem(
            id=entry.id,
            seq=entry.seq,
            made_at=entry.made_at,
            type=entry.type,
            title=title(entry, images.orders.get(entry.work_order_id), images.products),
            work_order_id=entry.work_order_id,
            order_number=entry.order_number or _about(entry.command),
            state=state,
            detail=detail,
            remarks=tuple(said(remark.detail) for remark in entry.remarks),
            decided_at=entry.decided_at,
            confirming=entry.confirm,
            picture_lost=bool(lost),
        )


def _about(command: FieldCommand | None) -> str:
    """What an entry is of that names no job."""
    return words.cabinet(command.cabinet) if isinstance(command, NetworkCommand) else words.VAN


def _day(order: WorkOrder, zone: tzinfo | None) -> date | None:
    start = order.planned_start or (order.window.start if order.window else None)
    return start.astimezone(zone).date() if start else None


def _route_order(order: WorkOrder) -> tuple[bool, int, datetime, str]:
    position, start = order.route_position, order.planned_start
    return position is None, position or 0, start or datetime.max.replace(tzinfo=UTC), order.number
