"""Text fields: plain, large, without a keyboard's wisdom where codes are typed."""

from __future__ import annotations

from typing import Any

import flet as ft

from mobile import theme


def text_field(label: str, value: str, *, refused: bool = False, **options: Any) -> ft.TextField:
    """A field for words or numbers; `options` are Flet's. `refused` marks a value that was not taken."""
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
    return ft.TextField(label=label, value=value, **(settings | options))


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
