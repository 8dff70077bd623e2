"""A whole server in memory behind the client's Transport, and a network that can be told to misbehave.

It keeps its rows in dicts and knows nothing of the real server's code, but decides by the product's own
rules: `shared.decide` and `shared.clocks`. It is for tests of the phone's end alone. Ana (TECH_ANA) drives
VAN_ANA, Ben drives VAN_BEN; see `a_town` for their day.
"""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Literal
from uuid import UUID

from mobile.gateway import Gateway
from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Product, Tracking, Unit
from shared.clocks import Contact as Clocks
from shared.clocks import Corrected, Tap, correct
from shared.commands import AssignWorkOrder, CancelWorkOrder, FieldCommand, OfficeCommand
from shared.decide import Decision, decide, decide_stock
from shared.events import WorkOrderCompleted, WorkOrderUnfinished
from shared.problems import (
    AppTooOld,
    BadEvidence,
    Busy,
    IdReused,
    NewerSchema,
    NotFound,
    Problem,
    RevokedDevice,
    SignInNeeded,
    TooMany,
    UnsentWork,
    WipeDevice,
)
from shared.situation import Situation
from shared.stock import StockLine, StockMove
from shared.stock_commands import StockCommand
from shared.transfers import Handed
from shared.van import Van
from shared.work_orders import (
    OPTICAL_POWER,
    Contact,
    EquipmentNeed,
    PartLine,
    Place,
    ServiceCard,
    ServiceState,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)
from sync.client.transport import Answer, NoNetwork
from sync.protocol import (
    PROTOCOL,
    Gone,
    Image,
    Profile,
    PushedCommand,
    Receipt,
    Ruling,
    SyncRequest,
    SyncResponse,
    decode_command,
    decode_request,
    encode,
    image_key,
    row_of,
)

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # a Monday, eight o'clock in Helsinki
JPEG = b"\xff\xd8\xff\xe0 a photo of a neat splice box"
PNG = b"\x89PNG\r\n\x1a\n a signature"


def uid(number: int) -> UUID:
    return UUID(int=7 << 76 | 2 << 62 | number)


TECH_ANA, TECH_BEN, VAN_ANA, VAN_BEN, DEPOT = uid(1), uid(2), uid(11), uid(12), uid(13)
WO_1, WO_2, WO_3 = uid(101), uid(102), uid(103)
HOME_1, HOME_2, HOME_3 = uid(201), uid(202), uid(203)
ONT, ROUTER, CONNECTOR, CABLE = "ONT-G2", "RTR-AX", "CON-SCA", "CAB-DROP"


def a_product(sku: str, **more: object) -> Product:
    values: dict[str, object] = {
        "name": sku.title(),
        "tracking": Tracking.SERIALISED,
        "unit": Unit.EACH,
        "maker": "Zhone",
        "model": sku,
        "price_minor": 4_900,
        "currency": "EUR",
    }
    return Product(sku=sku, **{**values, **more})  # type: ignore[arg-type]


def an_asset(serial: str, **more: object) -> Asset:
    values: dict[str, object] = {
        "id": UUID(bytes=sha256(serial.encode()).digest()[:16]),
        "sku": ONT,
        "state": AssetState.IN_STOCK,
        "holder_kind": HolderKind.VAN,
        "holder_id": VAN_ANA,
        "holder_name": "Ana's van",
    }
    return Asset(serial=serial, **{**values, **more})  # type: ignore[arg-type]


def an_order(id: UUID, place_id: UUID, **more: object) -> WorkOrder:
    number = id.int & 0xFFF
    values: dict[str, object] = {
        "number": f"WO-{number}",
        "kind": WorkOrderKind.INSTALL,
        "state": WorkOrderState.ASSIGNED,
        "priority": 2,
        "contact": Contact(customer_id=uid(300 + number), name="Aino Virta", phone="+358401234567"),
        "place": Place(
            id=place_id,
            street="Rantatie",
            house_number=str(number - 100),
            postcode="00100",
            city="Helsinki",
            lat=60.17,
            lon=24.94,
        ),
        "service": ServiceCard(
            id=uid(400 + number),
            state=ServiceState.RESERVED,
            plan_code="F300",
            plan_name="Fibre 300",
            down_mbps=300,
        ),
        "summary": "New fibre line",
        "expected_minutes": 60,
        "technician_id": TECH_ANA,
        "planned_start": MORNING + timedelta(hours=number - 100),
        "planned_end": MORNING + timedelta(hours=number - 99),
        "route_position": number - 100,
        "required_equipment": (EquipmentNeed(role="ONT", skus=(ONT,)),),
        "required_checks": (OPTICAL_POWER,),
        "signature_required": True,
        "photos_required": 1,
    }
    return WorkOrder(id=id, **{**values, **more})  # type: ignore[arg-type]


@dataclass(slots=True)
class Town:
    """All rows of the server. `stock` maps (stock place, SKU) to units."""

    profiles: dict[UUID, Profile]
    orders: dict[UUID, WorkOrder]
    assets: dict[str, Asset]
    stock: dict[tuple[UUID, str], int]
    products: dict[str, Product]
    transfers: dict[UUID, Handed] = field(default_factory=dict)


def a_town() -> Town:
    """Two technicians; Ana has three installs, and on her van two ONTs, a router, connectors and cable."""
    profiles = {
        technician: Profile(
            technician_id=technician,
            name=name,
            van_id=van,
            van_name=f"{name}'s van",
            time_zone="Europe/Helsinki",
            home_lat=60.2,
            home_lon=24.9,
            sealing_key=f"key of {name}",
        )
        for technician, name, van in ((TECH_ANA, "Ana", VAN_ANA), (TECH_BEN, "Ben", VAN_BEN))
    }
    assets = [
        an_asset("ZNTS00000001", gpon_serial="ZNTSA1B2C3D4", mac="AC:12:2F:00:1B:9E"),
        an_asset("ZNTS00000002"),
        an_asset("RTR0000001", sku=ROUTER),
        an_asset("ZNTS00000009", holder_id=VAN_BEN, holder_name="Ben's van"),
        an_asset(
            "OLD0000001",
            state=AssetState.INSTALLED,
            holder_kind=HolderKind.CUSTOMER,
            holder_id=HOME_2,
            holder_name="Rantatie 2",
        ),
    ]
    products = [
        a_product(ONT, name="Optical terminal", gtin="04006381333931"),
        a_product(ROUTER, name="Router"),
        a_product(CONNECTOR, name="SC/APC connector", tracking=Tracking.COUNTED),
        a_product(CABLE, name="Drop cable", tracking=Tracking.COUNTED, unit=Unit.METRE),
    ]
    orders = [
        an_order(WO_1, HOME_1),
        an_order(WO_2, HOME_2, on_site_serials=("OLD0000001",)),
        an_order(WO_3, HOME_3),
    ]
    return Town(
        profiles=profiles,
        orders={order.id: order for order in orders},
        assets={asset.serial: asset for asset in assets},
        stock={(VAN_ANA, ONT): 2, (VAN_ANA, ROUTER): 1, (VAN_ANA, CONNECTOR): 20, (VAN_ANA, CABLE): 150},
        products={product.sku: product for product in products},
    )


@dataclass(slots=True)
class Clock:
    """Stands still until it is told to move."""

    at: datetime = MORNING

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


def counted_entropy() -> Callable[[int], bytes]:
    """Random-looking bytes that are the same in every run."""
    numbers = count()
    return lambda size: sha256(str(next(numbers)).encode()).digest()[:size]


@dataclass(slots=True)
class Device:
    technician_id: UUID
    id: UUID
    refusal: Problem | None = None


Key = tuple[str, str]
"""(kind, key) of a row."""

STATE = ("town", "history", "devices", "feed", "receipts", "held", "blobs", "parts", "named", "rulings")
"""What a backup holds."""


@dataclass(slots=True)
class FakeServer:
    """`register`, `sync`, `uploads` and `attachments` as one Transport. `page_size` rows come in one answer.

    `protocol` 1 makes it the server before this one: no epoch, no uploads in parts, no holding back.
    """

    now: Callable[[], datetime]
    town: Town = field(default_factory=a_town)
    page_size: int = 1000
    protocol: int = PROTOCOL
    protocol_min: int = 1
    history: str = "h1"
    codes: dict[str, UUID] = field(default_factory=lambda: {"ANA-0001": TECH_ANA, "BEN-0001": TECH_BEN})
    devices: dict[str, Device] = field(default_factory=dict)  # by token
    feed: list[Key] = field(default_factory=list)
    receipts: dict[UUID, tuple[bytes, Receipt]] = field(default_factory=dict)
    held: list[tuple[PushedCommand, Problem]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # digest → whole size, what came
    named: dict[str, UUID] = field(default_factory=dict)  # digest → technician
    rulings: dict[UUID, Ruling] = field(default_factory=dict)
    poison: set[UUID] = field(default_factory=set)  # command ids this server stumbles over
    touched: list[Key] = field(default_factory=list)
    actor: UUID = TECH_ANA
    asked: list[SyncRequest] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)  # of each request
    photo_bytes: int = 0  # of photos that arrived, however often
    next_token: str | None = None  # told in the next answer, once
    busy: list[TooMany] = field(default_factory=list)  # told to the next requests, one each
    listeners: list[asyncio.Event] = field(default_factory=list)  # answers that are held back
    wiped: list[str] = field(default_factory=list)  # tokens of devices that said they erased themselves

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            if self.busy:
                raise self.busy.pop(0)
            if (method, path) == ("POST", "/api/devices/register"):
                return self._register(json.loads(body))
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            self.tokens.append(token)
            device = self.devices.get(token)
            if device is None:
                raise SignInNeeded("Register this device again")
            if (method, path) == ("POST", "/api/devices/wiped"):
                self.wiped.append(token)
                return answer_of(204, b"")
            if (method, path) == ("POST", "/sync"):
                packed = headers.get("Content-Encoding") == "gzip"
                return await self._contact(device, gzip.decompress(body) if packed else body)
            if method == "PUT" and path.startswith("/api/attachments/"):
                self.photo_bytes += len(body)
                return self._keep(path.rpartition("/")[2], body)
            if path.startswith("/api/uploads") and self.protocol > 1:
                return self._upload(method, path.rpartition("/")[2], headers, body)
            raise NotFound(f"There is no {method} {path}")
        except Problem as problem:
            return problem_answer(problem)
        except Stumbled:
            return answer_of(500, b"Internal Server Error", "text/plain")

    def _register(self, form: dict[str, str]) -> Answer:
        technician = self.codes.get(form["code"])
        if technician is None:
            raise NotFound("That code is wrong or was used: ask dispatch for a new one", field="code")
        if self.protocol > 1 and form.get("unsent_of") not in (None, str(technician)):
            whose = self.town.profiles[UUID(form["unsent_of"])].name
            raise UnsentWork(f"This phone still holds unsent work of {whose}", field="code")
        del self.codes[form["code"]]
        number = len(self.devices) + 1
        token = f"token-{number}"
        self.devices[token] = Device(technician_id=technician, id=uid(900 + number))
        name = self.town.profiles[technician].name
        told = {
            "device_id": str(uid(900 + number)),
            "token": token,
            "technician": {"id": str(technician), "name": name},
        }
        return answer_of(201, json.dumps(told).encode())

    async def _contact(self, device: Device, body: bytes) -> Answer:
        request = decode_request(body)
        self.asked.append(request)
        if request.protocol > self.protocol:
            raise NewerSchema("Update the server", field="protocol")
        answer = self._sync(device, request)
        asks = answer.missing_evidence and not request.photos_wait
        quiet = not (answer.receipts or answer.rows or answer.gone or answer.reset or asks)
        if self.protocol > 1 and request.wait_seconds and quiet:
            news = asyncio.Event()
            self.listeners.append(news)
            try:
                await asyncio.wait_for(news.wait(), request.wait_seconds)
            except TimeoutError:
                return answer_of(200, encode(answer))
            finally:
                self.listeners.remove(news)
            answer = self._sync(device, request)
        return answer_of(200, encode(answer))

    def _sync(self, device: Device, request: SyncRequest) -> SyncResponse:
        self.actor, self.touched = device.technician_id, []
        now = self.now()
        clocks = Clocks(
            device_now=request.device_now,
            server_now=now,
            mono_ms=request.device_mono_ms,
            boot=request.boot,
        )
        receipts = [
            self._answer(item, clocks, device.refusal) for item in sorted(request.commands, key=by_seq)
        ]
        refusal = device.refusal
        if request.protocol < self.protocol_min:
            refusal = AppTooOld("Update the app", field="protocol")
        if refusal:
            if not receipts:
                raise refusal
            return SyncResponse(
                protocol=self.protocol, server_now=now, cursor=request.cursor or "", receipts=tuple(receipts)
            )
        page = self._page(device.technician_id, request.cursor)
        response = replace(page, server_now=now, receipts=tuple(receipts))
        if self.protocol == 1:
            return response
        token, self.next_token = self.next_token, None
        if token:
            self.devices[token] = device
        return replace(response, epoch=self.history, token=token, protocol_min=self.protocol_min)

    def _page(self, technician: UUID, cursor: str | None) -> SyncResponse:
        """A cursor is history:place in the feed, or history:place:rows while a snapshot is on its way."""
        mine = {(kind, image_key(image)): image for kind, image in self.visible(technician)}
        history, *place = (cursor or "").split(":")
        start, done = int(place[0]) if place else 0, int(place[1]) if len(place) > 1 else 0
        reset = history != self.history
        if reset:
            start, done = len(self.feed), 0
        if reset or len(place) > 1:
            keys = list(mine)[done : done + self.page_size]
            more = done + len(keys) < len(mine)
            cursor = f"{self.history}:{start}" + (f":{done + len(keys)}" if more else "")
        else:
            keys = self.feed[start : start + self.page_size]
            more = start + len(keys) < len(self.feed)
            cursor = f"{self.history}:{start + len(keys)}"
        wanted = dict.fromkeys([*keys, *self.touched])
        return SyncResponse(
            protocol=self.protocol,
            server_now=self.now(),
            cursor=cursor,
            rows=tuple(row_of(kind, mine[kind, key]) for kind, key in wanted if (kind, key) in mine),
            gone=tuple(Gone(kind=kind, key=key) for kind, key in wanted if (kind, key) not in mine),
            reset=reset,
            more=more,
            missing_evidence=tuple(
                digest
                for digest, whose in self.named.items()
                if whose == technician and digest not in self.blobs
            ),
        )

    def _keep(self, digest: str, body: bytes) -> Answer:
        if digest in self.blobs:
            return answer_of(200, b"{}")
        if sha256(body).hexdigest() != digest:
            raise BadEvidence("The photo was damaged on the way")
        if not body.startswith((JPEG[:3], PNG[:8])):
            raise BadEvidence("That file is no picture")
        self.blobs[digest] = body
        return answer_of(201, b"{}")

    def _upload(self, method: str, digest: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """tus 1.0, as far as the phone needs it."""
        assert headers["Tus-Resumable"] == "1.0.0"
        if method == "POST":
            words = dict(pair.split(" ") for pair in headers["Upload-Metadata"].split(","))
            digest = b64decode(words["sha256"]).decode()
            if digest not in self.blobs:
                self.parts.setdefault(digest, (int(headers["Upload-Length"]), b""))
            return self._tus(201, digest)
        if digest not in self.parts and digest not in self.blobs:
            raise NotFound("No such upload")
        if method == "HEAD":
            return self._tus(200, digest)
        assert headers["Content-Type"] == "application/offset+octet-stream"
        self.photo_bytes += len(body)
        size, came = self.parts[digest]
        if int(headers["Upload-Offset"]) != len(came):
            return self._tus(409, digest)
        came += body
        self.parts[digest] = size, came
        if len(came) == size:
            del self.parts[digest]
            self._keep(digest, came)
        return self._tus(204, digest)

    def _tus(self, status: int, digest: str) -> Answer:
        offset = len(self.blobs[digest]) if digest in self.blobs else len(self.parts[digest][1])
        headers = {
            "tus-resumable": "1.0.0",
            "upload-offset": str(offset),
            "location": f"http://server.test/api/uploads/{digest}",
        }
        return Answer(status=status, headers=headers, body=b"")

    def _answer(self, pushed: PushedCommand, clocks: Clocks, quarantine: Problem | None) -> Receipt:
        """The receipt from before, or decide and book, or hold."""
        tap = Tap(made_at=pushed.made_at, mono_ms=pushed.made_mono_ms, boot=pushed.boot)
        happened = correct(tap, clocks, latest=clocks.server_now)
        try:
            if receipt := self._receipt_of(pushed):
                return receipt
            if quarantine:
                raise quarantine
            decoded = decode_command(pushed)
            if isinstance(decoded, StockCommand):
                return self._file(pushed, self._about_van(pushed, decoded, happened))
            command, situation = self.situation(decoded)
            decision = decide(command, situation, happened.at)
        except Problem as problem:
            return self._hold(pushed, problem)
        self._book(decision)
        for evidence in decision.after.order.evidence:
            self.named[evidence.digest] = self.actor
        remarks = decision.remarks + happened.remarks
        receipt = Receipt(command_id=pushed.id, outcome="accepted", decided_at=self.now(), remarks=remarks)
        return self._file(pushed, receipt)

    def _about_van(self, pushed: PushedCommand, command: StockCommand, happened: Corrected) -> Receipt:
        stock = decide_stock(command, self.van(), happened.at)
        for serial, asset in stock.after.assets.items():
            if self.town.assets.get(serial) != asset:
                self.town.assets[serial] = asset
                self._touch("asset", serial)
        for event in stock.events:
            self._move(event.moves)
        for id, handed in stock.after.transfers.items():
            if self.town.transfers.get(id) != handed:
                self.town.transfers[id] = handed
                self._touch("transfer", str(id))
        remarks = stock.remarks + happened.remarks
        return Receipt(command_id=pushed.id, outcome="accepted", decided_at=self.now(), remarks=remarks)

    def van(self) -> Van:
        profile = self.town.profiles[self.actor]
        return Van(
            actor_id=self.actor,
            van_id=profile.van_id,
            van_name=profile.van_name,
            assets=self.town.assets,
            on_hand={
                sku: units for (place, sku), units in self.town.stock.items() if place == profile.van_id
            },
            products=self.town.products,
            transfers=self.town.transfers,
            sealed=True,
        )

    def decide_all(self, commands: Iterable[PushedCommand]) -> list[Receipt]:
        """As if Ana's phone, whose clock is right, had sent them now."""
        now = self.now()
        return [self._answer(item, Clocks(device_now=now, server_now=now), None) for item in commands]

    def _receipt_of(self, pushed: PushedCommand) -> Receipt | None:
        if pushed.id in self.poison:
            raise Stumbled
        if pushed.id not in self.receipts:
            return None
        body, receipt = self.receipts[pushed.id]
        if body != bytes(pushed.body):
            raise IdReused("That id was used for something else")
        return receipt

    def situation(self, command: FieldCommand | OfficeCommand) -> tuple[FieldCommand, Situation]:
        order = self.town.orders.get(command.work_order_id)
        if order is None:
            raise NotFound("There is no such job")
        profile = self.town.profiles[self.actor]
        return command, Situation(  # type: ignore[return-value]
            order=order,
            actor_id=self.actor,
            van_id=profile.van_id,
            van_name=profile.van_name,
            assets=self.town.assets,
            on_hand={
                sku: units for (place, sku), units in self.town.stock.items() if place == profile.van_id
            },
            products=self.town.products,
        )

    def _hold(self, pushed: PushedCommand, problem: Problem) -> Receipt:
        self.held.append((pushed, problem))
        receipt = Receipt(
            command_id=pushed.id,
            outcome="held",
            decided_at=self.now(),
            slug=problem.slug,
            detail=problem.detail,
        )
        return self._file(pushed, receipt)

    def _file(self, pushed: PushedCommand, receipt: Receipt) -> Receipt:
        self.receipts[pushed.id] = bytes(pushed.body), receipt
        return receipt

    def _book(self, decision: Decision) -> None:
        order = decision.after.order
        self.town.orders[order.id] = order
        self._touch("work_order", str(order.id))
        for serial, asset in decision.after.assets.items():
            if self.town.assets.get(serial) != asset:
                self.town.assets[serial] = asset
                self._touch("asset", serial)
        for event in decision.events:
            if isinstance(event, WorkOrderCompleted | WorkOrderUnfinished):
                self._move(event.moves)

    def _move(self, moves: Iterable[StockMove]) -> None:
        for move in moves:
            for place, units in ((move.source_id, -move.quantity), (move.target_id, move.quantity)):
                key = (place, move.sku)
                self.town.stock[key] = self.town.stock.get(key, 0) + units
            self._touch("stock_line", move.sku)

    def _touch(self, kind: str, key: str) -> None:
        self.feed.append((kind, key))
        self.touched.append((kind, key))
        for news in self.listeners:
            news.set()

    def visible(self, technician: UUID) -> Iterator[tuple[str, Image]]:
        """What one technician may see."""
        profile = self.town.profiles[technician]
        yield "profile", profile
        orders = [order for order in self.town.orders.values() if order.technician_id == technician]
        places = {profile.van_id, *(order.place.id for order in orders)}
        yield from (("work_order", order) for order in orders)
        yield from (("asset", asset) for asset in self.town.assets.values() if asset.holder_id in places)
        for (place, sku), units in self.town.stock.items():
            if place == profile.van_id:
                par = 20 if sku == CONNECTOR else 0
                yield "stock_line", StockLine(stock_place_id=place, sku=sku, on_hand=units, par=par)
        yield from (("product", product) for product in self.town.products.values())
        for handed in self.town.transfers.values():
            if technician in (handed.transfer.offer.giver_id, handed.transfer.taker_id):
                yield "transfer", handed
        yield from (("ruling", ruling) for ruling in self.rulings.values())

    # What the office does

    def decide(self, command: OfficeCommand) -> None:
        """Dispatch assigns, unassigns or cancels."""
        _, situation = self.situation(command)  # type: ignore[arg-type]
        self._book(decide(command, situation, self.now()))
        self.feed += [("asset", serial) for serial in self.town.assets]  # places went in or out of scope

    def give(self, order_id: UUID, technician_id: UUID) -> None:
        order = self.town.orders[order_id]
        assert order.planned_start and order.planned_end
        self.decide(
            AssignWorkOrder(
                work_order_id=order_id,
                technician_id=technician_id,
                planned_start=order.planned_start,
                planned_end=order.planned_end,
                route_position=order.route_position,
            )
        )

    def cancel(self, order_id: UUID) -> None:
        self.decide(CancelWorkOrder(work_order_id=order_id, reason="The customer called it off"))

    def act_as(self, technician_id: UUID, command: FieldCommand) -> None:
        """Another technician's phone has sent `command`."""
        before, self.actor = self.actor, technician_id
        _, situation = self.situation(command)
        self._book(decide(command, situation, self.now()))
        self.actor = before

    def rule(self, command_id: UUID, outcome: Literal["accepted", "corrected", "dismissed"]) -> None:
        """A dispatcher decides about a held command."""
        self.rulings[command_id] = Ruling(
            command_id=command_id, outcome=outcome, ruled_at=self.now(), by="Maria", detail="Seen with Ana"
        )
        self._touch("ruling", str(command_id))

    def backup(self) -> dict[str, object]:
        return copy.deepcopy({name: getattr(self, name) for name in STATE})

    def restore(self, backup: dict[str, object]) -> None:
        """Back to how it was, in a new history: every cursor is void."""
        for name, value in copy.deepcopy(backup).items():
            setattr(self, name, value)
        self.restore_backup()

    def restore_backup(self) -> None:
        """A new history: every cursor is void."""
        self.history += "'"

    def revoke(self) -> None:
        for device in self.devices.values():
            device.refusal = RevokedDevice("The office signed this device out: ask dispatch")

    def order_wipe(self) -> None:
        for device in self.devices.values():
            device.refusal = WipeDevice("The office ordered this device to erase itself")

    def have_no_time(self, seconds: int) -> None:
        """The next request is turned away."""
        self.busy.append(Busy("Many phones at once", retry_seconds=seconds))


def by_seq(pushed: PushedCommand) -> int:
    return pushed.seq


class Stumbled(Exception):
    """A bug of the server."""


def answer_of(status: int, body: bytes, media_type: str = "application/json") -> Answer:
    return Answer(status=status, headers={"content-type": media_type}, body=body)


def problem_answer(problem: Problem) -> Answer:
    answer = answer_of(problem.status, json.dumps(problem.as_json()).encode(), "application/problem+json")
    seconds = problem.retry_seconds if isinstance(problem, TooMany) else 0
    return replace(answer, headers={**answer.headers, "retry-after": str(seconds)}) if seconds else answer


PORTAL = answer_of(200, b"<!doctype html><title>Free Wi-Fi</title>", "text/html")

Fault = Literal[
    "none", "request lost", "reply lost", "twice", "half a reply", "captive portal", "empty yes", "500", "503"
]


@dataclass(slots=True)
class Network:
    """Between phone and server. `faults` are used up one a request; after them all goes well."""

    server: FakeServer
    faults: list[Fault] = field(default_factory=list)
    down: bool = False
    log: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    hangs: bool = False

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.log.append(f"{method} {path}")
        self.before()
        await asyncio.sleep(0)  # others get their turn, as on a real network
        if self.hangs:
            await asyncio.Event().wait()
        fault = self.faults.pop(0) if self.faults else "none"
        if self.down or fault == "request lost":
            raise NoNetwork
        if fault == "captive portal":
            return PORTAL
        if fault == "empty yes":
            return answer_of(200, b"")
        if fault == "503":
            return answer_of(503, b"<h1>Bad gateway</h1>", "text/html")
        answer = await self.server.request(method, path, headers=headers, body=body)
        if fault == "twice":
            answer = await self.server.request(method, path, headers=headers, body=body)
        if fault == "reply lost":
            raise NoNetwork("The connection broke while waiting for the answer.")
        if fault == "500":
            return answer_of(500, b"Internal Server Error", "text/plain")
        if fault == "half a reply":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        return answer


def do_whole_job(gateway: Gateway, order_id: UUID, serial: str) -> None:
    """Everything WO_1, WO_2 or WO_3 asks for, from the first tap to the close: eight commands."""
    from shared import commands as cmd

    gateway.send(cmd.StartTravel(work_order_id=order_id))
    gateway.send(cmd.Arrive(work_order_id=order_id))
    gateway.send(cmd.InstallAsset(work_order_id=order_id, serial=serial, source="camera"))
    gateway.send(cmd.RecordCheck(work_order_id=order_id, code="optical_power", value=Decimal("-18.4")))
    gateway.send(cmd.UseParts(work_order_id=order_id, lines=(PartLine(sku=CONNECTOR, quantity=2),)))
    gateway.add_photo(order_id, JPEG, "image/jpeg")
    gateway.add_signature(order_id, PNG, "Aino Virta")
    gateway.send(cmd.CloseWorkOrder(work_order_id=order_id))
