"""A hundred customers at once for the last ten places: ten bookings, ninety refusals, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Barrier
from time import sleep
from typing import Any

import httpx
import pytest
from callers import add_staff, credentials
from console_day import served
from sqlalchemy import update
from world import Job, World, a_world

from server.app import build_app
from server.dispatch.models import TechnicianRow
from server.dispatch.planner import plan_day
from server.dispatch.slot_models import SlotHoldRow
from server.work_orders.models import WorkOrderRow
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderKind, WorkOrderState

CUSTOMERS, PLACES = 100, 10
CREW = ("Ana Virtanen", "Ben Korhonen", "Cleo Laine", "Dan Salo", "Eva Niemi")


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Five on shift from 8 to 16 without lunch, where the work is. A job of an hour begins in the slot from 8
    to 10 twice a technician: that makes ten places. Tomorrow is a whole day away, whatever the time."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_world(
        database_url, crew=CREW, data_folder=tmp_path, now=now, send_seconds=0, time_slots="08:00-10:00"
    ) as world:
        add_staff(world)
        with world.database.write() as session:
            session.execute(update(TechnicianRow).values(lunch_from_minute=None, lunch_until_minute=None))
        yield world


def a_customer(world: World) -> Job:
    skill = (SkillNeed("fibre_install", 3),)
    job = world.order(
        WorkOrderKind.REPAIR, reserve=False, required_equipment=(), required_parts=(), required_skills=skill
    )
    with world.database.write() as session:
        session.execute(
            update(WorkOrderRow).where(WorkOrderRow.id == job.id).values(
                state=WorkOrderState.UNASSIGNED, technician_id=None, planned_start=None, planned_end=None,
                travel_minutes=0, route_position=None, window_start=None, window_end=None, sla_due_at=None,
                expected_minutes=60,
            )
        )  # fmt: skip
    return job


def persistently(client: httpx.Client, path: str, body: dict[str, Any] | None) -> httpx.Response:
    """As a good client does: a server that has no connection left says "try again", and twice is once."""
    for _ in range(50):
        answer = client.post(path, json=body)
        if answer.status_code != 503:
            break
        sleep(0.3)
    return answer


def test_ten_of_a_hundred_get_them(world: World):
    jobs = [a_customer(world) for _ in range(CUSTOMERS)]
    day = world.now.astimezone(world.settings.zone).date() + timedelta(days=2)
    eight = datetime.combine(day, time(8), world.settings.zone)
    window = {"start": eight.isoformat(), "end": (eight + timedelta(hours=2)).isoformat()}
    at_once = Barrier(CUSTOMERS)
    with ExitStack() as stack:
        # On PostgreSQL two servers share one database, so that only the database can tell them apart.
        servers = 2 if world.database.is_postgresql else 1
        urls = [stack.enter_context(served(build_app(world.settings))) for _ in range(servers)]
        for url in urls:  # routes are put together at the first request, and not by two servers of a process
            assert httpx.get(f"{url}/nothing-here", timeout=60).status_code == 404

        def customer(number: int) -> tuple[int, dict[str, Any]]:
            with httpx.Client(
                base_url=urls[number % servers], headers=credentials("back_office"), timeout=300
            ) as client:
                at_once.wait(60)
                wish = {"key": f"customer {number}", "work_order_id": str(jobs[number].id), **window}
                answer = persistently(client, "/api/slots/holds", wish)
                if answer.status_code != 201:
                    assert answer.headers["content-type"] == "application/problem+json"
                    return answer.status_code, answer.json()
                answer = persistently(client, f"/api/slots/holds/{answer.json()['id']}/confirm", None)
                return answer.status_code, answer.json()

        with ThreadPoolExecutor(CUSTOMERS) as pool:
            answers = list(pool.map(customer, range(CUSTOMERS)))

    assert Counter(status for status, _ in answers) == {200: PLACES, 409: CUSTOMERS - PLACES}
    for status, body in answers:
        if status == 409:
            assert body["type"].endswith("/no-longer-free")
            assert "08:00–10:00 is no longer free" in body["detail"]
            nearest = [datetime.fromisoformat(one["start"]) for one in body["alternatives"]]
            assert nearest[:2] == [eight - timedelta(days=1), eight + timedelta(days=1)]
    booked = {body["number"] for status, body in answers if status == 200}
    rows = world.rows(SlotHoldRow)
    assert len(booked) == len(rows) == PLACES
    assert len({(row.technician_id, row.starts_at) for row in rows}) == PLACES
    assert Counter(row.technician_id for row in rows) == {phone.technician_id: 2 for phone in world.phones}
    promised = world.rows(WorkOrderRow, WorkOrderRow.window_start.is_not(None))
    assert {row.number for row in promised} == booked
    # And all ten can truly be kept.
    plan_day(world.database, world.settings, day, seconds=0, now=world.now)
    kept = world.rows(WorkOrderRow, WorkOrderRow.window_start.is_not(None))
    assert {row.state for row in kept} == {WorkOrderState.ASSIGNED}
    assert all(row.window_start <= row.planned_start < row.window_end for row in kept)
