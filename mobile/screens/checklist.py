"""The checklist of a job: the item that is next, whole and on top, and all others as lines in their order."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, line, mood_box
from mobile.parts.drafts import use_draft
from mobile.parts.fields import number_row, text_field
from mobile.parts.frame import frame
from mobile.parts.touch import choice, primary, secondary, tappable
from mobile.screens.guard import gone, not_on_site
from mobile.screens.photo import take_photo
from mobile.state import Desk
from mobile.views.checklist import (
    SKIP_REASONS,
    CheckRow,
    answer_in_words,
    check_rows,
    choices_of,
    done_of,
    next_open,
    open_row,
    typed_value,
)
from shared.commands import AnswerCheck, RecordCheck, SkipCheck
from shared.work_orders import ItemKind

MARKS = {
    "open": (ft.Icons.RADIO_BUTTON_UNCHECKED, theme.QUIET),
    "good": (ft.Icons.CHECK_CIRCLE, theme.GOOD),
    "bad": (ft.Icons.ERROR, theme.BAD),
    "skipped": (ft.Icons.REMOVE_CIRCLE_OUTLINE, theme.WARN),
}
TYPED = (ItemKind.NUMBER, ItemKind.TEXT)


@ft.component
def Checklist(desk: Desk, order_id: UUID) -> ft.Control:
    """Each answer is saved by its tap; the next open item then opens by itself."""
    chosen, choose = use_draft(desk, "item", "")
    entered, set_entered = use_draft(desk, "entered", {})
    leaving, set_leaving = use_draft(desk, "leaving", {})
    refusal, set_refusal = ft.use_state("")
    busy, set_busy = ft.use_state(False)
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.CHECKLIST)
    if refused := not_on_site(desk, order, words.CHECKLIST):
        return refused
    rows = check_rows(order, desk.clock)
    row = open_row(rows, chosen)
    if row is None or leaving.get("code") != row.code:
        leaving = {}  # it was begun for another item, which is not the open one any more

    def go_on(code: str) -> None:
        now = desk.gateway.order(order_id)
        choose(next_open(check_rows(now, desk.clock), code) if now else "")

    def show(code: str) -> None:
        desk.dismiss()
        set_refusal("")
        set_leaving({})
        choose(code)

    def enter(text: str) -> None:
        assert row is not None
        set_refusal("")
        set_entered({**desk.draft("entered", {}), row.code: text})

    def forget(code: str) -> None:
        kept = {key: text for key, text in desk.draft("entered", {}).items() if key != code}
        set_entered(kept)

    def answer(row: CheckRow, value: str) -> None:
        item = row.item
        shown = answer_in_words(item, value)
        command = AnswerCheck(work_order_id=order_id, code=item.code, value=value)
        if desk.send(command, said=words.saved_answer(row.title, shown)):
            forget(item.code)
            will_do = not item.good or value in item.good
            # What will not do stays in sight with what to do about it; so does one that wants a photo too.
            go_on(item.code) if will_do and not (item.photo and not row.photos) else choose(item.code)

    def save() -> None:
        assert row is not None
        item, text = row.item, desk.draft("entered", {}).get(row.code, "").strip()
        if not text:
            set_refusal(words.NOTHING_TYPED)
            return
        if item.kind is ItemKind.TEXT:
            answer(row, text)
            return
        value, why = typed_value(text, item.spec)
        if value is None:
            set_refusal(why)
            return
        passed = item.spec.allows(value)
        told = words.saved_measurement(item.label, value, item.unit)
        if not passed and not item.must_pass:
            told = f"{words.beside_the_aim(value, item.unit, item.spec.limits)} {words.SAVED}"
        if desk.send(RecordCheck(work_order_id=order_id, code=item.code, value=value), said=told):
            forget(item.code)
            go_on(item.code) if passed or not item.must_pass else choose(item.code)

    def leave_out() -> None:
        assert row is not None
        said = desk.draft("leaving", {})
        if said.get("code") != row.code:
            return
        command = SkipCheck(
            work_order_id=order_id, code=row.code, reason=said["reason"], text=said.get("text", "")
        )
        if desk.send(command, said=words.saved_answer(row.title, words.left_out(said["reason"], ""))):
            set_leaving({})
            go_on(row.code)

    def leave_so(**said: object) -> None:
        """What was typed the moment before a tap counts too, though it is not drawn yet."""
        set_leaving({**desk.draft("leaving", {}), **said})

    async def photograph() -> None:
        assert row is not None
        if await take_photo(desk, order_id, set_busy, check=row.code):
            # An answer that is still missing keeps its item open.
            go_on(row.code) if row.item.kind is ItemKind.PHOTO or row.stands else choose(row.code)

    lines: list[ft.Control] = [line(words.points_done(done_of(rows), len(rows)), bold=True)]
    if row is not None and leaving:
        lines.append(_leaving(row, leaving, leave_so))
    elif row is not None:
        lines.append(_whole(row, entered.get(row.code, ""), refusal, enter, answer))
    lines += [_short(each, show) for each in rows if row is None or each.code != row.code]
    lines.append(ft.Container(height=4))
    return frame(
        desk,
        words.CHECKLIST,
        lines,
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=_bottom(desk, row, leaving, busy, save, photograph, leave_out, set_leaving, order_id),
        begins_with=f"{row.code if row else ''} {bool(leaving)}",
    )


def _bottom(  # type: ignore[no-untyped-def]
    desk: Desk,
    row: CheckRow | None,
    leaving,
    busy: bool,
    save,
    photograph,
    leave_out,
    set_leaving,
    order_id: UUID,
) -> list[ft.Control]:
    if row is None:
        return [primary(words.BACK_TO_JOB, lambda: desk.open_job(order_id), icon=ft.Icons.CHECK_CIRCLE)]
    if leaving:
        chosen = "reason" in leaving
        return [
            secondary(words.DO_NOT_LEAVE_OUT, lambda: set_leaving({})),
            primary(
                words.LEAVE_IT_OUT if chosen else words.CHOOSE_REASON,
                leave_out,
                icon=ft.Icons.REMOVE_CIRCLE_OUTLINE,
                disabled=not chosen,
            ),
        ]
    buttons: list[ft.Control] = []
    if row.item.skippable and row.mark != "skipped":

        def leave() -> None:
            desk.dismiss()
            set_leaving({"code": row.code, "text": ""})

        buttons.append(secondary(words.LEAVE_OUT, leave))
    camera_is_next = row.wants_photo and (row.item.kind is ItemKind.PHOTO or bool(row.stands))
    if row.item.kind in TYPED and not (camera_is_next and not row.photos):
        if row.wants_photo:
            buttons.append(secondary(words.TAKE_PHOTO, photograph, icon=ft.Icons.PHOTO_CAMERA, disabled=busy))
        buttons.append(primary(words.SAVE, save, icon=ft.Icons.SAVE))
    elif row.wants_photo:
        text = words.WORKING_ON_PHOTO if busy else words.TAKE_ANOTHER if row.photos else words.TAKE_PHOTO
        buttons.append(primary(text, photograph, icon=ft.Icons.PHOTO_CAMERA, disabled=busy))
    return buttons


def _short(row: CheckRow, show: Callable[[str], None]) -> ft.Control:
    icon, color = MARKS[row.mark]
    said = ft.Text(row.stands or words.NOT_YET, size=theme.SMALL, color=theme.QUIET)
    name = ft.Text(row.title, size=theme.BODY, weight=ft.FontWeight.W_600, color=theme.INK)
    shown = ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon, size=28, color=color),
                ft.Column([name, said], spacing=0, expand=True),
                ft.Icon(ft.Icons.CHEVRON_RIGHT, size=24, color=theme.QUIET),
            ],
            spacing=12,
        ),
        bgcolor=theme.PAPER,
        border=ft.Border.all(theme.THIN, theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=10),
    )
    return tappable(shown, row.label, lambda: show(row.code))


def _whole(
    row: CheckRow,
    text: str,
    refusal: str,
    enter: Callable[[str], None],
    answer: Callable[[CheckRow, str], None],
) -> ft.Control:
    item = row.item
    inside: list[ft.Control] = [line(row.title, bold=True, size=theme.LARGE)]
    if item.kind is ItemKind.NUMBER:
        inside.append(number_row(item.spec, text, enter, refused=bool(refusal) or row.mark == "bad"))
        inside.append(line(words.limits(item.spec.limits), quiet=True))
    elif item.kind is ItemKind.TEXT:
        inside.append(
            text_field(
                row.title,
                text,
                text_size=theme.BODY,
                multiline=True,
                min_lines=1,
                max_lines=3,
                on_change=enter,
            )
        )
    for value, shown in choices_of(item):
        chosen = bool(row.stands) and row.mark != "skipped" and shown in row.stands
        inside.append(
            choice(
                shown,
                words.listed([row.title, shown]),
                chosen,
                lambda value=value: answer(row, value),
            )
        )
    if item.photo:
        inside.append(line(words.photos(row.photos) if row.photos else words.PHOTO_TOO, quiet=True))
    if refusal:
        inside.append(mood_box(refusal, "bad"))
    elif row.stands:
        inside.append(_stands(row))
    inside += [line(text, quiet=True, size=theme.SMALL) for text in row.before]
    return card(*inside, edge=theme.ACCENT)


def _stands(row: CheckRow) -> ft.Control:
    """What counts by now, and what is still to be done about it."""
    if row.mark == "bad":
        return mood_box(row.lacks[0], "bad")
    if row.mark == "skipped":
        return mood_box(row.stands, "warn")
    return mood_box(words.listed([row.stands]), "calm" if row.is_open else "good")


def _leaving(row: CheckRow, said: dict, change: Callable[..., None]) -> ft.Control:  # type: ignore[type-arg]
    reasons = [
        choice(
            words.SKIP_REASONS[reason],
            words.SKIP_REASONS[reason],
            said.get("reason") is reason,
            lambda reason=reason: change(reason=reason),
        )
        for reason in SKIP_REASONS
    ]
    return card(
        line(row.title, bold=True, size=theme.LARGE),
        line(words.WHY_LEAVE_OUT),
        *reasons,
        text_field(
            words.IN_YOUR_WORDS,
            said.get("text", ""),
            text_size=theme.BODY,
            multiline=True,
            min_lines=1,
            max_lines=3,
            on_change=lambda text: change(text=text),
        ),
        edge=theme.ACCENT,
    )
