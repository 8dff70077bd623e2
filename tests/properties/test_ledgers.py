"""What holds whatever ten devices do, in whatever order it arrives, however often it is sent.

Hypothesis writes the days: who does which job, what goes wrong, what is delivered late, twice or out of
turn. Each day runs on a database of its own; after it the ledgers are counted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import databases
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from world import CABLE, CONNECTOR, MONDAY, ONT_A, Job, Phone, World, a_world

from server import office
from server.billing.models import InvoiceRow, JournalLineRow
from server.db.feed_models import CommandRow, FeedRow
from server.purchasing.models import PurchaseOrderRow
from server.stock.models import ProductRow, ReservationRow, StockMoveRow
from server.work_orders.models import WorkOrderRow
from shared.commands import (
    AssignWorkOrder,
    CancelWorkOrder,
    CannotComplete,
    FieldCommand,
    InstallAsset,
    UnassignWorkOrder,
)
from shared.problems import Problem
from shared.work_orders import UnfinishedReason, WorkOrderKind, WorkOrderState
from sync.protocol import PushedCommand, Receipt

CREW = [f"T{number} Tester" for number in range(10)]
EXAMPLES: dict[databases.Engine, int] = {"sqlite": 40, "postgresql": 6}


@contextmanager
def fresh(engine: databases.Engine, **options: Any) -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="truckroll-property-"))
    try:
        with databases.migrated_database(engine, folder) as url, a_world(url, **options) as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def examples(engine: databases.Engine, factor: float = 1.0) -> settings:
    """Few and short, and always the same: a failure is a seed that anybody can run again."""
    return settings(
        max_examples=max(2, int(EXAMPLES[engine] * factor)),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Errand:
    """One technician's visit of one job as it was lived: some of it odd, in packets, some sent twice."""

    phone: int
    job: int
    kind: WorkOrderKind
    serial: int  # which of twelve serials: colleagues' and unknown ones among them
    cable: int
    confirmed: bool
    gives_up: bool
    skips: int  # a step left out, or beyond the end
    packets: tuple[int, ...]
    repeats: tuple[int, ...]


ERRANDS = st.builds(
    Errand,
    phone=st.integers(0, 9),
    job=st.integers(0, 5),
    kind=st.sampled_from(list(WorkOrderKind)),
    serial=st.integers(0, 11),
    cable=st.sampled_from([0, 1, 18, 240, 900]),
    confirmed=st.booleans(),
    gives_up=st.booleans(),
    skips=st.integers(0, 30),
    packets=st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple),
    repeats=st.lists(st.integers(0, 3), max_size=3).map(tuple),
).map(lambda errand: replace(errand, serial=errand.phone) if errand.skips % 2 else errand)
OFFICE = st.lists(
    st.tuples(st.sampled_from(["give", "take", "cancel"]), st.integers(0, 5), st.integers(0, 9)), max_size=6
)


@dataclass
class Day:
    """What a day's devices sent, and what they were answered."""

    world: World
    receipts: dict[object, set[Receipt]] = field(default_factory=dict)
    sent: set[object] = field(default_factory=set)

    def deliver(self, phone: Phone, packet: list[PushedCommand]) -> None:
        answers = phone.deliver(packet)
        assert sorted(answer.command_id for answer in answers) == sorted(item.id for item in packet)
        for answer in answers:
            self.receipts.setdefault(answer.command_id, set()).add(answer)
        self.sent |= {item.id for item in packet}


def steps_of(world: World, errand: Errand, job: Job) -> list[FieldCommand]:
    model = "0003" if errand.kind is WorkOrderKind.UPGRADE else "0001"
    serial = f"T{errand.serial}{model}" if errand.serial < 10 else f"UNKNOWN{errand.serial}"
    steps = world.visit(job, fit=serial, cable=errand.cable)
    steps = [
        replace(step, confirmed=errand.confirmed, sku=ONT_A) if isinstance(step, InstallAsset) else step
        for step in steps
    ]
    if errand.gives_up:
        steps[-1:] = [CannotComplete(work_order_id=job.id, reason=UnfinishedReason.NO_ACCESS)]
    if errand.skips < len(steps):
        del steps[errand.skips]
    return steps


def packets_of(phone: Phone, errand: Errand, steps: list[FieldCommand]) -> Iterator[list[PushedCommand]]:
    """The envelopes in packets of the errand's sizes; after each, some older packet may come again."""
    envelopes, sizes, sent = phone.envelopes(*steps), list(errand.packets), []
    while envelopes:
        size = sizes[len(sent) % len(sizes)]
        packet, envelopes = envelopes[:size], envelopes[size:]
        sent.append(packet)
        yield packet
        if len(sent) <= len(errand.repeats):
            yield sent[min(errand.repeats[len(sent) - 1], len(sent) - 1)]


def office_acts(world: World, act: str, job: Job, phone: Phone) -> None:
    commands = {
        "give": AssignWorkOrder(
            work_order_id=job.id, technician_id=phone.technician_id, planned_start=MONDAY,
            planned_end=MONDAY + timedelta(hours=1),
        ),
        "take": UnassignWorkOrder(work_order_id=job.id),
        "cancel": CancelWorkOrder(work_order_id=job.id, reason="no longer wanted"),
    }  # fmt: skip
    try:
        office.run(world.database, world.settings, commands[act], "Dora")  # type: ignore[arg-type]
    except Problem:
        return


def live(world: World, errands: list[Errand], acts: list[tuple[str, int, int]], order: Any) -> Day:
    """One day: every errand's packets in its own order, interleaved by `order` with the office's acts."""
    day = Day(world)
    with world.database.write() as session:  # so that a few visits cross the reorder points
        for sku, point in {CABLE: 1_950, CONNECTOR: 194, ONT_A: 18}.items():
            session.get(ProductRow, sku).reorder_point = point
    jobs: dict[int, Job] = {}
    for errand in errands:
        if errand.job not in jobs:
            jobs[errand.job] = world.order(errand.kind, phone=world.phones[errand.phone])
    queues = [
        (world.phones[errand.phone], packets_of(world.phones[errand.phone], errand, steps))
        for errand in errands
        for steps in [steps_of(world, errand, jobs[errand.job])]
    ]
    waiting = list(acts)
    while queues:
        last = len(queues) + 1 if waiting else len(queues) - 1
        chosen = order.draw(st.integers(0, last), label="who is next")
        if chosen >= len(queues):
            act, job, phone = waiting.pop(0)
            office_acts(world, act, list(jobs.values())[job % len(jobs)], world.phones[phone])
            continue
        phone_, packets = queues[chosen]
        packet = next(packets, None)
        if packet is None:
            del queues[chosen]
        else:
            day.deliver(phone_, packet)
    return day


def check_the_ledgers(world: World) -> None:
    assert set(world.stock_by_sku().values()) == {0}, "stock came from nowhere or went nowhere"
    assert world.misplaced() == [], "register and ledger disagree on where a device is"
    entries: Counter[object] = Counter()
    for line in world.rows(JournalLineRow):
        entries[line.entry_id] += line.amount_minor
    assert {entry: total for entry, total in entries.items() if total} == {}
    orders = {row.id: row for row in world.rows(WorkOrderRow)}
    completed = {id for id, row in orders.items() if row.state == WorkOrderState.COMPLETED}
    assert {invoice.work_order_id for invoice in world.rows(InvoiceRow)} == completed
    assert len(world.rows(InvoiceRow)) == len(completed)
    over = {id for id, row in orders.items() if WorkOrderState(row.state).is_over}
    open_reservations = world.rows(ReservationRow, ReservationRow.released_at.is_(None))
    assert {row.work_order_id for row in open_reservations} & over == set(), "promised to a job that is over"
    drafts = Counter(row.vendor_id for row in world.rows(PurchaseOrderRow))
    assert set(drafts.values()) <= {1}, "two drafts to one vendor"
    closes = {row.id for row in world.rows(CommandRow, CommandRow.outcome == "accepted")}
    for move in world.rows(StockMoveRow, StockMoveRow.work_order_id.is_not(None)):
        assert move.cause in closes, "a move that no accepted command made"


def check_the_receipts(day: Day) -> None:
    assert all(len(answers) == 1 for answers in day.receipts.values()), "two answers to one command"
    kept = Counter(row.id for row in day.world.rows(CommandRow, CommandRow.device_id.is_not(None)))
    assert set(kept) == day.sent == set(day.receipts)
    assert set(kept.values()) <= {1}
    held = day.world.rows(CommandRow, CommandRow.outcome == "held")
    assert {row.slug for row in held} & {"server-fault"} == set(), [row.detail for row in held]
    shown = {row.key for row in day.world.rows(FeedRow, FeedRow.topic == "CommandHeld")}
    assert shown == {str(row.id) for row in held}, "held, and no dispatcher sees it"


class TestAnyDayOfTenDevices:
    def test_conserves_stock_balances_money_and_answers_every_command_once(
        self, database_engine: databases.Engine
    ):
        @examples(database_engine)
        @given(errands=st.lists(ERRANDS, min_size=2, max_size=8), acts=OFFICE, order=st.data())
        def days(errands: list[Errand], acts: list[tuple[str, int, int]], order: Any) -> None:
            with fresh(database_engine, crew=CREW) as world:
                day = live(world, errands, acts, order)
                check_the_ledgers(world)
                check_the_receipts(day)

        days()


class TestAnyNumberOfDeliveries:
    def test_of_any_packets_of_a_visit_equals_one(self, database_engine: databases.Engine):
        """The whole database, row by row: what comes again writes nothing at all."""

        @examples(database_engine, 0.5)
        @given(
            kind=st.sampled_from(list(WorkOrderKind)),
            cuts=st.lists(st.integers(1, 8), max_size=3),
            again=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)), min_size=1, max_size=8),
        )
        def deliveries(kind: WorkOrderKind, cuts: list[int], again: list[tuple[int, int]]) -> None:
            with fresh(database_engine) as world:
                envelopes = world.ana.envelopes(*world.visit(world.order(kind)))
                edges = sorted({0, len(envelopes), *(min(cut, len(envelopes)) for cut in cuts)})
                first = [
                    receipt
                    for start, end in pairwise(edges)
                    for receipt in world.ana.deliver(envelopes[start:end])
                ]
                answers = {receipt.command_id: receipt for receipt in first}
                before = world.contents()
                for start, length in again:
                    for receipt in world.ana.deliver(envelopes[start : start + length]):
                        assert receipt == answers[receipt.command_id]
                assert world.contents() == before
                check_the_ledgers(world)

        deliveries()

    @pytest.mark.parametrize("kind", list(WorkOrderKind))
    def test_leaves_the_same_figures_as_one_in_another_database(self, kind: WorkOrderKind, tmp_path: Path):
        def figures(times: int) -> object:
            with fresh("sqlite") as world:
                envelopes = world.ana.envelopes(*world.visit(world.order(kind)))
                for _ in range(times):
                    world.ana.deliver(envelopes)
                moves = world.rows(StockMoveRow)
                return (
                    [
                        (move.sku, move.quantity, move.source_id, move.target_id, move.serial)
                        for move in moves
                    ],
                    sorted((line.account, line.amount_minor) for line in world.rows(JournalLineRow)),
                    [(row.net_minor, row.tax_minor) for row in world.rows(InvoiceRow)],
                    sorted((row.scope, row.kind, row.key, row.topic) for row in world.rows(FeedRow)),
                    world.balance(world.ana.van_id, CABLE),
                )

        assert figures(4) == figures(1)
