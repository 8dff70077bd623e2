"""Hand stock to a colleague: choose it, show a code, read the colleague's answer. No network is needed."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.scanner import Reading, ScanClosed, ScannerError, scanner
from mobile.gateway import StockView
from mobile.parts.blocks import card, facts, line, mood_box, section, title
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.qr import qr_code
from mobile.parts.stepper import stepper
from mobile.parts.touch import choice, icon_button, primary, secondary
from mobile.queue_words import things
from mobile.state import Desk
from mobile.views.handover import HeldOut
from mobile.views.quantities import by_the_metre, quantity
from shared.assets import AssetState
from shared.catalogue import Tracking
from shared.transfers import HandedDevice
from shared.work_orders import PartLine


@ft.component
def Give(desk: Desk) -> ft.Control:
    chosen, set_chosen = use_draft(desk, "chosen", {})  # SKU → how many, or what was typed
    picked, set_picked = use_draft(desk, "picked", frozenset())  # serials
    typed = ft.use_ref(
        ""
    )  # drawn by the field itself: a pasted code is long, and each letter is not waited for
    device = scanner()
    held = desk.gateway.held_out()

    def choose(sku: str, count: int | str) -> None:
        set_chosen({**desk.draft("chosen", {}), sku: count})

    def pick(serial: str) -> None:
        set_picked(desk.draft("picked", frozenset()) ^ {serial})

    def show() -> None:
        counts, serials = desk.draft("chosen", {}), desk.draft("picked", frozenset())
        lines = tuple(PartLine(sku=sku, quantity=count) for sku, count in counts.items() if count)
        devices = tuple(one for one in _devices(desk) if one.serial in serials)
        if desk.keep(lambda: desk.gateway.hold_out(lines, devices), said=words.OFFER_READY):
            desk.drop_drafts()
            set_chosen({})
            set_picked(frozenset())

    def read(text: str) -> None:
        if text.strip() and desk.keep(lambda: desk.gateway.hand_over(text), said=words.HANDED_OVER):
            desk.go("/stock")

    def type_key(text: str) -> None:
        typed.current = text

    async def scan() -> None:
        await scan_code(desk, device, words.ANSWER_FIELD, read)

    if held is not None:
        camera = scan if device.live else None
        return _shown(desk, held, typed.current, type_key, lambda: read(typed.current), camera)
    body: list[ft.Control] = [mood_box(words.GIVE_HOW, "calm")]
    views = desk.gateway.van_stock()
    parts = [view for view in views if view.product.tracking is Tracking.COUNTED and view.left > 0]
    if parts:
        body.append(title(words.COUNTED))
        body += [_part(view, chosen.get(view.product.sku, 0), choose) for view in parts]
    if devices := _devices(desk):
        body.append(title(words.DEVICES))
        for one in devices:
            [named], serial = things((), (one,), desk.gateway.catalogue), one.serial
            body.append(choice(named, named, serial in picked, lambda serial=serial: pick(serial)))
    if len(body) == 1:
        body = [line(words.STOCK_EMPTY)]
    unreadable = any(isinstance(count, str) for count in chosen.values())
    ready = bool(any(chosen.values()) or picked) and not unreadable
    button = primary(words.SHOW_OFFER, show, icon=ft.Icons.QR_CODE, disabled=not ready)
    return frame(desk, words.GIVE, body, back=True, bottom=[button])


def _devices(desk: Desk) -> list[HandedDevice]:
    """What lies on the van and may leave it."""
    free = (asset for asset in desk.gateway.devices_on_van() if asset.claimed_by is None)
    return [
        HandedDevice(serial=asset.serial, sku=asset.sku)
        for asset in free
        if asset.state is not AssetState.QUARANTINED
    ]


def _part(view: StockView, count: int | str, choose) -> ft.Control:  # type: ignore[no-untyped-def]
    product = view.product
    metres = by_the_metre(product)
    refusal = [mood_box(words.not_whole(count, by_the_metre=metres), "bad")] if isinstance(count, str) else []
    return card(
        ft.Text(product.name, size=theme.BODY, weight=ft.FontWeight.W_600),
        facts([words.on_van(quantity(view.left, product))]),
        stepper(
            product.name, count, words.METRE if metres else "", lambda number: choose(product.sku, number)
        ),
        *refusal,
        edge=theme.ACCENT if count else theme.LINE,
    )


def _shown(desk: Desk, held: HeldOut, typed: str, type_key, enter, scan) -> ft.Control:  # type: ignore[no-untyped-def]
    offer = held.offer
    listed = words.listed(things(offer.lines, offer.devices, desk.gateway.catalogue))

    def withdraw() -> None:
        desk.keep(desk.gateway.withdraw, said=words.WITHDRAWN)

    body: list[ft.Control] = [
        mood_box(listed, "calm", heading=words.OFFER_HEADING),
        *code_to_show(held.as_text(), words.OFFER_CODE),
        text_field(
            words.ANSWER_FIELD,
            typed,
            autocorrect=False,
            enable_suggestions=False,
            on_change=type_key,
            on_submit=enter,
            suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, enter),
        ),
        secondary(words.WITHDRAW, withdraw, icon=ft.Icons.CLOSE, danger=True),
    ]
    bottom = [primary(words.SCAN_ANSWER, scan, icon=ft.Icons.QR_CODE_SCANNER)] if scan else []
    return frame(desk, words.GIVE, body, back=True, bottom=bottom)


def code_to_show(text: str, name: str) -> list[ft.Control]:
    """The code as a picture, and as text that can be copied where no camera reads it."""
    # Flutter tells assistive technology no text that can be selected, so it is said once more.
    copied = ft.Semantics(
        content=ft.Text(text, size=theme.SMALL, selectable=True, rtl=False),
        label=text,
        container=True,
        exclude_semantics=True,
    )
    return [qr_code(text, name), section(words.CODE_AS_TEXT, copied)]


async def scan_code(desk: Desk, device, title: str, read) -> None:  # type: ignore[no-untyped-def]
    """Look for one code with the camera and hand its text to `read`."""
    try:
        found: tuple[Reading, ...] = await device.scan(title=title)
    except ScanClosed as closed:
        if closed.why != "cancelled":
            desk.tell(words.TYPE_INSTEAD if closed.why == "typed" else words.SCAN_TIMEOUT, "calm")
        return
    except ScannerError as error:
        desk.tell(str(error), "warn")
        return
    if found:
        read(found[0].text)
