"""A swap: one device off, another up in its place, as one step. Each half keeps all of its own rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from situations import (
    ANA,
    ANAS_VAN,
    BEN,
    BENS_VAN,
    HOME,
    JOB,
    NOON,
    OTHER_HOME,
    OTHER_JOB,
    a_device,
    a_situation,
    installed,
)

from shared import commands as cmd
from shared import events as ev
from shared import problems
from shared.assets import Asset, AssetState
from shared.decide import Decision, decide
from shared.problems import Problem
from shared.situation import UNRECEIVED_PLACE, Situation
from shared.stock import StockMove
from shared.work_orders import (
    EquipmentNeed,
    FittedAsset,
    RemovalCause,
    RemovedAsset,
    ReportedStep,
    SplitOff,
    UnfinishedReason,
    WorkOrderState,
)

S = WorkOrderState
EASY = {"required_equipment": (), "required_checks": ()}
CLOSE = cmd.CloseWorkOrder(work_order_id=JOB)
TAKEN = RemovedAsset(serial="OLD0001", sku="ONT-A", reason="red lamp", cause=RemovalCause.NO_LIGHT)
HUNG = FittedAsset(serial="ANA0001", sku="ONT-A", source_id=ANAS_VAN, replaces="OLD0001")


def swap(old: str = "OLD0001", serial: str = "ANA0001", **more: object) -> cmd.SwapAsset:
    said: dict[str, object] = {"cause": RemovalCause.NO_LIGHT, "reason": "red lamp"}
    return cmd.SwapAsset(work_order_id=JOB, old_serial=old, serial=serial, source="camera", **said | more)  # type: ignore[arg-type]


def undo(old: str = "OLD0001", serial: str = "ANA0001") -> cmd.UndoSwap:
    return cmd.UndoSwap(work_order_id=JOB, old_serial=old, serial=serial)


def remove(serial: str = "OLD0001") -> cmd.RemoveAsset:
    return cmd.RemoveAsset(work_order_id=JOB, serial=serial, reason="red lamp", cause=RemovalCause.NO_LIGHT)


def install(serial: str = "ANA0001", **more: object) -> cmd.InstallAsset:
    return cmd.InstallAsset(work_order_id=JOB, serial=serial, source="camera", **more)  # type: ignore[arg-type]


def at_the_wall(*more: Asset, **order: object) -> Situation:
    """OLD0001 hangs there, ANA0001 is on Ana's van."""
    return a_situation(installed(), a_device(), *more, **order)  # type: ignore[arg-type]


def refusal(command: cmd.Command, now: Situation) -> tuple[type[Problem], str, str | None]:
    with pytest.raises(Problem) as refused:
        decide(command, now, NOON)
    return type(refused.value), refused.value.detail, refused.value.field


def swapped(**order: object) -> Situation:
    return decide(swap(), at_the_wall(**order), NOON).after


class TestASwap:
    def test_takes_one_off_and_hangs_up_the_other(self):
        decision = decide(swap(), at_the_wall(), NOON)
        assert decision.events == (ev.AssetRemoved(removed=TAKEN), ev.AssetFitted(fitted=HUNG))
        assert decision.remarks == ()
        assert (decision.after.order.removed, decision.after.order.fitted) == ((TAKEN,), (HUNG,))
        assert decision.after.assets["ANA0001"].claimed_by == JOB
        assert decision.after.assets["OLD0001"] == installed(), "it moves when the job closes"

    def test_is_booked_at_the_close_with_both_moves(self):
        [completed] = decide(CLOSE, swapped(**EASY), NOON).events
        assert completed.moves == (  # type: ignore[union-attr]
            StockMove(sku="ONT-A", quantity=1, source_id=ANAS_VAN, target_id=HOME, serial="ANA0001"),
            StockMove(sku="ONT-A", quantity=1, source_id=HOME, target_id=ANAS_VAN, serial="OLD0001"),
        )

    def test_of_an_older_app_has_words_and_no_cause(self):
        decision = decide(swap(cause=None), at_the_wall(), NOON)
        assert decision.after.order.removed == (
            RemovedAsset(serial="OLD0001", sku="ONT-A", reason="red lamp", cause=None),
        )

    def test_before_the_arrival_is_refused(self):
        assert refusal(swap(), at_the_wall(state=S.TRAVELLING)) == (
            problems.NotStarted,
            "Tap Arrived first",
            None,
        )


class TestTheOldOne:
    @pytest.mark.parametrize("device", [a_device("OLD0001"), installed(at=OTHER_HOME), None])
    def test_must_hang_here(self, device: Asset | None):
        now = a_situation(a_device(), *([device] if device else []), on_site_serials=("OLD0007",))
        assert refusal(swap(), now) == (
            problems.NotInstalledHere,
            "OLD0001 is not booked at this address (booked here: OLD0007)",
            "old_serial",
        )

    def test_can_t_be_the_new_one(self):
        assert refusal(swap(serial="OLD0001"), at_the_wall()) == (
            problems.BadValue,
            "OLD0001 is the device that comes off: scan the one that takes its place",
            "serial",
        )


class TestTheNewOne:
    def test_that_hangs_elsewhere_is_refused_and_the_old_one_stays(self):
        now = a_situation(installed(), installed("ANA0001", at=OTHER_HOME))
        kind, _, field = refusal(swap(), now)
        assert (kind, field) == (problems.SerialElsewhere, "serial")
        assert (now.order.removed, now.order.fitted) == ((), ())

    def test_that_another_job_claims_is_refused(self):
        now = a_situation(installed(), a_device(claimed_by=OTHER_JOB))
        assert refusal(swap(), now) == (
            problems.SerialElsewhere,
            "ANA0001 was fitted on another job: dispatch has to look at it",
            "serial",
        )

    def test_of_a_wrong_model_is_refused(self):
        now = a_situation(installed(), a_device(sku="ROUTER"))
        assert refusal(swap(), now)[::2] == (problems.WrongModel, "serial")

    def test_under_recall_is_refused(self):
        now = a_situation(installed(), a_device(state=AssetState.QUARANTINED))
        assert refusal(swap(), now)[::2] == (problems.AssetQuarantined, "serial")

    def test_from_a_colleagues_van_is_taken_once_it_is_confirmed(self):
        now = a_situation(installed(), a_device(holder_id=BENS_VAN, holder_name="Van ben"))
        assert refusal(swap(), now)[::2] == (problems.SerialElsewhere, "serial")
        decision = decide(swap(confirmed=True), now, NOON)
        assert [remark.slug for remark in decision.remarks] == ["taken-from-elsewhere"]
        assert [device.source_id for device in decision.after.order.fitted] == [BENS_VAN]

    def test_that_nobody_received_needs_its_model(self):
        now = a_situation(installed())
        assert refusal(swap(), now)[::2] == (problems.SerialUnknown, "serial")
        assert refusal(swap(confirmed=True), now)[::2] == (problems.BadValue, "sku")
        decision = decide(swap(confirmed=True, sku="ONT-B"), now, NOON)
        assert [remark.slug for remark in decision.remarks] == ["unreceived-serial"]
        assert decision.after.order.fitted == (
            FittedAsset(serial="ANA0001", sku="ONT-B", source_id=UNRECEIVED_PLACE, replaces="OLD0001"),
        )

    def test_with_another_label_is_refused(self):
        now = a_situation(installed(), a_device(mac="AC:12:2F:00:1B:9E"))
        assert refusal(swap(mac="AC:12:2F:00:1B:9F"), now)[::2] == (problems.BadValue, "mac")


class TestWhatWasDoneBefore:
    def test_both_change_nothing(self):
        decision = decide(swap(), swapped(), NOON)
        assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step="swap_asset"),)
        assert [remark.slug for remark in decision.remarks] == ["repeated-step"]

    def test_the_old_one_is_off_already(self):
        off = decide(remove(), at_the_wall(), NOON).after
        decision = decide(swap(), off, NOON)
        assert (decision.events, decision.remarks) == ((ev.AssetFitted(fitted=HUNG),), ())
        assert decision.after.order.removed == (TAKEN,)

    def test_the_new_one_hangs_already(self):
        up = decide(install(), at_the_wall(), NOON).after
        decision = decide(swap(), up, NOON)
        assert (decision.events, decision.remarks) == ((ev.AssetRemoved(removed=TAKEN),), ())

    def test_the_old_one_was_fitted_on_this_visit_in_the_place_of_another(self):
        """The new device is dead: a second one takes its place, and undoing brings the first of all back."""
        now = decide(swap(), at_the_wall(a_device("ANA0002")), NOON).after
        decision = decide(swap("ANA0001", "ANA0002"), now, NOON)
        assert decision.after.order.removed == (TAKEN,)
        assert decision.after.order.fitted == (
            FittedAsset(serial="ANA0002", sku="ONT-A", source_id=ANAS_VAN, replaces="OLD0001"),
        )
        assert decision.after.assets["ANA0001"] == a_device()
        back = decide(undo(serial="ANA0002"), decision.after, NOON).after
        assert (back.order.removed, back.order.fitted) == ((), ())

    def test_the_old_one_was_fitted_on_this_visit_in_no_ones_place(self):
        up = decide(install(), a_situation(a_device(), a_device("ANA0002")), NOON).after
        after = decide(swap("ANA0001", "ANA0002"), up, NOON).after
        assert after.order.fitted == (
            FittedAsset(serial="ANA0002", sku="ONT-A", source_id=ANAS_VAN, replaces=None),
        )

    def test_a_part_that_was_split_off_is_said_for_each_half(self):
        off = SplitOff(
            order_id=OTHER_JOB,
            number="WO-8",
            equipment=(EquipmentNeed(role="ONT", skus=("ONT-A",)),),
            removal=True,
        )
        decision = decide(swap(), at_the_wall(required_equipment=(), split_off=(off,)), NOON)
        assert [remark.slug for remark in decision.remarks] == ["split-done-whole", "split-done-whole"]


class TestUndoing:
    def test_brings_both_back(self):
        before = at_the_wall()
        decision = decide(undo(), swapped(), NOON)
        assert decision.events == (ev.AssetUnfitted(serial="ANA0001"), ev.AssetPutBack(serial="OLD0001"))
        assert (decision.after.order.removed, decision.after.order.fitted) == ((), ())
        assert decision.after.assets == before.assets

    def test_twice_changes_nothing(self):
        once = decide(undo(), swapped(), NOON).after
        decision = decide(undo(), once, NOON)
        assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step="undo_swap"),)
        assert [remark.slug for remark in decision.remarks] == ["repeated-step"]

    def test_goes_on_where_one_half_was_undone_by_an_older_app(self):
        half = decide(remove("ANA0001"), swapped(), NOON).after
        assert decide(undo(), half, NOON).events == (ev.AssetPutBack(serial="OLD0001"),)

    def test_of_a_device_that_never_came_off_leaves_both(self):
        now = decide(install(), a_situation(a_device()), NOON).after
        assert refusal(undo(), now) == (
            problems.NotInstalledHere,
            "OLD0001 was not taken off on this visit: scan it to fit it",
            "old_serial",
        )

    def test_before_the_arrival_is_refused(self):
        assert refusal(undo(), at_the_wall(state=S.ASSIGNED))[0] is problems.NotStarted


class TestOnAJobThatIsDone:
    """Beside the visit that stands; stock moves at once."""

    def done(self, *devices: Asset, **more: object) -> Situation:
        given = {"technician_id": BEN, "former_technician_ids": frozenset({ANA}), "state": S.COMPLETED}
        return a_situation(*devices, **given | more)  # type: ignore[arg-type]

    def swap(self, *more: Asset) -> Decision:
        return decide(swap(), self.done(installed(), a_device(), *more), NOON)

    def test_is_one_report_with_both_moves(self):
        decision = self.swap()
        [event] = decision.events
        assert event == ev.WorkReported(
            at=NOON,
            technician_id=ANA,
            step="swap_asset",
            fitted=(HUNG,),
            removed=(TAKEN,),
            moves=(
                StockMove(sku="ONT-A", quantity=1, source_id=HOME, target_id=ANAS_VAN, serial="OLD0001"),
                StockMove(sku="ONT-A", quantity=1, source_id=ANAS_VAN, target_id=HOME, serial="ANA0001"),
            ),
        )
        assert [remark.slug for remark in decision.remarks] == ["second-report"]
        places = {serial: asset.holder_id for serial, asset in decision.after.assets.items()}
        assert places == {"OLD0001": ANAS_VAN, "ANA0001": HOME}

    def test_twice_moves_nothing_more(self):
        decision = decide(swap(), self.swap().after, NOON)
        assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step="swap_asset"),)

    def test_is_undone_and_done_again_as_often_as_one_likes(self):
        now = self.swap().after
        for times in (1, 2):
            decision = decide(undo(), now, NOON)
            assert {move.serial for move in decision.events[0].moves} == {"OLD0001", "ANA0001"}  # type: ignore[union-attr]
            now = decision.after
            assert now.assets["OLD0001"].holder_id == HOME
            assert now.assets["ANA0001"].holder_id == ANAS_VAN
            [report] = now.order.reports
            assert [device.serial for device in report.removed] == ["ANA0001"] * times
            now = decide(swap(), now, NOON).after
            assert now.assets["OLD0001"].holder_id == ANAS_VAN
            assert now.assets["ANA0001"].holder_id == HOME
        steps = [step.step for report in now.order.reports for step in report.steps]
        assert steps == ["swap_asset", "undo_swap", "swap_asset", "undo_swap", "swap_asset"]

    def test_needs_both_halves_too(self):
        elsewhere = self.done(installed(), installed("ANA0001", at=OTHER_HOME))
        assert refusal(swap(), elsewhere)[::2] == (problems.SerialElsewhere, "serial")
        gone = self.done(a_device())
        assert refusal(swap(), gone)[::2] == (problems.NotInstalledHere, "old_serial")
        assert refusal(undo(), self.done(installed(at=OTHER_HOME)))[::2] == (
            problems.NotInstalledHere,
            "old_serial",
        )

    def test_of_what_the_first_visit_had_swapped_is_a_step_and_no_more(self):
        first = self.done(
            a_device("OLD0001", state=AssetState.RECOVERED, holder_id=BENS_VAN),
            installed("ANA0001"),
            removed=(TAKEN,),
            fitted=(HUNG,),
        )
        decision = decide(swap(), first, NOON)
        assert decision.events == (ev.WorkReported(at=NOON, technician_id=ANA, step="swap_asset"),)
        [report] = decision.after.order.reports
        assert report.steps == (ReportedStep(step="swap_asset", at=NOON),)


class TestACause:
    def test_of_a_fault_is_the_vendors_to_answer_for(self):
        assert {cause.value for cause in RemovalCause if not cause.is_fault} == {
            "upgrade",
            "customer_leaves",
            "other",
        }

    def test_is_kept_with_what_comes_off(self):
        decision = decide(remove(), a_situation(installed()), NOON)
        assert decision.events == (ev.AssetRemoved(removed=TAKEN),)

    def test_of_what_was_fitted_on_this_visit_says_whether_it_failed(self):
        up = decide(install(), a_situation(a_device()), NOON).after
        dead = RemovedAsset(serial="ANA0001", sku="ONT-A", reason="red lamp", cause=RemovalCause.NO_LIGHT)
        decision = decide(remove("ANA0001"), up, NOON)
        assert decision.events == (ev.AssetUnfitted(serial="ANA0001", failed=dead),)
        assert (decision.after.order.fitted, decision.after.order.failed) == ((), (dead,))
        assert decide(install(), decision.after, NOON).after.order.failed == (), "it works after all"
        by_mistake = cmd.RemoveAsset(work_order_id=JOB, serial="ANA0001", reason="", cause=RemovalCause.OTHER)
        assert decide(by_mistake, up, NOON).events == (ev.AssetUnfitted(serial="ANA0001"),)

    def test_sets_what_failed_aside_when_the_visit_ends(self):
        up = decide(install(), a_situation(a_device(), **EASY), NOON).after
        dead = decide(remove("ANA0001"), up, NOON).after
        assert dead.assets["ANA0001"] == a_device(), "nothing is booked before the close"
        closed = decide(CLOSE, dead, NOON)
        assert closed.events[0].moves == ()  # type: ignore[union-attr]
        assert closed.after.assets["ANA0001"] == a_device(state=AssetState.RECOVERED)
        assert [item.serial for item in closed.after.order.failed] == ["ANA0001"]
        left = cmd.CannotComplete(work_order_id=JOB, reason=UnfinishedReason.UNSAFE)
        unfinished = decide(left, dead, NOON).after
        assert unfinished.assets["ANA0001"].state is AssetState.RECOVERED
        assert unfinished.order.failed == (), "the next visit has its own"

    def test_leaves_one_alone_that_another_job_has_claimed_since(self):
        up = decide(install(), a_situation(a_device(), **EASY), NOON).after
        dead = decide(remove("ANA0001"), up, NOON).after
        taken = replace(dead, assets={"ANA0001": a_device(claimed_by=OTHER_JOB)})
        assert decide(CLOSE, taken, NOON).after.assets["ANA0001"] == a_device(claimed_by=OTHER_JOB)
