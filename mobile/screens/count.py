"""Count the van's devices: scan one after the other, see what is missing and what nobody booked."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.scanner import Reading, ScanClosed, ScannerError, from_wedge, scanner, signal
from mobile.parts.blocks import line, mood_box, section
from mobile.parts.fields import code_field
from mobile.parts.frame import frame
from mobile.parts.touch import icon_button, primary, secondary
from mobile.state import Desk
from mobile.views.count import Count

COUNT_SECONDS_MAX = 900


@ft.component
def CountDevices(desk: Desk) -> ft.Control:
    booked = frozenset(asset.serial for asset in desk.gateway.devices_on_van() if asset.claimed_by is None)
    kept = ft.use_ref(desk.draft("count", Count(expected=booked)))
    typed, set_typed = ft.use_state("")
    latest = ft.use_ref("")  # a wedge scanner presses Enter before its last letters are drawn
    _, draw = ft.use_state(0)
    count = kept.current.against(booked)
    device = scanner()

    def keep(new: Count) -> None:
        kept.current = new
        desk.keep_draft("count", new)
        draw(lambda drawn: drawn + 1)

    def take(text: str) -> str:
        """Count the device whose label bears `text`; the sentence says what became of it."""
        before = kept.current
        serial = desk.gateway.serial_of(text)
        if serial is None:
            return words.NO_DEVICE
        after = before.add(serial)
        if after is before:
            return words.counted_before(serial)
        keep(after)
        if serial in after.expected:
            signal("yes")
            return words.counted(serial, len(after.found), len(after.expected))
        signal("ask")
        return words.not_booked(serial)

    async def count_on() -> None:
        said = words.NO_DEVICE

        def next_one(reading: Reading) -> str:
            """A sentence, so the camera looks on. It stays while the same label is in sight."""
            nonlocal said
            text = reading.identifier + reading.text
            serial = desk.gateway.serial_of(text)
            if serial is not None and serial not in kept.current.scanned[-1:]:
                said = take(text)
            return said

        try:
            await device.scan(title=words.COUNT, judge=next_one, seconds=COUNT_SECONDS_MAX)
        except ScanClosed:
            pass  # closing the camera is how one stops counting
        except ScannerError as error:
            desk.tell(str(error), "warn")

    def type_key(text: str) -> None:
        latest.current = text
        set_typed(text)

    def enter() -> None:
        reading = from_wedge(latest.current)
        if reading.text:
            desk.tell(take(reading.identifier + reading.text), "calm")
        latest.current = ""
        set_typed("")

    body: list[ft.Control] = [
        mood_box(words.COUNT_IS_LOCAL, "calm", heading=words.count_of(len(count.found), len(booked))),
        code_field(
            words.CODE_FIELD,
            typed,
            hint_text=words.CODE_FIELD_HINT,
            autofocus=True,
            on_change=type_key,
            on_submit=enter,
            suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, enter),
        ),
    ]
    if count.scanned:
        last = count.scanned[-1]
        undo = secondary(words.uncount(last), lambda: keep(kept.current.undo()), icon=ft.Icons.UNDO)
        body.append(undo)
    for name, serials, color in (
        (words.EXTRA, count.extra, theme.WARN),
        (words.MISSING, count.missing, theme.INK),
        (words.FOUND, count.found, theme.GOOD),
    ):
        if serials:
            rows = [ft.Text(serial, size=theme.BODY, color=color) for serial in serials]
            body.append(section(f"{name} ({len(serials)})", *rows))
    if not booked and not count.scanned:
        body.append(line(words.STOCK_EMPTY))
    camera = primary(words.OPEN_CAMERA, count_on, icon=ft.Icons.QR_CODE_SCANNER)
    return frame(desk, words.COUNT, body, back=True, bottom=[camera] if device.live else [])
