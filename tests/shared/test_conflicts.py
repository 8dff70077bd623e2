"""The table of conflicts, row by row: each has a case here, and what it says is what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from databases import ROOT
from situations import (
    ANA,
    ANAS_VAN,
    BEN,
    HOME,
    JOB,
    NOON,
    OTHER_JOB,
    a_device,
    a_situation,
    a_van,
    installed,
)

from shared import commands as cmd
from shared import events as ev
from shared.agreed import agreed
from shared.assets import AssetState, HolderKind
from shared.charges import Bill, Charge
from shared.checklists import checklist_for
from shared.clocks import Contact, Tap, correct
from shared.conflicts import CONFLICTS, Conflict, Outcome, Proposal, conflict_of
from shared.decide import Decision, StockDecision, decide, decide_as_report, decide_stock
from shared.money import Money
from shared.problems import ChangedMeanwhile, Problem, SerialElsewhere
from shared.rating import Prices, Tariff
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE, Situation
from shared.stock import StockMove
from shared.stock_commands import CountedParts, CountVan, HandOver, PickUpParts, SeenDevice
from shared.transfers import Handed, Offer, Transfer
from shared.van import StockHolder
from shared.windows import TimeWindow
from shared.work_orders import (
    CheckResult,
    ContactField,
    ContactSuggestion,
    EarlierPlan,
    EquipmentNeed,
    Note,
    PartLine,
    ReportedStep,
    TimePoint,
    UnfinishedReason,
    VisitReport,
    WorkOrderKind,
    WorkOrderState,
)

S = WorkOrderState
HOUR = timedelta(hours=1)
OFFICE, NOTE, SECOND_ORDER = UUID(int=2), UUID(int=71), UUID(int=72)
GIVEN_AWAY = {"technician_id": BEN, "former_technician_ids": frozenset({ANA})}
CLOSE = cmd.CloseWorkOrder(work_order_id=JOB)
ARRIVE = cmd.Arrive(work_order_id=JOB)
EASY = {"required_equipment": (), "required_checks": ()}


def install(serial: str = "ANA0001", **more: object) -> cmd.InstallAsset:
    return cmd.InstallAsset(work_order_id=JOB, serial=serial, source="camera", **more)  # type: ignore[arg-type]


def use(quantity: int) -> cmd.UseParts:
    return cmd.UseParts(work_order_id=JOB, lines=(PartLine(sku="CABLE", quantity=quantity),))


def check(value: str) -> cmd.RecordCheck:
    return cmd.RecordCheck(work_order_id=JOB, code="optical_power", value=Decimal(value))


def result(value: str, by: UUID, at: timedelta = timedelta(0)) -> CheckResult:
    return CheckResult(
        code="optical_power", value=Decimal(value), unit="dBm", passed=True, at=NOON + at, by=by
    )


def phone(value: str, base: str = "+358501") -> cmd.CorrectContact:
    return cmd.CorrectContact(work_order_id=JOB, field=ContactField.PHONE, base=base, value=value)


def by_office(now: Situation) -> Situation:
    return replace(now, actor_id=OFFICE, van_id=None, van_name="", on_hand={}, products={})


# --- the cases: each returns what became of the command, and has looked at what is kept ---------------------


def given_away_and_not_started() -> Decision:
    now = a_situation(state=S.ASSIGNED, **GIVEN_AWAY)
    decision = decide(ARRIVE, now, NOON)
    assert decision.events == (ev.TakenOver(technician_id=ANA), ev.Arrived(at=NOON))
    assert (decision.after.order.technician_id, decision.after.order.former_technician_ids) == (
        ANA,
        {ANA, BEN},
    )
    return decision


def given_away_and_started() -> Decision:
    return decide(CLOSE, a_situation(state=S.ON_SITE, **GIVEN_AWAY), NOON)


def cancelled() -> Decision:
    return decide(CLOSE, a_situation(state=S.CANCELLED), NOON)


def deleted() -> Decision:
    gone = decide(
        cmd.DeleteWorkOrder(work_order_id=JOB, reason="twice"), a_situation(state=S.ASSIGNED), NOON
    ).after
    assert (gone.order.state, gone.order.technician_id, gone.order.deleted_at) == (S.CANCELLED, None, NOON)
    assert gone.order.former_technician_ids == {ANA}, "so that she is not told it was never hers"
    return decide(cmd.AddNote(work_order_id=JOB, text="done"), gone, NOON)


def moved_to_another_day() -> Decision:
    first = TimeWindow(NOON, NOON + 2 * HOUR)
    tomorrow = NOON + 24 * HOUR
    moved = cmd.RescheduleWorkOrder(
        work_order_id=JOB,
        window_start=tomorrow,
        window_end=tomorrow + HOUR,
        planned_start=tomorrow,
        planned_end=tomorrow + HOUR,
    )
    now = decide(moved, a_situation(state=S.ASSIGNED, window=first, **EASY), NOON - HOUR).after
    assert now.order.earlier_plans == (
        EarlierPlan(moved_at=NOON - HOUR, window=first, planned_start=NOON, planned_end=NOON + 2 * HOUR),
    )
    decision = decide(CLOSE, decide(ARRIVE, now, NOON).after, NOON + HOUR)
    assert decision.after.order.state is S.COMPLETED
    assert decision.after.order.finished_at == NOON + HOUR, "done when it was done"
    assert decision.after.order.window == TimeWindow(tomorrow, tomorrow + HOUR), "the promise stays too"
    return decision


def a_part_split_off() -> Decision:
    split = cmd.SplitWorkOrder(
        work_order_id=JOB,
        new_order_id=SECOND_ORDER,
        summary="Fit the ONT",
        expected_minutes=30,
        equipment=("ONT",),
    )
    now = decide(split, a_situation(a_device(), state=S.ASSIGNED), NOON).after
    assert now.order.required_equipment == ()
    [off] = now.order.split_off
    assert (off.number, off.equipment) == ("WO-7-2", (EquipmentNeed(role="ONT", skus=("ONT-A", "ONT-B")),))
    decision = decide(install(), decide(ARRIVE, now, NOON).after, NOON)
    assert [device.serial for device in decision.after.order.fitted] == ["ANA0001"]
    return decision


def done_by_somebody_else() -> Decision:
    done = a_situation(state=S.COMPLETED, parts=(PartLine(sku="CABLE", quantity=20),), **GIVEN_AWAY)
    decision = decide(use(18), done, NOON)
    [reported] = decision.events
    assert reported == ev.WorkReported(
        at=NOON,
        technician_id=ANA,
        step="use_parts",
        parts=(PartLine(sku="CABLE", quantity=18),),
        moves=(StockMove(sku="CABLE", quantity=18, source_id=ANAS_VAN, target_id=HOME),),
    )
    order = decision.after.order
    assert (order.state, order.technician_id) == (S.COMPLETED, BEN)
    assert order.parts == (PartLine(sku="CABLE", quantity=20),), "what is billed does not change"
    assert order.reports == (
        VisitReport(
            technician_id=ANA,
            steps=(ReportedStep(step="use_parts", at=NOON),),
            parts=(PartLine(sku="CABLE", quantity=18),),
        ),
    )
    assert decision.after.on_hand["CABLE"] == 182
    return decision


def unfinished_by_somebody_else() -> Decision:
    reason = UnfinishedReason.CUSTOMER_ABSENT
    return decide(CLOSE, a_situation(state=S.UNFINISHED, unfinished_reason=reason, **GIVEN_AWAY), NOON)


def never_theirs() -> Decision:
    return decide(CLOSE, a_situation(actor=BEN), NOON)


def the_same_serial_on_two_jobs() -> Decision:
    return decide(install(), a_situation(a_device(claimed_by=OTHER_JOB)), NOON)


def from_another_van() -> Decision:
    depot = UUID(int=13)
    device = a_device(holder_kind=HolderKind.DEPOT, holder_id=depot, holder_name="Depot")
    decision = decide(install(confirmed=True), a_situation(device), NOON)
    assert [fitted.source_id for fitted in decision.after.order.fitted] == [depot]
    return decision


def an_unknown_serial() -> Decision:
    return decide(install("FOREIGN1"), a_situation(), NOON)


def a_confirmed_unknown_serial() -> Decision:
    decision = decide(install("FOREIGN1", confirmed=True, sku="ONT-A"), a_situation(), NOON)
    assert [fitted.source_id for fitted in decision.after.order.fitted] == [UNRECEIVED_PLACE]
    return decision


def under_recall() -> Decision:
    return decide(install(), a_situation(a_device(state=AssetState.QUARANTINED)), NOON)


def more_than_the_list_had() -> Decision:
    decision = decide(use(230), a_situation(on_hand={"CABLE": 200}), NOON)
    assert decision.events == (ev.PartsUsed(lines=(PartLine(sku="CABLE", quantity=230),)),)
    return decision


def one_note_changed_on_both_sides() -> Decision:
    first = Note(author_id=OFFICE, text="Ring twice", at=NOON, id=NOTE)
    office = replace(first, text="Ring the neighbour", id=UUID(int=73), replaces=NOTE)
    edit = cmd.AddNote(work_order_id=JOB, text="Knock", note_id=UUID(int=74), replaces=NOTE)
    decision = decide(edit, a_situation(notes=(first, office)), NOON)
    mine = Note(author_id=ANA, text="Knock", at=NOON, id=UUID(int=74), replaces=NOTE)
    assert decision.after.order.notes == (first, office, mine), "nothing is overwritten"
    assert decision.after.order.notes_shown == (office, mine)
    return decision


def one_check_made_on_both_sides() -> Decision:
    later = result("-21", OFFICE, at=2 * HOUR)
    decision = decide(check("-19.5"), a_situation(checks=(later,)), NOON)
    assert decision.after.order.checks == (later, result("-19.5", ANA))
    assert decision.after.order.result_of("optical_power") == later, "measured last, though it came first"
    return decision


def closed_by_an_app_without_checklists() -> Decision:
    checklist = checklist_for(WorkOrderKind.UPGRADE, 100)
    decision = decide(CLOSE, a_situation(**EASY, checklist=checklist), NOON)
    order = decision.after.order
    assert (order.state, order.checklist, order.answers) == (S.COMPLETED, checklist, ())
    return decision


def contact_changed_on_site_only() -> Decision:
    decision = decide(phone("+358777"), a_situation(), NOON)
    assert decision.events == (
        ev.ContactCorrected(at=NOON, field=ContactField.PHONE, before="+358501", value="+358777", by=ANA),
    )
    assert decision.after.order.contact.phone == "+358777"
    assert decision.after.order.contact.name == "Liisa"
    return decision


def contact_changed_on_both_sides() -> Decision:
    edit = cmd.EditContact(work_order_id=JOB, field=ContactField.PHONE, value="+358888")
    before = a_situation()
    edited = decide(edit, by_office(before), NOON).after.order
    decision = decide(phone("+358777"), replace(before, order=edited), NOON)
    assert decision.after.order.contact.phone == "+358888"
    assert decision.after.order.suggested == (
        ContactSuggestion(field=ContactField.PHONE, base="+358501", value="+358777", by=ANA, at=NOON),
    )
    return decision


def contact_changed_by_two_dispatchers() -> Decision:
    edit = cmd.EditContact(work_order_id=JOB, field=ContactField.PHONE, value="+358888", base="+358999")
    return decide(edit, by_office(a_situation()), NOON)


def one_time_corrected_on_two_devices() -> Decision:
    def correct(minutes: int) -> cmd.CorrectTime:
        value = NOON - timedelta(minutes=minutes)
        return cmd.CorrectTime(
            work_order_id=JOB, point=TimePoint.ARRIVED, base=NOON, value=value, reason="Forgot"
        )

    now = a_situation(state=S.COMPLETED, arrived_at=NOON, finished_at=NOON + HOUR)
    first = decide(correct(10), now, NOON + 2 * HOUR).after
    decision = decide(correct(20), first, NOON + 3 * HOUR)
    assert [one.value for one in decision.after.order.time_corrections] == [
        NOON - timedelta(minutes=10), NOON - timedelta(minutes=20),
    ]  # fmt: skip
    assert decision.after.order.arrived_at == NOON
    return decision


def one_step_on_two_devices() -> Decision:
    now = a_situation(arrived_at=NOON - HOUR)
    decision = decide(ARRIVE, now, NOON)
    assert decision.after.order.arrived_at == NOON - HOUR
    assert decision.after.order.reports == (
        VisitReport(technician_id=ANA, steps=(ReportedStep(step="arrive", at=NOON),)),
    )
    return decision


def a_close_after_a_held_scan() -> Decision:
    return decide(CLOSE, a_situation(), NOON)


def a_clock_that_is_behind() -> tuple[Remark, ...]:
    contact = Contact(device_now=NOON - HOUR, server_now=NOON)
    found = correct(Tap(made_at=NOON - 2 * HOUR), contact)
    assert found.at == NOON - HOUR
    return found.remarks


def a_clock_that_was_set() -> tuple[Remark, ...]:
    tap = Tap(made_at=NOON - 2 * HOUR, mono_ms=0, boot="a")  # really an hour ago, by the other clock
    contact = Contact(device_now=NOON, server_now=NOON, mono_ms=3_600_000, boot="a")
    found = correct(tap, contact)
    assert (found.at, found.sure) == (NOON - HOUR, True)
    return tuple(remark for remark in found.remarks if remark.slug != "clock-skew")


def a_count_far_off() -> StockDecision:
    counted = CountedParts(sku="CONN", counted=3, listed=30)
    return decide_stock(CountVan(parts=(counted,)), a_van(limit=20, CONN=30), NOON)


def a_count_without_a_device() -> StockDecision:
    now = a_van(a_device())
    decision = decide_stock(CountVan(listed_serials=("ANA0001",)), now, NOON)
    assert decision.after.assets == now.assets
    return decision


def a_count_with_an_installed_device() -> StockDecision:
    now = a_van(installed())
    decision = decide_stock(CountVan(seen=(SeenDevice(serial="OLD0001"),)), now, NOON)
    assert decision.after.assets == now.assets
    return decision


def a_transfer_of(quantity: int) -> HandOver:
    line = (PartLine(sku="CONN", quantity=quantity),)
    offered = (PartLine(sku="CONN", quantity=5),)
    offer = Offer(id=UUID(int=81), giver_id=ANA, giver_van_id=ANAS_VAN, offered_at=NOON, lines=offered)
    transfer = Transfer(offer=offer, taker_id=BEN, taker_van_id=UUID(int=12), lines=line)
    return HandOver(transfer=transfer, giver_seal="", taker_seal="")


def two_halves_that_differ() -> StockDecision:
    booked = Handed(transfer=a_transfer_of(5).transfer, given=False, taken=True)
    return decide_stock(a_transfer_of(3), replace(a_van(CONN=9), transfers={UUID(int=81): booked}), NOON)


def a_transfer_without_its_seals() -> StockDecision:
    return decide_stock(a_transfer_of(5), replace(a_van(CONN=9), sealed=False), NOON)


def more_given_than_the_list_had() -> StockDecision:
    decision = decide_stock(a_transfer_of(5), a_van(CONN=4), NOON)
    assert decision.after.on_hand == {"CONN": -1}
    return decision


def a_price(total: int) -> Bill:
    fee = Charge(code="fee", description="Visit", quantity=1, unit_minor=total, net_minor=total, tax_minor=0)
    return Bill(currency="EUR", charges=(fee,))


def asked_for(total: int) -> cmd.ConsentToCharge:
    return cmd.ConsentToCharge(
        work_order_id=JOB, bill=a_price(total), name="Liisa", language="fi", price_version="1"
    )


def more_parts_than_were_agreed_to() -> Decision:
    parts = (PartLine(sku="CABLE", quantity=30),)
    now = a_situation(required_equipment=(), required_checks=(), parts=parts)
    tariff = Tariff(code="H100", name="Home 100", monthly=Money(3_000), fees={})
    prices = Prices(tariffs={"H100": tariff}, tax_basis_points=0, zone=None)
    now = decide(asked_for(4_000), replace(now, prices=prices), NOON).after
    decision = decide(cmd.CloseWorkOrder(work_order_id=JOB, can_ask=True), now, NOON)
    assert decision.after.order.bill is not None
    assert decision.after.order.bill.total == Money(4_000), "half a month and 30 metres are 45.00"
    return decision


def a_customer_asked_on_two_phones() -> Decision:
    first = decide(asked_for(4_000), a_situation(), NOON).after
    decision = decide(asked_for(9_000), replace(first, actor_id=BEN, order=replace(
        first.order, former_technician_ids=frozenset({BEN}))), NOON - timedelta(minutes=5))  # fmt: skip
    assert len(decision.after.order.consents) == 2
    counts = agreed(decision.after.order)
    assert counts is not None and counts.bill.total == Money(4_000)
    return decision


def more_fetched_than_the_list_had() -> StockDecision:
    depot = UUID(int=83)
    now = replace(
        a_van(CONN=4),
        places={depot: StockHolder(kind=HolderKind.DEPOT, name="Depot")},
        giver_on_hand={"CONN": 2},
        knows_all=True,
    )
    fetched = PickUpParts(depot_id=depot, lines=(PartLine(sku="CONN", quantity=5),))
    decision = decide_stock(fetched, now, NOON)
    assert decision.after.on_hand == {"CONN": 9}
    return decision


CASES: dict[str, tuple[Callable[[], Decision | StockDecision | tuple[Remark, ...]], str]] = {
    "reassigned-not-started": (
        given_away_and_not_started,
        "WO-7 had been given away; it stays with who did the work",
    ),
    "reassigned-started": (
        given_away_and_started,
        "WO-7 went to a colleague who has started it. Your work is kept; dispatch decides",
    ),
    "cancelled": (
        cancelled,
        "The office cancelled WO-7. Your work is kept; dispatch decides what happens with it",
    ),
    "deleted": (deleted, "The office deleted WO-7. Your work is kept; dispatch decides what happens with it"),
    "rescheduled": (
        moved_to_another_day,
        "WO-7 had been moved to 2026-11-17 10:00 UTC; it was done at 2026-11-16 10:00 UTC, and that stands",
    ),
    "split": (
        a_part_split_off,
        "That part of WO-7 had been moved to WO-7-2: kept here, dispatch looks at WO-7-2",
    ),
    "done-already": (done_by_somebody_else, "WO-7 was done already: this is kept as a second report on it"),
    "unfinished-already": (
        unfinished_by_somebody_else,
        "WO-7 is closed already. Your work is kept; dispatch looks at it",
    ),
    "not-theirs": (never_theirs, "WO-7 was never yours: ask dispatch to assign it"),
    "serial-twice": (
        the_same_serial_on_two_jobs,
        "ANA0001 was fitted on another job: dispatch has to look at it",
    ),
    "serial-from-elsewhere": (from_another_van, "ANA0001 was booked on Depot"),
    "serial-unknown": (
        an_unknown_serial,
        "FOREIGN1 is not on your van's list. Check the label; if it is right, confirm",
    ),
    "serial-unreceived": (
        a_confirmed_unknown_serial,
        "FOREIGN1 was never booked in: stock control should check it",
    ),
    "recalled": (under_recall, "ANA0001 is from a batch under recall: take another one"),
    "stock-below-zero": (
        more_than_the_list_had,
        "Prysmian FD1: used 230, the van's list had 200: count it",
    ),
    "count-far-off": (
        a_count_far_off,
        "Conn: 3 counted, 30 listed: dispatch has to agree",
    ),
    "count-missing": (a_count_without_a_device, "Van ana: ANA0001 not found when it was counted"),
    "count-elsewhere": (
        a_count_with_an_installed_device,
        "OLD0001 was found on Van ana, and is installed at Fabianinkatu 1 by our records",
    ),
    "transfer-disagrees": (
        two_halves_that_differ,
        "The other side has 5 × CONN, this one has 3 × CONN: dispatch looks at both",
    ),
    "transfer-unsealed": (
        a_transfer_without_its_seals,
        "The seals of this transfer are not right: dispatch asks both sides",
    ),
    "transfer-below-zero": (
        more_given_than_the_list_had,
        "Conn: 5 given away, the van's list had 4: count it",
    ),
    "depot-below-zero": (
        more_fetched_than_the_list_had,
        "Conn: 5 fetched, the list of Depot had 2: count it",
    ),
    "note-edited-twice": (
        one_note_changed_on_both_sides,
        "Somebody else had changed that note of WO-7 too: both versions are kept",
    ),
    "check-recorded-twice": (
        one_check_made_on_both_sides,
        "Optical receive power of WO-7 was measured by somebody else too: both are kept, the newest counts",
    ),
    "checklist-not-shown": (
        closed_by_an_app_without_checklists,
        "WO-7 was closed by an app without checklists; open: Lights of the ONT, Optical receive power, "
        "Download speed, Wi-Fi speed where the customer uses it, Customer shown how it works",
    ),
    "contact-one-side": (contact_changed_on_site_only, ""),
    "contact-both-sides": (
        contact_changed_on_both_sides,
        "The office had changed the phone of WO-7 too: yours is kept as a suggestion",
    ),
    "edited-by-two-dispatchers": (
        contact_changed_by_two_dispatchers,
        'Somebody changed the phone to "+358501" meanwhile: look again',
    ),
    "time-corrected-twice": (
        one_time_corrected_on_two_devices,
        "That time of WO-7 was corrected elsewhere too: both are kept, the newest counts",
    ),
    "charge-not-agreed": (
        more_parts_than_were_agreed_to,
        "WO-7 costs 45.00 EUR, agreed were 40.00 EUR: 5.00 EUR is not billed until dispatch decides",
    ),
    "price-answered-twice": (
        a_customer_asked_on_two_phones,
        "The customer of WO-7 was asked again later: both answers are kept, the newest counts",
    ),
    "repeated-step": (
        one_step_on_two_devices,
        "WO-7: that step was taken already, the first time counts",
    ),
    "depends-on-held": (
        a_close_after_a_held_scan,
        "Scan and fit the ONT; Record optical receive power (-27 to -8 dBm); "
        "Record download speed (at least 90 Mbit/s)",
    ),
    "clock-skew": (a_clock_that_is_behind, "The phone's clock was 60 minutes behind; times were corrected"),
    "clock-changed": (
        a_clock_that_was_set,
        "The phone's clock was set by 60 minutes after this was done; times were corrected",
    ),
}
"""Row → its case and the sentence that the technician reads; empty where there is nothing to say."""

ELSEWHERE = {"handed-over-device": "tests/server/field/test_devices.py"}
"""Rows that no pure rule can meet, and where their case is, by slug: who sends is the server's to know."""


class TestEveryRow:
    def test_has_its_case_and_no_case_is_without_its_row(self):
        assert set(CASES) | set(ELSEWHERE) == set(CONFLICTS)
        for slug, path in ELSEWHERE.items():
            assert f'"{CONFLICTS[slug].problems[0].slug}"' in (ROOT / path).read_text(encoding="utf-8")

    @pytest.mark.parametrize("slug", CASES)
    def test_happens_as_the_table_says(self, slug: str):
        row = CONFLICTS[slug]
        case, sentence = CASES[slug]
        if row.outcome in (Outcome.HELD, Outcome.REFUSED):
            with pytest.raises(row.problems[0]) as caught:
                case()
            assert (type(caught.value), caught.value.detail) == (row.problems[0], sentence)
            return
        found = case()
        remarks = found if isinstance(found, tuple) else found.remarks
        expected = (Remark(row.remark, sentence),) if row.remark else ()
        assert remarks == expected

    @pytest.mark.parametrize("row", CONFLICTS.values(), ids=lambda row: row.slug)
    def test_is_whole(self, row: Conflict):
        assert row.case.endswith(".") and row.rule.endswith(".") and row.kept.endswith(".")
        assert row.shown.endswith(".") and row.sentence
        assert bool(row.problems) == (row.outcome in (Outcome.HELD, Outcome.REFUSED))
        assert bool(row.remark) == (row.outcome is Outcome.REMARKED)
        if row.outcome is Outcome.HELD:
            assert row.proposals[-1] is Proposal.DISMISS and len(row.proposals) >= 2


class TestFindingTheRow:
    def test_of_a_held_command(self):
        found = conflict_of("reassigned")
        assert found is not None and found.slug == "reassigned-started"

    def test_of_a_remark_with_the_same_slug(self):
        found = conflict_of("reassigned", held=False)
        assert found is not None and found.slug == "reassigned-not-started"

    def test_of_what_is_no_conflict(self):
        assert conflict_of("malformed") is None
        assert conflict_of(None) is None


class TestASecondReport:
    """What a second visit did is booked at once, and never for money."""

    def done(self, *devices: object, **order: object) -> Situation:
        return a_situation(*devices, state=S.COMPLETED, **GIVEN_AWAY | order)  # type: ignore[arg-type]

    def test_hangs_up_another_device(self):
        decision = decide(install(), self.done(a_device()), NOON)
        assert decision.events[0].moves == (  # type: ignore[union-attr]
            StockMove(sku="ONT-A", quantity=1, source_id=ANAS_VAN, target_id=HOME, serial="ANA0001"),
        )
        device = decision.after.assets["ANA0001"]
        assert (device.state, device.holder_id) == (AssetState.INSTALLED, HOME)
        assert decision.after.order.fitted == ()
        assert [fitted.serial for fitted in decision.after.order.reports[0].fitted] == ["ANA0001"]

    def test_of_the_one_device_that_hangs_there_moves_nothing(self):
        decision = decide(install("OLD0001"), self.done(installed()), NOON)
        assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step="install_asset"),)

    def test_with_a_serial_that_hangs_elsewhere_is_held(self):
        with pytest.raises(SerialElsewhere):
            decide(install("OLD0001"), self.done(installed(at=UUID(int=99))), NOON)

    def test_registers_a_device_that_nobody_received(self):
        decision = decide(install("FOREIGN1", confirmed=True, sku="ONT-A"), self.done(), NOON)
        device = decision.after.assets["FOREIGN1"]
        assert (device.holder_id, device.claimed_by) == (HOME, None)
        assert [remark.slug for remark in decision.remarks] == ["second-report", "unreceived-serial"]

    def test_takes_the_old_device_to_its_own_van(self):
        remove = cmd.RemoveAsset(work_order_id=JOB, serial="OLD0001", reason="swap")
        decision = decide(remove, self.done(installed()), NOON)
        device = decision.after.assets["OLD0001"]
        assert (device.state, device.holder_id) == (AssetState.RECOVERED, ANAS_VAN)

    def test_keeps_its_measurements_beside_those_that_count(self):
        order = decide(check("-20"), self.done(checks=(result("-19", BEN),)), NOON).after.order
        assert order.checks == (result("-19", BEN),)
        assert order.reports[0].checks == (result("-20", ANA),)

    def test_grows_step_by_step_into_one_report_of_each_technician(self):
        now = self.done()
        for command in (ARRIVE, use(5), use(3), CLOSE):
            now = decide(command, now, NOON).after
        [report] = now.order.reports
        assert [step.step for step in report.steps] == [
            "arrive", "use_parts", "use_parts", "close_work_order",
        ]  # fmt: skip
        assert [line.quantity for line in report.parts] == [5, 3]

    def test_keeps_photos_and_words_where_all_others_are(self):
        gave_up = cmd.CannotComplete(
            work_order_id=JOB, reason=UnfinishedReason.NO_ACCESS, text="Nobody there"
        )
        order = decide(gave_up, self.done(), NOON).after.order
        assert [note.text for note in order.notes] == ["Nobody there"]
        assert order.state is S.COMPLETED

    def test_by_ruling_leaves_a_visit_that_goes_on_alone(self):
        """A dispatcher keeps Ana's held work beside Ben's, who is at it."""
        fitted = decide(install("ANA0001"), a_situation(a_device()), NOON).after.order.fitted
        claimed = a_device(claimed_by=JOB)
        now = a_situation(claimed, fitted=fitted, **GIVEN_AWAY)
        after = decide_as_report(use(5), now, NOON).after
        assert (after.order.state, after.order.technician_id, after.order.parts) == (S.ON_SITE, BEN, ())
        assert after.assets["ANA0001"].claimed_by == JOB


class TestReopening:
    """Work that was really done goes to who did it, and is decided again."""

    def reopen(self, now: Situation, to: UUID = ANA) -> Decision:
        return decide(cmd.ReopenWorkOrder(work_order_id=JOB, technician_id=to), now, NOON)

    def test_a_cancelled_job_books_parts_only_once(self):
        begun = a_situation(parts=(PartLine(sku="CABLE", quantity=5),), **EASY)
        cancel = cmd.CancelWorkOrder(work_order_id=JOB, reason="moved away")
        ended = decide(cancel, begun, NOON).after
        assert ended.order.parts_booked == 1
        again = self.reopen(ended).after
        assert (again.order.state, again.order.technician_id) == (S.ASSIGNED, ANA)
        for command in (ARRIVE, use(3)):
            again = decide(command, again, NOON).after
        [completed] = decide(CLOSE, again, NOON).events
        assert [move.quantity for move in completed.moves] == [3]  # type: ignore[union-attr]

    def test_a_cancelled_job_claims_again_what_was_fitted(self):
        begun = decide(install(), a_situation(a_device()), NOON).after
        ended = decide(cmd.CancelWorkOrder(work_order_id=JOB, reason="x"), begun, NOON).after
        assert ended.assets["ANA0001"].claimed_by is None
        again = self.reopen(ended).after
        assert again.assets["ANA0001"].claimed_by == JOB
        assert [device.serial for device in again.order.fitted] == ["ANA0001"]

    def test_and_forgets_a_device_that_has_gone_elsewhere(self):
        begun = decide(install(), a_situation(a_device()), NOON).after
        ended = decide(cmd.CancelWorkOrder(work_order_id=JOB, reason="x"), begun, NOON).after
        elsewhere = replace(ended, assets={"ANA0001": a_device(claimed_by=OTHER_JOB)})
        again = self.reopen(elsewhere).after
        assert again.order.fitted == ()
        assert again.assets["ANA0001"].claimed_by == OTHER_JOB

    def test_a_colleagues_visit_that_goes_on_keeps_what_it_used_and_shows_what_it_fitted(self):
        begun = a_situation(a_device(), parts=(PartLine(sku="CABLE", quantity=5),))
        visit = decide(install(), begun, NOON).after
        decision = self.reopen(visit, to=BEN)
        reported, reopened = decision.events
        assert isinstance(reported, ev.WorkReported) and reported.technician_id == ANA
        assert [device.serial for device in reported.fitted] == ["ANA0001"]
        assert reopened == ev.WorkOrderReopened(
            at=NOON,
            technician_id=BEN,
            moves=(StockMove(sku="CABLE", quantity=5, source_id=ANAS_VAN, target_id=HOME),),
        )
        after = decision.after
        assert (after.order.state, after.order.fitted, after.order.parts_booked) == (S.ASSIGNED, (), 1)
        assert after.assets["ANA0001"] == a_device()

    @pytest.mark.parametrize("order", [{"state": S.COMPLETED}, {"state": S.CANCELLED, "call_out_at": NOON}])
    def test_is_refused_once_it_is_billed(self, order: dict[str, object]):
        with pytest.raises(Problem, match="WO-7 is billed"):
            self.reopen(a_situation(**order))  # type: ignore[arg-type]

    def test_a_deleted_job_brings_it_back(self):
        gone = decide(
            cmd.DeleteWorkOrder(work_order_id=JOB, reason="x"), a_situation(state=S.ASSIGNED), NOON
        ).after
        order = self.reopen(gone).after.order
        assert (order.state, order.deleted_at, order.technician_id) == (S.ASSIGNED, None, ANA)


class TestSuggestions:
    def test_are_settled_by_the_offices_word_either_way(self):
        waiting = ContactSuggestion(
            field=ContactField.PHONE, base="+358501", value="+358777", by=ANA, at=NOON
        )
        now = by_office(a_situation(suggestions=(waiting,)))
        for value in ("+358777", "+358501"):
            edit = cmd.EditContact(work_order_id=JOB, field=ContactField.PHONE, value=value)
            order = decide(edit, now, NOON).after.order
            assert (order.contact.phone, order.suggested) == (value, ())
            assert order.suggestions == (replace(waiting, settled=True),), "it stays on record"

    def test_of_what_stands_already_are_none(self):
        decision = decide(phone("+358501", base="older"), a_situation(), NOON)
        assert decision.after.order.suggestions == ()
        assert decision.remarks == ()

    def test_two_dispatchers_who_mean_the_same_do_not_quarrel(self):
        edit = cmd.EditContact(
            work_order_id=JOB, field=ContactField.PHONE, value="+358501", base="something else"
        )
        assert decide(edit, by_office(a_situation()), NOON).after.order.contact.phone == "+358501"
        with pytest.raises(ChangedMeanwhile):
            decide(replace(edit, value="+1"), by_office(a_situation()), NOON)

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            (ContactField.PHONE, "  ", "The phone is empty"),
            (ContactField.NAME, "x" * 201, "The name holds 200 characters, this has 201"),
            (ContactField.ACCESS_NOTES, "x" * 4001, "The access notes holds 4000 characters, this has 4001"),
        ],
    )
    def test_have_a_length(self, field: ContactField, value: str, words: str):
        command = cmd.CorrectContact(work_order_id=JOB, field=field, base="", value=value)
        with pytest.raises(Problem) as caught:
            decide(command, a_situation(), NOON)
        assert caught.value.detail == words


class TestTheOffice:
    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE, S.COMPLETED, S.UNFINISHED, S.CANCELLED])
    @pytest.mark.parametrize(
        "command",
        [
            cmd.RescheduleWorkOrder(work_order_id=JOB),
            cmd.SplitWorkOrder(
                work_order_id=JOB, new_order_id=SECOND_ORDER, summary="x", expected_minutes=1, removal=True
            ),
        ],
    )
    def test_neither_moves_nor_splits_what_has_begun(self, state: WorkOrderState, command: cmd.Command):
        with pytest.raises(Problem, match="WO-7 has been started"):
            decide(command, by_office(a_situation(state=state)), NOON)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"window_start": NOON}, "window_end"),
            ({"window_start": NOON, "window_end": NOON}, "window_end"),
            ({"planned_end": NOON}, "planned_end"),
            ({"planned_start": NOON, "planned_end": NOON - HOUR}, "planned_end"),
        ],
    )
    def test_moves_a_job_only_to_a_time_with_two_ends(self, change: dict[str, object], field: str):
        command = cmd.RescheduleWorkOrder(work_order_id=JOB, **change)  # type: ignore[arg-type]
        with pytest.raises(Problem) as caught:
            decide(command, by_office(a_situation(state=S.ASSIGNED)), NOON)
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"checks": ("smell",)}, "WO-7 does not ask for smell"),
            ({}, "Choose what moves to the other order"),
            ({"removal": True, "summary": " "}, "Say what the other order is about"),
        ],
    )
    def test_splits_off_only_what_is_asked_for(self, change: dict[str, object], words: str):
        values: dict[str, object] = {"summary": "Rest", "expected_minutes": 20} | change
        command = cmd.SplitWorkOrder(work_order_id=JOB, new_order_id=SECOND_ORDER, **values)  # type: ignore[arg-type]
        with pytest.raises(Problem, match=words):
            decide(command, by_office(a_situation(state=S.ASSIGNED)), NOON)

    def test_deletes_nothing_that_has_work_on_it(self):
        now = by_office(a_situation(state=S.ASSIGNED, parts=(PartLine(sku="CABLE", quantity=1),)))
        with pytest.raises(Problem, match="WO-7 has work on it: cancel it instead"):
            decide(cmd.DeleteWorkOrder(work_order_id=JOB, reason="x"), now, NOON)

    def test_bills_a_call_out_once_and_only_for_nothing(self):
        charge = cmd.ChargeCallOut(work_order_id=JOB)
        once = decide(charge, by_office(a_situation(state=S.CANCELLED)), NOON)
        assert once.events == (ev.CallOutCharged(at=NOON),)
        for now in (once.after, by_office(a_situation(state=S.COMPLETED))):
            with pytest.raises(Problem):
                decide(charge, now, NOON)

    def test_measures_from_afar_while_the_visit_is_on(self):
        measure = cmd.OfficeCheck(work_order_id=JOB, code="optical_power", value=Decimal("-21"))
        order = decide(measure, by_office(a_situation()), NOON).after.order
        assert order.checks == (result("-21", OFFICE),)
        with pytest.raises(Problem, match="WO-7 is completed"):
            decide(measure, by_office(a_situation(state=S.COMPLETED)), NOON)


class TestTheDocument:
    TEXT = (ROOT / "docs/conflicts.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("row", CONFLICTS.values(), ids=lambda row: row.slug)
    def test_says_the_same_as_the_table(self, row: Conflict):
        assert section(row) in self.TEXT

    def test_has_no_section_without_its_row(self):
        headings = [line[4:].strip("`") for line in self.TEXT.splitlines() if line.startswith("### `")]
        assert headings == list(CONFLICTS)


def section(row: Conflict) -> str:
    """A row as docs/conflicts.md has it."""
    reached = [f"problem `{problem.slug}`" for problem in row.problems]
    reached += [f"remark `{row.remark}`"] if row.remark else []
    lines = [
        f"### `{row.slug}`",
        "",
        f"{row.case} {row.rule}",
        "",
        f"- **Outcome:** {row.outcome.value}" + (f", {', '.join(reached)}" if reached else ""),
        f"- **Kept:** {row.kept}",
        f"- **Shown:** {row.shown}",
        f"- **Offered:** {', '.join(f'`{item.value}`' for item in row.proposals) or 'nothing to decide'}",
        f"- **The technician reads:** {row.sentence}",
        "",
    ]
    return "\n".join(lines)
