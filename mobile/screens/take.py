"""Take stock from a colleague: read their code, say what is in hand, show the answer; without a network."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.scanner import scanner
from mobile.parts.blocks import card, facts, mood_box, title
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import choice, icon_button, primary, secondary
from mobile.queue_words import things
from mobile.screens.give import code_to_show, scan_code
from mobile.state import Desk
from mobile.views.handover import HeldOut, answer_of
from mobile.views.quantities import by_the_metre, quantity
from shared.stock_commands import TakeOver
from shared.work_orders import PartLine


@ft.component
def Take(desk: Desk) -> ft.Control:
    less, set_less = use_draft(desk, "less", {})  # what was changed of what is held out
    typed = ft.use_ref("")  # drawn by the field itself: a code is long, and no letter must wait for us
    device = scanner()
    held = desk.gateway.offered_to_me()

    def read(text: str) -> None:
        if text.strip() and desk.keep(lambda: desk.gateway.look_at_offer(text), said=words.OFFER_READ):
            typed.current = ""
            desk.drop_drafts()  # what was lowered of an offer before says nothing of this one
            set_less({})

    def type_key(text: str) -> None:
        typed.current = text

    async def scan() -> None:
        await scan_code(desk, device, words.OFFER_FIELD, read)

    if held is None:
        body: list[ft.Control] = [
            mood_box(words.TAKE_HOW, "calm"),
            text_field(
                words.OFFER_FIELD,
                typed.current,
                autocorrect=False,
                enable_suggestions=False,
                on_change=type_key,
                on_submit=lambda: read(typed.current),
                suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, lambda: read(typed.current)),
            ),
        ]
        camera = primary(words.SCAN_OFFER, scan, icon=ft.Icons.QR_CODE_SCANNER)
        return frame(desk, words.TAKE, body, back=True, bottom=[camera] if device.live else [])
    if command := desk.gateway.took(held.offer.id):
        return _answer(desk, command)

    def change(key: str, count: int | str) -> None:
        set_less({**desk.draft("less", {}), key: count})

    def accept() -> None:
        now = desk.draft("less", {})
        lines = tuple(
            PartLine(sku=one.sku, quantity=count)
            for one in held.offer.lines
            if (count := now.get(one.sku, one.quantity))
        )
        devices = tuple(one for one in held.offer.devices if now.get(one.serial, True))
        if desk.keep(lambda: desk.gateway.take_over(held, lines, devices)):
            desk.drop_drafts()
            set_less({})

    return _look(desk, held, less, change, accept)


def _look(desk: Desk, held: HeldOut, less, change, accept) -> ft.Control:  # type: ignore[no-untyped-def]
    offer, catalogue = held.offer, desk.gateway.catalogue
    body: list[ft.Control] = [mood_box(words.TAKE_LESS, "calm", heading=words.offered_by(held.giver))]
    for one in offer.lines:
        product, count = catalogue.get(one.sku), less.get(one.sku, one.quantity)
        name, metres = product.name if product else one.sku, by_the_metre(product)
        refusal = []
        if isinstance(count, str):
            refusal.append(mood_box(words.not_whole(count, by_the_metre=metres), "bad"))
        body.append(
            card(
                ft.Text(name, size=theme.BODY, weight=ft.FontWeight.W_600),
                facts([words.offered(quantity(one.quantity, product))]),
                stepper(
                    name,
                    count,
                    words.METRE if metres else "",
                    lambda number, sku=one.sku, most=one.quantity: change(
                        sku, number if isinstance(number, str) else min(number, most)
                    ),
                ),
                *refusal,
            )
        )
    if offer.devices:
        body.append(title(words.DEVICES))
    for one in offer.devices:
        [named], marked = things((), (one,), catalogue), less.get(one.serial, True)
        body.append(
            choice(named, named, marked, lambda serial=one.serial, marked=marked: change(serial, not marked))
        )
    body.append(
        secondary(
            words.NOT_NOW, lambda: desk.keep(desk.gateway.leave_offer, said=words.LEFT), icon=ft.Icons.CLOSE
        )
    )
    counts = [less.get(one.sku, one.quantity) for one in offer.lines]
    anything = any(counts) or any(less.get(one.serial, True) for one in offer.devices)
    ready = anything and not any(isinstance(count, str) for count in counts)
    button = primary(words.IN_HAND, accept, icon=ft.Icons.CHECK, disabled=not ready)
    return frame(desk, words.TAKE, body, back=True, bottom=[button])


def _answer(desk: Desk, command: TakeOver) -> ft.Control:
    transfer = command.transfer
    listed = words.listed(things(transfer.lines, transfer.devices, desk.gateway.catalogue))
    answer = answer_of(command, desk.gateway.technician_name or "")

    def done() -> None:
        if desk.write(desk.gateway.leave_offer):
            desk.go("/stock")

    body: list[ft.Control] = [
        mood_box(listed, "good", heading=words.ANSWER_HEADING),
        *code_to_show(answer.as_text(), words.ANSWER_CODE),
    ]
    return frame(desk, words.TAKE, body, back=True, bottom=[primary(words.SHOWN, done, icon=ft.Icons.CHECK)])
