"""What a technician may do on a visit, row by row: what is accepted, and every refusal in its own words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from situations import (
    ANA,
    ANAS_VAN,
    BEN,
    BENS_VAN,
    CEM,
    HOME,
    JOB,
    NOON,
    OTHER_HOME,
    OTHER_JOB,
    a_device,
    a_situation,
    an_order,
    installed,
)

from shared import commands as cmd
from shared import events as ev
from shared import problems
from shared.assets import AssetState
from shared.decide import decide
from shared.problems import Problem
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE, Situation
from shared.stock import StockMove
from shared.visit_rules import missing_for_close
from shared.work_orders import (
    CheckResult,
    EvidenceKind,
    EvidenceRef,
    FittedAsset,
    Note,
    PartLine,
    RemovedAsset,
    ReportedStep,
    UnfinishedReason,
    WorkOrderState,
)

DIGEST = "0f" * 32
S = WorkOrderState


def install(serial: str = "ANA0001", **more: object) -> cmd.InstallAsset:
    return cmd.InstallAsset(work_order_id=JOB, serial=serial, source="camera", **more)  # type: ignore[arg-type]


def remove(serial: str = "OLD0001") -> cmd.RemoveAsset:
    return cmd.RemoveAsset(work_order_id=JOB, serial=serial, reason="broken")


def put_back(serial: str = "OLD0001") -> cmd.PutBackAsset:
    return cmd.PutBackAsset(work_order_id=JOB, serial=serial)


def check(value: str, code: str = "optical_power") -> cmd.RecordCheck:
    return cmd.RecordCheck(work_order_id=JOB, code=code, value=Decimal(value))


def use(*lines: tuple[str, int]) -> cmd.UseParts:
    parts = tuple(PartLine(sku=sku, quantity=quantity) for sku, quantity in lines)
    return cmd.UseParts(work_order_id=JOB, lines=parts)


def take_back(*lines: tuple[str, int]) -> cmd.TakeBackParts:
    return cmd.TakeBackParts(work_order_id=JOB, lines=use(*lines).lines)


def evidence(kind: EvidenceKind = EvidenceKind.PHOTO, **changes: object) -> cmd.AddEvidence:
    values: dict[str, object] = {
        "digest": DIGEST, "size_bytes": 300_000, "media_type": "image/jpeg", "taken_at": NOON,
    }  # fmt: skip
    return cmd.AddEvidence(work_order_id=JOB, kind=kind, **values | changes)  # type: ignore[arg-type]


TRAVEL, ARRIVE, CLOSE = (
    cmd.StartTravel(work_order_id=JOB),
    cmd.Arrive(work_order_id=JOB),
    cmd.CloseWorkOrder(work_order_id=JOB),
)


def events(command: cmd.Command, now: Situation) -> tuple[ev.Event, ...]:
    return decide(command, now, NOON).events


def refusal(command: cmd.Command, now: Situation) -> tuple[type[Problem], str, str | None]:
    """(class, words, field) of the Problem that forbids `command`."""
    with pytest.raises(Problem) as caught:
        decide(command, now, NOON)
    return type(caught.value), caught.value.detail, caught.value.field


def assert_repeated(command: cmd.Command, now: Situation) -> None:
    """The second tap is kept with its time, and nothing else changes."""
    decision = decide(command, now, NOON)
    assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step=command.type),)
    assert decision.remarks == (
        Remark("repeated-step", "WO-7: that step was taken already, the first time counts"),
    )
    [report] = decision.after.order.reports
    assert report.steps == (ReportedStep(step=command.type, at=NOON),)
    assert replace(decision.after.order, reports=(), version=0) == replace(now.order, version=0)
    assert decision.after.assets == now.assets


class TestWhoseJobItIs:
    def test_the_technician_it_is_assigned_to_may_work_on_it(self):
        decision = decide(TRAVEL, a_situation(state=S.ASSIGNED), NOON)
        assert decision.events == (ev.TravelStarted(at=NOON),)
        assert decision.remarks == ()
        assert decision.after.order.state is S.TRAVELLING
        assert decision.after.order.travel_started_at == NOON
        assert decision.after.order.version == 6

    def test_somebody_it_was_never_given_to_may_not(self):
        assert refusal(TRAVEL, a_situation(actor=BEN, state=S.ASSIGNED)) == (
            problems.NotYourJob,
            "WO-7 was never yours: ask dispatch to assign it",
            None,
        )

    def test_one_it_was_taken_from_keeps_it_when_the_new_one_has_not_started(self):
        now = a_situation(
            actor=ANA, state=S.ASSIGNED, technician_id=BEN, former_technician_ids=frozenset({ANA})
        )
        decision = decide(TRAVEL, now, NOON)
        assert decision.events == (ev.TakenOver(technician_id=ANA), ev.TravelStarted(at=NOON))
        assert decision.remarks == (
            Remark("reassigned", "WO-7 had been given away; it stays with who did the work"),
        )
        assert decision.after.order.technician_id == ANA
        assert decision.after.order.former_technician_ids == {ANA, BEN}

    def test_a_note_of_one_it_was_taken_from_is_kept_and_takes_nothing_from_the_new_one(self):
        now = a_situation(
            actor=ANA, state=S.ASSIGNED, technician_id=BEN, former_technician_ids=frozenset({ANA})
        )
        decision = decide(cmd.AddNote(work_order_id=now.order.id, text="The code is 4711"), now, NOON)
        assert [type(event) for event in decision.events] == [ev.NoteAdded]
        assert decision.after.order.technician_id == BEN

    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE])
    def test_one_it_was_taken_from_may_not_when_the_new_one_has_started(self, state: WorkOrderState):
        now = a_situation(actor=ANA, state=state, technician_id=BEN, former_technician_ids=frozenset({ANA}))
        assert refusal(CLOSE, now) == (
            problems.Reassigned,
            "WO-7 went to a colleague who has started it. Your work is kept; dispatch decides",
            None,
        )

    def test_one_it_was_taken_from_and_given_to_nobody_may_go_on(self):
        now = a_situation(
            actor=ANA, state=S.UNASSIGNED, technician_id=None, former_technician_ids=frozenset({ANA})
        )
        assert events(ARRIVE, now) == (ev.TakenOver(technician_id=ANA), ev.Arrived(at=NOON))

    def test_nothing_happens_on_a_job_that_could_not_be_completed(self):
        assert refusal(CLOSE, a_situation(state=S.UNFINISHED)) == (
            problems.AlreadyClosed,
            "WO-7 is closed already. Your work is kept; dispatch looks at it",
            None,
        )

    def test_nothing_happens_on_a_cancelled_job(self):
        assert refusal(CLOSE, a_situation(state=S.CANCELLED)) == (
            problems.WorkOrderCancelled,
            "The office cancelled WO-7. Your work is kept; dispatch decides what happens with it",
            None,
        )

    def test_a_stranger_learns_nothing_of_a_closed_job(self):
        assert refusal(CLOSE, a_situation(actor=CEM, state=S.COMPLETED))[0] is problems.NotYourJob


class TestTheWayThere:
    def test_arriving_needs_no_travel_first(self):
        decision = decide(ARRIVE, a_situation(state=S.ASSIGNED), NOON)
        assert decision.events == (ev.Arrived(at=NOON),)
        assert (decision.after.order.state, decision.after.order.arrived_at) == (S.ON_SITE, NOON)

    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE])
    def test_setting_out_twice_changes_nothing(self, state: WorkOrderState):
        assert_repeated(TRAVEL, a_situation(state=state))

    def test_arriving_twice_changes_nothing(self):
        assert_repeated(ARRIVE, a_situation(arrived_at=NOON - timedelta(hours=1)))

    @pytest.mark.parametrize("state", [S.ASSIGNED, S.TRAVELLING])
    @pytest.mark.parametrize("command", [install(), remove(), check("-20"), use(("CABLE", 1)), CLOSE])
    def test_work_before_arrival_is_refused(self, state: WorkOrderState, command: cmd.Command):
        assert refusal(command, a_situation(a_device(), state=state))[:2] == (
            problems.NotStarted,
            "Tap Arrived first",
        )

    @pytest.mark.parametrize("state", [S.ASSIGNED, S.TRAVELLING, S.ON_SITE])
    def test_photos_notes_and_giving_up_need_no_arrival(self, state: WorkOrderState):
        now = a_situation(state=state)
        for command in (
            evidence(),
            cmd.AddNote(work_order_id=JOB, text="Gate is locked"),
            cmd.CannotComplete(work_order_id=JOB, reason=UnfinishedReason.NO_ACCESS),
        ):
            assert len(events(command, now)) == 1


class TestInstallingADevice:
    def test_takes_a_fitting_device_from_the_own_van_and_claims_it(self):
        decision = decide(install(), a_situation(a_device()), NOON)
        fitted = FittedAsset(serial="ANA0001", sku="ONT-A", source_id=ANAS_VAN)
        assert decision.events == (ev.AssetFitted(fitted=fitted),)
        assert decision.remarks == ()
        assert decision.after.order.fitted == (fitted,)
        assert decision.after.assets["ANA0001"] == a_device(claimed_by=JOB)

    def test_keeps_the_codes_of_the_register_and_of_the_label(self):
        known = a_device(mac="AC:12:2F:00:1B:9E")
        [event] = events(install(gpon_serial="ALCL12345678"), a_situation(known))
        assert event.fitted.mac == "AC:12:2F:00:1B:9E"
        assert event.fitted.gpon_serial == "ALCL12345678"

    def test_a_serial_nobody_knows_asks_for_a_second_look(self):
        assert refusal(install("FOREIGN1"), a_situation()) == (
            problems.SerialUnknown,
            "FOREIGN1 is not on your van's list. Check the label; if it is right, confirm",
            "serial",
        )

    def test_a_confirmed_serial_nobody_knows_needs_its_model(self):
        assert refusal(install("FOREIGN1", confirmed=True), a_situation()) == (
            problems.BadValue,
            "Choose the model of FOREIGN1: nobody has booked it in",
            "sku",
        )

    @pytest.mark.parametrize("sku", ["NOTHING", "CABLE"])
    def test_a_confirmed_serial_needs_a_model_of_the_catalogue_that_has_serials(self, sku: str):
        assert refusal(install("FOREIGN1", confirmed=True, sku=sku), a_situation()) == (
            problems.BadValue,
            f"There is no device {sku} in the catalogue: choose its model",
            "sku",
        )

    def test_a_confirmed_serial_with_its_model_is_fitted_and_remarked(self):
        command = install("FOREIGN1", confirmed=True, sku="ONT-B", mac="AC:12:2F:00:1B:9E")
        decision = decide(command, a_situation(), NOON)
        [event] = decision.events
        assert event == ev.AssetFitted(
            fitted=FittedAsset(
                serial="FOREIGN1", sku="ONT-B", source_id=UNRECEIVED_PLACE, mac="AC:12:2F:00:1B:9E"
            ),
            unreceived=True,
        )
        assert decision.remarks == (
            Remark("unreceived-serial", "FOREIGN1 was never booked in: stock control should check it"),
        )
        assert decision.after.assets["FOREIGN1"].claimed_by == JOB

    def test_a_colleagues_device_asks_for_a_second_look(self):
        theirs = a_device(holder_id=BENS_VAN, holder_name="Van ben")
        assert refusal(install(), a_situation(theirs)) == (
            problems.SerialElsewhere,
            "ANA0001 is booked on Van ben. If you hold it in your hand, confirm",
            "serial",
        )

    def test_a_colleagues_device_in_hand_is_fitted_from_their_van_and_remarked(self):
        theirs = a_device(holder_id=BENS_VAN, holder_name="Van ben")
        decision = decide(install(confirmed=True), a_situation(theirs), NOON)
        [event] = decision.events
        assert event.fitted.source_id == BENS_VAN
        assert decision.remarks == (Remark("taken-from-elsewhere", "ANA0001 was booked on Van ben"),)

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_a_device_on_another_wall_is_refused_even_when_confirmed(self, confirmed: bool):
        elsewhere = installed("ANA0001", at=OTHER_HOME, holder_name="Kaivokatu 2")
        assert refusal(install(confirmed=confirmed), a_situation(elsewhere)) == (
            problems.SerialElsewhere,
            "ANA0001 is installed at Kaivokatu 2: check the label, or take another one",
            "serial",
        )

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_a_device_fitted_on_another_open_job_is_refused(self, confirmed: bool):
        claimed = a_device(claimed_by=OTHER_JOB)
        assert refusal(install(confirmed=confirmed), a_situation(claimed)) == (
            problems.SerialElsewhere,
            "ANA0001 was fitted on another job: dispatch has to look at it",
            "serial",
        )

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_a_quarantined_device_is_refused_even_when_confirmed(self, confirmed: bool):
        recalled = a_device(state=AssetState.QUARANTINED)
        assert refusal(install(confirmed=confirmed), a_situation(recalled)) == (
            problems.AssetQuarantined,
            "ANA0001 is from a batch under recall: take another one",
            "serial",
        )

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_a_model_that_the_plan_does_not_accept_is_refused(self, confirmed: bool):
        assert refusal(install(confirmed=confirmed), a_situation(a_device(sku="ROUTER"))) == (
            problems.WrongModel,
            "AVM 7530 does not fit Home 100: it needs Huawei HG8 or Nokia G-2425",
            "serial",
        )

    def test_any_model_will_do_where_the_job_asks_for_none(self):
        assert len(events(install(), a_situation(a_device(sku="ROUTER"), required_equipment=()))) == 1

    def test_the_same_device_twice_changes_nothing(self):
        assert_repeated(install(), decide(install(), a_situation(a_device()), NOON).after)

    @pytest.mark.parametrize(
        ("mac", "digits"),
        [("AC:12:2F:00:1B:9", 11), ("AC:12:2F:00:1B:9E:0", 13), ("AC122F001B9", 11), ("", 0)],
    )
    def test_a_mac_with_the_wrong_number_of_digits_says_how_many(self, mac: str, digits: int):
        assert refusal(install(mac=mac), a_situation(a_device())) == (
            problems.BadValue,
            f"A MAC has 12 hex digits, this one has {digits}: check the label",
            "mac",
        )

    @pytest.mark.parametrize("serial", ["", "AB1", "A" * 41, "AB 12", "ab12", "ÅÄÖ123", "AB12\n"])
    def test_a_malformed_serial_is_refused(self, serial: str):
        assert refusal(install(serial), a_situation(a_device())) == (
            problems.BadValue,
            "A serial has 4 to 40 letters and digits: scan it again or type it as printed",
            "serial",
        )

    def test_a_label_that_contradicts_the_register_is_refused(self):
        known = a_device(mac="AC:12:2F:00:1B:9E", gpon_serial="ALCL12345678")
        assert refusal(install(mac="AC:12:2F:00:1B:9F"), a_situation(known)) == (
            problems.BadValue,
            "The label says AC:12:2F:00:1B:9F, our records of ANA0001 say AC:12:2F:00:1B:9E: scan both again",
            "mac",
        )
        assert refusal(install(gpon_serial="ALCL00000000"), a_situation(known))[2] == "gpon_serial"


class TestRemovingADevice:
    def test_takes_off_what_is_booked_at_this_address(self):
        decision = decide(remove(), a_situation(installed()), NOON)
        taken = RemovedAsset(serial="OLD0001", sku="ONT-A", reason="broken")
        assert decision.events == (ev.AssetRemoved(removed=taken),)
        assert decision.after.order.removed == (taken,)
        assert decision.after.assets["OLD0001"] == installed(), "it moves when the job closes"

    def test_undoes_a_device_fitted_by_mistake(self):
        fitted = decide(install(), a_situation(a_device()), NOON).after
        decision = decide(remove("ANA0001"), fitted, NOON)
        assert decision.events == (ev.AssetUnfitted(serial="ANA0001"),)
        assert decision.after.order.fitted == ()
        assert decision.after.assets["ANA0001"] == a_device()

    def test_twice_changes_nothing(self):
        assert_repeated(remove(), decide(remove(), a_situation(installed()), NOON).after)

    @pytest.mark.parametrize("device", [a_device("OLD0001"), installed(at=OTHER_HOME), None])
    def test_a_device_from_elsewhere_is_refused_with_what_is_here(self, device: object):
        devices = () if device is None else (device,)
        now = a_situation(*devices, on_site_serials=("OLD0007", "OLD0008"))
        assert refusal(remove(), now) == (
            problems.NotInstalledHere,
            "OLD0001 is not booked at this address (booked here: OLD0007, OLD0008)",
            "serial",
        )

    def test_where_nothing_is_booked_it_says_none(self):
        assert refusal(remove(), a_situation())[1].endswith("(booked here: none)")


class TestPuttingADeviceBack:
    def test_leaves_the_visit_as_if_it_had_never_been_taken_off(self):
        taken = decide(remove(), a_situation(installed()), NOON).after
        decision = decide(put_back(), taken, NOON)
        assert decision.events == (ev.AssetPutBack(serial="OLD0001"),)
        assert decision.remarks == ()
        assert decision.after.order.removed == ()
        assert decision.after.assets["OLD0001"] == installed()
        assert decide(remove(), decision.after, NOON).after.order.removed == taken.order.removed

    def test_of_two_leaves_the_other_one_off(self):
        now = a_situation(installed(), installed("OLD0002"))
        for serial in ("OLD0001", "OLD0002"):
            now = decide(remove(serial), now, NOON).after
        after = decide(put_back(), now, NOON).after
        assert [device.serial for device in after.order.removed] == ["OLD0002"]

    def test_that_hangs_there_anyway_changes_nothing(self):
        assert_repeated(put_back(), a_situation(installed()))

    @pytest.mark.parametrize("device", [a_device("OLD0001"), installed(at=OTHER_HOME), None])
    def test_that_this_visit_did_not_take_off_is_refused(self, device: object):
        assert refusal(put_back(), a_situation(*(() if device is None else (device,)))) == (
            problems.NotInstalledHere,
            "OLD0001 was not taken off on this visit: scan it to fit it",
            "serial",
        )

    def test_that_has_been_booked_to_the_van_since_is_refused(self):
        """The job could not be completed, the device went along, and now the job was given out again."""
        taken = decide(remove(), a_situation(installed()), NOON).after
        now = replace(taken, assets={"OLD0001": a_device("OLD0001", state=AssetState.RECOVERED)})
        assert refusal(put_back(), now)[0] is problems.NotInstalledHere


class TestRecordingAMeasurement:
    @pytest.mark.parametrize(
        ("code", "value", "unit", "passed"),
        [
            ("optical_power", "-27", "dBm", True),
            ("optical_power", "-27.01", "dBm", False),
            ("optical_power", "-8", "dBm", True),
            ("optical_power", "-7.99", "dBm", False),
            ("optical_power", "19.5", "dBm", False),  # the sign was forgotten
            ("download_speed", "90", "Mbit/s", True),
            ("download_speed", "89.9", "Mbit/s", False),
            ("download_speed", "10000", "Mbit/s", True),
        ],
    )
    def test_is_kept_whether_it_passes_or_not(self, code: str, value: str, unit: str, passed: bool):
        result = CheckResult(code=code, value=Decimal(value), unit=unit, passed=passed, at=NOON, by=ANA)
        assert events(check(value, code), a_situation()) == (ev.CheckRecorded(result=result),)

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
    def test_needs_a_number(self, value: str):
        assert refusal(check(value), a_situation()) == (
            problems.BadValue,
            "Optical receive power needs a number in dBm",
            "value",
        )

    def test_the_job_did_not_ask_for_is_refused_with_what_it_asks(self):
        assert refusal(check("1", "voltage"), a_situation()) == (
            problems.BadValue,
            "This job does not ask for voltage (asked: optical_power, download_speed)",
            "code",
        )
        assert refusal(check("1", "voltage"), a_situation(required_checks=()))[1].endswith("(asked: none)")

    def test_the_newest_counts_and_the_older_stays_on_record(self):
        first = decide(check("-30"), a_situation(), NOON).after
        second = decide(check("-20"), first, NOON + timedelta(minutes=5)).after
        assert [result.value for result in second.order.checks] == [Decimal(-30), Decimal(-20)]
        newest = second.order.result_of("optical_power")
        assert newest is not None and newest.passed


class TestUsingParts:
    def test_what_the_van_has_is_used_without_remarks(self):
        decision = decide(use(("CABLE", 200), ("CONN", 1)), a_situation(), NOON)
        lines = (PartLine(sku="CABLE", quantity=200), PartLine(sku="CONN", quantity=1))
        assert decision.events == (ev.PartsUsed(lines=lines),)
        assert decision.remarks == ()
        assert decision.after.on_hand == {"CABLE": 200, "CONN": 20}, "it leaves the van when the job closes"

    def test_more_than_the_van_has_is_used_all_the_same_and_remarked(self):
        decision = decide(use(("CONN", 21)), a_situation(), NOON)
        assert decision.events == (ev.PartsUsed(lines=(PartLine(sku="CONN", quantity=21),)),)
        assert decision.remarks == (
            Remark("stock-below-zero", "Corning UC: used 21, the van's list had 20: count it"),
        )

    def test_what_this_job_used_before_counts_against_the_van(self):
        once = decide(use(("CONN", 15)), a_situation(), NOON).after
        assert decide(use(("CONN", 5)), once, NOON).remarks == ()
        assert decide(use(("CONN", 6)), once, NOON).remarks == (
            Remark("stock-below-zero", "Corning UC: used 6, the van's list had 5: count it"),
        )

    @pytest.mark.parametrize("quantity", [0, -3, 10_001])
    def test_a_quantity_that_cannot_be_is_refused(self, quantity: int):
        assert refusal(use(("CONN", quantity)), a_situation()) == (
            problems.BadValue,
            "Corning UC: the quantity must be 1 to 10,000",
            "quantity",
        )

    def test_no_line_at_all_is_refused(self):
        assert refusal(use(), a_situation()) == (problems.BadValue, "Choose at least one part", "lines")

    def test_a_part_that_is_not_stocked_is_refused(self):
        assert refusal(use(("GLUE", 1)), a_situation()) == (
            problems.BadValue,
            "There is no part GLUE in the catalogue",
            "sku",
        )

    def test_a_device_with_a_serial_is_scanned_not_counted(self):
        assert refusal(use(("ONT-A", 1)), a_situation()) == (
            problems.BadValue,
            "Nokia G-2425 has a serial: scan it instead of counting it",
            "sku",
        )


class TestTakingPartsBack:
    def test_leaves_so_many_fewer_used(self):
        used = decide(use(("CABLE", 40), ("CONN", 3)), a_situation(), NOON).after
        decision = decide(take_back(("CABLE", 15), ("CONN", 3)), used, NOON)
        lines = (PartLine(sku="CABLE", quantity=15), PartLine(sku="CONN", quantity=3))
        assert decision.events == (ev.PartsTakenBack(lines=lines),)
        assert decision.after.order.parts == (PartLine(sku="CABLE", quantity=25),)
        assert decision.after.on_hand == {"CABLE": 200, "CONN": 20}

    def test_shortens_the_newest_line_first(self):
        now = a_situation()
        for quantity in (5, 4, 3):
            now = decide(use(("CONN", quantity)), now, NOON).after
        after = decide(take_back(("CONN", 4)), now, NOON).after
        assert after.order.parts == (PartLine(sku="CONN", quantity=5), PartLine(sku="CONN", quantity=3))

    @pytest.mark.parametrize("quantity", [4, 0, -1])
    def test_a_quantity_that_cannot_be_is_refused(self, quantity: int):
        used = decide(use(("CONN", 3)), a_situation(), NOON).after
        assert refusal(take_back(("CONN", quantity)), used) == (
            problems.BadValue,
            f"Corning UC: 3 used on this visit, so {quantity} can't come back",
            "quantity",
        )

    def test_two_lines_of_one_part_are_added_up(self):
        used = decide(use(("CONN", 3)), a_situation(), NOON).after
        assert refusal(take_back(("CONN", 2), ("CONN", 2)), used)[1].startswith("Corning UC: 3 used")

    def test_what_has_left_the_stock_already_stays_used(self):
        now = a_situation(parts=(PartLine(sku="CONN", quantity=9),), parts_booked=1)
        assert refusal(take_back(("CONN", 1)), now)[1].startswith("Corning UC: 0 used on this visit")
        more = decide(use(("CONN", 2)), now, NOON).after
        after = decide(take_back(("CONN", 1)), more, NOON).after
        assert after.order.parts == (PartLine(sku="CONN", quantity=9), PartLine(sku="CONN", quantity=1))

    def test_no_line_at_all_is_refused(self):
        assert refusal(take_back(), a_situation()) == (problems.BadValue, "Choose at least one part", "lines")


class TestAddingEvidence:
    def test_a_photo_is_named_by_its_digest(self):
        kept = EvidenceRef(
            kind=EvidenceKind.PHOTO, digest=DIGEST, size_bytes=300_000, media_type="image/jpeg", taken_at=NOON
        )
        assert events(evidence(), a_situation()) == (ev.EvidenceAdded(evidence=kept),)

    def test_a_photo_keeps_where_it_was_taken(self):
        [added] = events(evidence(lat=60.17, lon=24.94, accuracy_m=8.5), a_situation())
        assert isinstance(added, ev.EvidenceAdded)
        assert (added.evidence.lat, added.evidence.lon, added.evidence.accuracy_m) == (60.17, 24.94, 8.5)

    @pytest.mark.parametrize(
        ("lat", "lon", "accuracy_m"),
        [(91.0, 24.9, 8.0), (60.1, -181.0, 8.0), (60.1, 24.9, -1.0), (60.1, 24.9, 1e9), (60.1, None, 8.0)],
    )
    def test_a_place_that_is_none_is_left_out_and_the_photo_kept(self, lat, lon, accuracy_m):
        found = events(evidence(lat=lat, lon=lon, accuracy_m=accuracy_m), a_situation())
        assert found == events(evidence(), a_situation())

    @pytest.mark.parametrize(
        ("kind", "what"), [(EvidenceKind.PHOTO, "photo"), (EvidenceKind.SIGNATURE, "signature")]
    )
    def test_of_no_bytes_is_refused(self, kind: EvidenceKind, what: str):
        assert refusal(evidence(kind, size_bytes=0, signer="Liisa"), a_situation()) == (
            problems.BadEvidence,
            f"The {what} is empty: take it again",
            "size_bytes",
        )

    def test_of_30_mb_is_refused_with_its_size_and_the_limit(self):
        assert refusal(evidence(size_bytes=30 * 2**20), a_situation()) == (
            problems.BadEvidence,
            "The photo has 30.0 MB, at most 10 MB can be kept",
            "size_bytes",
        )

    def test_of_exactly_10_mb_is_kept(self):
        assert len(events(evidence(size_bytes=10 * 2**20), a_situation())) == 1
        assert refusal(evidence(size_bytes=10 * 2**20 + 1), a_situation())[0] is problems.BadEvidence

    @pytest.mark.parametrize("digest", ["", "0f" * 31, "0F" * 32, "zz" * 32])
    def test_needs_a_digest(self, digest: str):
        assert refusal(evidence(digest=digest), a_situation()) == (
            problems.BadEvidence,
            "The photo has no valid digest: take it again",
            "digest",
        )

    @pytest.mark.parametrize("signer", [None, "", "  "])
    def test_a_signature_needs_a_name(self, signer: str | None):
        assert refusal(evidence(EvidenceKind.SIGNATURE, signer=signer), a_situation()) == (
            problems.BadEvidence,
            "Write the name of who signed",
            "signer",
        )


class TestAddingANote:
    def test_keeps_the_text_and_its_author(self):
        note = Note(author_id=ANA, text="Dog in the yard", at=NOON)
        assert events(cmd.AddNote(work_order_id=JOB, text="Dog in the yard"), a_situation()) == (
            ev.NoteAdded(note=note),
        )

    def test_of_4000_characters_is_kept_and_of_4001_refused(self):
        assert len(events(cmd.AddNote(work_order_id=JOB, text="x" * 4_000), a_situation())) == 1
        assert refusal(cmd.AddNote(work_order_id=JOB, text="x" * 4_001), a_situation()) == (
            problems.BadValue,
            "A note holds 4000 characters, this has 4001",
            "text",
        )

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_of_nothing_is_refused(self, text: str):
        assert refusal(cmd.AddNote(work_order_id=JOB, text=text), a_situation()) == (
            problems.BadValue,
            "The note is empty",
            "text",
        )


def ready_to_close(**order: object) -> Situation:
    """Everything recorded that `an_order()` asks for, and one device fitted."""
    now = a_situation(a_device(), installed(), **order)
    for command in (install(), check("-19.5"), check("95", "download_speed"), use(("CABLE", 18))):
        now = decide(command, now, NOON).after
    return now


class TestClosing:
    def test_moves_devices_and_parts_and_nothing_else(self):
        decision = decide(CLOSE, ready_to_close(), NOON)
        assert decision.events == (
            ev.WorkOrderCompleted(
                at=NOON,
                technician_id=ANA,
                moves=(
                    StockMove(sku="CABLE", quantity=18, source_id=ANAS_VAN, target_id=HOME),
                    StockMove(sku="ONT-A", quantity=1, source_id=ANAS_VAN, target_id=HOME, serial="ANA0001"),
                ),
            ),
        )
        after = decision.after
        assert (after.order.state, after.order.finished_at) == (S.COMPLETED, NOON)
        assert after.on_hand == {"CABLE": 182, "CONN": 20, "ONT-A": -1}, (
            "only the SKUs that were loaded count"
        )
        assert after.assets["ANA0001"] == installed("ANA0001", holder_name="Fabianinkatu 1, 00130 Helsinki")

    def test_brings_a_removed_device_to_the_van_to_be_tested(self):
        now = decide(remove(), ready_to_close(), NOON).after
        decision = decide(CLOSE, now, NOON)
        [event] = decision.events
        assert event.moves[-1] == StockMove(
            sku="ONT-A", quantity=1, source_id=HOME, target_id=ANAS_VAN, serial="OLD0001"
        )
        assert decision.after.assets["OLD0001"] == a_device("OLD0001", state=AssetState.RECOVERED)

    def test_leaves_a_removed_device_where_another_visit_has_booked_it_meanwhile(self):
        taken = RemovedAsset(serial="OLD0001", sku="ONT-A", reason="broken")
        elsewhere = a_device("OLD0001", state=AssetState.RECOVERED, holder_id=BENS_VAN)
        now = a_situation(
            elsewhere, removed=(taken,), required_equipment=(), required_checks=(), removal_required=True
        )
        decision = decide(CLOSE, now, NOON)
        assert decision.events == (ev.WorkOrderCompleted(at=NOON, technician_id=ANA, moves=()),)
        assert decision.after.assets["OLD0001"] == elsewhere

    def test_says_all_that_is_missing_in_the_order_of_the_work(self):
        now = a_situation(removal_required=True, photos_required=1, signature_required=True)
        assert refusal(CLOSE, now) == (
            problems.MissingEquipment,
            "Scan and fit the ONT; Scan the device you take away; "
            "Record optical receive power (-27 to -8 dBm); Record download speed (at least 90 Mbit/s); "
            "Take a photo of the finished work; Have the customer sign",
            "fitted",
        )

    @pytest.mark.parametrize(
        ("order", "leaf", "words", "field"),
        [
            ({"removal_required": True}, problems.MissingRemoval, "Scan the device you take away", "removed"),
            ({"photos_required": 1}, problems.MissingChecks, "Take a photo of the finished work", "photo"),
            ({"signature_required": True}, problems.MissingSignature, "Have the customer sign", "signature"),
        ],
    )
    def test_names_the_one_thing_that_is_missing(
        self, order: dict[str, object], leaf: type[Problem], words: str, field: str
    ):
        assert refusal(CLOSE, ready_to_close(**order)) == (leaf, words, field)

    def test_is_refused_while_a_measurement_is_out_of_range(self):
        now = decide(check("-28.5"), ready_to_close(), NOON).after
        assert refusal(CLOSE, now) == (
            problems.MissingChecks,
            "Optical receive power -28.5 dBm is outside -27 to -8 dBm: mend it, measure again",
            "optical_power",
        )

    def test_a_fitted_device_of_another_need_does_not_count(self):
        two = (*an_order().required_equipment, replace(an_order().required_equipment[0], skus=("ROUTER",)))
        found = missing_for_close(ready_to_close(required_equipment=two).order)
        assert [problem.detail for problem in found] == ["Scan and fit the ONT"]

    def test_a_photo_and_a_signature_complete_it(self):
        now = ready_to_close(photos_required=1, signature_required=True)
        for command in (evidence(), evidence(EvidenceKind.SIGNATURE, signer="Liisa")):
            now = decide(command, now, NOON).after
        assert missing_for_close(now.order) == ()
        assert decide(CLOSE, now, NOON).after.order.state is S.COMPLETED


class TestGivingUp:
    def test_books_used_parts_and_puts_fitted_devices_back(self):
        command = cmd.CannotComplete(
            work_order_id=JOB, reason=UnfinishedReason.NETWORK_FAULT, text="No light in the cabinet"
        )
        decision = decide(command, ready_to_close(), NOON)
        cable = StockMove(sku="CABLE", quantity=18, source_id=ANAS_VAN, target_id=HOME)
        assert decision.events == (
            ev.NoteAdded(note=Note(author_id=ANA, text="No light in the cabinet", at=NOON)),
            ev.WorkOrderUnfinished(
                at=NOON, technician_id=ANA, reason=UnfinishedReason.NETWORK_FAULT, moves=(cable,)
            ),
        )
        after = decision.after
        assert (after.order.state, after.order.unfinished_reason) == (
            S.UNFINISHED,
            UnfinishedReason.NETWORK_FAULT,
        )
        assert after.assets["ANA0001"] == a_device(), "still on the van, and free again"

    def test_a_removed_device_comes_along_all_the_same(self):
        now = decide(remove(), ready_to_close(), NOON).after
        command = cmd.CannotComplete(work_order_id=JOB, reason=UnfinishedReason.UNSAFE)
        [event] = events(command, now)
        assert [move.serial for move in event.moves] == [None, "OLD0001"]

    def test_with_more_words_than_a_note_holds_is_refused(self):
        command = cmd.CannotComplete(work_order_id=JOB, reason=UnfinishedReason.UNSAFE, text="x" * 4_001)
        assert refusal(command, ready_to_close()) == (
            problems.BadValue,
            "A note holds 4000 characters, this has 4001",
            "text",
        )


class TestAVanIsNeeded:
    def test_a_move_from_a_place_to_itself_is_our_own_mistake(self):
        with pytest.raises(ValueError, match="must change its place"):
            StockMove(sku="CABLE", quantity=1, source_id=HOME, target_id=HOME)
        with pytest.raises(ValueError, match="needs a positive quantity, got 0"):
            StockMove(sku="CABLE", quantity=0, source_id=HOME, target_id=UUID(int=9))
