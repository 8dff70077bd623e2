"""The phone is turned round: what the visit costs, in the customer's language, and their answer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.signature import signature_png
from mobile.language import spoken
from mobile.parts.blocks import card, line, mood_box
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.signature_pad import PAD_HEIGHT, SignaturePad, Strokes
from mobile.parts.touch import primary, secondary
from mobile.parts.turned import amount_row, fitting, turned, use_direction
from mobile.screens.guard import gone
from mobile.screens.sign import WIDTH_UNKNOWN
from mobile.state import Desk
from mobile.views.price import as_shown, price_view
from shared.money import Money
from shared.visit_rules import CONTACT_LENGTH_MAX

SIDES = 60  # pixels left and right of the amount, with the card's own
NOT_SIGNED: tuple[Money | None, Strokes] = (None, ())
"""To which total, and what was drawn."""


@ft.component
def Price(desk: Desk, order_id: UUID) -> ft.Control:
    refusal, set_refusal = ft.use_state(None)
    width = ft.use_ref(WIDTH_UNKNOWN)
    done = ft.use_ref(False)  # two quick taps are one answer
    gateway = desk.gateway
    order, bill = gateway.order(order_id), gateway.price_before(order_id)
    name, set_name = use_draft(desk, "name", order.contact.name if order else "")
    signed, set_signed = use_draft(desk, "signed", NOT_SIGNED)
    profile = gateway.profile
    view = None
    if order and bill and profile and profile.tax_basis_points is not None:
        tariffs, tax = gateway.images.tariffs, profile.tax_basis_points
        view = price_view(order, bill, tariffs, tax, gateway.product, desk.true_now, desk.zone)
    use_direction(view.right_to_left if view else spoken().right_to_left)
    if order is None:
        return gone(desk, words.PRICE)
    if view is None or bill is None:
        return frame(desk, words.PRICE, [mood_box(words.PRICE_UNKNOWN, "warn")], back=True)

    # A signature is to the price that was read: another price is signed anew.
    strokes = signed[1] if signed[0] == bill.total else ()

    def change(draw: Callable[[Strokes], Strokes]) -> None:
        total, now = desk.draft("signed", NOT_SIGNED)
        set_signed((bill.total, draw(now if total == bill.total else ())))

    def size(pixels: float) -> None:
        width.current = pixels

    def answer(*, refused: bool) -> None:
        if done.current:
            return
        named = desk.draft("name", name)
        if not refused and not named.strip():
            desk.tell(view.name_missing, "bad")
            set_refusal(desk.shell.notice)
            return
        png = b""
        if strokes:
            png = signature_png(strokes, width=max(round(width.current), 1), height=PAD_HEIGHT)
        shown = as_shown(order, bill, gateway.product)

        def write() -> object:
            return gateway.answer_price(order_id, shown, named, view.language, refused=refused, png=png)

        outcome = words.ANSWER_REFUSED if refused else words.ANSWER_AGREED
        if desk.keep(write, said=f"{outcome}. {words.SAVED}"):
            done.current = True
            desk.drop_drafts()
            desk.open_job(order_id)
        else:
            set_refusal(desk.shell.notice)

    body: list[ft.Control] = [_total(view.heading, view.total, desk.shell.width - SIDES)]
    if view.rows:
        body.append(card(*(amount_row(what, amount) for what, amount in view.rows), *_tax(view.tax)))
    body.append(card(*(line(note) for note in view.notes)))
    if view.answer:
        body.append(mood_box(view.answer, "calm"))
    if bill.total.minor <= 0:  # nobody needs to agree to that
        return turned(desk, view.title, body, second=view.work, refusal=refusal)
    body += [
        text_field(view.name, name, on_change=set_name, max_length=CONTACT_LENGTH_MAX, counter=""),
        SignaturePad(strokes, change, size, view.sign),
        secondary(view.clear, lambda: change(lambda _now: ()), icon=ft.Icons.CLEAR, disabled=not strokes),
    ]
    return turned(
        desk,
        view.title,
        body,
        second=view.work,
        refusal=refusal,
        bottom=[
            secondary(view.disagree, lambda: answer(refused=True), icon=ft.Icons.CLOSE, danger=True),
            primary(view.agree, lambda: answer(refused=False), icon=ft.Icons.CHECK),
        ],
    )


def _total(heading: str, total: str, width: float) -> ft.Control:
    said = [ft.Text(heading, size=theme.BODY if total else theme.TITLE, weight=ft.FontWeight.W_600)]
    if total:
        said.append(ft.Text(total, size=fitting(total, theme.HUGE + 10, width), weight=ft.FontWeight.W_700))
    return ft.Semantics(
        content=card(*said), label=f"{heading} {total}".strip(), container=True, exclude_semantics=True
    )


def _tax(text: str) -> list[ft.Control]:
    return [line(text, quiet=True, size=theme.SMALL)] if text else []
