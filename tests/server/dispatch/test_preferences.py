"""When a customer would like the visit: written down by the office, weighed by plans, never a promise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from planned_day import DAWN, DAY, an_order, at, change, only_ana
from world import Job, World, a_world

from server.dispatch import overrides, policy, preferences
from server.dispatch.board import snapshot
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.detail import detail
from server.dispatch.insertions import find_insertions
from server.dispatch.plan_request import ask
from server.dispatch.planner import plan_day
from server.dispatch.preferences import PreferredRow
from server.dispatch.roads import travel_times
from server.dispatch.time_slots import Wish, offers
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import WorkOrderState


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana alone, without lunch."""
    with a_world(database_url) as world:
        only_ana(world, lunch_from_minute=None, lunch_until_minute=None)
        yield world


def prefer(world: World, job: Job, start: datetime | None, end: datetime | None) -> None:
    with world.database.write() as session:
        preferences.prefer(session, job.id, start, end, by="Marja", now=DAWN)


def row(world: World, job: Job) -> WorkOrderRow:
    return next(one for one in world.rows(WorkOrderRow) if one.id == job.id)


class TestAWish:
    def test_is_kept_changed_and_forgotten(self, world: World):
        job = an_order(world)
        prefer(world, job, at(14), at(16))
        prefer(world, job, at(13), at(15))
        [kept] = world.rows(PreferredRow)
        assert (kept.starts_at, kept.ends_at, kept.said_by) == (at(13), at(15), "Marja")
        prefer(world, job, None, None)
        prefer(world, job, None, None)
        assert world.rows(PreferredRow) == []

    def test_that_can_not_be_is_refused(self, world: World):
        job = an_order(world)
        for start, end, words in (
            (at(14), None, "both its ends"),
            (at(14), at(13), "is wrong"),
            (at(3), at(4) - timedelta(days=1), "is wrong"),
            (at(1), at(2), "over already"),
        ):
            with pytest.raises(BadValue, match=words):
                prefer(world, job, start, end)
        change(world, job, state=WorkOrderState.ON_SITE, technician_id=world.ana.technician_id)
        with pytest.raises(AlreadyClosed):
            prefer(world, job, at(14), at(16))
        with world.database.write() as session, pytest.raises(NotFound):
            preferences.prefer(session, UUID(int=7), at(14), at(16), by="Marja", now=DAWN)
        assert world.rows(PreferredRow) == []

    def test_is_shown_with_its_price_by_the_policy(self, world: World):
        job = an_order(world)
        prefer(world, job, at(14), at(16))
        with world.database.write() as session:
            policy.change(
                session, after=0, weights={"unpreferred_minute": 12}, territories=None, note="dear",
                who="Ada", now=DAWN,
            )  # fmt: skip
        with world.database.read() as session:
            found = detail(session, job.id, "", world.settings.zone)
            [card] = [
                c for c in snapshot(session, DAY, world.settings.zone, DAWN).work_orders if c.id == job.id
            ]
        assert (found.preferred, found.unpreferred_minor) == (card.preferred, 12)
        assert card.preferred and (card.preferred.start, card.preferred.end) == (at(14), at(16))


class TestAPlan:
    def test_keeps_it_where_nothing_speaks_against_it(self, world: World):
        job = an_order(world, expected_minutes=60)
        prefer(world, job, at(13), at(14))
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        assert at(13) <= row(world, job).planned_start < at(14)

    def test_leaves_it_for_a_promise(self, world: World):
        job = an_order(world, expected_minutes=60, window_start=at(9), window_end=at(11))
        prefer(world, job, at(13), at(14))
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        assert at(9) <= row(world, job).planned_start < at(11)

    def test_of_another_day_knows_nothing_of_it(self, world: World):
        job = an_order(world)
        prefer(world, job, at(13) + timedelta(days=1), at(14) + timedelta(days=1))
        with world.database.read() as session:
            rows = read_day(session, clock_of(world.settings, DAY, DAWN), DAWN).rows
        request = ask(rows, travel_times(world.settings)).request
        assert request and all(one.preferred == () for one in request.jobs)


class TestEverybodyElseWhoLooksForAPlace:
    def test_offers_first_what_is_preferred(self, world: World):
        job = an_order(world, expected_minutes=60)
        prefer(world, job, at(14), at(16))
        found = offers(world.database, world.settings, Wish(work_order_id=job.id), DAWN, first=DAY, days=1)
        assert [(slot.start, slot.end) for slot in found.slots if slot.rank == 1] == [(at(14), at(16))]

    def test_puts_one_more_job_there(self, world: World):
        job = an_order(world, expected_minutes=60)
        prefer(world, job, at(14), at(15))
        [place] = find_insertions(world.database, world.settings, job.id, DAWN, DAY).places
        assert at(14) <= place.planned_start < at(15)

    def test_tells_a_hand_what_it_costs(self, world: World):
        job = an_order(world, expected_minutes=60)
        prefer(world, job, at(14), at(15))
        command = AssignWorkOrder(
            work_order_id=job.id, technician_id=world.ana.technician_id, planned_start=at(13),
            planned_end=at(14), travel_minutes=0, route_position=0,
        )  # fmt: skip
        kept = overrides.act(world.database, world.settings, command, by="Marja", now=DAWN)
        with world.database.read() as session:
            assert overrides.opened(session, kept).cost_minor["preferred"] == 60 * 5  # type: ignore[arg-type]
