"""Swap a device in one go: the one that comes off, the one that goes up, why, and a photo if one likes."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.gateway import ScanVerdict
from mobile.parts.blocks import line, section
from mobile.parts.drafts import use_draft
from mobile.parts.frame import frame
from mobile.parts.handled import model_choices, on_the_label, on_this_job, verdict_card, why_off
from mobile.parts.reading import use_reader
from mobile.parts.touch import choice, primary, secondary
from mobile.screens.guard import gone, not_on_site
from mobile.screens.photo import Taken, photo_and_spot
from mobile.state import Desk
from mobile.views.scan import Offer, offer
from mobile.views.swap import hanging


@ft.component
def Swap(desk: Desk, order_id: UUID) -> ft.Control:
    old, set_old = use_draft(desk, "old", "")
    new, set_new = use_draft(desk, "new", None)
    model, set_model = use_draft(desk, "model", "")
    cause, set_cause = use_draft(desk, "cause", None)
    reason, set_reason = use_draft(desk, "reason", "")
    photo, set_photo = use_draft(desk, "photo", None)
    busy, set_busy = ft.use_state(False)

    def show(found: ScanVerdict) -> None:
        """One that hangs here comes off, any other one goes up."""
        if offer(found) is Offer.REMOVE and found.serial:
            set_old(found.serial)
        else:
            set_model("")
            set_new(found)

    reader = use_reader(desk, order_id, show)
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.SWAP)
    if refusal := not_on_site(desk, order, words.SWAP):
        return refusal
    there = hanging(order, desk.gateway.devices_at(order.place.id), desk.gateway.product)
    serials = [device.serial for device in there]
    comes_off = old if old in serials else serials[0] if len(serials) == 1 else ""
    offering = offer(new) if new is not None else Offer.NOTHING
    fits = offering in (Offer.INSTALL, Offer.CONFIRM)

    async def again() -> None:
        """Another one goes up: the field is back, and so is the camera where there is one."""
        set_new(None)
        reader.clear()
        if reader.live:
            await reader.open_camera()

    async def take_photo() -> None:
        if taken := await photo_and_spot(desk, set_busy):
            set_photo(taken)

    def swap() -> None:
        if not comes_off:
            desk.tell(words.CHOOSE_OLD, "warn")
        elif new.models and not model:
            desk.tell(words.LABEL_MODEL_MISSING, "warn")
        elif cause is None:
            desk.tell(words.CHOOSE_CAUSE, "warn")
        else:
            command = new.swap(
                comes_off,
                cause,
                desk.draft("reason", "").strip(),
                confirmed=offering is Offer.CONFIRM,
                sku=model or None,
            )
            jpeg, spot, said = (photo.jpeg, photo.spot, photo.said) if photo else (None, None, None)
            if desk.keep(lambda: desk.gateway.send_with_photo(command, jpeg, spot), said=said):
                desk.drop_drafts()
                desk.open_job(order_id)

    def pick(draft: str, value: object) -> None:
        desk.dismiss()
        {"old": set_old, "model": set_model, "cause": set_cause}[draft](value)

    fields = [
        reader.field("code", not fits),
        secondary(words.PHOTO_OF_LABEL, reader.read_photo, icon=ft.Icons.IMAGE_SEARCH),
    ]
    body: list[ft.Control] = [
        section(
            words.COMES_OFF,
            *(
                choice(
                    device.name,
                    words.comes_off(device.name),
                    device.serial == comes_off,
                    lambda serial=device.serial: pick("old", serial),
                )
                for device in there
            ),
            *([] if there else [line(words.NOTHING_INSTALLED)]),
        ),
        section(
            words.GOES_UP,
            verdict_card(new) if new is not None else line(words.SCAN_NEW),
            *(
                model_choices(desk, new.models, model, lambda sku: pick("model", sku))
                if offering is Offer.CONFIRM and new.models
                else []
            ),
            *([] if fits else fields),
        ),
    ]
    if new is not None:
        body += on_the_label(new.label)
    body.append(why_off(order, cause, lambda item: pick("cause", item), reason, set_reason))
    body.append(section(words.SWAP_PHOTO, *_photo(photo, busy, take_photo)))
    body += on_this_job(desk, order)
    camera = ft.Icons.QR_CODE_SCANNER
    if fits:
        text = words.SWAP_NOW if offering is Offer.INSTALL else words.CONFIRM_SWAP
        bottom = [
            secondary(words.OPEN_CAMERA_AGAIN, again, icon=camera),
            primary(text, swap, icon=ft.Icons.SWAP_HORIZ, disabled=busy),
        ]
    elif reader.live:
        bottom = [primary(words.OPEN_CAMERA, reader.open_camera, icon=camera)]
    else:
        bottom = [primary(words.READ_CODE, reader.enter, icon=camera)]
    return frame(
        desk,
        words.SWAP,
        body,
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=bottom,
    )


def _photo(photo: Taken | None, busy: bool, take_photo) -> list[ft.Control]:  # type: ignore[no-untyped-def]
    shown: list[ft.Control] = []
    if photo is not None:
        shown.append(
            ft.Container(
                content=ft.Image(
                    src=photo.jpeg, fit=ft.BoxFit.COVER, height=160, semantics_label=words.SWAP_PHOTO
                ),
                border_radius=theme.RADIUS,
                clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
            )
        )
    shown.append(line(words.PHOTO_ALONG if photo is not None else words.PHOTO_IF_YOU_LIKE, quiet=True))
    text = words.WORKING_ON_PHOTO if busy else words.TAKE_ANOTHER if photo is not None else words.TAKE_PHOTO
    return [*shown, secondary(text, take_photo, icon=ft.Icons.PHOTO_CAMERA, disabled=busy)]
