"""Saved plans applied to days that went on by chance: nobody's hand is undone, nothing breaks that held."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician
from world import Job, World, a_world

from scheduler.check import check
from scheduler.codec import plan_to_json, request_to_json
from scheduler.request import PlanRequest
from scheduler.solve import solve
from server import office
from server.customers.models import ServiceLocationRow
from server.dispatch import saved_plans
from server.dispatch.applying import apply_saved
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.plan_request import ask
from server.dispatch.planner import plan_day
from server.dispatch.roads import travel_times
from server.dispatch.saved_plans import places_now, save
from server.dispatch.thinking import Effort, Thought
from server.dispatch.what_if import TechnicianOff
from shared.commands import AssignWorkOrder, CancelWorkOrder, UnassignWorkOrder
from shared.work_orders import WorkOrderState


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        yield world


def here(request: PlanRequest, effort: Effort, say: Callable[[str], None] = print) -> Thought:
    """The same scheduler without a process of its own: these are many days."""
    plan = solve(request, rounds=effort.rounds, seed=effort.seed)
    answer = (plan_to_json(plan) + "\n").encode()
    return Thought(request=request_to_json(request).encode(), answer=answer, plan=plan, effort=effort)


def broken(
    world: World, now: Any, only: Collection[str] | None = None
) -> set[tuple[str, str | None, str | None]]:
    """What is wrong with the day as it stands, or with these orders of it."""
    clock = clock_of(world.settings, DAY, now)
    with world.database.read() as session:
        found = read_day(session, clock, now)
    question = ask(found.rows, travel_times(world.settings))
    assert question.request
    places = places_now(clock, question)
    shown = {number: place for number, place in places.items() if only is None or number in only}
    plan = saved_plans.plan_now(question, found, {}, shown)
    return {(one.rule, one.technician_id, one.job_id) for one in check(question.request, plan)}


def something_happens(world: World, job: Job, chance: Random) -> None:
    """What becomes of an order while the plan lies there."""
    order = world.work_order(job)
    start = at(chance.randint(9, 14), chance.choice((0, 15, 30, 45)))
    who = chance.choice(world.phones).technician_id
    match chance.choice(("move", "move", "take off", "cancel", "begin")):
        case "move":
            command: Any = AssignWorkOrder(
                work_order_id=job.id, technician_id=who, planned_start=start,
                planned_end=start + timedelta(minutes=order.expected_minutes), travel_minutes=5,
                route_position=0,
            )  # fmt: skip
        case "take off" if order.state is WorkOrderState.ASSIGNED:
            command = UnassignWorkOrder(work_order_id=job.id)
        case "cancel":
            command = CancelWorkOrder(work_order_id=job.id, reason="moved away")
        case _:
            if order.state is not WorkOrderState.ASSIGNED:
                return
            change(
                world, job, state=WorkOrderState.ON_SITE, travel_started_at=DAWN, arrived_at=at(8),
            )  # fmt: skip
            return
    office.run(world.database, world.settings, command, "Dora")


@pytest.mark.parametrize("seed", [*range(6), 7, 8, 12, 14])
def test_a_day_that_has_gone_on(world: World, monkeypatch: pytest.MonkeyPatch, seed: int):
    monkeypatch.setattr(saved_plans, "think", here)
    monkeypatch.setattr("server.dispatch.planner.think", here)
    chance = Random(seed)
    jobs = []
    for _ in range(10):
        opens = chance.randint(8, 13)
        window = {"window_start": at(opens), "window_end": at(opens + 2)} if chance.random() < 0.5 else {}
        job = an_order(world, expected_minutes=chance.choice((30, 45, 60)), **window)
        with world.database.write() as session:
            place = session.get_one(ServiceLocationRow, job.location_id)
            place.lat, place.lon = 60.1 + chance.random() / 8, 24.8 + chance.random() / 3
        jobs.append(job)
    if chance.random() < 0.7:
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
    changes = [TechnicianOff(technician_id=chance.choice(world.phones).technician_id)]
    effort = Effort(rounds=300, threads=1, seed=seed)
    made = save(
        world.database, world.settings, DAY, "If", changes if seed % 3 else (), effort, by="Marja", now=DAWN
    )
    touched = chance.sample(jobs, chance.randint(0, 5))
    before = {job.number: saved_plans.stand_of(world.work_order(job)) for job in jobs}
    for job in touched:
        something_happens(world, job, chance)
    if chance.random() < 0.3:
        change_technician(world, chance.choice(world.phones).technician_id, shift_end_minute=12 * 60)
    now = DAWN if chance.random() < 0.5 else at(9, 30)
    stood = {job.number: saved_plans.stand_of(world.work_order(job)) for job in jobs}
    wrong = broken(world, now)

    applied = apply_saved(world.database, world.settings, made.id, by="Marja", now=now)

    stands = {job.number: saved_plans.stand_of(world.work_order(job)) for job in jobs}
    became = {one.number: one.became for one in applied.moves}
    assert set(became) == {job.number for job in jobs}
    moved = {number for number in stands if stands[number] != stood[number]}
    assert moved <= {number for number, what in became.items() if what == "applied"}
    hands = {number for number in stood if stood[number] != before[number]}
    assert not moved & hands
    assert all(one.reason for one in applied.moves if one.became == "no longer possible")
    assert broken(world, now) <= wrong | broken(world, now, stands.keys() - moved)
