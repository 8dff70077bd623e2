"""What was fetched at a depot is on this van from now on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.scanner import Reading, scanner
from mobile.parts.blocks import card, facts, line, mood_box, section
from mobile.parts.code_entry import use_code_entry
from mobile.parts.drafts import use_draft
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import icon_button, primary, secondary
from mobile.screens.give import scan_code
from mobile.state import Desk
from mobile.views.quantities import by_the_metre, counted, quantity
from shared.catalogue import Tracking
from shared.stock_commands import PickUpParts
from shared.transfers import HandedDevice
from shared.work_orders import PartLine


@ft.component
def Fetch(desk: Desk, request_id: UUID | None) -> ft.Control:
    gateway = desk.gateway
    request = gateway.images.part_requests.get(request_id) if request_id else None
    left = request.left if request else 0
    count, set_count = use_draft(desk, "count", left)
    serials, set_serials = use_draft(desk, "serials", ())
    done = ft.use_ref(False)  # two quick taps are one pick-up
    device = scanner()
    entry = use_code_entry(desk, lambda reading: enter(reading))
    if request is None:
        return frame(desk, words.FETCHED, [mood_box(words.REQUEST_GONE, "warn")], back=True)
    product, sku = gateway.product(request.sku), request.sku
    by_serial = product is not None and product.tracking is Tracking.SERIALISED

    def read(text: str) -> None:
        serial = gateway.serial_of(text)
        known = desk.draft("serials", ())
        if serial is None:
            desk.tell(words.NO_DEVICE, "calm")
        elif serial not in known:
            set_serials((*known, serial))

    def remove(serial: str) -> None:
        set_serials(tuple(one for one in desk.draft("serials", ()) if one != serial))

    async def scan() -> None:
        await scan_code(desk, device, words.FETCH_DEVICES, read)

    def enter(reading: Reading) -> None:
        read(reading.identifier + reading.text)
        entry.clear()

    def put() -> None:
        if done.current:
            return
        lines = () if by_serial else (PartLine(sku=sku, quantity=desk.draft("count", left)),)
        devices = tuple(HandedDevice(serial=serial, sku=sku) for serial in desk.draft("serials", ()))
        command = PickUpParts(depot_id=request.holder_id, lines=lines, devices=devices)
        if desk.send(command):
            done.current = True
            desk.drop_drafts()
            desk.go("/requests")

    name = product.name if product else sku
    wanted = words.you_asked(request.holder, counted(request.quantity, product, sku))
    body: list[ft.Control] = [line(wanted, bold=True)]
    if request.supplied:
        body.append(facts([words.came_so_far(quantity(request.supplied, product))]))
    if by_serial:
        rows = [_read(serial, remove) for serial in serials]
        camera = [secondary(words.SCAN_TITLE, scan, icon=ft.Icons.QR_CODE_SCANNER)] if device.live else []
        body.append(section(words.FETCH_DEVICES, *camera, entry.field("code", True), *rows))
        ready = bool(serials)
    else:
        metres = by_the_metre(product)
        refusal = (
            [mood_box(words.not_whole(count, by_the_metre=metres), "bad")] if isinstance(count, str) else []
        )
        body.append(
            card(line(name), stepper(name, count, words.METRE if metres else "", set_count), *refusal)
        )
        ready = isinstance(count, int) and count > 0
    bottom = [primary(words.PUT_ON_VAN, put, icon=ft.Icons.LOCAL_SHIPPING_OUTLINED, disabled=not ready)]
    return frame(desk, words.FETCHED, body, back=True, bottom=bottom)


def _read(serial: str, remove: Callable[[str], None]) -> ft.Control:
    text = ft.Text(serial, size=theme.BODY, expand=True)
    return ft.Row([text, icon_button(ft.Icons.CLOSE, words.remove(serial), lambda: remove(serial))])
