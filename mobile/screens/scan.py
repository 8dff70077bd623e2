"""Scan a device by camera, photo, wedge scanner or typing; see what it means here; fit it or take it away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.photos import pick_picture
from mobile.device.scanner import (
    Reading,
    ScanClosed,
    ScannerError,
    for_label,
    from_typing,
    from_wedge,
    scanner,
    signal,
)
from mobile.gateway import ScanVerdict
from mobile.parts.blocks import line, mood_box, section, with_icon
from mobile.parts.fields import code_field
from mobile.parts.frame import frame
from mobile.parts.touch import choice, icon_button, primary, secondary
from mobile.scan_words import DISAGREES, QUARANTINED_LOT
from mobile.screens.guard import gone, not_on_site
from mobile.state import Desk
from mobile.views.job import steps
from mobile.views.quantities import product_name
from mobile.views.scan import Offer, best_verdict, label_rows, mood_of, offer, title_of, tone_of
from shared.barcodes import VerdictKind
from shared.barcodes.label import NO_LABEL, Confidence, Label
from shared.commands import FieldCommand, PutBackAsset, RemoveAsset
from shared.problems import AssetQuarantined, SerialElsewhere
from shared.work_orders import FittedAsset, RemovedAsset, WorkOrder

ICONS = {
    VerdictKind.ANOTHER_VAN: ft.Icons.LOCAL_SHIPPING_OUTLINED,
    VerdictKind.ANOTHER_CUSTOMER: ft.Icons.HOME_OUTLINED,
    SerialElsewhere.slug: ft.Icons.HOME_OUTLINED,
    VerdictKind.UNKNOWN: ft.Icons.HELP_OUTLINE,
    VerdictKind.WRONG_MODEL: ft.Icons.DEVICES_OTHER,
    AssetQuarantined.slug: ft.Icons.BLOCK,
    QUARANTINED_LOT: ft.Icons.BLOCK,
    DISAGREES: ft.Icons.CALL_SPLIT,
}
CONFIDENCE_ICONS = {
    Confidence.SURE: (ft.Icons.CHECK_CIRCLE, theme.GOOD),
    Confidence.LIKELY: (ft.Icons.VISIBILITY_OUTLINED, theme.CALM),
    Confidence.GUESS: (ft.Icons.WARNING_AMBER_ROUNDED, theme.WARN),
}
WEDGE_SECONDS_A_KEY = 0.1  # a thumb needs twice that
WEDGE_SECONDS_LAG = 0.3  # until the keys reach Python


@ft.component
def Scan(desk: Desk, order_id: UUID) -> ft.Control:
    typed, set_typed = ft.use_state("")
    verdict, set_verdict = ft.use_state(None)
    model, set_model = ft.use_state("")
    first_key = ft.use_ref(0.0)
    # A wedge scanner presses Enter before the screen was drawn with its last letters; what it typed counts.
    latest = ft.use_ref("")
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.SCAN)
    if refusal := not_on_site(desk, order, words.SCAN):
        return refusal
    device = scanner()

    def judge(reading: Reading, label: Label = NO_LABEL) -> ScanVerdict:
        text = reading.identifier + reading.text
        return desk.gateway.judge_scan(order_id, text, reading.source, label)

    def judge_picture(readings: Sequence[Reading]) -> ScanVerdict | None:
        label = desk.gateway.read_label(map(for_label, readings))
        return best_verdict([judge(reading, label) for reading in readings])

    def show(found: ScanVerdict) -> None:
        desk.dismiss()
        set_model("")
        set_verdict(found)
        signal(tone_of(found))

    def hint(reading: Reading) -> str | None:
        """The camera looks on until something can be done with what it reads."""
        found = judge(reading)
        return None if offer(found) is not Offer.NOTHING else found.sentence

    async def open_camera() -> None:
        try:
            readings = await device.scan(title=words.SCAN_TITLE, judge=hint)
        except ScanClosed as closed:
            if closed.why != "cancelled":
                desk.tell(words.TYPE_INSTEAD if closed.why == "typed" else words.SCAN_TIMEOUT, "calm")
        except ScannerError as error:
            desk.tell(str(error), "warn")
        else:
            if found := judge_picture(readings):
                show(found)

    async def read_photo() -> None:
        try:
            picture = await pick_picture()
            if picture is None:
                return
            found = judge_picture(await device.read_picture(picture))
        except ScannerError as error:
            desk.tell(str(error), "warn")
            return
        if found:
            show(found)
        else:
            desk.tell(words.NO_CODE_IN_PHOTO, "warn")

    def type_key(text: str) -> None:
        if not first_key.current:
            first_key.current = time.monotonic()
        latest.current = text
        set_typed(text)

    def enter() -> None:
        text = latest.current
        if not text.strip():
            desk.tell(words.TYPE_INSTEAD, "calm")
            return
        took = time.monotonic() - (first_key.current or 0.0)
        by_wedge = took < WEDGE_SECONDS_LAG + WEDGE_SECONDS_A_KEY * len(text)
        first_key.current = 0.0
        show(judge(from_wedge(text) if by_wedge else from_typing(text)))

    def leave_when_done() -> None:
        set_verdict(None)
        latest.current = ""
        set_typed("")
        after = desk.gateway.order(order_id)
        waiting = after and any(
            step.screen == "scan" and not step.done for step in steps(after, desk.gateway.product)
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

    def take_away() -> None:
        if desk.send(verdict.removal(words.TAKEN_AWAY)):
            leave_when_done()

    offering = offer(verdict) if verdict is not None else Offer.NOTHING
    body: list[ft.Control] = []
    if verdict is not None:
        body.append(_verdict_card(verdict))
        body += _on_the_label(verdict.label)
        if offering is Offer.CONFIRM and verdict.models:
            lookup = desk.gateway.product
            names = {sku: product_name(lookup(sku), sku) for sku in verdict.models}
            body.append(line(words.CHOOSE_MODEL, bold=True))
            body += [
                choice(name, words.model(name), sku == model, lambda sku=sku: choose(sku))
                for sku, name in names.items()
            ]
    else:
        body.append(_wanted(desk, order))
    body.append(
        code_field(
            words.CODE_FIELD,
            typed,
            hint_text=words.CODE_FIELD_HINT,
            key=f"code {offering.value}",  # drawn anew without the focus, which would scroll the verdict away
            autofocus=offering is Offer.NOTHING,
            on_change=type_key,
            on_submit=enter,
            suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, enter),
        )
    )
    body.append(secondary(words.PHOTO_OF_LABEL, read_photo, icon=ft.Icons.IMAGE_SEARCH))
    body += _on_this_job(desk, order)
    camera = ft.Icons.QR_CODE_SCANNER
    bottom = [
        primary(
            words.OPEN_CAMERA if device.live else words.READ_CODE,
            open_camera if device.live else enter,
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
    if offering is not Offer.NOTHING and device.live:
        bottom.insert(0, secondary(words.OPEN_CAMERA_AGAIN, open_camera, icon=camera))
    return frame(
        desk,
        words.SCAN,
        body,
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=bottom,
    )


def _verdict_card(verdict: ScanVerdict) -> ft.Control:
    named = verdict.serial and verdict.serial not in verdict.sentence
    sentences = [*([verdict.serial] if named else []), verdict.sentence, *verdict.warnings]
    if verdict.source == "typed" and verdict.serial and offer(verdict) is not Offer.NOTHING:
        sentences.append(words.check_last_four(verdict.serial[-4:]))
    heading = title_of(verdict)
    box = mood_box("\n".join(sentences), mood_of(verdict), heading=heading, icon=ICONS.get(verdict.kind))
    return ft.Semantics(content=box, live_region=True, container=True, label=f"{heading}: {verdict.sentence}")


def _on_the_label(label: Label) -> list[ft.Control]:
    """Everything the label says, to be compared once."""
    rows = label_rows(label)
    if not rows:
        return []
    lines: list[ft.Control] = []
    if any(row.confidence is not Confidence.SURE for row in rows):
        lines.append(line(words.COMPARE_ONCE))
    for row in rows:
        icon, color = CONFIDENCE_ICONS[row.confidence]
        text = ft.Column(
            [
                line(words.printed(row.name, row.value), bold=True),
                line(row.note, quiet=True, size=theme.SMALL),
            ],
            spacing=0,
        )
        lines.append(with_icon(icon, text, color=color))
    return [section(words.ON_LABEL, *lines)]


def _wanted(desk: Desk, order: WorkOrder) -> ft.Control:
    wanted = [step for step in steps(order, desk.gateway.product) if step.screen == "scan" and not step.done]
    lines = [line(f"{step.title}: {step.detail}") for step in wanted]
    return section(words.SCAN_WANTED, *(lines or [line(words.TYPE_INSTEAD)]))


def _on_this_job(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What was fitted and taken off on this visit, each with the way back: it is booked only at the close."""
    fitted = [
        _undo_row(
            desk,
            device,
            words.UNDO_FIT,
            RemoveAsset(work_order_id=order.id, serial=device.serial, reason=words.FITTED_BY_MISTAKE),
        )
        for device in order.fitted
    ]
    removed = [
        _undo_row(
            desk, device, words.UNDO_REMOVAL, PutBackAsset(work_order_id=order.id, serial=device.serial)
        )
        for device in order.removed
    ]
    sections = ((words.ON_THIS_JOB, fitted), (words.TAKEN_OFF_HERE, removed))
    return [section(heading, *rows) for heading, rows in sections if rows]


def _undo_row(desk: Desk, device: FittedAsset | RemovedAsset, what: str, undo: FieldCommand) -> ft.Control:
    name = words.fitted(device.serial, product_name(desk.gateway.product(device.sku), device.sku))
    button = secondary(f"{what} {device.serial}", lambda: desk.send(undo), icon=ft.Icons.UNDO)
    return ft.Column([line(name, bold=True), button], horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
