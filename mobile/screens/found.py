"""More work here: ask the office for another visit, with what was missing on this one."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, line, mood_box, section
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import chip, primary
from mobile.screens.guard import gone
from mobile.state import Desk
from mobile.views.found import MINUTES, missing_parts
from mobile.views.quantities import by_the_metre
from shared.commands import AskForVisit
from shared.found_rules import SUMMARY_LENGTH_MAX, kinds_to_ask
from shared.work_orders import PartLine, WorkOrder, WorkOrderState


@ft.component
def Found(desk: Desk, order_id: UUID) -> ft.Control:
    order = desk.gateway.order(order_id)
    left_open = order is not None and order.state is WorkOrderState.UNFINISHED
    missing = missing_parts(order) if order is not None and left_open else {}
    follow_up, set_follow_up = use_draft(desk, "follow_up", left_open)
    kind, set_kind = use_draft(desk, "kind", None)
    summary, set_summary = use_draft(desk, "summary", "")
    minutes, set_minutes = use_draft(desk, "minutes", 30)
    skill, set_skill = use_draft(desk, "skill", None)
    wanted, set_wanted = use_draft(desk, "wanted", missing)
    if order is None:
        return gone(desk, words.MORE_WORK)
    kinds = kinds_to_ask(order, follow_up=follow_up)
    chosen = kind if kind in kinds else kinds[0]
    unreadable = any(isinstance(count, str) for count in wanted.values())

    def choose_purpose(same_work: bool) -> None:
        """What was missing is what the next one brings, unless somebody has chosen otherwise."""
        set_follow_up(same_work)
        if same_work and not any(desk.draft("wanted", missing).values()):
            set_wanted(missing_parts(order))

    def want(sku: str, count: int | str) -> None:
        set_wanted({**desk.draft("wanted", missing), sku: count})

    def save() -> None:
        command = AskForVisit(
            work_order_id=order_id,
            new_order_id=desk.gateway.mint(),
            kind=chosen,
            summary=desk.draft("summary"),
            expected_minutes=minutes,
            parts=tuple(
                PartLine(sku=sku, quantity=count)
                for sku, count in desk.draft("wanted", missing).items()
                if count
            ),
            skill=skill,
            follow_up=follow_up,
        )
        if desk.send(command, said=f"{words.did_ask(words.KINDS[chosen])}. {words.SAVED}"):
            desk.drop_drafts()
            desk.open_job(order_id)

    goes_on = ((True, words.SAME_WORK), (False, words.OTHER_WORK))
    body: list[ft.Control] = [
        line(words.MORE_WORK_TEXT, quiet=True),
        _chips(
            words.WHAT_FOR,
            *(chip(text, follow_up is key, lambda key=key: choose_purpose(key)) for key, text in goes_on),
        ),
        _chips(
            words.WHICH_KIND,
            *(chip(words.KINDS[one], one is chosen, lambda one=one: set_kind(one)) for one in kinds),
        ),
        text_field(
            words.WHAT_TO_DO,
            summary,
            multiline=True,
            min_lines=2,
            max_lines=4,
            max_length=SUMMARY_LENGTH_MAX,
            text_size=theme.BODY,
            on_change=set_summary,
        ),
        _chips(
            words.HOW_LONG,
            *(
                chip(words.minutes(count), count == minutes, lambda count=count: set_minutes(count))
                for count in MINUTES
            ),
        ),
        *_parts(desk, order, wanted, want),
    ]
    if order.required_skills:
        pick = [
            chip(
                need.name.replace("_", " "),
                skill == need.name,
                lambda need=need: set_skill(_other(need.name, skill)),
            )
            for need in order.required_skills
        ]
        body.append(_chips(words.MISSING_SKILL, *pick))
    body.append(ft.Container(height=4))
    return frame(
        desk,
        words.MORE_WORK,
        body,
        second=words.listed([order.number, f"{order.place.street} {order.place.house_number}"]),
        back=True,
        bottom=[
            primary(
                words.ASK_FOR_VISIT if summary.strip() else words.SAY_WHAT_TO_DO,
                save,
                icon=ft.Icons.ADD_TASK,
                disabled=not summary.strip() or unreadable,
            )
        ],
    )


def _other(name: str, chosen: str | None) -> str | None:
    """A second tap takes it back."""
    return None if name == chosen else name


def _chips(heading: str, *chips: ft.Control) -> ft.Control:
    return section(heading, ft.Row(list(chips), wrap=True, spacing=8, run_spacing=8))


def _parts(desk: Desk, order: WorkOrder, wanted: dict[str, int | str], want) -> list[ft.Control]:  # type: ignore[no-untyped-def]
    rows: list[ft.Control] = []
    for sku in dict.fromkeys(need.sku for need in order.required_parts):
        if (product := desk.gateway.product(sku)) is None:
            continue
        count, metres = wanted.get(sku, 0), by_the_metre(product)
        refusal = (
            [mood_box(words.not_whole(count, by_the_metre=metres), "bad")] if isinstance(count, str) else []
        )
        rows.append(
            card(
                ft.Text(product.name, size=theme.BODY, weight=ft.FontWeight.W_600),
                stepper(
                    product.name,
                    count,
                    words.METRE if metres else "",
                    lambda number, sku=sku: want(sku, number),
                ),
                *refusal,
                edge=theme.ACCENT if count else theme.LINE,
            )
        )
    return [line(words.BRING_PARTS, bold=True), *rows] if rows else []
