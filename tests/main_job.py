"""./dev demo --check: the main job by itself, headless, on real parts; ends with one JSON object.

A real town is read, a day planned, a server started; technicians' apps (the real client code over HTTP) take
their routes, the server is really stopped, jobs are closed offline with serials decoded from pictures of
labels, the apps restart, the server comes back, everything is synced, then the same pushes come again.
What happened is counted from the database. Exit code 1 when any step did not truly happen.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import io
import json
import logging
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, cast
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import httpx  # noqa: E402
from checklist_answers import good_value, next_answer, numbers_open, photos_open  # noqa: E402
from PIL import Image  # noqa: E402
from real_server import RealServer, free_port  # noqa: E402
from sqlalchemy import func, select  # noqa: E402

from mobile.device.signature import signature_png  # noqa: E402
from mobile.gateway import Gateway  # noqa: E402
from server import replay  # noqa: E402
from server.access.devices import new_code  # noqa: E402
from server.assets.models import AssetRow  # noqa: E402
from server.billing.models import InvoiceLineRow, InvoiceRow, JournalLineRow  # noqa: E402
from server.clock import utc_now  # noqa: E402
from server.customers.links import visit_link  # noqa: E402
from server.customers.models import NoticeRow, ServiceRow  # noqa: E402
from server.db.engine import Database  # noqa: E402
from server.db.feed_models import CommandRow, FeedRow  # noqa: E402
from server.db.migrate import upgrade  # noqa: E402
from server.db.tables import metadata  # noqa: E402
from server.demo import prepare  # noqa: E402
from server.demo.seed import PASSWORD  # noqa: E402
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow  # noqa: E402
from server.scanning import label_jpeg, read_field, render_label  # noqa: E402
from server.stock.models import ProductRow, ReservationRow, StockMoveRow, StockPlaceRow  # noqa: E402
from server.work_orders.models import AttachmentRow, WorkOrderRow  # noqa: E402
from shared import commands as cmd  # noqa: E402
from shared.barcodes import FieldKind  # noqa: E402
from shared.work_orders import (  # noqa: E402
    PartLine,
    UnfinishedReason,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)
from sync.client.store import ClientStore  # noqa: E402
from sync.client.transport import Answer, HttpxTransport  # noqa: E402

CACHE = ROOT / "var" / "maps"
TECHNICIANS = 4
BOARD_SECONDS_MAX = 2.0


class NotTrue(Exception):
    """A step did not truly happen."""


def ensure(fact: object, sentence: str) -> None:
    if not fact:
        raise NotTrue(sentence)


@dataclass
class Report:
    """The steps so far, in the shape that programs read."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def step(self, name: str, deed: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        say(f"{name} …")
        start = time.monotonic()
        ok, facts = True, {}
        try:
            facts = deed()
        except Exception as error:  # whatever went wrong, the report must say so as JSON
            ok, facts = False, {"not true": str(error) or repr(error)}
            if not isinstance(error, NotTrue):
                traceback.print_exc()
        seconds = round(time.monotonic() - start, 2)
        self.steps.append({"name": name, "ok": ok, "seconds": seconds, "facts": facts})
        say(f"{name}: {'done' if ok else 'FAILED'} in {seconds} s {json.dumps(facts, default=str)[:300]}")
        if not ok:
            raise NotTrue(name)
        return facts

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": bool(self.steps) and all(step["ok"] for step in self.steps),
            "seconds": round(time.monotonic() - self.started, 2),
            "steps": self.steps,
        }


def say(text: str) -> None:
    print(f"check: {text}", file=sys.stderr, flush=True)


class RecordingTransport(HttpxTransport):
    """The real transport, keeping what was pushed so that it can be delivered again to the letter."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.pushed: list[tuple[Mapping[str, str], bytes]] = []

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = await super().request(method, path, headers=headers, body=body)
        plain = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        if path == "/sync" and b'"commands":[{' in plain and answer.status == 200:
            self.pushed.append((dict(headers), body))
        return answer


class Phone:
    """One technician's app: gateway, store on disk, transport. It can be restarted at any moment."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.name = name
        self._file = folder / f"{name}.db"
        self.transport = RecordingTransport(url)
        self._loop = asyncio.new_event_loop()
        self._open()

    def _open(self) -> None:
        self._connection = sqlite3.connect(self._file)
        self.gateway = Gateway(ClientStore(self._connection, lambda: None), self.transport)

    def restart(self) -> None:
        """The app is gone from memory; what it said was saved must be on disk."""
        self._connection.close()
        self._open()

    def register(self, code: str) -> None:
        self._loop.run_until_complete(self.gateway.register(code, f"{self.name}'s phone", "test"))

    def sync(self) -> Any:
        return self._loop.run_until_complete(self.gateway.sync())

    def push_again(self) -> list[Answer]:
        request = self.transport.request
        return [
            self._loop.run_until_complete(request("POST", "/sync", headers=headers, body=body))
            for headers, body in list(self.transport.pushed)
        ]

    def close(self) -> None:
        self._loop.run_until_complete(self.transport.close())
        self._loop.close()
        self._connection.close()


def photo(seed: int) -> bytes:
    """A picture as a phone would take it, different for each job."""
    picture = Image.effect_noise((640, 480), 40 + seed % 40)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    return out.getvalue()


def scan(asset: Any, model: str) -> str:
    """Render the device's label, decode the picture, return what the scanner would hand to the app."""
    label = render_label(
        serial=asset.serial, gpon=asset.gpon_serial, mac=asset.mac, model=model, batch=asset.batch
    )
    return str(read_field(label_jpeg(label), wanted=FieldKind.SERIAL).value)


def do_visit(phone: Phone, order: WorkOrder) -> tuple[int, int]:
    """Close one job as a technician would, all of it on the phone. Returns (commands, labels decoded)."""
    gateway, decoded = phone.gateway, 0
    before = len(gateway.queue())
    gateway.send(cmd.StartTravel(work_order_id=order.id))
    gateway.send(cmd.Arrive(work_order_id=order.id))
    for need in order.required_equipment:
        device = next(
            item for item in gateway.devices_on_van() if item.sku in need.skus and not item.claimed_by
        )
        product = gateway.product(device.sku)
        found = gateway.judge_scan(order.id, scan(device, product.model if product else ""), "camera")
        ensure(found.may_install, f"{order.number}: {found.sentence}")
        gateway.send(found.install())
        decoded += 1
    phone.restart()  # the battery ran out half-way
    gateway = phone.gateway
    if order.removal_required:
        old = gateway.devices_at(order.place.id)
        here = [item for item in old if item.serial in order.on_site_serials]
        ensure(here, f"{order.number} must take a device away and the phone knows none there")
        gateway.send(cmd.RemoveAsset(work_order_id=order.id, serial=here[0].serial, reason="replaced"))
    answer_checklist(gateway, order.id)
    if order.required_parts:
        gateway.send(cmd.UseParts(work_order_id=order.id, lines=order.required_parts))
    elif order.kind is WorkOrderKind.REPAIR:
        gateway.send(cmd.UseParts(work_order_id=order.id, lines=(PartLine(sku="CON-SCAPC", quantity=2),)))
    gateway.add_photo(order.id, photo(hash(order.id) % 1000), "image/jpeg")
    hand = 3 + order.id.int % 40  # everybody signs differently
    strokes = [[(20.0 + 3 * x, 60.0 + (x * hand) % 40) for x in range(60)]]
    gateway.add_signature(order.id, signature_png(strokes, width=320, height=140), order.contact.name)
    missing = gateway.missing(order.id)
    ensure(not missing, f"{order.number} cannot be closed: {'; '.join(p.detail for p in missing)}")
    version = order.checklist.version if order.checklist else None
    gateway.send(cmd.CloseWorkOrder(work_order_id=order.id, checklist_version=version))
    return len(gateway.queue()) - before, decoded


def answer_checklist(gateway: Gateway, order_id: UUID) -> None:
    """Each item that applies: answers first, for they decide what else is asked."""

    def order() -> WorkOrder:
        found = gateway.order(order_id)
        ensure(found is not None, "the job is on the phone")
        return cast(WorkOrder, found)

    while answer := next_answer(order()):
        gateway.send(answer)
    for item in numbers_open(order()):
        gateway.send(cmd.RecordCheck(work_order_id=order_id, code=item.code, value=good_value(item)))
    for item in photos_open(order()):
        picture = photo(hash((order_id, item.code)) % 1000)
        gateway.add_photo(order_id, picture, "image/jpeg", check=item.code)


class BoardWatcher(threading.Thread):
    """A dispatcher's browser: signed in, holding the board's event stream open, across server restarts."""

    def __init__(self, url: str, email: str, day: str) -> None:
        super().__init__(daemon=True)
        self._url, self._email, self._day = url, email, day
        self.seen: list[tuple[float, str, str]] = []  # (wall seconds, id of the order, topics)
        self.ready = threading.Event()
        self._over = threading.Event()
        self._client = httpx.Client(base_url=url, timeout=httpx.Timeout(10, read=2))

    def sign_in(self) -> dict[str, Any]:
        answer = self._client.post("/api/session", json={"email": self._email, "password": PASSWORD})
        ensure(answer.status_code in (200, 201), f"signing in answered {answer.status_code}: {answer.text}")
        self._client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        board = self._client.get("/api/board", params={"day": self._day})
        ensure(board.status_code == 200, f"the board answered {board.status_code}")
        found: dict[str, Any] = board.json()
        return found

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body, timeout=60)
        ensure(answer.status_code in (200, 201), f"{path} answered {answer.status_code}: {answer.text[:300]}")
        made: dict[str, Any] = answer.json()
        return made

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path, follow_redirects=True)

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with self._client.stream(
                    "GET", "/api/board/events", params={"day": self._day}, timeout=httpx.Timeout(5, read=20)
                ) as stream:
                    self.ready.set()
                    for line in stream.iter_lines():
                        if line.startswith("data:") and "card" in line:
                            self._note(json.loads(line[5:]))
                        if self._over.is_set():
                            return
            except httpx.HTTPError:
                self.ready.clear()
                time.sleep(0.1)

    def _note(self, data: dict[str, Any]) -> None:
        card = data.get("card")
        if card:
            self.seen.append((time.time(), card["id"], ",".join(data.get("topics", ()))))

    def stop(self) -> None:
        self._over.set()


def database_hash(database: Database, leave_out: frozenset[str] = frozenset({"device"})) -> str:
    """Of every row of every table but heartbeats: two equal hashes mean that nothing moved."""
    digest = hashlib.sha256()
    with database.read() as session:
        for table in metadata.sorted_tables:
            if table.name not in leave_out:
                for row in session.execute(select(table).order_by(*table.primary_key.columns)):
                    digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


class MainJob:
    """The steps, in order; each returns the facts it saw."""

    def __init__(self, folder: Path, report: Report, options: argparse.Namespace) -> None:
        self.folder = folder
        self.report = report
        self.options = options
        self.phones: list[Phone] = []
        self.watcher: BoardWatcher | None = None
        self.server: RealServer | None = None
        self.database: Database | None = None
        self.closed: list[WorkOrder] = []

    def run(self) -> None:
        step = self.report.step
        try:
            step("town, people, orders", self.make_demo)
            step("plan the day", self.plan)
            step("start the server", self.start)
            step("an emergency comes in", self.order_in)
            step("phones take their routes", self.first_sync)
            step("stop the server", self.stop)
            step("work offline", self.work)
            step("server back, phones sync", self.sync)
            step("consequences, from the database", self.consequences)
            step("board and customer page", self.shown)
            step("the same push again", self.push_again)
            step("the log rebuilds the database", self.rebuild)
        finally:
            if self.watcher:
                self.watcher.stop()
            for phone in self.phones:
                phone.close()
            if self.server:
                self.server.stop()
            if self.database:
                self.database.close()

    def make_demo(self) -> dict[str, Any]:
        self.demo = prepare.make(
            self.folder / "demo",
            CACHE,
            named_map=self.options.map,
            seed_number=self.options.seed,
            say=say,
            database_url=self.options.database,
            zone=self.options.zone,
        )
        port = free_port()
        self.settings = self.demo.settings(f"http://127.0.0.1:{port}", self.options.database)
        self.database = Database(self.settings.database_url)
        self.server = RealServer(self.settings, port, self.folder / "server.log")
        return {
            "map": self.demo.map_label,
            "warning": self.demo.warning,
            "addresses": self.demo.addresses,
            "technicians": len(self.demo.technicians),
            "work_orders": len(self.demo.orders),
            "database": self.database.engine.dialect.name,
        }

    def plan(self) -> dict[str, Any]:
        outcome = prepare.plan(self.demo, self.settings, seconds=self.options.plan_seconds, say=say)
        ensure(outcome.planned, "nothing was planned")
        with self.database.read() as session:
            assigned = session.scalar(
                select(func.count()).where(WorkOrderRow.state == WorkOrderState.ASSIGNED)
            )
        ensure(assigned == outcome.planned, f"{outcome.planned} planned, {assigned} stored")
        total = outcome.planned + len(outcome.unassigned)
        ensure(total == len(self.demo.orders), f"{total} of {len(self.demo.orders)} orders accounted for")
        return {
            "planned": outcome.planned,
            "unassigned": [
                {"order": number, "code": code, "reason": reason}
                for number, code, reason in outcome.unassigned
            ],
            "engine": outcome.engine,
            "roads": outcome.roads,
            "figures": outcome.figures,
        }

    def start(self) -> dict[str, Any]:
        assert self.server
        self.server.start()
        self.watcher = BoardWatcher(self.server.url, self.demo.dispatcher_email, self.demo.day)
        board = self.watcher.sign_in()
        self.watcher.start()
        ensure(self.watcher.ready.wait(10), "the board's event stream did not open")
        return {
            "technicians on the board": len(board["technicians"]),
            "orders on the board": len(board["work_orders"]),
        }

    def order_in(self) -> dict[str, Any]:
        """A customer's order over HTTP becomes a work order, and the next plan sends somebody."""
        assert self.watcher
        with self.database.read() as session:
            service = session.scalars(
                select(ServiceRow).where(ServiceRow.state == "active").order_by(ServiceRow.id)
            ).first()
        ensure(service, "the town has no running service")
        assert service is not None
        order = {"kind": "repair", "customer_id": str(service.customer_id), "service_id": str(service.id)}
        placed = self.watcher.post("/api/orders", {**order, "priority": 1, "summary": "Clinic offline"})
        planned = self.watcher.post("/api/plan", {"day": self.demo.day, "seconds": 2})
        with self.database.read() as session:
            row = session.get_one(WorkOrderRow, UUID(placed["id"]))
            ensure(row.state == WorkOrderState.ASSIGNED, f"{row.number} is {row.state} after the plan")
            ensure(row.requirements["required_skills"], f"{row.number} asks for no skill")
            return {
                "order": row.number,
                "sla_hours": round((row.sla_due_at - row.ordered_at).total_seconds() / 3600)
                if row.sla_due_at
                else None,
                "why": row.why.get("sentence"),
                "changed": planned["changed"],
            }

    def first_sync(self) -> dict[str, Any]:
        assert self.server
        names = {value: name for name, value in self.demo.technicians.items()}
        rows = 0
        for technician_id in self.choose_technicians():
            with self.database.write() as session:
                code = new_code(session, technician_id, utc_now())
            phone = Phone(names[str(technician_id)], self.folder, self.server.url)
            self.phones.append(phone)
            phone.register(code)
            result = phone.sync()
            ensure(result.drained and result.online, f"{phone.name}: {result.problem}")
            rows += result.rows
        routes = {phone.name: len(self.route(phone)) for phone in self.phones}
        ensure(all(routes.values()), f"somebody has no route: {routes}")
        return {"phones": len(self.phones), "rows": rows, "routes": routes}

    def choose_technicians(self) -> list[UUID]:
        """Who fits most in the jobs that will be closed, then the busiest: plans differ with the machine's
        speed, and the check must see stock leave for good in each."""
        routes: dict[UUID, list[WorkOrderRow]] = defaultdict(list)
        with self.database.read() as session:
            for row in session.scalars(
                select(WorkOrderRow)
                .where(WorkOrderRow.technician_id.is_not(None))
                .order_by(WorkOrderRow.planned_start, WorkOrderRow.id)
            ):
                assert row.technician_id
                routes[row.technician_id].append(row)

        def rank(technician_id: UUID) -> tuple[int, int, UUID]:
            route = routes[technician_id]
            soon = [row for row in route if row.number not in self.demo.absent][: self.options.jobs]
            installs = sum(row.kind == WorkOrderKind.INSTALL for row in soon)
            return -installs, -len(route), technician_id

        return sorted(routes, key=rank)[:TECHNICIANS]

    def route(self, phone: Phone) -> list[WorkOrder]:
        return phone.gateway.today(self.demo.date)

    def stop(self) -> dict[str, Any]:
        assert self.server and self.watcher
        self.server.stop()
        ensure(not self.server.answers(), "the server still answers")
        offline = [phone.sync() for phone in self.phones]
        ensure(not any(result.online for result in offline), "a phone still reached it")
        return {"server": "stopped"}

    def work(self) -> dict[str, Any]:
        commands = decoded = 0
        for phone in self.phones:
            route = [order for order in self.route(phone) if order.number not in self.demo.absent]
            for order in route[: self.options.jobs]:
                done, labels = do_visit(phone, order)
                commands, decoded = commands + done, decoded + labels
                closed = phone.gateway.order(order.id)
                ensure(closed and closed.state is WorkOrderState.COMPLETED, f"{order.number} not closed")
                assert closed
                self.closed.append(closed)
        commands += self.find_nobody(self.phones[0])
        for phone in self.phones:
            phone.restart()
        queued = sum(phone.gateway.status().unsent_commands for phone in self.phones)
        ensure(queued == commands, f"{commands} commands made, {queued} on disk after the restart")
        ensure(decoded, "no label was decoded")
        return {
            "jobs_closed_offline": len(self.closed),
            "jobs_not_completed": 1,
            "labels_decoded": decoded,
            "operations_queued": queued,
            "photos_waiting": sum(phone.gateway.status().unsent_photos for phone in self.phones),
        }

    def find_nobody(self, phone: Phone) -> int:
        order = next(order for order in self.route(phone) if not order.state.is_over)
        before = len(phone.gateway.queue())
        phone.gateway.send(cmd.StartTravel(work_order_id=order.id))
        phone.gateway.send(cmd.Arrive(work_order_id=order.id))
        phone.gateway.send(
            cmd.CannotComplete(
                work_order_id=order.id,
                reason=UnfinishedReason.CUSTOMER_ABSENT,
                text="Rang twice, nobody home",
            )
        )
        return len(phone.gateway.queue()) - before

    def sync(self) -> dict[str, Any]:
        assert self.server and self.watcher
        self.server.start()
        ensure(self.watcher.ready.wait(15), "the board did not come back")
        queued = sum(phone.gateway.status().unsent_commands for phone in self.phones)
        self.sync_started = time.time()
        results = [phone.sync() for phone in self.phones]
        self.sync_ended = time.time()
        problems = [result.problem for result in results if result.problem]
        ensure(all(result.drained for result in results), f"something is left: {problems}")
        held = [item for phone in self.phones for item in phone.gateway.queue() if item.state == "held"]
        ensure(not held, "held: " + "; ".join(f"{item.title}: {item.detail}" for item in held))
        accepted = sum(result.accepted for result in results)
        ensure(accepted == queued, f"{queued} queued, {accepted} accepted")
        return {
            "operations_synced": accepted,
            "photos_sent": sum(result.photos for result in results),
            "operations_a_second": round(accepted / (self.sync_ended - self.sync_started), 1),
        }

    def consequences(self) -> dict[str, Any]:
        """Nothing here asks a phone."""
        with self.database.read() as session:

            def count(*conditions: Any) -> int:
                return int(session.scalar(select(func.count()).where(*conditions)) or 0)

            ids = [order.id for order in self.closed]
            completed = count(WorkOrderRow.state == WorkOrderState.COMPLETED)
            ensure(completed == len(ids), f"{len(ids)} closed, {completed} completed in the database")
            invoices, total = session.execute(
                select(func.count(), func.sum(InvoiceRow.net_minor + InvoiceRow.tax_minor))
            ).one()
            ensure(invoices == len(ids), f"{len(ids)} visits, {invoices} invoices")
            lines = session.scalar(select(func.sum(InvoiceLineRow.net_minor + InvoiceLineRow.tax_minor)))
            ensure(lines == total, f"invoices say {total}, their lines {lines}")
            journal = int(session.scalar(select(func.sum(JournalLineRow.amount_minor))) or 0)
            ensure(journal == 0, f"the journal is off by {journal}")
            installs = [order for order in self.closed if order.kind is WorkOrderKind.INSTALL]
            active = self._activated(session, installs)
            fitted = [device.serial for order in self.closed for device in order.fitted]
            moved = count(
                AssetRow.serial.in_(fitted), AssetRow.state == "installed", AssetRow.claimed_by.is_(None)
            )
            ensure(moved == len(fitted), f"{len(fitted)} devices fitted, {moved} at customers")
            moves = count(StockMoveRow.work_order_id.is_not(None))
            expected = sum(len(o.parts) + len(o.fitted) + len(o.removed) for o in self.closed)
            ensure(moves == expected, f"{expected} moves expected, {moves} booked")
            reserved = count(ReservationRow.work_order_id.in_(ids), ReservationRow.released_at.is_(None))
            ensure(reserved == 0, f"{reserved} reservations were not released")
            drafts = count(PurchaseOrderRow.state == "draft")
            due = self._due(session)
            ensure(due, "nothing fell to its reorder point: this day proves nothing about purchasing")
            bought = set(session.scalars(select(PurchaseOrderLineRow.sku)))
            ensure(bought == due, f"{sorted(due)} fell to the reorder point, {sorted(bought)} were ordered")
            stopped = count(WorkOrderRow.id.in_(ids), WorkOrderRow.sla_stopped_at.is_not(None))
            ensure(stopped == len(ids), f"{stopped} of {len(ids)} SLA clocks stopped")
            notices = count(NoticeRow.state == "queued")
            ensure(notices >= len(ids), f"{notices} messages for {len(ids)} visits")
            freed = session.scalar(
                select(func.sum(WorkOrderRow.freed_minutes)).where(WorkOrderRow.id.in_(ids))
            )
            evidence = count(AttachmentRow.digest.is_not(None))
            named = {item.digest for order in self.closed for item in order.evidence}
            ensure(evidence == len(named), f"{len(named)} photos and signatures taken, {evidence} stored")
            return {
                "commands_accepted": count(
                    CommandRow.outcome == "accepted", CommandRow.device_id.is_not(None)
                ),
                "commands_held": count(CommandRow.outcome == "held"),
                "work_orders_completed": completed,
                "services_activated": active,
                "devices_installed": moved,
                "invoices_drafted": {"count": invoices, "total_minor": int(total), "currency": "EUR"},
                "journal_sum": journal,
                "stock_moves": moves,
                "purchase_orders_raised": drafts,
                "purchase_order_lines": count(PurchaseOrderLineRow.id.is_not(None)),
                "sla_clocks_stopped": stopped,
                "customer_messages_queued": notices,
                "freed_minutes": int(freed or 0),
                "attachments": evidence,
                "feed_rows": count(FeedRow.seq.is_not(None)),
            }

    def _due(self, session: Any) -> set[str]:
        """The SKUs that a visit took down to their reorder point, added up from the bare moves."""
        points = dict(session.execute(select(ProductRow.sku, ProductRow.reorder_point)).all())
        ours = set(session.scalars(select(StockPlaceRow.id).where(StockPlaceRow.kind.in_(("van", "depot")))))
        on_hand: dict[str, int] = defaultdict(int)
        due: set[str] = set()
        moves = session.scalars(select(StockMoveRow).order_by(StockMoveRow.id))
        for _, of_one_cause in groupby(moves, key=lambda move: move.cause):
            taken: set[str] = set()
            for move in of_one_cause:
                gained = move.quantity * ((move.target_id in ours) - (move.source_id in ours))
                on_hand[move.sku] += gained
                if gained < 0 and move.work_order_id:
                    taken.add(move.sku)
            due |= {sku for sku in taken if on_hand[sku] <= points[sku]}
        return due

    def _activated(self, session: Any, installs: list[WorkOrder]) -> int:
        """Each with the time on site by the phone, not the time of the sync."""
        for order in installs:
            service = session.get_one(ServiceRow, order.service.id)
            ensure(service.state == "active", f"{order.number}: its service is {service.state}")
            ensure(
                same_second(service.active_from, order.finished_at),
                f"{order.number}: closed {order.finished_at}, active from {service.active_from}",
            )
        return len(installs)

    def shown(self) -> dict[str, Any]:
        """The board saw each close within two seconds of its commit; the customer's page says it is done."""
        assert self.watcher and self.server
        wanted = {str(order.id) for order in self.closed}
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not wanted <= self._finished():
            time.sleep(0.05)
        ensure(wanted <= self._finished(), "the board missed a close")
        lags = self._lags(wanted)
        ensure(max(lags) <= BOARD_SECONDS_MAX, f"the board was {max(lags):.1f} s late")
        page = self.watcher.get(visit_link(self.settings, self.closed[0].id))
        ensure(page.status_code == 200, f"the customer's page answered {page.status_code}")
        ensure('data-status="done"' in page.text, "the customer's page does not say that it is done")
        return {
            "board_events_seen": len(self.watcher.seen),
            "closes_seen": len(lags),
            "slowest_seconds": round(max(lags), 2),
            "customer_page": "done",
        }

    def _finished(self) -> set[str]:
        assert self.watcher
        return {order_id for _, order_id, topics in self.watcher.seen if "WorkOrderCompleted" in topics}

    def _lags(self, wanted: set[str]) -> list[float]:
        assert self.watcher
        with self.database.read() as session:
            decided: dict[str, datetime] = {
                str(row.work_order_id): row.decided_at
                for row in session.scalars(
                    select(CommandRow).where(
                        CommandRow.type == "close_work_order", CommandRow.outcome == "accepted"
                    )
                )
            }
        first: dict[str, float] = {}
        for at, order_id, topics in self.watcher.seen:
            if "WorkOrderCompleted" in topics:
                first.setdefault(order_id, at)
        return [first[item] - decided[item].timestamp() for item in wanted]

    def push_again(self) -> dict[str, Any]:
        before = database_hash(self.database)
        answers = [answer for phone in self.phones for answer in phone.push_again()]
        ensure(answers and all(answer.status == 200 for answer in answers), "a repeated push was refused")
        receipts = [receipt for answer in answers for receipt in json.loads(answer.body)["receipts"]]
        ensure(all(receipt["outcome"] == "accepted" for receipt in receipts), "a repeat got another answer")
        ensure(database_hash(self.database) == before, "a repeated push changed the database")
        return {
            "duplicates_sent": len(receipts),
            "duplicates_ignored": len(receipts),
            "database_unchanged": True,
        }

    def rebuild(self) -> dict[str, Any]:
        """What `python -m server replay --verify` does."""
        with tempfile.TemporaryDirectory(prefix="truckroll-replay-") as folder:
            url = f"sqlite:///{folder}/replayed.db"
            upgrade(url)
            fresh = Database(url)
            count = replay.replay(self.database, fresh, self.settings)
            tables = replay.compare(self.database, fresh)
            fresh.close()
        differing = [report.name for report in tables if not report.equal]
        ensure(not differing, f"the replay gives another {', '.join(differing)}")
        return {"replayed": count, "tables_equal": len(tables), "rows": sum(report.rows for report in tables)}


def same_second(left: datetime | None, right: datetime | None) -> bool:
    return left is not None and right is not None and abs((left - right).total_seconds()) < 1


def run(arguments: list[str]) -> dict[str, Any]:
    options = parser().parse_args(arguments)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="truckroll-check-") as folder:
        try:
            MainJob(Path(folder), report, options).run()
        except NotTrue as error:
            say(f"stopped: {error}")
    return report.as_json()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./dev demo --check", description=__doc__)
    made.add_argument("--check", action="store_true", help="what you are doing")
    made.add_argument("--map", type=Path, default=None, help="an .osm.pbf of your own town")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--jobs", type=int, default=4, help="jobs that each technician closes")
    made.add_argument("--plan-seconds", type=int, default=6)
    made.add_argument("--database", default=None, help="the URL of an empty database; else SQLite")
    made.add_argument("--zone", default=None, help="a time zone; else one in which it is morning")
    return made


if __name__ == "__main__":
    result = run(sys.argv[1:])
    print(json.dumps(result, indent=2, default=str))
    raise SystemExit(0 if result["ok"] else 1)
