"""What is done and what is still missing before the close."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from mobile import theme
from mobile.parts.touch import tappable
from mobile.views.job import Step


def check_list(steps: tuple[Step, ...], open_screen: Callable[[str], None]) -> list[ft.Control]:
    return [
        tappable(_row(step), step.label, lambda screen=step.screen: open_screen(screen), radius=0)
        for step in steps
    ]


def _row(step: Step) -> ft.Control:
    icon, color = ft.Icons.RADIO_BUTTON_UNCHECKED, theme.QUIET
    if step.failed:
        icon, color = ft.Icons.ERROR, theme.BAD
    elif step.done:
        icon, color = ft.Icons.CHECK_CIRCLE, theme.GOOD
    elif not step.needed:
        icon = ft.Icons.ADD_CIRCLE_OUTLINE
    detail_color = theme.BAD if step.failed else theme.QUIET
    return ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon, size=30, color=color),
                ft.Column(
                    [
                        ft.Text(step.title, size=theme.BODY, weight=ft.FontWeight.W_600, color=theme.INK),
                        ft.Text(step.detail, size=theme.SMALL, color=detail_color),
                    ],
                    spacing=0,
                    expand=True,
                ),
                ft.Icon(ft.Icons.CHEVRON_RIGHT, size=24, color=theme.QUIET),
            ],
            spacing=12,
        ),
        padding=ft.Padding.symmetric(vertical=9),
        border=ft.Border.only(top=ft.BorderSide(theme.THIN, theme.LINE)),
    )
