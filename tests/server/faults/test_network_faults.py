"""Faults of cabinets: reported in the field, joined, shown to whoever works there, closed by the office."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from databases import migrated_database
from world import Phone, World, uid

from server.customers.models import ServiceLocationRow
from server.db.engine import Database
from server.db.feed import BOARD, technician_scope
from server.db.feed_models import FeedRow
from server.faults import acts
from server.faults.acts import Act
from server.faults.models import NetworkFaultReportRow, NetworkFaultRow
from server.inbox import acts as inbox
from server.inbox.visits import detail
from server.replay import compare, replay
from server.work_orders import briefs
from server.work_orders.models import EvidenceRow
from shared.network_faults import (
    FaultPhoto,
    FaultSign,
    FaultState,
    KnownFault,
    ReportNetworkFault,
)
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.stock_commands import AskForPart

DORA = "Dora of dispatch"
CAB = "CAB-1"
"""Of all places in this world."""


@pytest.fixture
def fresh(tmp_path) -> Iterator[Database]:
    with migrated_database("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def report(name: str = "first", **more: object) -> ReportNetworkFault:
    said = {"cabinet": CAB, "sign": FaultSign.NO_LIGHT, "safe": True, "ports": 4}
    return ReportNetworkFault(report_id=uid(name), **said | more)  # type: ignore[arg-type]


def faults(world: World) -> list[tuple[str, str, bool]]:
    rows = sorted(world.rows(NetworkFaultRow), key=lambda row: row.opened_at)
    return [(row.cabinet, row.state, row.closed_at is None) for row in rows]


def known(world: World, place_id: UUID) -> tuple[KnownFault, ...]:
    with world.database.read() as session:
        [brief] = briefs.briefs(session, [place_id], world.now - timedelta(days=14))
    return brief.network_faults


def act(
    world: World, fault_id: UUID, what: Act, reason: str = "", later: timedelta = timedelta(days=1)
) -> None:
    with world.database.write() as session:
        acts.act(session, fault_id, what, reason, by=DORA, at=world.now + later)


class TestAReport:
    def test_opens_a_fault_that_everybody_with_a_job_on_the_cabinet_sees(self, world: World):
        mine, theirs = world.order(phone=world.ana), world.order(phone=world.ben)
        [receipt] = world.ana.send(report(customers=12, note="Lid open", for_order_id=mine.id))
        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        [fault] = known(world, theirs.location_id)
        assert fault == KnownFault(
            id=uid("first"), cabinet=CAB, state=FaultState.SUBMITTED, since=world.now, newest_at=world.now,
            signs=(FaultSign.NO_LIGHT,), safe=True, reports=1, ports=4, customers=12, note="Lid open",
        )  # fmt: skip
        told = {
            (row.scope, row.key)
            for row in world.rows(FeedRow)
            if row.kind == briefs.KIND and row.topic == "NetworkFaultReported"
        }
        for phone, job in ((world.ana, mine), (world.ben, theirs)):
            assert (technician_scope(phone.technician_id), str(job.location_id)) in told
        [board] = [row for row in world.rows(FeedRow) if row.kind == "network_fault"]
        assert (board.scope, board.actor, board.facts["cabinet"]) == (BOARD, "Ana Virtanen", CAB)

    def test_of_a_cabinet_with_an_open_fault_joins_it(self, world: World):
        job = world.order()
        world.ana.send(report())
        wet = report("second", sign=FaultSign.WATER, safe=False, ports=None, customers=30, note="Wet")
        world.ben.send(wet, start=world.now + timedelta(minutes=5))
        assert faults(world) == [(CAB, "submitted", True)]
        [fault] = known(world, job.location_id)
        assert (fault.id, fault.reports, fault.signs) == (
            uid("first"),
            2,
            (FaultSign.NO_LIGHT, FaultSign.WATER),
        )
        assert (fault.safe, fault.ports, fault.customers, fault.note) == (False, 4, 30, "Wet")

    def test_that_comes_twice_is_one(self, world: World):
        world.order()
        receipts = world.ana.send(report(), report())
        assert [receipt.outcome for receipt in receipts] == ["accepted", "accepted"]
        assert len(world.rows(NetworkFaultReportRow)) == 1

    def test_of_two_phones_in_one_moment_are_one_fault(self, world: World):
        world.order()
        phones: list[tuple[Phone, ReportNetworkFault]] = [
            (world.ana, report()),
            (world.ben, report("second")),
        ]
        batches = [(phone, phone.envelopes(one)) for phone, one in phones] * 2
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda batch: batch[0].deliver(batch[1]), batches))
        assert {receipt.outcome for [receipt] in answers} == {"accepted"}
        assert faults(world) == [(CAB, "submitted", True)]
        assert len(world.rows(NetworkFaultReportRow)) == 2

    def test_of_two_cabinets_in_one_push_are_two_faults(self, world: World):
        first, second = world.order(), world.order()
        with world.database.write() as session:
            session.get_one(ServiceLocationRow, second.location_id).cabinet = "CAB-2"
        world.ana.send(report(), report("second", cabinet="CAB-2"), report("third"))
        assert sorted(row.cabinet for row in world.rows(NetworkFaultRow)) == [CAB, "CAB-2"]
        assert [fault.reports for fault in known(world, first.location_id)] == [2]

    def test_names_photos_whose_bytes_are_asked_for(self, world: World):
        world.order()
        photo = FaultPhoto(digest="ab" * 32, size_bytes=1000, media_type="image/jpeg")
        world.ana.send(report(photos=(photo,)))
        [awaited] = world.rows(EvidenceRow)
        assert (awaited.digest, awaited.technician_id, awaited.work_order_id) == (
            photo.digest, world.ana.technician_id, None
        )  # fmt: skip
        [row] = world.rows(NetworkFaultReportRow)
        assert row.photos == [photo.digest]

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"cabinet": "CAB-9"}, "no such cabinet"),
            ({"ports": -1}, "0 to 10,000"),
            ({"sign": FaultSign.OTHER}, "Say in the note"),
            ({"note": "x" * 2001}, "more than 2,000"),
            ({"photos": (FaultPhoto(digest="zz", size_bytes=1, media_type="image/jpeg"),)}, "can't be one"),
            ({"for_order_id": uid("nowhere")}, "no such work order"),
        ],
    )
    def test_that_can_not_be_is_held_and_opens_nothing(self, world: World, wrong, says: str):
        world.order()
        [receipt] = world.ana.send(replace(report(), **wrong))
        assert (receipt.outcome, receipt.slug) == ("held", "bad-value")
        assert says in (receipt.detail or "")
        assert faults(world) == []

    def test_that_is_held_can_be_corrected_by_a_dispatcher(self, world: World):
        world.order()
        [receipt] = world.ana.send(report(cabinet="CAB-9"))
        with world.database.read() as session:
            found = detail(session, receipt.command_id, world.settings.zone, world.now)
        assert found.visit.stands == "It is about cabinet CAB-9."
        assert [(one.what, one.ours) for one in found.item.both] == [("Cabinet CAB-9", "nothing")]
        body = {"report_id": str(uid("first")), "cabinet": CAB, "sign": "no_light", "safe": True, "ports": 4}
        inbox.correct(world.database, world.settings, receipt.command_id, DORA, body, None)
        assert faults(world) == [(CAB, "submitted", True)]

    @pytest.mark.parametrize(
        "odd",
        [
            report(cabinet="CAB\x00-1"),
            AskForPart(request_id=uid("asked"), sku="X\x00", quantity=1, holder_id=uid("van ben")),
        ],
    )
    def test_that_no_database_can_look_up_does_not_block_the_queue(
        self, world: World, fresh: Database, odd: ReportNetworkFault | AskForPart
    ):
        world.order()
        held, taken = world.ana.send(odd, report("next", note="Lid\x00 open"))
        assert (held.outcome, taken.outcome) == ("held", "accepted")
        assert [row.note for row in world.rows(NetworkFaultReportRow)] == ["Lid open"]
        replay(world.database, fresh, world.settings)
        # Only one of the two databases can't look it up.
        differ = [found.name for found in compare(world.database, fresh) if not found.equal]
        assert differ == []

    def test_that_is_held_can_be_accepted_once_there_is_such_a_cabinet(self, world: World, fresh: Database):
        job = world.order()
        [receipt] = world.ana.send(report(cabinet="CAB-9"))
        with world.database.write() as session:
            session.get_one(ServiceLocationRow, job.location_id).cabinet = "CAB-9"
        inbox.accept(world.database, world.settings, receipt.command_id, DORA)
        assert faults(world) == [("CAB-9", "submitted", True)]
        replay(world.database, fresh, world.settings)
        assert [found.name for found in compare(world.database, fresh) if not found.equal] == []


class TestTheOffice:
    def test_confirms_and_then_resolves_with_a_reason(self, world: World):
        job = world.order()
        world.ana.send(report())
        act(world, uid("first"), Act.ACKNOWLEDGE)
        assert [fault.state for fault in known(world, job.location_id)] == [FaultState.ACKNOWLEDGED]
        act(world, uid("first"), Act.RESOLVE, "Feeder spliced")
        assert known(world, job.location_id) == ()
        [row] = world.rows(NetworkFaultRow)
        assert [(one["act"], one["by"], one["reason"]) for one in row.acts] == [
            ("acknowledge", DORA, ""), ("resolve", DORA, "Feeder spliced")
        ]  # fmt: skip
        topics = [row.topic for row in world.rows(FeedRow) if row.kind == "network_fault"]
        assert topics == ["NetworkFaultReported", "NetworkFaultAcknowledged", "NetworkFaultResolved"]
        told = {row.scope for row in world.rows(FeedRow) if row.topic == "NetworkFaultResolved"}
        assert technician_scope(world.ana.technician_id) in told

    @pytest.mark.parametrize("what", [Act.RESOLVE, Act.REJECT])
    def test_must_say_why_it_closes_one(self, world: World, what: Act):
        world.order()
        world.ana.send(report())
        with pytest.raises(BadValue):
            act(world, uid("first"), what, "  ")
        assert faults(world) == [(CAB, "submitted", True)]

    def test_closes_one_once(self, world: World):
        world.order()
        world.ana.send(report())
        act(world, uid("first"), Act.REJECT, "A test")
        with pytest.raises(AlreadyClosed):
            act(world, uid("first"), Act.RESOLVE, "Mended")
        assert faults(world) == [(CAB, "rejected", False)]
        with pytest.raises(NotFound):
            act(world, uid("nothing"), Act.RESOLVE, "Mended")

    def test_counts_what_is_open_and_not_safe(self, world: World):
        world.order()
        world.ana.send(report(safe=False))
        with world.database.read() as session:
            assert acts.counts(session) == acts.FaultCounts(open=1, unsafe=1)
            [line] = acts.lines(session, closed=False)
        assert [(one.technician, one.sign) for one in line.reports] == [("Ana Virtanen", FaultSign.NO_LIGHT)]
        act(world, uid("first"), Act.RESOLVE, "Fenced and mended")
        with world.database.read() as session:
            assert acts.counts(session) == acts.FaultCounts(open=0, unsafe=0)
            assert [line.fault.id for line in acts.lines(session, closed=True)] == [uid("first")]


class TestAfterItWasClosed:
    def test_a_report_from_before_belongs_to_it_and_opens_nothing(self, world: World):
        world.order()
        world.ana.send(report())
        act(world, uid("first"), Act.RESOLVE, "Mended", later=timedelta(hours=3))
        late = world.ben.envelopes(report("second"), start=world.now + timedelta(hours=1))
        world.ben.deliver(late)
        assert faults(world) == [(CAB, "resolved", False)]
        assert {row.fault_id for row in world.rows(NetworkFaultReportRow)} == {uid("first")}

    def test_one_from_after_opens_another(self, world: World):
        job = world.order()
        world.ana.send(report())
        act(world, uid("first"), Act.RESOLVE, "Mended", later=timedelta(hours=3))
        world.ben.deliver(world.ben.envelopes(report("second"), start=world.now + timedelta(hours=5)))
        assert faults(world) == [(CAB, "resolved", False), (CAB, "submitted", True)]
        assert [fault.id for fault in known(world, job.location_id)] == [uid("second")]


class TestTheLog:
    def test_rebuilds_faults_reports_and_what_the_office_did(self, world: World, fresh: Database):
        job = world.order()
        world.ana.send(report(for_order_id=job.id, lat=60.1, lon=24.9, accuracy_m=8.0), report("second"))
        act(world, uid("first"), Act.ACKNOWLEDGE)
        world.ben.send(report("third", sign=FaultSign.POWER))
        act(world, uid("first"), Act.RESOLVE, "Mended", later=timedelta(days=2))
        world.ben.deliver(
            world.ben.envelopes(
                report("fourth"), report("fifth", cabinet="CAB-9"), start=world.now + timedelta(days=3)
            ),
            now=world.now + timedelta(days=4),
        )
        replay(world.database, fresh, world.settings)
        assert [report.differences for report in compare(world.database, fresh) if not report.equal] == []
