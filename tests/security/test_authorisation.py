"""Who may come through which door: every route of the running application, every caller, own and foreign.

The tables below are the specification. A route that stands in none of them fails the first test, so whatever
is added is closed until somebody says here to whom it is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import databases
import pytest
from callers import CALLERS, DEVICES, STAFF, Doors, add_device, standing
from fastapi.routing import iter_route_contexts
from outbox_world import add_webhook, tell
from starlette.routing import Mount
from uploads import TUS, a_picture, digest, metadata
from world import Job, World, settle, uid

from server import office
from server.access.throttle import Throttle
from server.assets.models import AssetRow
from server.clock import mint, utc_now
from server.customers.links import visit_token
from server.customers.models import ServiceLocationRow
from server.dispatch import absences, link_rows, overrides, saved_plans, slot_holds, traffic
from server.dispatch.link_rows import NewLink
from server.dispatch.models import DayPlanRow, PolicyRow, TechnicianRow
from server.dispatch.planner import plan_day
from server.dispatch.thinking import Effort
from server.dispatch.time_slots import Wish
from server.inbox.models import FollowUpRow
from server.outbox.models import OutboxRow, WebhookRow
from server.purchasing import returns
from server.purchasing.models import RmaLineRow
from server.stock.models import StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.clocks import Contact
from shared.commands import AddNote, AssignWorkOrder, CancelWorkOrder, StartTravel
from shared.network_faults import FaultSign, ReportNetworkFault
from shared.problems import RevokedDevice
from shared.work_orders import RemovalCause, RemovedAsset, WorkOrderKind
from sync.protocol import PROTOCOL, SyncRequest, decode_response, encode
from sync.server.push import push

EVERYBODY = "dispatcher back_office stock admin viewer"
DISPATCH = "dispatcher admin"
ORDERS = "dispatcher back_office admin"
OUTBOX = "back_office admin"
STOCK = "stock admin"
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`may`: the roles it opens to, with the answers they get for what exists and for what does not."""

    method: str
    path: str
    may: tuple[str, ...]
    known: int
    unknown: int | None

    @property
    def is_page(self) -> bool:
        return not self.path.startswith("/api/")


def doors_of(text: str) -> list[Door]:
    found = []
    for line in text.strip().splitlines():
        method, path, who, known, unknown = line.split()
        may = tuple(globals()[who].split())
        missing = None if unknown == "-" else int(unknown)
        found.append(Door(method=method, path=path, may=may, known=int(known), unknown=missing))
    return found


# Where there is nothing to say yet (no map, no fee to charge), who may is told so: 404 and 409.
STAFF_DOORS = doors_of("""
GET   /board                                     EVERYBODY  200  -
GET   /api/session                               EVERYBODY  200  -
GET   /api/board                                 EVERYBODY  200  -
GET   /api/board/now                             EVERYBODY  200  -
GET   /api/board/events                          EVERYBODY  200  -
GET   /api/plan/routes                           EVERYBODY  200  -
GET   /api/map                                   EVERYBODY  404  -
GET   /api/map/{layer}.geojson                   EVERYBODY  404  404
GET   /api/attachments/{digest}                  EVERYBODY  200  404
GET   /api/checklists                            EVERYBODY  200  -
GET   /api/work-orders/{work_order_id}           EVERYBODY  200  404
GET   /api/work-orders/{work_order_id}/insertions DISPATCH  200  404
GET   /api/work-orders/{work_order_id}/technicians DISPATCH 200  404
GET   /api/work-orders/{work_order_id}/technicians/{technician_id} DISPATCH 200 404
POST  /api/work-orders/{work_order_id}/assign    DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/unassign  DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/cancel    DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/delete    DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/reschedule DISPATCH  200  404
POST  /api/work-orders/{work_order_id}/split     DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/reopen    DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/call-out  DISPATCH   409  404
POST  /api/work-orders/{work_order_id}/contact   DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/notes     DISPATCH   200  404
POST  /api/work-orders/{work_order_id}/checks    DISPATCH   200  404
GET   /working-day                               ADMIN      200  -
POST  /working-day/kinds                         ADMIN      303  -
POST  /working-day/traffic                       ADMIN      303  -
GET   /api/traffic                               EVERYBODY  200  -
POST  /api/traffic                               ADMIN      200  -
POST  /working-day/breaks                        ADMIN      303  -
POST  /api/technicians/{technician_id}/breaks    ADMIN      200  404
GET   /api/kinds                                 EVERYBODY  200  -
POST  /api/kinds/{kind}                          ADMIN      200  422
POST  /api/work-orders/{work_order_id}/prefer    DISPATCH   204  404
POST  /api/work-orders/{work_order_id}/links     DISPATCH   201  404
POST  /api/work-orders/{work_order_id}/links/{link_id}/remove DISPATCH 204 404
POST  /api/plan                                  DISPATCH   200  -
GET   /api/policy                                EVERYBODY  200  -
POST  /api/policy                                ADMIN      200  -
GET   /api/plan/records                          DISPATCH   200  -
GET   /api/plan/records/{record_id}/request      DISPATCH   200  404
GET   /api/plan/records/{record_id}/answer       DISPATCH   200  404
POST  /api/plan/records/{record_id}/verify       DISPATCH   200  404
POST  /api/what-if                               DISPATCH   201  -
GET   /api/what-if                               DISPATCH   200  -
GET   /api/what-if/compare                       DISPATCH   200  -
GET   /api/what-if/{saved_plan_id}               DISPATCH   200  404
POST  /api/what-if/{saved_plan_id}/apply         DISPATCH   200  404
POST  /api/what-if/{saved_plan_id}/delete        DISPATCH   204  404
GET   /api/overrides                             DISPATCH   200  -
POST  /api/overrides/{override_id}/reason        DISPATCH   200  404
POST  /api/overrides/{override_id}/release       DISPATCH   200  404
POST  /api/orders                                ORDERS     201  -
GET   /api/mend                                  DISPATCH   200  -
POST  /api/mend                                  DISPATCH   200  -
POST  /api/technicians/{technician_id}/away      DISPATCH   204  404
POST  /api/technicians/{technician_id}/back      DISPATCH   204  404
POST  /api/slots                                 ORDERS     200  -
POST  /api/slots/holds                           ORDERS     201  -
POST  /api/slots/holds/{hold_id}/confirm         ORDERS     200  404
POST  /api/slots/holds/{hold_id}/give-back       ORDERS     204  404
GET   /devices                                   DISPATCH   200  -
POST  /devices/codes                             DISPATCH   200  -
POST  /devices/{device_id}/revoke                DISPATCH   303  404
POST  /devices/{device_id}/wipe                  DISPATCH   303  404
GET   /whatif                                    DISPATCH   200  -
POST  /whatif                                    DISPATCH   303  -
POST  /whatif/plans/{saved_plan_id}/{what}       DISPATCH   303  404
POST  /whatif/overrides/{override_id}/{what}     DISPATCH   303  404
GET   /policy                                    DISPATCH   200  -
POST  /policy                                    ADMIN      303  -
POST  /policy/try                                DISPATCH   200  -
GET   /technicians                               DISPATCH   200  -
GET   /technicians/{technician_id}               DISPATCH   200  404
POST  /technicians/{technician_id}/absences      DISPATCH   303  404
POST  /technicians/{technician_id}/absences/{absence_id}/end DISPATCH 303 404
POST  /technicians/{technician_id}/skills        DISPATCH   303  404
POST  /technicians/{technician_id}/skills/remove DISPATCH   303  404
POST  /technicians/{technician_id}/certificates  DISPATCH   303  404
POST  /technicians/{technician_id}/certificates/withdraw DISPATCH 303 404
POST  /technicians/{technician_id}/territories   DISPATCH   303  404
POST  /technicians/{technician_id}/overtime      DISPATCH   303  404
GET   /timesheets                                DISPATCH   200  -
GET   /api/timesheets                            DISPATCH   200  -
GET   /api/inbox                                 DISPATCH   200  -
GET   /api/inbox/counts                          DISPATCH   200  -
GET   /api/inbox/{command_id}                    DISPATCH   200  404
POST  /api/inbox/asks/{ask_id}                   DISPATCH   200  404
POST  /api/inbox/{command_id}/accept             DISPATCH   200  404
POST  /api/inbox/{command_id}/accept-visit       DISPATCH   200  404
POST  /api/inbox/{command_id}/correct            DISPATCH   200  404
POST  /api/inbox/{command_id}/call-out           DISPATCH   200  404
POST  /api/inbox/{command_id}/dismiss            DISPATCH   200  404
POST  /api/inbox/{command_id}/dismiss-visit      DISPATCH   200  404
GET   /inbox                                     DISPATCH   200  -
GET   /inbox/{command_id}                        DISPATCH   200  404
POST  /inbox/asks/{ask_id}                       DISPATCH   200  404
POST  /inbox/{command_id}/accept                 DISPATCH   200  404
POST  /inbox/{command_id}/accept-visit           DISPATCH   200  404
POST  /inbox/{command_id}/correct                DISPATCH   200  404
POST  /inbox/{command_id}/call-out               DISPATCH   200  404
POST  /inbox/{command_id}/dismiss                DISPATCH   200  404
POST  /inbox/{command_id}/dismiss-visit          DISPATCH   200  404
GET   /api/outbox                                OUTBOX     200  -
POST  /api/outbox/{message_id}/retry             OUTBOX     204  404
POST  /api/outbox/{message_id}/drop              OUTBOX     204  404
GET   /api/webhooks                              OUTBOX     200  -
POST  /api/webhooks                              OUTBOX     201  -
POST  /api/webhooks/{webhook_id}/ping            OUTBOX     202  404
POST  /api/webhooks/{webhook_id}/disable         OUTBOX     204  404
POST  /api/webhooks/{webhook_id}/enable          OUTBOX     204  404
GET   /outbox                                    OUTBOX     200  -
POST  /outbox/messages/{message_id}/retry        OUTBOX     303  404
POST  /outbox/messages/{message_id}/drop         OUTBOX     303  404
POST  /outbox/webhooks                           OUTBOX     200  -
POST  /outbox/webhooks/{webhook_id}/ping         OUTBOX     303  404
POST  /outbox/webhooks/{webhook_id}/disable      OUTBOX     303  404
POST  /outbox/webhooks/{webhook_id}/enable       OUTBOX     303  404
GET   /api/faults/counts                         DISPATCH   200  -
GET   /faults                                    DISPATCH   200  -
POST  /faults/{fault_id}/{what}                  DISPATCH   303  404
GET   /api/returns                               STOCK      200  -
POST  /api/returns/{line_id}/send                STOCK      204  404
POST  /api/returns/{line_id}/settle              STOCK      204  404
POST  /api/returns/{line_id}/withdraw            STOCK      204  404
GET   /returns                                   STOCK      200  -
POST  /returns/{line_id}/send                    STOCK      303  404
POST  /returns/{line_id}/settle                  STOCK      303  404
POST  /returns/{line_id}/withdraw                STOCK      303  404
""")

# A phone's doors: own, foreign and unknown are about an upload or photo of Ana's, of Ben's, of nobody's.
# "foreign": what Ben is answered for Ana's. Everybody of the office, and nobody, is told to sign in: 401.
#        method   path                        own  foreign unknown  revoked expired wiped
DEVICE_DOORS = {
    ("POST",   "/sync"):                     (200, None,   None,    403,    401,    403),
    ("POST",   "/api/devices/wiped"):        (409, None,   None,    409,    409,    204),
    ("POST",   "/api/uploads"):              (201, 201,    201,     403,    401,    403),
    ("HEAD",   "/api/uploads/{digest}"):     (200, 404,    404,     403,    401,    403),
    ("PATCH",  "/api/uploads/{digest}"):     (204, 404,    404,     403,    401,    403),
    ("DELETE", "/api/uploads/{digest}"):     (204, 404,    404,     403,    401,    403),
    ("HEAD",   "/api/attachments/{digest}"): (200, 404,    404,     403,    401,    403),
    ("PUT",    "/api/attachments/{digest}"): (200, 200,    422,     403,    401,    403),
}  # fmt: skip

# Open to everybody alike: the answer is the same for each caller.
PUBLIC_DOORS = {
    ("GET", "/"): 307,
    ("GET", "/healthz"): 200,
    ("GET", "/metrics"): 403,  # neither from this machine nor with the token
    ("GET", "/openapi.json"): 200,
    ("HEAD", "/openapi.json"): 200,
    ("GET", "/login"): 200,
    ("POST", "/login"): 403,  # not from our own form
    ("POST", "/api/session"): 401,
    ("POST", "/api/devices/register"): 401,
    ("OPTIONS", "/api/uploads"): 204,
    ("OPTIONS", "/api/uploads/{digest}"): 204,
    ("GET", "/visit/{token}"): 404,
    ("GET", "/visit/{token}/events"): 404,
    ("GET", "/visit/{token}/times"): 404,
    ("POST", "/visit/{token}/times"): 404,
    ("POST", "/visit/{token}/times/{hold_id}/confirm"): 404,
    ("POST", "/visit/{token}/times/{hold_id}/give-back"): 404,
    ("GET", "/app"): 308,
    ("GET", "/app/{name:path}"): 503,  # not built here
    ("HEAD", "/app/{name:path}"): 503,
    ("GET", "/static"): 404,
    ("GET", "/static/vendor"): 404,
}
OF_ITS_OWN = {("POST", "/logout")}  # see TestSigningOut


@pytest.fixture(scope="module", params=databases.ENGINES)
def doors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with on(request.param, tmp_path_factory.mktemp("doors")) as made:
        yield made


@pytest.fixture(scope="module")
def office_doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """On SQLite only: who may is a table in memory, so the database makes no difference."""
    with on("sqlite", tmp_path_factory.mktemp("office")) as made:
        yield made


@contextmanager
def on(engine: databases.Engine, folder: Path) -> Iterator[Doors]:
    with databases.migrated_database(engine, folder) as url, standing(url, folder) as made:
        put = made.ask("ana", "PUT", f"/api/attachments/{digest(PICTURE)}", content=PICTURE)
        assert put.status_code == 201
        yield made


# --- things to ask for --------------------------------------------------------------------------------------

PICTURE, HALF_SENT, FRESH = a_picture(colour=1), a_picture(colour=2), a_picture(colour=3)
NOWHERE = UUID("019a0000-0000-7000-8000-000000000000")
UNKNOWN = {"digest": "0" * 64, "layer": "rivers", "what": "resolve"}


def known(world: World, door: Door) -> dict[str, str]:
    """A value for each part of the path; each call makes a thing of its own."""
    if "{work_order_id}" in door.path:
        if "{technician_id}" in door.path:
            return {"work_order_id": str(world.order().id), "technician_id": str(world.ana.technician_id)}
        if "{link_id}" in door.path:
            return linked(world)
        if door.path.endswith("/links"):
            return {"work_order_id": str(world.order().id), "number": world.order().number}
        return {"work_order_id": str(world.order().id)}
    if "{absence_id}" in door.path:
        who = somebody(world, away=True)
        [absence] = [row.id for row in world.rows(absences.AbsenceRow) if row.technician_id == who]
        return {"technician_id": str(who), "absence_id": str(absence)}
    if "{technician_id}" in door.path:
        return {"technician_id": str(somebody(world, away=door.path.endswith("/back")))}
    if "{hold_id}" in door.path:
        return {"hold_id": str(held_slot(world))}
    if door.path in ("/whatif", "/api/what-if", "/policy/try"):
        return {"job": str(free_job(world))}  # there is something to plan
    if "{record_id}" in door.path:
        return {"record_id": str(planned(world))}
    if "{saved_plan_id}" in door.path:
        return {"saved_plan_id": str(tried_out(world)), "what": "apply"}
    if "{override_id}" in door.path:
        return {"override_id": str(decided(world)), "what": "release"}
    if "{fault_id}" in door.path:
        return {"fault_id": str(reported_fault(world)), "what": "acknowledge"}
    if door.path.startswith("/api/slots"):
        return {"job": str(free_job(world))}
    if "{ask_id}" in door.path:
        return {"ask_id": str(question(world))}
    if door.path.endswith("{command_id}/call-out"):
        return {"command_id": str(held_visit(world))}
    if "{command_id}" in door.path:
        job = world.order()
        return {"command_id": str(held(world, job)), "job": str(job.id)}
    if "{message_id}" in door.path:
        return {"message_id": dead_letter(world)}
    if "{webhook_id}" in door.path:
        return {"webhook_id": str(webhook(world, disabled=door.path.endswith("/enable")))}
    if "{line_id}" in door.path:
        return {"line_id": str(faulty_device(world, sent=door.path.endswith("/settle")))}
    if "{kind}" in door.path:
        return {"kind": "swap"}
    if "{device_id}" in door.path:
        number = len(world.contents()["device"])
        return {"device_id": str(add_device(world, f"spare {number}", world.ben.technician_id))}
    return {"digest": digest(PICTURE), "layer": "roads"}


def planned(world: World) -> UUID:
    """What the quick plan of the world's day was made of."""
    world.order()
    today = world.now.astimezone(world.settings.zone).date()
    plan_day(world.database, world.settings, today, seconds=0, now=world.now)
    return world.rows(DayPlanRow)[-1].record_id  # type: ignore[no-any-return]


def undated(world: World) -> None:
    """An order that any day may do."""
    job = world.order()
    with world.database.write() as session:
        row = session.get_one(WorkOrderRow, job.id)
        row.window_start = row.window_end = None


def tried_out(world: World) -> UUID:
    """A saved plan of today, by the server's own clock."""
    undated(world)
    now = utc_now()
    today = now.astimezone(world.settings.zone).date()
    made = saved_plans.save(
        world.database, world.settings, today, "If", (), Effort(threads=1), by="Dora", now=now
    )
    return made.id


def decided(world: World) -> UUID:
    """Dora gave a job to Ben."""
    start = world.now + timedelta(days=1)
    command = AssignWorkOrder(
        work_order_id=world.order().id, technician_id=world.ben.technician_id, planned_start=start,
        planned_end=start + timedelta(hours=1), travel_minutes=5, route_position=0,
    )  # fmt: skip
    kept = overrides.act(world.database, world.settings, command, by="Dora", now=world.now)
    assert kept
    return kept


def traffic_in_force(world: World) -> int:
    with world.database.read() as session:
        return traffic.in_force(session).version


def linked(world: World) -> dict[str, str]:
    """A job that waits for another one."""
    job, other = world.order(), world.order()
    with world.database.write() as session:
        wanted = NewLink(kind="after", number=other.number)
        made = link_rows.make(session, job.id, wanted, by="Dora", now=world.now)
    return {"work_order_id": str(job.id), "link_id": str(made)}


def held(world: World, job: Job | None = None) -> UUID:
    """A note of Ana's, from a phone that had been signed out."""
    note = AddNote(work_order_id=(job or world.order()).id, text="The dog bites")
    with_problem = RevokedDevice("It was sent by a device that had been signed out")
    now = Contact(device_now=world.now, server_now=world.now)
    [receipt] = push([world.ana.envelope(note)], world.ana.units(world.now), now, with_problem)
    assert (receipt.outcome, receipt.slug) == ("held", "revoked-device")
    return receipt.command_id


def somebody(world: World, *, away: bool) -> UUID:
    """A technician without work, who is there or away."""
    made, van = mint(), mint()
    with world.database.write() as session:
        session.add(StockPlaceRow(id=van, kind="van", name=f"Van {van.hex}"))
        session.flush()
        session.add(
            TechnicianRow(
                id=made, name=f"Spare {made.hex}", phone="", skills={"splice": 2}, shift_start_minute=480,
                shift_end_minute=960, lunch_minutes=0, start_lat=60.1, start_lon=24.9, end_lat=60.1,
                end_lon=24.9, van_id=van, active=True, territories=["North"],
            )
        )  # fmt: skip
        session.flush()
        if away:
            until = utc_now() + timedelta(days=1)  # the pages go by the server's own clock
            absences.note(session, made, world.now, until, absences.Reason.SICK, by="Dora", now=world.now)
    return made


def held_slot(world: World) -> UUID:
    wish = Wish(work_order_id=free_job(world))
    start, end = a_slot(world)
    held = slot_holds.hold(
        world.database, world.settings, wish, start, end, world.now, key=str(wish.work_order_id), by="Dora"
    )
    return held.id


def free_job(world: World) -> UUID:
    """A job of ten minutes that anybody can do: there is room for many."""
    job = world.order(WorkOrderKind.REPAIR, reserve=False, required_equipment=(), required_parts=())
    with world.database.write() as session:
        row = session.get_one(WorkOrderRow, job.id)
        row.state, row.technician_id, row.expected_minutes = "unassigned", None, 10
        row.planned_start = row.planned_end = row.window_start = row.window_end = None
    return job.id


def a_slot(world: World) -> tuple[datetime, datetime]:
    day = world.now.astimezone(world.settings.zone).date() + timedelta(days=3)
    start = datetime.combine(day, time(10), world.settings.zone)
    return start, start + timedelta(hours=2)


def held_visit(world: World) -> UUID:
    """Ana set out to a job that was cancelled meanwhile."""
    job = world.order()
    cancel = CancelWorkOrder(work_order_id=job.id, reason="moved away")
    office.run(world.database, world.settings, cancel, "Dora")
    envelope = world.ana.envelope(StartTravel(work_order_id=job.id))
    [receipt] = world.ana.deliver([envelope], now=world.now, device_now=world.now)
    assert receipt.outcome == "held"
    return receipt.command_id


def question(world: World) -> UUID:
    """Something that was booked and that somebody should look at."""
    job, ask_id = world.order(), mint()
    envelope = world.ana.envelope(StartTravel(work_order_id=job.id))
    [receipt] = world.ana.deliver([envelope], now=world.now, device_now=world.now)
    with world.database.write() as session:
        session.add(
            FollowUpRow(
                id=ask_id, command_id=receipt.command_id, work_order_id=job.id, actor="Ana Virtanen",
                slug="stock-below-zero", detail="The van had none", raised_at=world.now,
            )
        )  # fmt: skip
    return ask_id


def reported_fault(world: World) -> UUID:
    """A cabinet without light, as Ana saw it: one of its own each time."""
    job, report_id = world.order(), mint()
    with world.database.write() as session:
        session.get_one(ServiceLocationRow, job.location_id).cabinet = f"CAB {report_id}"
    report = ReportNetworkFault(
        report_id=report_id, cabinet=f"CAB {report_id}", sign=FaultSign.NO_LIGHT, safe=True
    )
    [receipt] = world.ana.deliver([world.ana.envelope(report)], now=world.now, device_now=world.now)
    assert receipt.outcome == "accepted"
    return report_id


def webhook(world: World, *, disabled: bool = False) -> UUID:
    made = add_webhook(world, "http://127.0.0.1:9/")
    if disabled:
        with world.database.write() as session:
            session.get_one(WebhookRow, made).disabled_at = world.now
    return made


def faulty_device(world: World, *, sent: bool = False) -> UUID:
    """One that Ana took off a wall, on its way to its vendor."""
    job, line_id = world.order(WorkOrderKind.REPAIR), mint()
    removed = RemovedAsset(serial=job.on_site[0], sku="ONT-A", reason="", cause=RemovalCause.NO_POWER)
    line = returns.opening(
        removed, id=line_id, vendor_id=uid("Fibreco"), work_order_id=job.id, command_id=mint(), at=world.now
    )
    with world.database.write() as session:
        session.query(AssetRow).filter_by(serial=removed.serial).one().state = "recovered"
        session.add(RmaLineRow(**line | ({"state": "sent"} if sent else {})))
    return line_id


def dead_letter(world: World) -> str:
    webhook(world)
    first, *_ = tell(world, "a job")
    with world.database.write() as session:
        row = session.query(OutboxRow).filter_by(id=UUID(first)).one()
        row.state = "dead"
    return first


def unknown(door: Door) -> dict[str, str]:
    names = (
        "record_id",
        "saved_plan_id",
        "override_id",
        "work_order_id",
        "technician_id",
        "command_id",
        "ask_id",
        "message_id",
        "webhook_id",
        "device_id",
        "line_id",
        "fault_id",
        "hold_id",
        "link_id",
        "kind",
        "technician_id",
        "absence_id",
    )
    act = (
        {"what": "apply"}
        if "plan_id" in door.path
        else {"what": "release"}
        if "/overrides" in door.path
        else {}
    )
    return dict.fromkeys(names, str(NOWHERE)) | UNKNOWN | act


def sent(world: World, door: Door, values: dict[str, str]) -> dict[str, Any]:
    """What goes along: enough to be accepted from who may."""
    start = world.now + timedelta(days=1)
    bodies: dict[str, dict[str, Any]] = {
        "/assign": {"technician_id": str(world.ben.technician_id), "planned_start": start.isoformat()},
        "/cancel": {"reason": "not wanted"},
        "/delete": {"reason": "a double"},
        "/reschedule": {
            "planned_start": start.isoformat(),
            "planned_end": (start + timedelta(hours=1)).isoformat(),
        },
        "/split": {"summary": "the rest", "expected_minutes": 30, "parts": {"CABLE-M": 5}},
        "/reopen": {"technician_id": str(world.ben.technician_id)},
        "/contact": {"field": "phone", "value": "+358509"},
        "/notes": {"text": "Ring twice"},
        "/traffic": {"after": traffic_in_force(world), "factors": [1.0] * 24, "factor": ["1"] * 24},
        "/breaks": {"breaks": []} if "/api/" in door.path else {"who": [str(world.ana.technician_id)]},
        "/{kind}": {"minutes": 60, "setup_minutes": 10},
        "/links": {"kind": "after", "number": values.get("number", "WO-0")},
        "/checks": {"code": "optical_power", "value": "-19.5"},
        "/accept": {"way": "as_it_is"},
        "/accept-visit": {"way": "as_it_is"},
        "/correct": {"body": {"work_order_id": values.get("job", str(NOWHERE)), "text": "The dog is nice"}},
        "/{ask_id}": {"outcome": "dismiss"},
        "/dismiss": {"reason": "not needed"},
        "/dismiss-visit": {"reason": "not needed"},
        "/away": {"reason": "van"},
        "/mend": {
            "day": "2031-01-06", "moves": [], "holds": [], "lunches": {},
            "rests_on": {"orders": {}, "technicians": [], "holds": []},
        },
        "/slots": {"work_order_id": values.get("job", str(NOWHERE)), "days": 1},
        "/holds": {
            "key": str(mint()), "work_order_id": values.get("job", str(NOWHERE)),
            "start": a_slot(world)[0].isoformat(), "end": a_slot(world)[1].isoformat(),
        },
        "/orders": {
            "kind": "install", "customer_id": str(uid("customer WO-0001")),
            "location_id": str(uid("location WO-0001")), "plan_code": "HOME-100",
        },
        "/plan": {"day": "2031-01-06", "seconds": 0},
        "/policy": {"after": 0, "note": "dearer petrol", "weights": {"drive_km": 40}},
        "/whatif": {"day": "2031-01-06", "name": "If nothing", "seconds": "0"},
        "/what-if": {"day": "2031-01-06", "name": "If nothing", "seconds": 0},
        "/try": {"day": "2031-01-06", "name": ["drive_km"], "amount": ["0.45"], "seconds": "0"},
        "/absences": {"reason": "van"},
        "/skills": {"skill": "splice", "level": "3"},
        "/remove": {"skill": "splice"},
        "/certificates": {"skill": "splice", "until": "2031-01-06"},
        "/withdraw": {"skill": "splice"},
        "/overtime": {"minutes": "45"},
        "/codes": {"technician_id": str(world.ana.technician_id)},
        "/webhooks": {"url": "http://127.0.0.1:9/"},
        "/send": {"reference": "RMA-7"},
        "/settle": {"outcome": "credited"},
        "/{what}": {"reason": "mended"},
    }  # fmt: skip
    body = bodies.get(door.path[door.path.rindex("/") :], {})
    if door.method != "POST":
        return {}
    if door.path == "/inbox/{command_id}/correct":
        body = {"text": "The dog is nice"}
    if door.path == "/policy":
        version = len(world.rows(PolicyRow))
        body = {"after": version, "note": "dearer", "name": ["drive_km"], "amount": [f"{version + 1}.00"]}
    return {"data": body} if door.is_page else {"json": body}


def slug(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


# --- the tests ----------------------------------------------------------------------------------------------


class TestTheTable:
    def test_has_a_line_for_every_route_and_no_other(self, office_doors: Doors):
        there = set()
        for route in iter_route_contexts(office_doors.client.app.routes):  # type: ignore[attr-defined]
            there |= {(method, route.path) for method in route.methods or ["GET"]}
        lines = {(door.method, door.path) for door in STAFF_DOORS}
        assert there == lines | set(DEVICE_DOORS) | set(PUBLIC_DOORS) | OF_ITS_OWN

    def test_serves_files_only_where_it_says(self, office_doors: Doors):
        mounts = [route.path for route in office_doors.client.app.routes if isinstance(route, Mount)]  # type: ignore[attr-defined]
        assert mounts == ["/static/vendor", "/static"]


@pytest.mark.parametrize("door", STAFF_DOORS, ids=lambda door: f"{door.method} {door.path}")
class TestADoorOfTheOffice:
    def test_is_closed_to_everybody_else_and_nothing_moves(self, office_doors: Doors, door: Door):
        world = office_doors.world
        for_known = known(world, door)
        before = world.contents()
        for values in (for_known, unknown(door)):  # a refusal does not tell whether the thing exists
            path, body = door.path.format(**values), sent(world, door, values)
            for caller in (caller for caller in CALLERS if caller not in door.may):
                answer = office_doors.ask(caller, door.method, path, **body)
                self.is_the_right_refusal(door, caller, answer)
        assert world.contents() == before

    @staticmethod
    def is_the_right_refusal(door: Door, caller: str, answer: Any) -> None:
        if caller in STAFF:
            assert answer.status_code == 403, caller
            if door.is_page:
                assert answer.headers["content-type"].startswith("text/html")
            else:
                assert slug(answer) == "wrong-role"
        elif door.is_page:
            assert answer.status_code == 303, caller
            assert answer.headers["location"].startswith("/login")
        else:
            assert (answer.status_code, slug(answer)) == (401, "sign-in-needed"), caller

    def test_opens_to_whom_it_should(self, office_doors: Doors, door: Door):
        for caller in door.may:
            values = known(office_doors.world, door)
            body = sent(office_doors.world, door, values)
            answer = office_doors.ask(caller, door.method, door.path.format(**values), **body)
            assert (caller, answer.status_code) == (caller, door.known), answer.text
        if door.unknown:
            values = unknown(door)
            answer = office_doors.ask(
                "admin", door.method, door.path.format(**values), **sent(office_doors.world, door, values)
            )
            assert answer.status_code == door.unknown, answer.text

    def test_takes_no_change_that_another_site_could_have_caused(self, office_doors: Doors, door: Door):
        if door.method == "GET":
            return  # changes nothing, as the next test shows
        values = known(office_doors.world, door)
        body, path = sent(office_doors.world, door, values), door.path.format(**values)
        before = office_doors.world.contents()
        for caller in door.may:
            for csrf in (None, "foreign"):
                answer = office_doors.ask(caller, door.method, path, csrf=csrf, **body)
                assert answer.status_code == 403, (caller, csrf)
                if not door.is_page:
                    assert slug(answer) == "bad-csrf"
        assert office_doors.world.contents() == before

    def test_changes_nothing_when_it_only_shows(self, office_doors: Doors, door: Door):
        if door.method != "GET":
            return
        values = known(office_doors.world, door)
        before = office_doors.world.contents()
        office_doors.ask("admin", "GET", door.path.format(**values))
        assert office_doors.world.contents() == before


def contact(world: World) -> bytes:
    return encode(SyncRequest(protocol=PROTOCOL, app_version="1", device_now=world.now, queue_length=0))


class TestADoorOfThePhones:
    @pytest.fixture(autouse=True)
    def what_ana_has_sent(self, doors: Doors) -> None:
        """One photo is half sent, another one whole. Ben has begun nothing."""
        doors.ask("ben", "DELETE", f"/api/uploads/{digest(HALF_SENT)}", headers=TUS)
        headers = {
            **TUS,
            "Upload-Length": str(len(HALF_SENT)),
            "Upload-Metadata": metadata(digest(HALF_SENT)),
        }
        assert doors.ask("ana", "POST", "/api/uploads", headers=headers).status_code == 201

    @pytest.mark.parametrize("door", DEVICE_DOORS, ids=" ".join)
    def test_opens_to_devices_that_are_signed_in(self, doors: Doors, door: tuple[str, str]):
        own, foreign, unknown, *_ = DEVICE_DOORS[door]
        picture = PICTURE if "attachments" in door[1] else HALF_SENT
        if foreign is not None:  # first: Ana's own request may end the upload
            before = doors.ask("ana", "HEAD", f"/api/uploads/{digest(HALF_SENT)}", headers=TUS).headers
            assert self.asked(doors, "ben", door, picture) == foreign
            after = doors.ask("ana", "HEAD", f"/api/uploads/{digest(HALF_SENT)}", headers=TUS).headers
            assert after["upload-offset"] == before["upload-offset"], "Ben's reached Ana's upload"
        if unknown is not None:
            name = ("1" if door[0] == "POST" else "0") * 64
            assert self.asked(doors, "ana", door, FRESH, name=name) == unknown
        assert self.asked(doors, "ana", door, picture) == own

    @pytest.mark.parametrize("door", DEVICE_DOORS, ids=" ".join)
    def test_is_closed_to_everybody_else_and_nothing_moves(self, doors: Doors, door: tuple[str, str]):
        picture = PICTURE if "attachments" in door[1] else HALF_SENT
        answers = dict(zip(DEVICES[2:], DEVICE_DOORS[door][3:], strict=True))
        answers |= dict.fromkeys(("nobody", *STAFF), 401)
        before = self.contents(doors.world)
        for caller, status in answers.items():
            assert (caller, self.asked(doors, caller, door, picture)) == (caller, status)
        assert self.contents(doors.world) == before

    @staticmethod
    def contents(world: World) -> dict[str, Any]:
        """All but what a device that is signed out says of itself, which the office wants to know."""
        return {table: rows for table, rows in world.contents().items() if table != "device"}

    @staticmethod
    def asked(
        doors: Doors, caller: str, door: tuple[str, str], picture: bytes, name: str | None = None
    ) -> int:
        method, path = door
        name = name or digest(picture)
        headers, content = dict(TUS), b""
        match door:
            case "POST", "/sync":
                content = contact(doors.world)
            case "POST", "/api/uploads":
                headers |= {"Upload-Length": str(len(picture)), "Upload-Metadata": metadata(name)}
            case "PATCH", _:
                headers |= {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
                content = picture[:10]
            case "PUT", _:
                content = picture
        answer = doors.ask(caller, method, path.format(digest=name), headers=headers, content=content)
        return int(answer.status_code)


class TestWhatADeviceReads:
    def test_is_its_own_technicians_and_never_anothers(self, doors: Doors):
        world = doors.world
        anas, bens = world.order(), world.order(phone=world.ben)
        settle(world.database)
        for caller, own, other in (("ana", anas, bens), ("ben", bens, anas)):
            raw = doors.ask(caller, "POST", "/sync", content=contact(world)).content
            keys = {(row.kind, row.key) for row in decode_response(raw).rows}
            assert ("work_order", str(own.id)) in keys
            assert ("work_order", str(other.id)) not in keys
            for secret in (other.number, str(other.customer_id), f'Customer {int(other.number[-4:])}"'):
                assert secret.encode() not in raw, f"{caller} read of {secret}"

    def test_is_nothing_once_it_was_signed_out(self, doors: Doors):
        for caller in DEVICES[2:]:
            answer = doors.ask(caller, "POST", "/sync", content=contact(doors.world))
            assert set(answer.json()) <= {"type", "title", "status", "detail", "field", "subject"}

    def test_is_not_another_jobs_by_naming_it(self, doors: Doors):
        """Ana sends a command about Ben's job: it is held, and nothing of the job comes back."""
        world = doors.world
        bens = world.order(phone=world.ben)
        command = world.ana.envelope(StartTravel(work_order_id=bens.id))
        request = SyncRequest(
            protocol=PROTOCOL, app_version="1", device_now=world.now, queue_length=1, commands=(command,)
        )
        raw = doors.ask("ana", "POST", "/sync", content=encode(request)).content
        answer = decode_response(raw)
        assert [receipt.slug for receipt in answer.receipts] == ["not-your-job"]
        assert ("work_order", str(bens.id)) not in {(row.kind, row.key) for row in answer.rows}
        assert str(bens.customer_id).encode() not in raw


class TestACustomersLink:
    @pytest.fixture
    def secret(self, doors: Doors) -> str:
        return doors.world.settings.secret

    @pytest.mark.parametrize("caller", CALLERS)
    def test_shows_its_own_visit_to_whoever_has_it_and_no_other(self, doors: Doors, secret: str, caller: str):
        own, other = doors.world.order(language="en"), doors.world.order(language="en")
        answer = doors.ask(caller, "GET", f"/visit/{visit_token(secret, own.id)}")
        assert answer.status_code == 200
        assert own.number in answer.text or f"Fabianinkatu {int(own.number[-4:])}" in answer.text
        for word in (other.number, f"Customer {int(other.number[-4:])}", str(other.id)):
            assert word not in answer.text

    @pytest.mark.parametrize("end", ["", "/events"])
    def test_that_was_changed_expired_or_made_by_somebody_else_shows_nothing(
        self, doors: Doors, secret: str, end: str
    ):
        own, other = doors.world.order(), doors.world.order()
        good, foreign = visit_token(secret, own.id), visit_token(secret, other.id)
        mixed = f"{foreign.rpartition('.')[0]}.{good.rpartition('.')[2]}"
        expired = visit_token(secret, own.id, now=doors.world.now - timedelta(days=22))
        over = 401 if end else 410
        for token, status in (
            (good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:], 404),
            (mixed, 404),
            (visit_token("another secret", own.id), 404),
            (visit_token(secret, NOWHERE), 404),
            (expired, over),
        ):
            if end and token == visit_token(secret, NOWHERE):
                continue  # a stream begins before it looks; it ends at once and says nothing
            answer = doors.ask("nobody", "GET", f"/visit/{token}{end}")
            assert answer.status_code == status, token
            assert "Customer" not in answer.text and own.number not in answer.text

    def test_opens_no_door_of_the_office(self, doors: Doors, secret: str):
        token = visit_token(secret, doors.world.order().id)
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"truckroll_session={token}"}):
            assert doors.client.get("/api/board", headers=headers).status_code == 401
            body = contact(doors.world)
            assert doors.client.post("/sync", headers=headers, content=body).status_code == 401


@pytest.mark.parametrize("door", PUBLIC_DOORS, ids=" ".join)
class TestAPublicDoor:
    def test_answers_everybody_alike(self, office_doors: Doors, door: tuple[str, str]):
        method, path = door
        path = path.replace("{name:path}", "index.html")
        path = path.format(digest="0" * 64, token="never-made", hold_id=NOWHERE)
        path = f"{path}/nothing.js" if path.startswith("/static") else path
        body: dict[str, Any] = {}
        if path == "/login":
            body = {"data": {"email": "a@b.test", "password": "wrong"}} if method == "POST" else {}
        elif path == "/api/session":
            body = {"json": {"email": "a@b.test", "password": "wrong"}}
        elif path == "/api/devices/register":
            body = {"json": {"code": "AAAA-AAAA", "device_name": "x", "platform": "test"}}
        for caller in CALLERS:
            office_doors.client.app.state.throttle = Throttle()  # type: ignore[attr-defined]
            answer = office_doors.ask(caller, method, path, **body)
            assert (caller, answer.status_code) == (caller, PUBLIC_DOORS[door]), answer.text
            assert "home.test" not in answer.text


class TestSigningOut:
    def test_needs_the_sessions_own_token_and_is_nothing_to_others(self, office_doors: Doors):
        for caller in STAFF:
            for csrf in (None, "foreign"):
                assert office_doors.ask(caller, "POST", "/logout", csrf=csrf).status_code == 403
            assert office_doors.ask(caller, "GET", "/api/session").status_code == 200
        for caller in ("nobody", *DEVICES):
            assert office_doors.ask(caller, "POST", "/logout").headers["location"] == "/login"


class TestAnUnusedMethod:
    def test_is_refused_at_every_address_and_the_answer_names_the_others(self, office_doors: Doors):
        offered: dict[str, set[str]] = {}
        for route in iter_route_contexts(office_doors.client.app.routes):  # type: ignore[attr-defined]
            if route.methods and not str(route.path).startswith("/app"):
                offered.setdefault(str(route.path), set()).update(route.methods)
        for path, methods in offered.items():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
                at = path.format(**unknown(STAFF_DOORS[0]), token="x")
                answer = office_doors.ask("admin", method, at)
                assert answer.status_code == 405, (method, path)
                if path not in ("/openapi.json",):
                    assert set(answer.headers["allow"].split(", ")) >= methods, (method, path)
