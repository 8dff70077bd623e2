"""Scan a device by camera, photo, wedge scanner or typing; see what it means here; fit it or take it away."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import words
from mobile.gateway import ScanVerdict
from mobile.parts.blocks import line, section
from mobile.parts.drafts import use_draft
from mobile.parts.frame import frame
from mobile.parts.handled import model_choices, on_the_label, on_this_job, verdict_card, why_off
from mobile.parts.reading import use_reader
from mobile.parts.touch import primary, secondary
from mobile.screens.guard import gone, not_on_site
from mobile.state import Desk
from mobile.views.job import steps
from mobile.views.scan import Offer, offer
from mobile.views.swap import hanging
from shared.work_orders import WorkOrder


@ft.component
def Scan(desk: Desk, order_id: UUID) -> ft.Control:
    verdict, set_verdict = use_draft(desk, "verdict", None)
    model, set_model = use_draft(desk, "model", "")
    cause, set_cause = use_draft(desk, "cause", None)
    reason, set_reason = use_draft(desk, "reason", "")

    def show(found: ScanVerdict) -> None:
        set_model("")
        set_cause(None)
        set_verdict(found)

    reader = use_reader(desk, order_id, show)
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.SCAN)
    if refusal := not_on_site(desk, order, words.SCAN):
        return refusal

    def leave_when_done() -> None:
        set_verdict(None)
        set_model("")
        set_cause(None)
        set_reason("")
        desk.drop_drafts()
        reader.clear()
        after = desk.gateway.order(order_id)
        waiting = after and any(
            step.screen in ("scan", "swap") and not step.done for step in steps(after, desk.gateway.product)
        )
        if not waiting:
            desk.open_job(order_id)

    def fit() -> None:
        confirmed = offer(verdict) is Offer.CONFIRM
        if verdict.models and not model:
            desk.tell(words.LABEL_MODEL_MISSING, "warn")
        elif desk.send(verdict.install(confirmed=confirmed, sku=model or None)):
            leave_when_done()

    def choose(sku: str) -> None:
        desk.dismiss()
        set_model(sku)

    def say_why(chosen: object) -> None:
        desk.dismiss()
        set_cause(chosen)

    def take_away() -> None:
        if cause is None:
            desk.tell(words.CHOOSE_CAUSE, "warn")
        elif desk.send(verdict.removal(desk.draft("reason", "").strip(), cause)):
            leave_when_done()

    def swap() -> None:
        """Go on with what was read, and was said of it, as one half of a swap."""
        said = desk.draft("reason", "")
        desk.dismiss()
        desk.drop_drafts()
        desk.open_job(order_id, "swap")
        if offer(verdict) is Offer.REMOVE:
            desk.keep_draft("old", verdict.serial)
            if cause is not None:
                desk.keep_draft("cause", cause)
            if said:
                desk.keep_draft("reason", said)
        else:
            desk.keep_draft("new", verdict)

    offering = offer(verdict) if verdict is not None else Offer.NOTHING
    body: list[ft.Control] = []
    if verdict is not None:
        body.append(verdict_card(verdict))
        body += on_the_label(verdict.label)
        if offering is Offer.CONFIRM and verdict.models:
            body += model_choices(desk, verdict.models, model, choose)
        if offering is Offer.REMOVE:
            body.append(why_off(order, cause, say_why, reason, set_reason))
        if swap_word := _swap_word(desk, order, offering):
            body.append(secondary(swap_word, swap, icon=ft.Icons.SWAP_HORIZ))
    else:
        body.append(_wanted(desk, order))
    body.append(reader.field(f"code {offering.value}", offering is Offer.NOTHING))
    body.append(secondary(words.PHOTO_OF_LABEL, reader.read_photo, icon=ft.Icons.IMAGE_SEARCH))
    body += on_this_job(desk, order)
    camera = ft.Icons.QR_CODE_SCANNER
    bottom = [
        primary(
            words.OPEN_CAMERA if reader.live else words.READ_CODE,
            reader.open_camera if reader.live else reader.enter,
            icon=camera,
        )
    ]
    match offering:
        case Offer.INSTALL:
            bottom = [primary(words.FIT_IT, fit, icon=ft.Icons.CHECK)]
        case Offer.CONFIRM:
            bottom = [primary(words.CONFIRM_FIT, fit, icon=ft.Icons.FRONT_HAND)]
        case Offer.REMOVE:
            bottom = [primary(words.TAKE_IT, take_away, icon=ft.Icons.OUTBOX)]
    if offering is not Offer.NOTHING and reader.live:
        bottom.insert(0, secondary(words.OPEN_CAMERA_AGAIN, reader.open_camera, icon=camera))
    return frame(
        desk,
        words.SCAN,
        body,
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=bottom,
    )


def _swap_word(desk: Desk, order: WorkOrder, offering: Offer) -> str | None:
    """What leads to the other half, where there can be one."""
    if offering is Offer.REMOVE:
        return words.SWAP_IT
    there = hanging(order, desk.gateway.devices_at(order.place.id), desk.gateway.product)
    return words.FIT_INSTEAD if offering is not Offer.NOTHING and there else None


def _wanted(desk: Desk, order: WorkOrder) -> ft.Control:
    wanted = [
        step
        for step in steps(order, desk.gateway.product)
        if step.screen in ("scan", "swap") and not step.done
    ]
    lines = [line(f"{step.title}: {step.detail}") for step in wanted]
    return section(words.SCAN_WANTED, *(lines or [line(words.TYPE_INSTEAD)]))
