"""More work here: another visit is asked for without any network."""

from __future__ import annotations

from day_of_work import uid

from mobile.state import job_route
from mobile.views.found import asked_lines
from shared.commands import Arrive, UseParts
from shared.work_orders import PartLine, WorkOrderKind

INSTALL = uid(0x101)


class TestMoreWorkHere:
    def test_is_saved_and_waits_for_the_office(self, open_app, gateway, desk):
        screen = open_app(job_route(INSTALL))
        screen.tap("More work here")
        screen.tap("Swap device")
        screen.type_into("What is to be done?", "The set-top box is broken")
        screen.tap("45 min")
        screen.tap("Ask for this visit")

        [visit] = gateway.order(INSTALL).asked_for
        assert (visit.kind, visit.summary, visit.expected_minutes, visit.follow_up, visit.parts) == (
            WorkOrderKind.SWAP,
            "The set-top box is broken",
            45,
            False,
            (),
        )
        assert desk.shell.route == job_route(INSTALL)
        assert screen.sees("Asked for another visit: Swap device. Saved on this device")
        assert screen.sees("Swap device: The set-top box is broken (waiting for the office)")
        assert gateway.queue()[0].title == "Asked for another visit: Swap device"

    def test_that_goes_on_with_the_same_work_brings_what_is_not_used_yet(self, open_app, gateway):
        planned = gateway.order(INSTALL).required_parts
        gateway.send(Arrive(work_order_id=INSTALL))
        gateway.send(UseParts(work_order_id=INSTALL, lines=planned[:1]))
        screen = open_app(job_route(INSTALL, "more"))
        screen.tap("The same work goes on")
        screen.type_into("What is to be done?", "Second socket")
        screen.tap("Ask for this visit")

        [visit] = gateway.order(INSTALL).asked_for
        assert (visit.kind, visit.follow_up, visit.parts) == (WorkOrderKind.REPAIR, True, planned[1:])

    def test_can_be_said_when_something_is_to_be_done(self, open_app, gateway):
        screen = open_app(job_route(INSTALL, "more"))
        assert screen._find("Say what is to be done").disabled
        screen.type_into("What is to be done?", "  ")
        assert screen._find("Say what is to be done").disabled
        assert gateway.order(INSTALL).asked_for == ()

    def test_takes_along_what_was_missing(self, open_app, gateway, desk):
        order = gateway.order(INSTALL)
        planned = {line.sku: line.quantity for line in order.required_parts}
        screen = open_app(job_route(INSTALL, "cannot"))
        screen.tap("A part is missing")
        screen.tap("Report, and ask for a follow-up visit")
        assert desk.shell.route == job_route(INSTALL, "more")
        screen.type_into("What is to be done?", "Go on from the cellar")
        screen.tap("Ask for this visit")

        [visit] = gateway.order(INSTALL).asked_for
        assert (visit.kind, visit.follow_up) == (WorkOrderKind.INSTALL, True)
        assert visit.parts == tuple(PartLine(sku=sku, quantity=count) for sku, count in planned.items())
        [wanted] = [item for item in gateway.queue() if item.type == "ask_for_visit"]
        assert wanted.state == "saved"
        assert asked_lines(gateway.order(INSTALL), {visit.order_id}) == (
            "New connection: Go on from the cellar (waiting for the office)",
        )
        assert asked_lines(gateway.order(INSTALL), ()) == (
            f"New connection: Go on from the cellar ({order.number}-2)",
        )
