"""The last look before the close: what was done, and what happens next."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import line, mood_box, section, with_icon
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary, tappable
from mobile.rule_words import said
from mobile.screens.guard import gone, not_on_site
from mobile.screens.job import price_warning
from mobile.state import Desk
from mobile.views.job import parts_unbooked, place_of, steps
from mobile.views.quantities import counted
from shared.commands import CloseWorkOrder
from shared.problems import Problem
from shared.work_orders import WorkOrder


@ft.component
def Close(desk: Desk, order_id: UUID) -> ft.Control:
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.CLOSE)
    if refusal := not_on_site(desk, order, words.CLOSE):
        return refusal

    def close() -> None:
        version = order.checklist.version if order.checklist else None
        can_ask = desk.gateway.price_now(order_id) is not None  # without a price nobody could be asked
        command = CloseWorkOrder(work_order_id=order_id, checklist_version=version, can_ask=can_ask)
        if desk.send(command, said=words.closed(order.number)):
            done = desk.gateway.order(order_id)
            if done and done.bill and done.bill.shown:
                desk.open_job(order_id, "receipt")
            else:
                desk.go("/")

    missing = desk.gateway.missing(order_id)
    body: list[ft.Control] = []
    if missing:
        body.append(section(words.STILL_MISSING, *(_missing(desk, order, problem) for problem in missing)))
    if unbooked := parts_unbooked(order, desk.gateway.product):
        body.append(mood_box("\n".join(unbooked), "warn", heading=words.PLANNED_NOT_BOOKED))
        body.append(
            secondary(
                words.BOOK_PARTS, lambda: desk.open_job(order_id, "parts"), icon=ft.Icons.ADD_CIRCLE_OUTLINE
            )
        )
    body += price_warning(desk, order)
    body.append(_done(desk, order))
    after = [with_icon(ft.Icons.ARROW_RIGHT, line(text)) for text in words.after_close(order.kind)]
    body.append(section(words.WHAT_NEXT, *after))
    return frame(
        desk,
        words.CLOSE,
        body,
        second=words.listed([order.number, f"{order.place.street} {order.place.house_number}"]),
        back=True,
        bottom=[primary(words.CLOSE_JOB, close, icon=ft.Icons.CHECK_CIRCLE, disabled=bool(missing))],
    )


def _missing(desk: Desk, order: WorkOrder, problem: Problem) -> ft.Control:
    """A line that leads to where it is done."""
    text, screen = said(problem.detail), place_of(problem, order)

    def go() -> None:
        if screen == "checks" and problem.field:
            desk.open_item(order.id, problem.field)
        else:
            desk.open_job(order.id, screen)

    row = ft.Row(
        [
            ft.Icon(ft.Icons.WARNING_AMBER, size=28, color=theme.WARN),
            ft.Text(text, size=theme.BODY, color=theme.INK, expand=True),
            ft.Icon(ft.Icons.CHEVRON_RIGHT, size=24, color=theme.QUIET),
        ],
        spacing=12,
    )
    shown = ft.Container(
        content=row,
        padding=ft.Padding.symmetric(vertical=11),
        border=ft.Border.only(top=ft.BorderSide(theme.THIN, theme.LINE)),
    )
    return tappable(shown, text, go, radius=0)


def _done(desk: Desk, order: WorkOrder) -> ft.Control:
    lookup = desk.gateway.product
    rows: list[ft.Control] = []
    for step in steps(order, lookup):
        if step.done and step.screen != "parts":
            both = ft.Column(
                [line(step.title, quiet=True, size=theme.SMALL), line(step.detail, bold=True)], spacing=0
            )
            rows.append(with_icon(ft.Icons.CHECK_CIRCLE, both, color=theme.GOOD))
    for sku in dict.fromkeys(part.sku for part in order.parts):
        used = line(counted(order.used(sku), lookup(sku), sku))
        rows.append(with_icon(ft.Icons.CHECK_CIRCLE, used, color=theme.GOOD))
    return section(words.DONE_HERE, *(rows or [line(words.NOT_YET)]))
