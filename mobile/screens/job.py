"""One visit: where, who, what, and the next step as one big button."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.language import as_written, money
from mobile.parts.arrival import arrival, arrive
from mobile.parts.blocks import card, facts, line, mood_box, section, side_by_side, tag, with_icon
from mobile.parts.chart import ReadingsChart
from mobile.parts.check_list import check_list
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary
from mobile.state import Desk
from mobile.views.found import asked_lines
from mobile.views.job import NextStep, next_step, steps
from mobile.views.network_faults import fault_line
from mobile.views.parts_asked import lacking
from mobile.views.place import VisitLine, lot_warnings, map_address, place_view
from mobile.views.quantities import product_name
from mobile.views.swap import hanging, swaps
from mobile.views.today import bring_list, lateness
from mobile.views.today import facts as job_facts
from shared.agreed import answer_that_counts
from shared.commands import ResumeWork, StartTravel
from shared.work_orders import WorkOrder, WorkOrderState

ICONS = {
    "start_travel": ft.Icons.NEAR_ME,
    "arrive": ft.Icons.PLACE,
    "resume": ft.Icons.PLAY_ARROW,
    "open": ft.Icons.ARROW_FORWARD,
    "back": ft.Icons.LIST,
}

CHART_SIDES = 56  # pixels of the screen left and right of the chart, together


@ft.component
def Job(desk: Desk, order_id: UUID) -> ft.Control:
    order = desk.gateway.order(order_id)
    if order is None:
        return frame(desk, words.TODAY, [mood_box(words.JOB_GONE, "warn")], back=True)
    lookup = desk.gateway.product
    checklist = steps(order, lookup)
    button = next_step(order, checklist)
    body = [
        _place(desk, order),
        _work(desk, order),
    ]
    body[:0] = _warnings(desk, order)
    if order.state is WorkOrderState.ON_SITE and order.consents:
        body[:0] = price_warning(desk, order)
    body += _price(desk, order)
    body += _known(desk, order)
    if not order.state.is_over:
        rows = check_list(checklist, lambda screen: desk.open_job(order.id, screen))
        first = 0 if order.state is WorkOrderState.ON_SITE else len(body)
        body.insert(first, section(words.TO_CLOSE, *rows))
    if (pause := order.pause) is not None:
        text = words.paused_since(desk.clock(pause.started_at), pause.reason)
        body.insert(0, mood_box(text, "warn", icon=ft.Icons.PAUSE_CIRCLE_OUTLINE))
    if order.travel_started_at or order.arrived_at:
        body.append(
            secondary(words.VISIT_TIMES, lambda: desk.open_job(order.id, "time"), icon=ft.Icons.SCHEDULE)
        )
    body += _asked_for(desk, order)
    body.append(_notes(desk, order))
    if not order.state.is_over:
        body.append(
            side_by_side(
                secondary(words.ADD_NOTE, lambda: desk.open_job(order.id, "note"), icon=ft.Icons.EDIT_NOTE),
                secondary(words.CANNOT, lambda: desk.open_job(order.id, "cannot"), danger=True),
            )
        )
    body.append(secondary(words.MORE_WORK, lambda: desk.open_job(order.id, "more"), icon=ft.Icons.ADD_TASK))
    if order.place.cabinet:
        report = secondary(
            words.REPORT_FAULT, lambda: desk.open_job(order.id, "fault"), icon=ft.Icons.REPORT_OUTLINED
        )
        body.append(report)
    body.append(ft.Container(height=4))
    return frame(
        desk,
        words.KINDS[order.kind],
        body,
        second=words.listed([order.number, words.STATES[order.state]]),
        back=desk.shell.width < theme.WIDE,
        bottom=[
            *_pause(desk, order),
            primary(button.text, lambda: press(desk, order, button), icon=ICONS[button.action]),
        ],
    )


def _pause(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    if order.pause is not None or not order.state.is_under_way:
        return []
    return [secondary(words.PAUSE, lambda: desk.open_job(order.id, "pause"), icon=ft.Icons.PAUSE)]


def press(desk: Desk, order: WorkOrder, button: NextStep) -> None:
    """What the big button does."""
    match button.action:
        case "start_travel":
            desk.send(
                StartTravel(work_order_id=order.id),
                said=f"{words.STATES[WorkOrderState.TRAVELLING]}. {words.SAVED}",
            )
        case "arrive":
            arrive(desk, order)
        case "resume":
            desk.send(ResumeWork(work_order_id=order.id), said=f"{words.DONE['resume_work']}. {words.SAVED}")
        case "open":
            desk.dismiss()
            desk.open_job(order.id, button.screen)
        case "back":
            desk.back()


def _warnings(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    boxes: list[ft.Control] = []
    profile = desk.gateway.profile
    if profile and order.technician_id != profile.technician_id and not order.state.is_over:
        boxes.append(mood_box(words.CHANGED_HANDS, "warn"))
    if (there := desk.reached) and there.id == order.id:
        boxes.append(arrival(desk, order))
    if late := lateness(order, desk.true_now, desk.zone, travels_now=True):
        boxes.append(mood_box(late, "bad"))
    if not order.state.is_over:
        devices = [*desk.gateway.devices_at(order.place.id), *desk.gateway.devices_on_van()]
        boxes += [
            mood_box(text, "warn", heading=words.LOT_WARNING)
            for text in lot_warnings(order, devices, desk.gateway.product)
        ]
    return boxes


def price_warning(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What the visit costs above what its customer agreed to, and the way to ask them again."""
    more = desk.gateway.not_agreed(order.id)
    if more is None:
        return []
    heading = words.more_than_agreed(money(more))

    def ask() -> None:
        desk.dismiss()
        desk.open_job(order.id, "price")

    return [
        mood_box(words.NOT_AGREED_MORE, "warn", heading=heading),
        secondary(words.ASK_CUSTOMER, ask, icon=ft.Icons.RECORD_VOICE_OVER),
    ]


def _price(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What the customer will pay and said to it; once it is done, the receipt."""
    if order.state is WorkOrderState.COMPLETED:
        return [
            secondary(
                words.SHOW_RECEIPT, lambda: desk.open_job(order.id, "receipt"), icon=ft.Icons.RECEIPT_LONG
            )
        ]
    bill = None if order.state.is_over else desk.gateway.price_before(order.id)
    if bill is None:
        return []
    stands = answer_that_counts(order)
    if bill.total.minor <= 0:
        text = words.NOTHING_CHARGED
    elif stands is None:
        text = words.not_asked(money(bill.total))
    elif stands.refused:
        text = words.price_refused(money(stands.bill.total))
    else:
        text = words.price_agreed(money(stands.bill.total), stands.name)

    def show() -> None:
        desk.dismiss()
        desk.open_job(order.id, "price")

    shown = secondary(words.SHOW_PRICE, show, icon=ft.Icons.PAYMENTS_OUTLINED)
    return [section(words.PRICE, line(text, bold=True), shown)]


def _place(desk: Desk, order: WorkOrder) -> ft.Control:
    place = order.place
    address = ft.Column(
        [
            ft.Text(f"{place.street} {place.house_number}", size=theme.TITLE, weight=ft.FontWeight.W_700),
            line(as_written(f"{place.postcode} {place.city}".strip()), quiet=True),
        ],
        spacing=0,
    )
    lines: list[ft.Control] = [with_icon(ft.Icons.PLACE, address)]
    if place.access_notes:
        lines.append(
            ft.Container(
                content=with_icon(ft.Icons.KEY, line(place.access_notes, bold=True), color=theme.WARN),
                bgcolor=theme.WARN_BACK,
                border_radius=10,
                padding=12,
            )
        )
    if place.cabinet:
        lines.append(with_icon(ft.Icons.HUB_OUTLINED, line(f"{words.CABINET} {as_written(place.cabinet)}")))
    contact = order.contact
    lines.append(
        with_icon(ft.Icons.PERSON_OUTLINE, line(f"{contact.name}\n{as_written(contact.phone)}".strip()))
    )
    buttons = [secondary(words.MAP, icon=ft.Icons.MAP_OUTLINED, url=map_address(place, apple=desk.apple))]
    if contact.phone:
        number = "".join(character for character in contact.phone if character in "+0123456789")
        buttons.append(secondary(words.CALL, icon=ft.Icons.CALL, url=f"tel:{number}"))
        message = secondary(words.MESSAGE, icon=ft.Icons.SMS_OUTLINED, url=f"sms:{number}")
        lines += [side_by_side(*buttons), message]
    else:
        lines.append(side_by_side(*buttons))
    return card(*lines)


def _work(desk: Desk, order: WorkOrder) -> ft.Control:
    lookup = desk.gateway.product
    there = desk.gateway.devices_at(order.place.id)
    known = {device.serial for device in there}
    installed = [
        words.fitted(device.serial, product_name(lookup(device.sku), device.sku)) for device in there
    ]
    installed += [serial for serial in order.on_site_serials if serial not in known]
    bring = bring_list(order, lookup)
    ask: list[ft.Control] = []
    if not order.state.is_over and lacking(order, desk.gateway.van_stock()):
        wanted = secondary(
            words.ASK_PART, lambda: desk.open_job(order.id, "ask"), icon=ft.Icons.FRONT_HAND_OUTLINED
        )
        ask = [
            tag(words.PART_MISSING, ink=theme.BAD, back=theme.BAD_BACK, icon=ft.Icons.WARNING_AMBER),
            wanted,
        ]
    swap: list[ft.Control] = []
    waits = swaps(order)  # then the big button leads there
    if order.state is WorkOrderState.ON_SITE and hanging(order, there, lookup) and not waits:
        swap = [secondary(words.SWAP, lambda: desk.open_job(order.id, "swap"), icon=ft.Icons.SWAP_HORIZ)]
    return section(
        words.WORK,
        line(order.summary, bold=True),
        line(words.plan(order.service.plan_name, order.service.down_mbps)),
        facts(job_facts(order, desk.zone)),
        ft.Divider(height=theme.THIN, color=theme.LINE),
        line(words.BRING, quiet=True, size=theme.SMALL),
        *(line(text) for text in bring or (words.NOTHING_TO_BRING,)),
        *ask,
        ft.Divider(height=theme.THIN, color=theme.LINE),
        line(words.ON_SITE_NOW, quiet=True, size=theme.SMALL),
        *(line(text) for text in installed or (words.NOTHING_INSTALLED,)),
        *swap,
    )


def _known(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What the office's records say of this place."""
    brief = desk.gateway.brief(order.place.id)
    if brief is None:
        return []
    view = place_view(order, brief, desk.true_now, desk.zone)
    parts: list[ft.Control] = []
    if brief.network_faults:
        parts.append(
            section(
                words.REPORTED_HERE,
                *(
                    with_icon(
                        ft.Icons.REPORT_OUTLINED,
                        line(fault_line(fault, desk.now(), desk.zone)),
                        color=theme.WARN if fault.safe else theme.BAD,
                    )
                    for fault in brief.network_faults
                ),
                *(line(fault.note, quiet=True) for fault in brief.network_faults if fault.note),
            )
        )
    if view.faults:
        parts.append(
            section(
                words.FAULTS_HERE,
                *(with_icon(ft.Icons.HUB_OUTLINED, line(text), color=theme.WARN) for text in view.faults),
                line(words.FAULTS_HINT, quiet=True, size=theme.SMALL),
            )
        )
    if view.others:
        parts.append(section(words.OTHER_JOBS, *(line(text) for text in view.others)))
    visits = [_visit(item) for item in view.visits] or [line(words.NO_VISITS, quiet=True)]
    if view.chart:
        band = line(view.chart.title, bold=True, size=theme.SMALL)
        width = min(desk.shell.width, theme.WIDE) - CHART_SIDES
        visits += [band, ReadingsChart(view.chart, width)]
    parts.append(section(words.VISITS_BEFORE, *visits))
    return parts


def _visit(item: VisitLine) -> ft.Control:
    rows: list[ft.Control] = [line(item.heading, bold=True), line(item.outcome)]
    if item.readings:
        rows.append(line(item.readings, quiet=True))
    return ft.Semantics(
        container=True, label=item.label, exclude_semantics=True, content=ft.Column(rows, spacing=1)
    )


def _asked_for(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """Other visits to this place that were asked for here."""
    if not order.asked_for:
        return []
    lines = asked_lines(order, desk.gateway.orders_waiting())
    return [section(words.ASKED_FOR, *(with_icon(ft.Icons.ADD_TASK, line(text)) for text in lines))]


def _notes(desk: Desk, order: WorkOrder) -> ft.Control:
    if not order.notes:
        return ft.Container(height=0)
    return section(
        words.NOTES,
        *(
            ft.Row([tag(desk.clock(note.at)), ft.Text(note.text, size=theme.BODY, expand=True)])
            for note in order.notes
        ),
    )
