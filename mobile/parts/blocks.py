"""Words on paper: titles, cards, lines and the coloured box with a sentence."""

from __future__ import annotations

from collections.abc import Iterable

import flet as ft

from mobile import theme


def title(text: str) -> ft.Control:
    return ft.Text(text, size=theme.LARGE, weight=ft.FontWeight.W_700, color=theme.INK)


def line(text: str, *, quiet: bool = False, bold: bool = False, size: int | None = None) -> ft.Control:
    return ft.Text(
        text,
        size=size or theme.BODY,
        color=theme.QUIET if quiet else theme.INK,
        weight=ft.FontWeight.W_700 if bold else None,
    )


def card(*controls: ft.Control, bgcolor: str = theme.PAPER, edge: str = theme.LINE) -> ft.Control:
    return ft.Container(
        content=ft.Column(list(controls), spacing=8, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        bgcolor=bgcolor,
        border=ft.Border.all(theme.THIN, edge),
        border_radius=theme.RADIUS,
        padding=14,
    )


def section(name: str, *controls: ft.Control) -> ft.Control:
    """A card that says first what it is about."""
    return card(ft.Text(name, size=theme.SMALL, weight=ft.FontWeight.W_700, color=theme.QUIET), *controls)


def mood_box(
    text: str,
    mood: str,
    *,
    heading: str | None = None,
    trailing: ft.Control | None = None,
    icon: ft.IconData | None = None,
) -> ft.Control:
    """A sentence that must be seen: icon, words and colour say the same."""
    ink, back, usual = theme.MOODS[mood]
    words: list[ft.Control] = []
    if heading:
        words.append(ft.Text(heading, size=theme.TITLE, weight=ft.FontWeight.W_700, color=ink))
    words.append(ft.Text(text, size=theme.BODY, color=theme.INK))
    return ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon or usual, size=30, color=ink),
                ft.Column(words, spacing=2, expand=True),
                *([trailing] if trailing else []),
            ],
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        bgcolor=back,
        border=ft.Border.all(theme.THICK, ink),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=6 if trailing else 14, vertical=10),
    )


def tag(
    text: str, *, ink: str = theme.CALM, back: str = theme.CALM_BACK, icon: ft.IconData | None = None
) -> ft.Control:
    label = ft.Text(text, size=theme.SMALL, weight=ft.FontWeight.W_700, color=ink)
    if icon:  # beside which long words go on in the next line
        label.expand, label.expand_loose = True, True
    return ft.Container(
        content=ft.Row([ft.Icon(icon, size=18, color=ink), label], tight=True, spacing=4) if icon else label,
        bgcolor=back,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=8, vertical=3),
    )


def side_by_side(*controls: ft.Control) -> ft.Control:
    """Two buttons in a row, or one below the other where the text is too large for that."""
    if theme.LARGE_TEXT:
        return ft.Column(list(controls), spacing=8, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    for control in controls:
        control.expand = True
    return ft.Row(list(controls), spacing=8)


def headed(text: str, state: ft.Control) -> ft.Control:
    """What a card is about and a tag with its state: side by side, or below each other in large text."""
    name = ft.Text(text, size=theme.BODY, weight=ft.FontWeight.W_600)
    if theme.LARGE_TEXT:
        return ft.Column([name, state], spacing=4)
    name.expand = True
    return ft.Row([name, state])


def facts(texts: Iterable[str]) -> ft.Control:
    """Short facts side by side, wrapping to the next line."""
    return ft.Row(
        [ft.Text(text, size=theme.SMALL, color=theme.QUIET) for text in texts],
        wrap=True,
        spacing=14,
        run_spacing=2,
    )


def with_icon(icon: ft.IconData, content: ft.Control, *, color: str = theme.ACCENT) -> ft.Control:
    content.expand = True
    return ft.Row(
        [ft.Icon(icon, size=24, color=color), content],
        spacing=10,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
