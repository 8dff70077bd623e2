"""Read the label of a device on a job: by camera, by a photo, by a wedge scanner or by typing."""

from __future__ import annotations

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
    scanner,
    signal,
)
from mobile.gateway import ScanVerdict
from mobile.parts.code_entry import use_code_entry
from mobile.state import Desk
from mobile.views.scan import Offer, best_verdict, offer, tone_of
from shared.barcodes.label import NO_LABEL, Label


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
    device = scanner()
    entry = use_code_entry(desk, lambda reading: found(judge(reading)))

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

    return Reader(
        live=device.live,
        open_camera=open_camera,
        read_photo=read_photo,
        enter=entry.enter,
        clear=entry.clear,
        field=entry.field,
    )
