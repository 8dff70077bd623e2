"""Ask for a part: which van or depot near by has it. All of it is on the device; no network is waited for."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.place import here
from mobile.parts.blocks import card, facts, line, mood_box, section
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import choice, primary, secondary, tappable
from mobile.state import Desk
from mobile.views.nearby import Position
from mobile.views.parts_asked import Holder, holders, parts_to_ask, where_from
from mobile.views.quantities import by_the_metre, counted, product_name
from shared.part_requests import NOTE_LENGTH_MAX
from shared.stock_commands import AskForPart


@ft.component
def AskPart(desk: Desk, order_id: UUID | None = None) -> ft.Control:
    gateway = desk.gateway
    order = gateway.order(order_id) if order_id else None
    supply = gateway.supply
    offered = parts_to_ask(order, gateway.van_stock(), supply)
    sku, set_sku = use_draft(desk, "sku", None)
    count, set_count = use_draft(desk, "count", 1)
    holder_id, set_holder = use_draft(desk, "holder", None)
    note, set_note = use_draft(desk, "note", "")
    position, set_position = ft.use_state(desk.position)
    done = ft.use_ref(False)  # two quick taps are one request
    ft.on_mounted(gateway.look_for_parts)
    product = gateway.product(sku) if sku else None
    found = holders(supply, sku, where_from(position, gateway.today()), product) if sku else []
    chosen = next((one for one in found if one.id == holder_id), None)

    def pick(new: str | None) -> None:
        set_sku(new)
        set_count(offered.get(new, 1) if new else 1)
        set_holder(None)

    def ask() -> None:
        if done.current:
            return
        command = AskForPart(
            request_id=gateway.mint(),
            sku=desk.draft("sku"),
            quantity=desk.draft("count", count),
            holder_id=desk.draft("holder"),
            for_order_id=order.id if order else None,
            note=desk.draft("note"),
        )
        things = counted(command.quantity, product, command.sku)
        if desk.send(command, said=f"{words.did_ask_part(things)}. {words.SAVED}"):
            done.current = True
            desk.drop_drafts()
            desk.go("/requests")

    async def locate() -> None:
        spot = await here()
        if spot is None:
            desk.tell(words.PLACE_REFUSED, "warn")
            return
        set_position(Position(lat=spot.lat, lon=spot.lon, accuracy_metres=spot.accuracy_m))

    body: list[ft.Control] = [_age(desk)]
    if sku is None:
        body.append(line(words.WHICH_PART, bold=True))
        body += [_part(desk, one, amount, lambda one=one: pick(one)) for one, amount in offered.items()]
    else:
        metres = by_the_metre(product)
        name = product.name if product else sku
        refusal = (
            [mood_box(words.not_whole(count, by_the_metre=metres), "bad")] if isinstance(count, str) else []
        )
        body.append(
            card(
                line(name, bold=True),
                line(product_name(product, sku), quiet=True, size=theme.SMALL),
                stepper(name, count, words.METRE if metres else "", set_count),
                *refusal,
                secondary(words.ANOTHER_PART, lambda: pick(None), icon=ft.Icons.SWAP_VERT),
                edge=theme.ACCENT,
            )
        )
        body += _who(found, chosen, set_holder, from_phone=position is not None)
        if found and position is None:
            body.append(secondary(words.USE_MY_PLACE, locate, icon=ft.Icons.MY_LOCATION))
        if found:
            body.append(
                text_field(
                    words.ASK_NOTE,
                    note,
                    multiline=True,
                    min_lines=1,
                    max_lines=3,
                    max_length=NOTE_LENGTH_MAX,
                    text_size=theme.BODY,
                    on_change=set_note,
                )
            )
            body.append(line(words.NO_PROMISE, quiet=True, size=theme.SMALL))
    ready = chosen is not None and isinstance(count, int) and count > 0
    bottom = [
        primary(
            words.ASK_PART if chosen else words.CHOOSE_WHOM, ask, icon=ft.Icons.FRONT_HAND, disabled=not ready
        )
    ]
    second = words.listed([order.number, order.place.street]) if order else ""
    return frame(desk, words.ASK_PART, body, second=second, back=True, bottom=bottom if found else [])


def _age(desk: Desk) -> ft.Control:
    supply = desk.gateway.supply
    if supply is None:
        return mood_box(words.SUPPLY_UNKNOWN, "calm")
    today = desk.now().astimezone(desk.zone).date()
    return line(
        words.known_at(words.clock_and_day(supply.known_at.astimezone(desk.zone), today)),
        quiet=True,
        size=theme.SMALL,
    )


def _part(desk: Desk, sku: str, amount: int, pick: Callable[[str], None]) -> ft.Control:
    product = desk.gateway.product(sku)
    name = counted(amount, product, sku)
    maker = product_name(product, sku)
    drawn = card(line(name, bold=True), line(maker, quiet=True, size=theme.SMALL))
    return tappable(drawn, words.listed([name, maker]), pick)


def _who(
    found: list[Holder], chosen: Holder | None, choose: Callable[[UUID], None], *, from_phone: bool
) -> list[ft.Control]:
    if not found:
        return [mood_box(words.NOBODY_HAS_IT, "warn")]
    rows: list[ft.Control] = []
    for one in found:
        rows.append(choice(one.name, one.label, one is chosen, lambda one=one: choose(one.id)))
        rows.append(facts(one.facts))
    hint = words.CROW_FLIGHT if from_phone else words.CROW_FLIGHT_FROM_STOP
    return [section(words.WHO_HAS_IT, *rows, line(hint, quiet=True, size=theme.SMALL))]
