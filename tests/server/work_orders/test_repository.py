"""Rows ↔ the work order that rules decide on: nothing gets lost on the way there and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from world import MONDAY, World, a_world, uid

from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.skills import SkillNeed
from shared.work_orders import (
    CheckResult,
    EvidenceKind,
    EvidenceRef,
    FittedAsset,
    Note,
    PartLine,
    RemovedAsset,
    UnfinishedReason,
    WorkOrderKind,
    WorkOrderState,
)


class TestAWorkOrder:
    def test_comes_back_as_it_was_stored(self, world: World):
        job = world.order(WorkOrderKind.UPGRADE)
        me = world.ana.technician_id
        with world.database.write() as session:
            opened = repository.lock_all(session, [job.id])[job.id]
            row, order = opened.row, opened.order
            full = replace(
                order,
                state=WorkOrderState.UNFINISHED,
                technician_id=world.ben.technician_id,
                former_technician_ids=frozenset({me}),
                planned_start=MONDAY + timedelta(hours=1),
                travel_minutes=33,
                route_position=None,
                travel_started_at=MONDAY,
                arrived_at=MONDAY + timedelta(minutes=1),
                finished_at=MONDAY + timedelta(minutes=2, microseconds=7),
                unfinished_reason=UnfinishedReason.UNSAFE,
                checks=(
                    CheckResult(
                        code="optical_power", value=Decimal("-19.50"), unit="dBm", passed=True, at=MONDAY
                    ),
                ),
                parts=(PartLine(sku="CABLE-M", quantity=18),),
                fitted=(
                    FittedAsset(
                        serial="A1", sku="ONT-B", source_id=world.ana.van_id, mac="AC:12:2F:00:1B:9E"
                    ),
                ),
                removed=(RemovedAsset(serial="B2", sku="ONT-A", reason="ä\u2028\U0001f600"),),
                evidence=(
                    EvidenceRef(
                        kind=EvidenceKind.SIGNATURE, digest="0f" * 32, size_bytes=7, media_type="image/png",
                        taken_at=MONDAY, signer="Åke",
                    ),
                ),
                notes=(Note(author_id=me, text="one\ntwo", at=MONDAY),),
                version=9,
            )  # fmt: skip
            repository.store(row, full)
        assert world.work_order(job) == full
        assert str(world.work_order(job).checks[0].value) == "-19.50", "a measurement keeps its digits"

    def test_knows_what_hangs_at_its_address_and_what_it_asks_for(self, world: World):
        order = world.work_order(world.order(WorkOrderKind.SWAP))
        assert order.on_site_serials == ("OLD0001",)
        assert order.required_skills == (SkillNeed("fibre_install", 2),)
        assert (order.removal_required, order.signature_required, order.photos_required) == (True, True, 0)
        assert order.place.line == "Fabianinkatu 1, 00130 Helsinki"

    def test_that_does_not_exist_is_missing_among_the_locked(self, world: World):
        job = world.order()
        with world.database.write() as session:
            assert list(repository.lock_all(session, [uid("nothing"), job.id])) == [job.id]

    def test_is_looked_up_with_many_others_by_two_queries(self, world: World):
        jobs = [world.order() for _ in range(4)]
        with world.database.read() as session:
            found = repository.load(session, [job.id for job in jobs[:3]])
            assert {order.number for order in found} == {"WO-0001", "WO-0002", "WO-0003"}
            assert repository.load(session, []) == []


class TestHoldingSeveral:
    def test_never_ends_in_a_circle_of_transactions_that_wait_for_each_other(self, postgresql_url: str):
        """Two jobs at each of three places, and four at once who take some of them, named in any order."""
        with a_world(postgresql_url) as world:
            jobs = [world.order() for _ in range(6)]
            with world.database.write() as session:
                for first, second in ((0, 5), (2, 1), (4, 3)):
                    session.get_one(WorkOrderRow, jobs[second].id).location_id = jobs[first].location_id

            def take(number: int) -> None:
                dice = Random(number)
                for _ in range(60):
                    with world.database.write() as session:
                        repository.lock_all(session, [job.id for job in dice.sample(jobs, 3)])

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(take, range(4)))
