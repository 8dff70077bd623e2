"""Read the label of a device on a job: by camera, by a photo, by a wedge scanner or by typing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import flet as ft

from mobile import words
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
from mobile.parts.fields import code_field
from mobile.parts.touch import icon_button
from mobile.state import Desk
from mobile.views.scan import Offer, best_verdict, offer, tone_of
from shared.barcodes.label import NO_LABEL, Label

WEDGE_SECONDS_A_KEY = 0.1  # a thumb needs twice that
WEDGE_SECONDS_LAG = 0.3  # until the keys reach Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """`live`: a camera can scan here. `field(key, autofocus)` draws the field for scanner and keyboard."""

    live: bool
    open_camera: Callable[[], Any]
    read_photo: Callable[[], Any]
    enter: Callable[[], None]
    clear: Callable[[], None]
    field: Callable[[str, bool], ft.Control]


def use_reader(desk: Desk, order_id: UUID, show: Callable[[ScanVerdict], None]) -> Reader:
    """A hook. `show` is given what was read, weighed for this job."""
    typed, set_typed = ft.use_state("")
    first_key = ft.use_ref(0.0)
    # A wedge scanner presses Enter before the screen was drawn with its last letters; what it typed counts.
    latest = ft.use_ref("")
    device = scanner()

    def judge(reading: Reading, label: Label = NO_LABEL) -> ScanVerdict:
        text = reading.identifier + reading.text
        return desk.gateway.judge_scan(order_id, text, reading.source, label)

    def judge_picture(readings: Sequence[Reading]) -> ScanVerdict | None:
        label = desk.gateway.read_label(map(for_label, readings))
        return best_verdict([judge(reading, label) for reading in readings])

    def found(verdict: ScanVerdict) -> None:
        desk.dismiss()
        show(verdict)
        signal(tone_of(verdict))

    def hint(reading: Reading) -> str | None:
        """The camera looks on until something can be done with what it reads."""
        verdict = judge(reading)
        return None if offer(verdict) is not Offer.NOTHING else verdict.sentence

    async def open_camera() -> None:
        try:
            readings = await device.scan(title=words.SCAN_TITLE, judge=hint)
        except ScanClosed as closed:
            if closed.why != "cancelled":
                desk.tell(words.TYPE_INSTEAD if closed.why == "typed" else words.SCAN_TIMEOUT, "calm")
        except ScannerError as error:
            desk.tell(str(error), "warn")
        else:
            if verdict := judge_picture(readings):
                found(verdict)

    async def read_photo() -> None:
        try:
            picture = await pick_picture()
            if picture is None:
                return
            verdict = judge_picture(await device.read_picture(picture))
        except ScannerError as error:
            desk.tell(str(error), "warn")
            return
        if verdict:
            found(verdict)
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
        found(judge(from_wedge(text) if by_wedge else from_typing(text)))

    def clear() -> None:
        latest.current = ""
        set_typed("")

    def field(key: str, autofocus: bool) -> ft.Control:
        """With another key it is drawn anew without the focus, which would scroll what was read away."""
        return code_field(
            words.CODE_FIELD,
            typed,
            hint_text=words.CODE_FIELD_HINT,
            key=key,
            autofocus=autofocus,
            on_change=type_key,
            on_submit=enter,
            suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, enter),
        )

    return Reader(
        live=device.live,
        open_camera=open_camera,
        read_photo=read_photo,
        enter=enter,
        clear=clear,
        field=field,
    )
