"""The frame of a screen that the customer reads: their language and direction, large, and nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from mobile import theme, words
from mobile.language import MARK, spoken
from mobile.parts.blocks import mood_box
from mobile.parts.touch import icon_button
from mobile.state import Desk, Notice

LETTER = 0.62
"""A digit of our bold font is so wide, in parts of its size."""


def use_direction(right_to_left: bool) -> None:
    """Let the page run in the customer's direction while it is shown, and in the technician's after it."""

    def turn() -> None:
        ft.context.page.rtl = right_to_left
        ft.context.page.update()

    def turn_back() -> None:
        ft.context.page.rtl = spoken().right_to_left
        ft.context.page.update()

    ft.use_effect(turn, [right_to_left], cleanup=turn_back)


def turned(
    desk: Desk,
    heading: str,
    body: Sequence[ft.Control],
    *,
    second: str = "",
    bottom: Sequence[ft.Control] = (),
    refusal: Notice | None = None,
) -> ft.Control:
    """`bottom` stays in sight while `body` scrolls.

    Of the notices only `refusal` is shown, of what was done on this screen: others are the technician's own,
    and wait for a screen of theirs.
    """
    notice = desk.shell.notice
    refused = notice is not None and notice is refusal
    said: list[ft.Control] = []
    if notice is not None and refused:
        dismiss = icon_button(ft.Icons.CLOSE, words.DISMISS, desk.dismiss)
        box = mood_box(notice.text, notice.mood, trailing=dismiss)
        said.append(ft.Semantics(content=box, live_region=True, container=True))
    named = [
        ft.Semantics(
            content=ft.Text(heading, size=theme.TITLE, weight=ft.FontWeight.W_700, color=theme.ON_BAR),
            header=True,
        )
    ]
    if second:
        named.append(ft.Text(second, size=theme.SMALL, color=theme.ON_BAR))
    leave = desk.back if refused else desk.back_keeping_notice
    back = icon_button(ft.Icons.ARROW_BACK, words.BACK, leave, color=theme.ON_BAR)
    head = ft.Container(
        content=ft.Row([back, ft.Column(named, spacing=0, expand=True)], spacing=4),
        bgcolor=theme.BAR,
        padding=ft.Padding.symmetric(horizontal=4, vertical=6),
    )
    shown = ft.Container(
        content=ft.Column(
            list(body),
            spacing=theme.GAP,
            scroll=ft.ScrollMode.AUTO,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            expand=True,
        ),
        padding=ft.Padding.only(left=12, right=12, top=theme.GAP),
        expand=True,
    )
    foot = ft.Container(
        content=ft.Column([*said, *bottom], spacing=8, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        bgcolor=theme.PAPER,
        border=ft.Border.only(top=ft.BorderSide(theme.THIN, theme.LINE)),
        padding=ft.Padding.only(left=12, right=12, top=10, bottom=12),
    )
    return ft.Column(
        [head, shown, *([foot] if said or bottom else [])],
        spacing=0,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def fact_row(name: str, fact: str) -> ft.Control:
    """A name above a fact of any length: a long street goes on in the next line. Heard as one."""
    said = [
        ft.Text(name, size=theme.SMALL, color=theme.QUIET),
        ft.Text(fact, size=theme.BODY, weight=ft.FontWeight.W_700),
    ]
    return ft.Semantics(
        content=ft.Column(said, spacing=0), label=f"{name}: {fact}", container=True, exclude_semantics=True
    )


def fitting(text: str, largest: int, width: float) -> int:
    """The size at which bold `text` stands in one line of `width` pixels, at most `largest`."""
    letters = max(len(text.replace(MARK, "")), 1)
    return min(largest, int(width / (LETTER * letters)))


def amount_row(what: str, amount: str, *, bold: bool = False) -> ft.Control:
    """What, and how much; below each other in large text. Heard as one."""
    weight = ft.FontWeight.W_700 if bold else None
    name = ft.Text(what, size=theme.BODY, weight=weight)
    cost = ft.Text(amount, size=theme.BODY, weight=ft.FontWeight.W_700)
    if theme.LARGE_TEXT:
        content: ft.Control = ft.Column([name, cost], spacing=2)
    else:
        name.expand = True
        content = ft.Row([name, cost], spacing=12, vertical_alignment=ft.CrossAxisAlignment.START)
    return ft.Semantics(content=content, label=f"{what}: {amount}", container=True, exclude_semantics=True)
