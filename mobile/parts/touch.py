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
        ),
        icon=ft.Icon(icon, size=26) if icon else None,
        disabled=disabled,
        on_click=on_click,
        style=ft.ButtonStyle(
            bgcolor={ft.ControlState.DISABLED: theme.CANVAS, ft.ControlState.DEFAULT: theme.ACTION},
            color={ft.ControlState.DISABLED: theme.QUIET, ft.ControlState.DEFAULT: theme.ON_ACTION},
            side={ft.ControlState.DISABLED: ft.BorderSide(theme.THICK, theme.LINE)},
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.symmetric(horizontal=theme.EDGE, vertical=20),
        ),
    )


def secondary(
    text: str,
    on_click: Handler | None = None,
    *,
    icon: ft.IconData | None = None,
    url: str | None = None,
    danger: bool = False,
    disabled: bool = False,
) -> ft.Control:
    ink = theme.BAD if danger else theme.ACCENT
    return ft.OutlinedButton(
        content=ft.Text(text, size=theme.BODY, weight=ft.FontWeight.W_600),
        icon=ft.Icon(icon, size=24) if icon else None,
        url=url,
        disabled=disabled,
        on_click=on_click,
        style=ft.ButtonStyle(
            color=ink,
            bgcolor=theme.PAPER,
            side=ft.BorderSide(theme.THICK, theme.LINE if disabled else ink),
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
            padding=ft.Padding.symmetric(horizontal=12, vertical=17),
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
                ft.Icon(mark, size=28, color=theme.ACCENT),
                ft.Text(text, size=theme.BODY, weight=ft.FontWeight.W_600 if chosen else None, expand=True),
            ]
        ),
        bgcolor=theme.CALM_BACK if chosen else theme.PAPER,
        border=ft.Border.all(theme.THICK, theme.ACCENT if chosen else theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=14),
    )
    return tappable(row, name, on_click, selected=chosen)


def chip(text: str, chosen: bool, on_click: Handler) -> ft.Control:
    """One of several short words, side by side."""
    label = ft.Text(text, size=theme.BODY, weight=ft.FontWeight.W_600 if chosen else None)
    label.expand, label.expand_loose = True, True  # large text goes on in the next line
    mark = [ft.Icon(ft.Icons.CHECK, size=20, color=theme.ACCENT)] if chosen else []
    box = ft.Container(
        content=ft.Row([*mark, label], tight=True, spacing=6),
        bgcolor=theme.CALM_BACK if chosen else theme.PAPER,
        border=ft.Border.all(theme.THICK, theme.ACCENT if chosen else theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=15),
    )
    return tappable(box, text, on_click, selected=chosen)
