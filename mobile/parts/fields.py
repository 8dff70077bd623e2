"""Text fields: plain, large, without a keyboard's wisdom for codes; and numbers with their unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from mobile import theme, words
from mobile.parts.touch import icon_button
from mobile.rule_words import said
from mobile.views.quantities import change_sign, mostly_negative
from shared.work_orders import CheckSpec


def text_field(
    label: str,
    value: str,
    *,
    on_change: Callable[[str], None] = lambda text: None,
    refused: bool = False,
    **options: Any,
) -> ft.TextField:
    """A field for words or numbers; `options` are Flet's. `refused` marks a value that was not taken.

    `on_change` hears the whole text after each key.
    """

    def heard(event: ft.ControlEvent) -> None:
        # The event's own text: where the screen was drawn anew meanwhile, the control is another one by now,
        # and has the text of before.
        on_change(str(event.data or ""))

    ink = theme.BAD if refused else theme.QUIET
    settings: dict[str, Any] = {
        "text_size": theme.LARGE,
        "label_style": ft.TextStyle(size=theme.BODY),
        "hint_style": ft.TextStyle(size=theme.BODY),
        "suffix_style": ft.TextStyle(size=theme.BODY),
        "content_padding": ft.Padding.symmetric(horizontal=12, vertical=16),
        "filled": True,
        "fill_color": theme.PAPER,
        "border": {
            ft.ControlState.DEFAULT: outline(ink, theme.THICK if refused else theme.THIN),
            ft.ControlState.FOCUSED: outline(theme.BAD if refused else theme.ACCENT, theme.STRONG),
        },
    }
    return ft.TextField(label=label, value=value, on_change=heard, **(settings | options))


def outline(ink: str, width: int) -> ft.OutlineInputBorder:
    return ft.OutlineInputBorder(side=ft.BorderSide(width, ink), border_radius=10, gap_padding=0)


def code_field(label: str, value: str, **options: Any) -> ft.TextField:
    """A field for what is printed on a label: capitals, nothing corrected."""
    settings: dict[str, Any] = {
        "capitalization": ft.TextCapitalization.CHARACTERS,
        "autocorrect": False,
        "enable_suggestions": False,
    }
    return text_field(label, value, **(settings | options))


def number_row(
    spec: CheckSpec, text: str, enter: Callable[[str], None], *, refused: bool = False
) -> ft.Control:
    """Large digits in the unit of `spec`, with a key for the sign where most values are below zero."""
    negative = mostly_negative(spec)
    field = text_field(
        said(spec.label),
        text,
        key=f"check-{spec.code}",
        suffix=spec.unit,
        text_size=theme.HUGE,
        expand=True,
        keyboard_type=ft.KeyboardType.TEXT if negative else ft.KeyboardType.NUMBER,
        autocorrect=False,
        refused=refused,
        on_change=enter,
    )
    if not negative:
        return ft.Row([field], spacing=8)
    sign = icon_button(
        ft.Text("±", size=theme.HUGE, color=theme.INK),
        words.CHANGE_SIGN,
        lambda: enter(change_sign(text)),
        bgcolor=theme.CALM_BACK,
    )
    return ft.Row([sign, field], spacing=8)


def pin_field(label: str, value: str, **options: Any) -> ft.TextField:
    """Digits that nobody reads over a shoulder."""
    settings: dict[str, Any] = {
        "password": True,
        "keyboard_type": ft.KeyboardType.NUMBER,
        "max_length": 8,
        "counter": "",
        "autocorrect": False,
        "enable_suggestions": False,
    }
    return text_field(label, value, **(settings | options))
