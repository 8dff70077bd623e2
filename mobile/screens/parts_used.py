"""Parts from the van: steppers, and metres one can type."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.gateway import StockView
from mobile.parts.blocks import card, facts, line, mood_box, section, title
from mobile.parts.drafts import use_draft
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import primary, secondary
from mobile.screens.guard import gone, not_on_site
from mobile.state import Desk
from mobile.views.quantities import by_the_metre, quantity
from mobile.views.stock import parts_to_offer
from shared.catalogue import Product
from shared.commands import TakeBackParts, UseParts
from shared.work_orders import PartLine, WorkOrder


@ft.component
def PartsUsed(desk: Desk, order_id: UUID) -> ft.Control:
    chosen, set_chosen = use_draft(desk, "chosen", {})
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.PARTS)
    if refusal := not_on_site(desk, order, words.PARTS):
        return refusal

    def choose(sku: str, count: int | str) -> None:
        set_chosen({**desk.draft("chosen", {}), sku: count})

    def save() -> None:
        lines = tuple(
            PartLine(sku=sku, quantity=count) for sku, count in desk.draft("chosen", {}).items() if count
        )
        if desk.send(UseParts(work_order_id=order_id, lines=lines)):
            desk.drop_drafts()
            desk.open_job(order_id)

    body: list[ft.Control] = _used(desk, order)
    groups = parts_to_offer(desk.gateway.van_stock(), [line.sku for line in order.required_parts])
    for name, views in groups:
        body.append(title(name))
        body += [_row(view, order, chosen.get(view.product.sku, 0), choose) for view in views]
    count = sum(bool(count) for count in chosen.values())
    unreadable = any(isinstance(count, str) for count in chosen.values())
    return frame(
        desk,
        words.PARTS,
        body or [line(words.NO_PARTS)],
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=[primary(words.save_parts(count), save, icon=ft.Icons.SAVE, disabled=not count or unreadable)],
    )


def _used(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What this visit has counted, each with the way back: it is booked only at the close."""
    skus = dict.fromkeys(item.sku for item in order.parts if order.unbooked(item.sku))
    rows = [_used_row(desk, order, product) for sku in skus if (product := desk.gateway.product(sku))]
    return [section(words.USED_HERE, *rows)] if rows else []


def _used_row(desk: Desk, order: WorkOrder, product: Product) -> ft.Control:
    used = order.unbooked(product.sku)
    undo = TakeBackParts(work_order_id=order.id, lines=(PartLine(sku=product.sku, quantity=used),))
    label = words.take_back(quantity(used, product), product.name)
    return secondary(label, lambda: desk.send(undo), icon=ft.Icons.UNDO)


def _row(view: StockView, order: WorkOrder, count: int | str, choose) -> ft.Control:  # type: ignore[no-untyped-def]
    product = view.product
    said = [words.on_van(quantity(view.left, product))]
    planned = sum(line.quantity for line in order.required_parts if line.sku == product.sku)
    if planned:
        said.insert(0, words.planned(quantity(planned, product)))
    if used := order.used(product.sku):
        said.append(words.used_here(quantity(used, product)))
    metres = by_the_metre(product)
    refusal: list[ft.Control] = []
    if isinstance(count, str):
        refusal.append(mood_box(words.not_whole(count, by_the_metre=metres), "bad"))
    return card(
        ft.Text(product.name, size=theme.BODY, weight=ft.FontWeight.W_600),
        facts(said),
        stepper(
            product.name, count, words.METRE if metres else "", lambda number: choose(product.sku, number)
        ),
        *refusal,
        edge=theme.ACCENT if count else theme.LINE,
    )
