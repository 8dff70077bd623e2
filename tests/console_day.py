"""Rows for tests of the console: a technician, a work order, or a whole believable day around this moment.

with a_console(database_url, tmp_path) as console:  # the application, its database and its time zone
    order = console.work_order(technician=console.technician("Aino Virtanen"))
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

import server.db.tables  # noqa: F401 - every model must be known before the first query
from server.access import routes as access_routes
from server.access.models import DeviceRow, PersonRow
from server.access.passwords import hashed
from server.access.roles import Role
from server.clock import mint
from server.customers import routes as customer_routes
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.db import feed
from server.db.command_log import next_numbers
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.dependencies import answer_problems
from server.dispatch import (
    board_feed,
    board_routes,
    link_routes,
    mend_routes,
    override_routes,
    plan_routes,
    policy_routes,
    preference_routes,
    slot_routes,
)
from server.dispatch.models import DayPlanRow, TechnicianRow, UnassignedRow
from server.faults import page as faults_page
from server.inbox import pages as inbox_pages
from server.inbox import routes as inbox_routes
from server.live import Live
from server.settings import Settings
from server.stock.models import StockPlaceRow
from server.web.assets import mount_static
from server.work_orders.models import WorkOrderRow

PASSWORD = "correct horse battery"
DISPATCHER = "dora@example.org"
VIEWER = "vera@example.org"
ADMIN = "ada@example.org"


@cache
def _hashed(password: str) -> str:
    return hashed(password)  # slow on purpose, so once a run


def zone_where_it_is(hour: int) -> ZoneInfo:
    """A zone where the local time is between `hour` and the next: no test depends on the time of day."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return ZoneInfo(f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT")  # the signs of Etc/ zones are turned round


@dataclass
class Console:
    """An application with a database of its own, and short ways to fill it."""

    app: FastAPI
    database: Database
    settings: Settings

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    @property
    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def at(self, hour: int, minute: int = 0) -> datetime:
        """A local time of today."""
        return datetime(self.today.year, self.today.month, self.today.day, hour, minute, tzinfo=self.zone)

    def client(self) -> TestClient:
        return TestClient(self.app, follow_redirects=False)

    def signed_in(self, client: TestClient, email: str = DISPATCHER) -> dict[str, str]:
        """Sign `client` in and return the header that unsafe requests need."""
        answer = client.post("/api/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return {"X-CSRF-Token": answer.json()["csrf_token"]}

    # --- rows

    def technician(self, name: str = "Aino Virtanen", **values: Any) -> UUID:
        with self.database.write() as session:
            return add_technician(session, name, **values).id

    def work_order(self, **values: Any) -> UUID:
        with self.database.write() as session:
            return add_work_order(session, **values).id

    def change(self, work_order_id: UUID, topic: str = "WorkOrderAssigned", **values: Any) -> None:
        """Change a work order and tell the feed, in one transaction, as the server does."""
        with self.database.write() as session:
            row = session.get_one(WorkOrderRow, work_order_id)
            for name, value in values.items():
                setattr(row, name, value)
            row.version += 1
            feed.append(
                session, [feed.BOARD], "work_order", work_order_id, topic, at=self.now, actor="Aino Virtanen"
            )


@contextlib.contextmanager
def a_console(
    database_url: str, data_folder: Path, *, hour: int = 11, map_file: Path | None = None
) -> Iterator[Console]:
    """The console's own routes on a migrated database, with one person of each of three roles."""
    settings = Settings(
        database_url=database_url,
        data_folder=data_folder,
        secret="a secret for tests",
        time_zone=zone_where_it_is(hour).key,
        map_file=str(map_file or ""),
    )
    database = Database(database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with app.state.live.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.database, app.state.settings = database, settings
    app.state.live = Live(database, board_feed.render)
    answer_problems(app)
    for router in (
        access_routes.router,
        board_routes.router,
        mend_routes.router,
        link_routes.router,
        preference_routes.router,
        slot_routes.router,
        override_routes.router,
        customer_routes.router,
        inbox_routes.router,
        inbox_pages.router,
        faults_page.router,
        plan_routes.router,
        policy_routes.router,
    ):
        app.include_router(router)
    mount_static(app, settings)
    with database.write() as session:
        for name, email, role in (
            ("Dora Dispatcher", DISPATCHER, Role.DISPATCHER),
            ("Vera Viewer", VIEWER, Role.VIEWER),
            ("Ada Admin", ADMIN, Role.ADMIN),
        ):
            person = PersonRow(id=mint(), name=name, email=email, role=role, password_hash=_hashed(PASSWORD))
            session.add(person)
    try:
        yield Console(app, database, settings)
    finally:
        database.close()


@contextlib.contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """`app` behind a real server on a free port of this machine, or on `port`; gives its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(10)


# --- single rows --------------------------------------------------------------------------------------------


def add_technician(session: Session, name: str, **values: Any) -> TechnicianRow:
    van = StockPlaceRow(id=mint(), kind="van", name=values.pop("van", f"Van of {name}"))
    session.add(van)
    session.flush()
    row = TechnicianRow(
        **{
            "id": mint(),
            "name": name,
            "phone": "+358 40 123 4567",
            "skills": {"fibre": 3},
            "shift_start_minute": 8 * 60,
            "shift_end_minute": 16 * 60,
            "lunch_from_minute": 11 * 60,
            "lunch_until_minute": 13 * 60,
            "lunch_minutes": 30,
            "start_lat": 59.300,
            "start_lon": 21.310,
            "end_lat": 59.300,
            "end_lon": 21.310,
            "van_id": van.id,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def add_work_order(session: Session, **values: Any) -> WorkOrderRow:
    """A work order with a customer, a place and a service of its own; `values` override any column."""
    if session.get(PlanRow, "FIBRE-100") is None:
        session.add(
            PlanRow(
                code="FIBRE-100",
                name="Fibre 100",
                down_mbps=100,
                monthly_minor=2990,
                currency="EUR",
                fees_minor={"call_out": 4_900},
                equipment={},
            )
        )
    customer = CustomerRow(
        id=mint(),
        name=values.pop("customer", "Maija Meikäläinen"),
        phone="+358 50 765 4321",
        email="maija@example.org",
        language=values.pop("language", "en"),
    )
    street, house_number = values.pop("street", "Koivukatu"), values.pop("house_number", "7")
    place = ServiceLocationRow(
        id=mint(),
        street=street,
        house_number=house_number,
        postcode="99999",
        city="Kuvitelma",
        lat=values.pop("lat", 59.315),
        lon=values.pop("lon", 21.34),
        access_notes=values.pop("access_notes", ""),
        cabinet=None,
    )
    session.add_all([customer, place])
    session.flush()
    service = ServiceRow(
        id=mint(), customer_id=customer.id, location_id=place.id, plan_code="FIBRE-100", state="reserved"
    )
    session.add(service)
    session.flush()
    technician: UUID | None = values.pop("technician", None)
    row = WorkOrderRow(
        **{
            "id": mint(),
            "number": f"WO-{mint().hex[-5:].upper()}",
            "kind": "install",
            "state": "assigned" if technician else "unassigned",
            "priority": 3,
            "customer_id": customer.id,
            "location_id": place.id,
            "service_id": service.id,
            "plan_code": "FIBRE-100",
            "summary": "Connect the flat to the fibre in the hall",
            "expected_minutes": 60,
            "technician_id": technician,
            "former_technician_ids": [],
            "travel_minutes": 0,
            "requirements": {},
            "record": {},
            "why": {},
            "version": 1,
            "ordered_at": datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def add_held(
    session: Session, technician: UUID, order: WorkOrderRow, now: datetime, **values: Any
) -> CommandRow:
    """A command of a technician's device that waits for a dispatcher."""
    device = DeviceRow(
        id=mint(),
        technician_id=technician,
        name="Phone",
        platform="test",
        token_hash=mint().hex,
        token_expires_at=now + timedelta(days=30),
        registered_at=now,
    )
    session.add(device)
    session.flush()
    row = CommandRow(
        **{
            "id": mint(),
            "number": next_numbers(session, 1)[0],
            "origin": "field",
            "device_id": device.id,
            "actor": "device",
            "seq": 1,
            "type": "install_asset",
            "schema_version": 1,
            "work_order_id": order.id,
            "body": '{"serial": "ZTEGC0DE1234"}',
            "digest": "",
            "base_version": 1,
            "made_at": now,
            "happened_at": now,
            "decided_at": now,
            "outcome": "held",
            "slug": "serial-elsewhere",
            "detail": "ZTEGC0DE1234 is installed at another address already",
            "remarks": [],
            **values,
        }
    )
    session.add(row)
    session.flush()
    feed.append(session, [feed.BOARD], "command", row.id, "CommandHeld", at=now, actor="device")
    return row


# --- a whole day --------------------------------------------------------------------------------------------

PEOPLE = ("Aino Virtanen", "Eetu Korhonen", "Helmi Mäkinen", "Ilmari Nieminen", "Juhani Laine",
          "Kaisa Heikkinen", "Lauri Koskinen", "Minna Järvinen", "Noora Lehtonen", "Olli Saarinen",
          "Päivi Salminen", "Riku Hämäläinen")  # fmt: skip
STREETS = ("Koivukatu", "Kuusitie", "Mäntykuja", "Pihlajapolku", "Lehmuskatu", "Saarnitie", "Tammikuja",
           "Vaahterakatu", "Haapatie", "Kielopolku")  # fmt: skip
KINDS = (("install", 75), ("repair", 45), ("upgrade", 45), ("swap", 30), ("disconnect", 30))


def seed_day(console: Console, places: list[tuple[float, float]] | None = None) -> None:
    """Twelve technicians and some eighty jobs, as far as they have got by now; two held, six unassigned."""
    random = Random(7)
    spots = places or [
        (59.300 + random.random() * 0.03, 21.302 + random.random() * 0.075) for _ in range(140)
    ]
    with console.database.write() as session:
        people = [
            add_technician(
                session,
                name,
                van=f"Van {index + 1:02}",
                skills={"fibre": 2 + index % 3, **({"splicing": 3} if index % 3 == 0 else {})},
                shift_start_minute=(7 + index % 2) * 60,
                shift_end_minute=(15 + index % 2) * 60,
                start_lat=spots[index][0],
                start_lon=spots[index][1],
                end_lat=spots[index][0],
                end_lon=spots[index][1],
            )
            for index, name in enumerate(PEOPLE)
        ]
        numbers = iter(range(1001, 2000))
        lunches = {str(person.id): (11 * 60 + index % 4 * 15) for index, person in enumerate(people)}
        spot = iter(spots[len(people) :])
        under_way = [
            _route(console, session, random, person, lunches[str(person.id)], numbers, spot, index)
            for index, person in enumerate(people)
        ]
        plan = DayPlanRow(
            id=mint(),
            day=console.today,
            made_at=console.at(6, 42),
            engine="OR-Tools 9.15",
            roads="junction graph of the town",
            roads_estimated=False,
            seconds=8.4,
            seed=7,
            figures={"travel_minutes": 812},
            lunches=lunches,
        )
        session.add(plan)
        session.flush()
        _left_over(console, session, random, plan, numbers, spot)
        waiting = [order for order in under_way if order]
        add_held(session, people[0].id, waiting[0], console.now - timedelta(minutes=6))
        add_held(
            session,
            people[4].id,
            waiting[1],
            console.now - timedelta(minutes=21),
            type="close_work_order",
            body="{}",
            slug="reassigned",
            detail=f"{waiting[1].number} went to a colleague who has started it. You decide",
        )


def _route(
    console: Console,
    session: Session,
    random: Random,
    person: TechnicianRow,
    lunch_minute: int,
    numbers: Iterator[int],
    spots: Iterator[tuple[float, float]],
    index: int,
) -> WorkOrderRow | None:
    """One technician's day, as far as it has got. Returns the visit under way."""
    clock = console.at(0) + timedelta(minutes=person.shift_start_minute + 5)
    end = console.at(0) + timedelta(minutes=person.shift_end_minute)
    lunch, current, position = console.at(0) + timedelta(minutes=lunch_minute), None, 0
    while True:
        kind, expected = KINDS[random.choice((0, 0, 1, 1, 1, 2, 3, 4))]
        travel = random.randint(6, 22)
        start = clock + timedelta(minutes=travel)
        if start < lunch + timedelta(minutes=30) and start + timedelta(minutes=expected) > lunch:
            clock = lunch + timedelta(minutes=30)
            lunch = end  # eaten
            continue
        if start + timedelta(minutes=expected) > end:
            return current
        window = start.replace(minute=0) - timedelta(hours=start.hour % 2)
        lat, lon = next(spots)
        order = add_work_order(
            session,
            technician=person.id,
            number=f"WO-{next(numbers)}",
            kind=kind,
            customer=random.choice(("Maija Salo", "Pekka Lind", "Sofia Berg", "Antti Aalto", "Greta Holm")),
            street=random.choice(STREETS),
            house_number=str(random.randint(1, 48)),
            lat=lat,
            lon=lon,
            priority=1 if position == 3 and index in (2, 7) else 3,
            expected_minutes=expected,
            travel_minutes=travel,
            window_start=window,
            window_end=window + timedelta(hours=2 if kind != "repair" else 4),
            sla_due_at=end if kind == "repair" else None,
            planned_start=start,
            planned_end=start + timedelta(minutes=expected),
            route_position=position,
            requirements={"required_skills": [{"name": "fibre", "level": 2}]},
            why={
                "sentence": "Nearest with the skill and the parts",
                "extra_travel_minutes": travel,
                "able": 7,
            },
        )
        if _happens(console, order, random, index):
            current = order
        clock, position = order.planned_end or clock, position + 1


def _happens(console: Console, order: WorkOrderRow, random: Random, index: int) -> bool:
    """Let the day run on this order until now. True when somebody is on it."""
    assert order.planned_start and order.planned_end
    slip = timedelta(minutes=35 if index in (3, 8) else random.randint(-4, 6))
    arrival, finish = order.planned_start + slip, order.planned_end + slip - timedelta(minutes=4)
    set_out = arrival - timedelta(minutes=order.travel_minutes)
    if set_out > console.now:
        return False
    order.travel_started_at, order.state = set_out, "travelling"
    if arrival > console.now:
        return True
    order.arrived_at, order.state = arrival, "on_site"
    if finish > console.now:
        return True
    order.finished_at, order.state = finish, "completed"
    if index == 5 and order.route_position == 1:
        order.state, order.unfinished_reason = "unfinished", "customer_absent"
    if index == 9 and order.route_position == 2:
        order.state = "cancelled"
    return False


def _left_over(
    console: Console,
    session: Session,
    random: Random,
    plan: DayPlanRow,
    numbers: Iterator[int],
    spots: Iterator[tuple[float, float]],
) -> None:
    reasons = (
        ("no-skill", "Needs splicing 4; the best on duty has 3"),
        ("no-time", "Every shift is full: the nearest free technician has 18 min, 75 are needed"),
        ("no-part", "No van carries a 250 m drop cable"),
        ("window", "Nobody can be there between 08:00 and 10:00"),
        ("no-time", "Would cost 96 min of travel for a job of low priority"),
        ("", ""),
    )
    for index, (code, reason) in enumerate(reasons):
        lat, lon = next(spots)
        start = console.at(8 if code == "window" else 12 + index % 3)
        kind, expected = KINDS[index % len(KINDS)]
        order = add_work_order(
            session,
            number=f"WO-{next(numbers)}",
            kind=kind,
            street=random.choice(STREETS),
            house_number=str(random.randint(1, 48)),
            lat=lat,
            lon=lon,
            priority=1 if index == 2 else 2 + index % 3,
            expected_minutes=expected,
            window_start=start,
            window_end=start + timedelta(hours=2),
            requirements={"required_skills": [{"name": "splicing", "level": 4}] if index == 0 else []},
        )
        if code:
            session.add(
                UnassignedRow(
                    id=mint(), day_plan_id=plan.id, work_order_id=order.id, code=code, reason=reason
                )
            )
