"""An order comes in: what the visit needs follows from its kind, and nonsense is refused with its field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from world import CABLE, HOME_100, HOME_500, MONDAY, ONT_A, ONT_B, Job, World, uid

from server.customers.models import ServiceRow
from server.db.feed_models import FeedRow
from server.work_orders import repository
from server.work_orders.intake import CustomerOrder, place
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue, Conflict, NotFound, Problem
from shared.skills import SkillNeed
from shared.work_orders import EquipmentNeed, PartLine, WorkOrder, WorkOrderKind, WorkOrderState


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def home(world: World) -> Job:
    """A customer with a running service and an ONT-A on the wall."""
    return world.order(WorkOrderKind.REPAIR)


def order_in(world: World, kind: WorkOrderKind, home: Job, **more: Any) -> WorkOrder:
    wish = CustomerOrder(kind=kind, customer_id=home.customer_id, **{"service_id": home.service_id} | more)
    with world.database.write() as session:
        row = place(session, world.settings, wish, actor="Kaisa", now=MONDAY)
    with world.database.read() as session:
        return repository.load(session, [row.id])[0]


class TestAnOrder:
    def test_for_an_installation_makes_the_service_and_asks_for_all_that_the_visit_needs(
        self, world: World, home: Job
    ) -> None:
        made = order_in(
            world,
            WorkOrderKind.INSTALL,
            home,
            service_id=None,
            location_id=home.location_id,
            plan_code=HOME_500,
            window_start=MONDAY + timedelta(days=1),
            window_end=MONDAY + timedelta(days=1, hours=2),
            parts={CABLE: 25},
        )
        assert (made.number, made.state, made.priority) == (
            "WO-261116-001", WorkOrderState.UNASSIGNED, 3,
        )  # fmt: skip
        assert made.required_skills == (SkillNeed("customer_premises", 2), SkillNeed("fibre_install", 2))
        assert made.required_equipment == (EquipmentNeed(role="ONT", skus=(ONT_B,)),)
        assert made.required_parts == (PartLine(sku=CABLE, quantity=25),)
        assert [check.code for check in made.required_checks] == ["optical_power", "download_speed"]
        assert (made.removal_required, made.signature_required, made.photos_required) == (False, True, 1)
        assert made.sla_due_at == MONDAY + timedelta(days=10)
        with world.database.read() as session:
            service = session.get_one(ServiceRow, made.service.id)
            assert (service.state, service.plan_code) == ("reserved", HOME_500)

    def test_for_a_service_that_is_being_installed_already_is_refused(self, world: World) -> None:
        first = world.order(WorkOrderKind.INSTALL)
        with pytest.raises(Conflict, match="WO-0001 installs this service already"):
            order_in(world, WorkOrderKind.INSTALL, first)

    def test_for_an_emergency_is_due_in_four_hours(self, world: World, home: Job) -> None:
        made = order_in(world, WorkOrderKind.REPAIR, home, priority=1)
        assert made.sla_due_at == MONDAY + timedelta(hours=4)

    def test_for_a_swap_takes_the_old_device_and_fits_one_of_the_plan(self, world: World, home: Job) -> None:
        made = order_in(world, WorkOrderKind.SWAP, home)
        assert made.removal_required
        assert made.required_equipment == (EquipmentNeed(role="ONT", skus=(ONT_A, ONT_B)),)

    def test_for_an_upgrade_brings_a_device_only_when_the_present_one_is_too_slow(
        self, world: World, home: Job
    ) -> None:
        faster = order_in(world, WorkOrderKind.UPGRADE, home, plan_code=HOME_500)
        same = order_in(world, WorkOrderKind.UPGRADE, home, plan_code=HOME_100)
        assert (faster.required_equipment, faster.removal_required) == (
            (EquipmentNeed(role="ONT", skus=(ONT_B,)),), True,
        )  # fmt: skip
        assert (same.required_equipment, same.removal_required) == ((), False)

    def test_to_disconnect_takes_the_device_and_measures_nothing(self, world: World, home: Job) -> None:
        made = order_in(world, WorkOrderKind.DISCONNECT, home)
        assert (made.removal_required, made.required_equipment, made.required_checks) == (True, (), ())

    def test_gets_the_next_number_of_the_day_and_is_on_the_board(self, world: World, home: Job) -> None:
        first = order_in(world, WorkOrderKind.REPAIR, home)
        second = order_in(world, WorkOrderKind.REPAIR, home)
        assert (first.number, second.number) == ("WO-261116-001", "WO-261116-002")
        with world.database.read() as session:
            placed = select(FeedRow.scope, FeedRow.kind, FeedRow.key).where(
                FeedRow.topic == "WorkOrderPlaced"
            )
            told = session.execute(placed.order_by(FeedRow.seq)).all()
        # Who has a job there already hears that there will be another.
        ana = (f"tech:{world.ana.technician_id}", "place_brief", str(home.location_id))
        assert told == [
            ("board", "work_order", str(first.id)),
            ana,
            ("board", "work_order", str(second.id)),
            ana,
        ]

    def test_gets_a_number_after_a_thousand_too(self, world: World, home: Job) -> None:
        for number in ("WO-261116-999", "WO-261116-1000"):
            with world.database.write() as session:
                wish = CustomerOrder(
                    kind=WorkOrderKind.REPAIR, customer_id=home.customer_id, service_id=home.service_id
                )
                place(session, world.settings, wish, actor="Kaisa", now=MONDAY, number=number)
        assert order_in(world, WorkOrderKind.REPAIR, home).number == "WO-261116-1001"


class TestNonsense:
    @pytest.mark.parametrize(
        ("kind", "wrong", "problem", "field"),
        [
            ("repair", {"customer_id": uid("nobody")}, NotFound, "customer_id"),
            ("repair", {"service_id": uid("nothing")}, NotFound, "service_id"),
            ("repair", {"service_id": None}, BadValue, "service_id"),
            ("install", {}, Conflict, "service_id"),
            ("install", {"service_id": None, "plan_code": HOME_100}, NotFound, "location_id"),
            ("upgrade", {"plan_code": "GOLD"}, NotFound, "plan_code"),
            ("repair", {"priority": 9}, BadValue, "priority"),
            ("repair", {"expected_minutes": -5}, BadValue, "expected_minutes"),
            ("repair", {"skills": {"splice": 7}}, BadValue, "skills"),
            ("repair", {"parts": {CABLE: 0}}, BadValue, "parts"),
            ("repair", {"parts": {"GHOST": 1}}, NotFound, "parts"),
            ("repair", {"sla_due_at": MONDAY.replace(tzinfo=None)}, BadValue, "sla_due_at"),
            ("repair", {"window_start": MONDAY}, BadValue, "window_end"),
            ("repair", {"window_start": MONDAY, "window_end": MONDAY}, BadValue, "window_end"),
        ],
    )
    def test_is_refused_with_the_field_to_mend_and_nothing_is_kept(
        self, world: World, home: Job, kind: str, wrong: dict[str, Any], problem: type[Problem], field: str
    ) -> None:
        wish: dict[str, Any] = {"customer_id": home.customer_id, "service_id": home.service_id, **wrong}
        with pytest.raises(problem) as refused, world.database.write() as session:
            order = CustomerOrder(kind=WorkOrderKind(kind), **wish)
            place(session, world.settings, order, actor="Kaisa", now=MONDAY)
        assert refused.value.field == field
        with world.database.read() as session:
            assert session.scalar(select(func.count()).select_from(WorkOrderRow)) == 1
            assert session.scalar(select(func.count()).select_from(ServiceRow)) == 1


def test_every_kind_has_its_usual_work() -> None:
    from server.work_orders.intake import USUAL

    assert set(USUAL) == set(WorkOrderKind)
