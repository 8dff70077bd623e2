"""Things to tap, all at least 56 px high, each with a name that a screen reader and a test can find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from mobile import theme

Handler = Callable[..., Any]
LONG = 24  # letters that fit beside an icon at 360 px


def primary(
    text: str, on_click: Handler, *, icon: ft.IconData | None = None, disabled: bool = False
) -> ft.Control:
    """The one thing to do next, within reach of the thumb."""
    return ft.FilledButton(
        content=ft.Text(
            text,
            size=theme.LARGE if len(text) < LONG else theme.BODY,
            weight=ft.FontWeight.W_700,
            max_lines=2,
            overflow=ft.TextOverflow.ELLIPSIS,
        ),
        icon=ft.Icon(icon, size=26) if icon else None,
        height=theme.PRIMARY,
        disabled=disabled,
        on_click=on_click,
        style=ft.ButtonStyle(
            bgcolor={ft.ControlState.DISABLED: theme.LINE, ft.ControlState.DEFAULT: theme.AMBER},
            color={ft.ControlState.DISABLED: theme.QUIET, ft.ControlState.DEFAULT: theme.INK},
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.symmetric(horizontal=theme.EDGE),
        ),
    )


def secondary(
    text: str,
    on_click: Handler | None = None,
    *,
    icon: ft.IconData | None = None,
    url: str | None = None,
    expand: bool = False,
    danger: bool = False,
    disabled: bool = False,
) -> ft.Control:
    ink = theme.BAD if danger else theme.TEAL
    return ft.OutlinedButton(
        content=ft.Text(
            text, size=theme.BODY, weight=ft.FontWeight.W_600, max_lines=1, overflow=ft.TextOverflow.ELLIPSIS
        ),
        icon=ft.Icon(icon, size=24) if icon else None,
        height=theme.TARGET,
        url=url,
        expand=expand,
        disabled=disabled,
        on_click=on_click,
        style=ft.ButtonStyle(
            color=ink,
            bgcolor=theme.WHITE,
            side=ft.BorderSide(2, theme.LINE if disabled else ink),
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.symmetric(horizontal=12),
        ),
    )


def icon_button(
    icon: ft.IconData | ft.Text,
    name: str,
    on_click: Handler,
    *,
    color: str = theme.INK,
    bgcolor: str | None = None,
) -> ft.Control:
    """A picture to tap. It is named inside: on the web a tooltip names only the box around a button."""
    drawn = ft.Icon(icon, size=28, color=color) if isinstance(icon, ft.IconData) else icon
    return ft.IconButton(
        icon=ft.Semantics(content=drawn, label=name, exclude_semantics=True),
        bgcolor=bgcolor,
        width=theme.TARGET,
        height=theme.TARGET,
        on_click=lambda: on_click(),
    )


def tappable(
    content: ft.Control,
    name: str,
    on_click: Handler,
    *,
    selected: bool | None = None,
    radius: int = theme.RADIUS,
) -> ft.Control:
    """Make a whole card a button that fingers, keys and screen readers can press. It is called `name`."""
    return ft.Container(
        content=ft.Semantics(
            content=content, label=name, button=True, selected=selected, exclude_semantics=True
        ),
        ink=True,
        border_radius=radius,
        on_click=lambda: on_click(),
    )


def choice(text: str, name: str, chosen: bool, on_click: Handler) -> ft.Control:
    """One of several: a large row with a round mark."""
    mark = ft.Icons.RADIO_BUTTON_CHECKED if chosen else ft.Icons.RADIO_BUTTON_UNCHECKED
    row = ft.Container(
        content=ft.Row(
            [
                ft.Icon(mark, size=28, color=theme.TEAL),
                ft.Text(text, size=theme.BODY, weight=ft.FontWeight.W_600 if chosen else None, expand=True),
            ]
        ),
        bgcolor=theme.CALM_BACK if chosen else theme.WHITE,
        border=ft.Border.all(2, theme.TEAL if chosen else theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=14),
    )
    return tappable(row, name, on_click, selected=chosen)
