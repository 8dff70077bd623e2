"""Count the van: scan one device after the other, say how many parts there are, and send it to the office."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.scanner import Reading, ScanClosed, ScannerError, scanner, signal
from mobile.gateway import StockView
from mobile.parts.blocks import card, facts, line, mood_box, section, title
from mobile.parts.code_entry import use_code_entry
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import icon_button, primary, secondary
from mobile.rule_words import said as translated
from mobile.state import Desk
from mobile.views.count import Count
from mobile.views.quantities import by_the_metre, quantity
from shared.catalogue import Tracking
from sync.client.records import NotSaved

COUNT_SECONDS_MAX = 900
DRAFT = "count"


@ft.component
def CountVan(desk: Desk) -> ft.Control:
    booked = frozenset(asset.serial for asset in desk.gateway.devices_on_van() if asset.claimed_by is None)
    kept = ft.use_ref(lambda: Count.from_text(desk.gateway.draft(DRAFT), booked))
    _, draw = ft.use_state(0)
    count = kept.current.against(booked)
    device = scanner()
    entry = use_code_entry(desk, lambda reading: enter(reading))

    def keep(new: Count) -> None:
        """On the disk first: what is shown as counted is kept. Raises NotSaved."""
        desk.auto_lock.touch()  # who counts for long touches nothing but labels
        desk.gateway.keep_draft(DRAFT, new.kept())
        kept.current = new
        draw(lambda drawn: drawn + 1)

    def note(new: Count) -> None:
        try:
            keep(new)
        except NotSaved as problem:
            desk.tell(translated(problem.detail), "bad")

    def send() -> None:
        """All that was counted goes as one; the list shows it at once."""
        if desk.keep(lambda: desk.gateway.send(kept.current.command(), ends_draft=DRAFT)):
            kept.current = Count(expected=booked)
            desk.go("/stock")

    def take(text: str) -> str:
        """Count the device whose label bears `text`; the sentence says what became of it."""
        before = kept.current
        serial = desk.gateway.serial_of(text)
        if serial is None:
            return words.NO_DEVICE
        after = before.add(serial)
        if after is before:
            return words.counted_before(serial)
        try:
            keep(after)
        except NotSaved as problem:
            desk.tell(translated(problem.detail), "bad")
            return translated(problem.detail)
        if serial in after.expected:
            signal("yes")
            return words.counted(serial, len(after.found), len(after.expected))
        signal("ask")
        return words.not_booked(serial)

    async def count_on() -> None:
        told = words.NO_DEVICE

        def next_one(reading: Reading) -> str:
            """A sentence, so the camera looks on. It stays while the same label is in sight."""
            nonlocal told
            text = reading.identifier + reading.text
            serial = desk.gateway.serial_of(text)
            if serial is not None and serial not in kept.current.scanned[-1:]:
                told = take(text)
            return told

        try:
            await device.scan(title=words.COUNT, judge=next_one, seconds=COUNT_SECONDS_MAX)
        except ScanClosed:
            pass  # closing the camera is how one stops counting
        except ScannerError as error:
            desk.tell(str(error), "warn")

    def enter(reading: Reading) -> None:
        desk.tell(take(reading.identifier + reading.text), "calm")
        entry.clear()

    body: list[ft.Control] = [
        mood_box(words.COUNT_GOES, "calm", heading=words.count_of(len(count.found), len(booked))),
        entry.field("code", True),
    ]
    if count.scanned:
        last = count.scanned[-1]
        undo = secondary(words.uncount(last), lambda: note(kept.current.undo()), icon=ft.Icons.UNDO)
        body.append(undo)
    for name, serials, color in (
        (words.EXTRA, count.extra, theme.WARN),
        (words.MISSING, count.missing, theme.INK),
        (words.FOUND, count.found, theme.GOOD),
    ):
        if serials:
            rows = [ft.Text(serial, size=theme.BODY, color=color) for serial in serials]
            body.append(section(f"{name} ({len(serials)})", *rows))
    parts = [view for view in desk.gateway.van_stock() if view.product.tracking is Tracking.COUNTED]
    if parts:
        body.append(title(words.COUNTED))
        body += [_part(view, count, note) for view in parts]
    if not booked and not count.scanned and not parts:
        body.append(line(words.STOCK_EMPTY))
    bottom = [primary(words.SEND_COUNT, send, icon=ft.Icons.FACT_CHECK, disabled=not count.ready)]
    if device.live:
        bottom.insert(0, secondary(words.OPEN_CAMERA, count_on, icon=ft.Icons.QR_CODE_SCANNER))
    return frame(desk, words.COUNT, body, back=True, bottom=bottom)


def _part(view: StockView, count: Count, keep) -> ft.Control:  # type: ignore[no-untyped-def]
    """One tap says that the list is right; then the number can be changed, or the part left out again."""
    product, sku = view.product, view.product.sku
    name = ft.Text(product.name, size=theme.BODY, weight=ft.FontWeight.W_600)
    if sku not in count.parts:
        listed = words.count_part(product.name, quantity(view.left, product))
        start = max(view.left, 0)
        return card(
            name,
            secondary(listed, lambda: keep(count.part(sku, start, view.left)), icon=ft.Icons.CHECK),
        )
    counted, listed_then = count.parts[sku]
    metres = by_the_metre(product)
    said: list[ft.Control] = [facts([words.list_says(quantity(listed_then, product))])]
    if isinstance(counted, str):
        said.append(mood_box(words.not_whole(counted, by_the_metre=metres), "bad"))
    elif counted != listed_then:
        differs = words.count_differs(quantity(abs(counted - listed_then), product), counted > listed_then)
        said.append(mood_box(differs, "warn"))
    drop = icon_button(ft.Icons.CLOSE, words.not_counted(product.name), lambda: keep(count.without(sku)))
    return card(
        name,
        ft.Row(
            [
                stepper(
                    product.name,
                    counted,
                    words.METRE if metres else "",
                    lambda number: keep(count.part(sku, number, view.left)),
                ),
                drop,
            ],
            wrap=True,
        ),
        *said,
        edge=theme.ACCENT,
    )
