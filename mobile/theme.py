"""Colours and sizes: for gloves, sunlight and a screen 360 px wide.

A colour here is a role that the client looks up in the page's theme, so that light and dark change without a
new drawing. Sizes are numbers: `wear` sets them, and what was drawn before is drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import flet as ft

Theme = Literal["system", "light", "dark", "sunlight"]

PAPER, CANVAS = ft.Colors.SURFACE, ft.Colors.SURFACE_CONTAINER_LOW
INK, QUIET = ft.Colors.ON_SURFACE, ft.Colors.ON_SURFACE_VARIANT
LINE = ft.Colors.OUTLINE_VARIANT
ACCENT = ft.Colors.PRIMARY
ACTION, ON_ACTION = ft.Colors.SECONDARY_CONTAINER, ft.Colors.ON_SECONDARY_CONTAINER
BAR, ON_BAR = ft.Colors.PRIMARY_FIXED, ft.Colors.ON_PRIMARY_FIXED

GOOD, GOOD_BACK = ft.Colors.TERTIARY, ft.Colors.TERTIARY_CONTAINER
WARN, WARN_BACK = ft.Colors.ON_SECONDARY_FIXED, ft.Colors.SECONDARY_FIXED
BAD, BAD_BACK, ON_BAD = ft.Colors.ERROR, ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR
CALM, CALM_BACK = ft.Colors.ON_PRIMARY_CONTAINER, ft.Colors.PRIMARY_CONTAINER

MOODS = {
    "good": (GOOD, GOOD_BACK, ft.Icons.CHECK_CIRCLE),
    "warn": (WARN, WARN_BACK, ft.Icons.WARNING_AMBER_ROUNDED),
    "bad": (BAD, BAD_BACK, ft.Icons.DANGEROUS_OUTLINED),
    "calm": (CALM, CALM_BACK, ft.Icons.INFO_OUTLINE),
}
"""Mood → ink, background, icon. Never colour alone: an icon and words go with it."""

TARGET = 56  # height of everything one can tap; 48 is the least that gloves hit
GAP = 12
EDGE = 16
RADIUS = 14
WIDE = 840  # from here on list and detail stand side by side
LIST_WIDTH = 400

TEXT_PERCENTS = (100, 125, 150, 200)
SUNLIGHT_LARGER = 1.1
NAMES_LARGER_MAX = 1.3  # of the three screens in the bar: beyond, they don't fit side by side

HUGE, TITLE, LARGE, BODY, SMALL, BAR_NAME = 30, 22, 20, 17, 15, 13
_SIZES = {"HUGE": HUGE, "TITLE": TITLE, "LARGE": LARGE, "BODY": BODY, "SMALL": SMALL}
THIN, THICK, STRONG = 1, 2, 3  # lines
LARGE_TEXT = False  # too large for two things side by side on a phone


def wear(theme: Theme, percent: int) -> None:
    """Set the sizes for `theme` and for text of so many percent; both reach what is drawn from now on."""
    global BAR_NAME, THIN, THICK, STRONG, LARGE_TEXT
    sunlight = theme == "sunlight"
    factor = percent / 100 * (SUNLIGHT_LARGER if sunlight else 1)
    globals().update({name: round(size * factor) for name, size in _SIZES.items()})
    BAR_NAME = round(13 * min(factor, NAMES_LARGER_MAX))
    THIN, THICK, STRONG = (2, 3, 4) if sunlight else (1, 2, 3)
    LARGE_TEXT = factor >= 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """What the roles are in one theme; each field is one or two fields of Flet's colour scheme."""

    paper: str
    canvas: str
    ink: str
    quiet: str
    line: str
    accent: str
    on_accent: str
    action: str
    on_action: str
    bar: str
    on_bar: str
    good: str
    good_back: str
    warn: str
    warn_back: str
    bad: str
    bad_back: str
    on_bad: str
    calm: str
    calm_back: str

    def readable(self) -> list[tuple[str, str]]:
        """(ink, what it stands on), for all that is read."""
        grounds = [self.paper, self.canvas, self.calm_back]
        found = [(ink, ground) for ink in (self.ink, self.quiet, self.accent) for ground in grounds]
        for ink, back in (
            (self.good, self.good_back),
            (self.warn, self.warn_back),
            (self.bad, self.bad_back),
            (self.calm, self.calm_back),
        ):
            found += [(ink, back), (ink, self.paper), (self.ink, back)]
        found += [(self.on_accent, self.accent), (self.on_action, self.action), (self.on_bar, self.bar)]
        return [*found, (self.on_bad, self.bad)]


LIGHT = Palette(
    paper="#FFFFFF", canvas="#EDF2F4", ink="#0A1E26", quiet="#40545C", line="#B9C6CC",
    accent="#0B3D4D", on_accent="#FFFFFF", action="#FFB347", on_action="#0A1E26",
    bar="#0B3D4D", on_bar="#FFFFFF",
    good="#0B5D2A", good_back="#DDF3E4", warn="#7A4100", warn_back="#FFF0D1",
    bad="#9B1420", bad_back="#FDE3E4", on_bad="#FFFFFF", calm="#0B3D4D", calm_back="#DCE9EE",
)  # fmt: skip
DARK = Palette(
    paper="#15242C", canvas="#0C161B", ink="#EAF2F5", quiet="#B6C6CE", line="#40545E",
    accent="#86D5EA", on_accent="#06222B", action="#FFB347", on_action="#0A1E26",
    bar="#0B3D4D", on_bar="#FFFFFF",
    good="#86E3A6", good_back="#10331F", warn="#FFCE85", warn_back="#3B2A0A",
    bad="#FFB4B1", bad_back="#4B1418", on_bad="#3B0508", calm="#C3E8F3", calm_back="#173A4A",
)  # fmt: skip
SUNLIGHT = Palette(
    paper="#FFFFFF", canvas="#FFFFFF", ink="#000000", quiet="#1C1C1C", line="#000000",
    accent="#000000", on_accent="#FFFFFF", action="#FFD21F", on_action="#000000",
    bar="#000000", on_bar="#FFFFFF",
    good="#004A19", good_back="#FFFFFF", warn="#5A2C00", warn_back="#FFFFFF",
    bad="#860000", bad_back="#FFFFFF", on_bad="#FFFFFF", calm="#000000", calm_back="#FFFFFF",
)  # fmt: skip
PALETTES = {"light": LIGHT, "dark": DARK, "sunlight": SUNLIGHT}


def dress(page: ft.Page, theme: Theme) -> None:
    """Put `theme` on the page; `system` follows the device between light and dark."""
    page.theme = _theme(SUNLIGHT if theme == "sunlight" else LIGHT)
    page.dark_theme = _theme(DARK)
    page.theme_mode = {
        "system": ft.ThemeMode.SYSTEM,
        "dark": ft.ThemeMode.DARK,
    }.get(theme, ft.ThemeMode.LIGHT)
    page.bgcolor = CANVAS


def _theme(palette: Palette) -> ft.Theme:
    name = ft.TextStyle(size=BAR_NAME, color=palette.ink, weight=ft.FontWeight.W_600)
    return ft.Theme(
        color_scheme=_scheme(palette),
        visual_density=ft.VisualDensity.STANDARD,
        navigation_bar_theme=ft.NavigationBarTheme(label_text_style=name),
        navigation_rail_theme=ft.NavigationRailTheme(
            selected_label_text_style=name, unselected_label_text_style=name
        ),
    )


def _scheme(palette: Palette) -> ft.ColorScheme:
    return ft.ColorScheme(
        surface=palette.paper,
        surface_container_low=palette.canvas,
        on_surface=palette.ink,
        on_surface_variant=palette.quiet,
        outline=palette.quiet,
        outline_variant=palette.line,
        primary=palette.accent,
        on_primary=palette.on_accent,
        secondary=palette.accent,
        on_secondary=palette.on_accent,
        secondary_container=palette.action,
        on_secondary_container=palette.on_action,
        primary_fixed=palette.bar,
        on_primary_fixed=palette.on_bar,
        tertiary=palette.good,
        tertiary_container=palette.good_back,
        secondary_fixed=palette.warn_back,
        on_secondary_fixed=palette.warn,
        error=palette.bad,
        on_error=palette.on_bad,
        error_container=palette.bad_back,
        primary_container=palette.calm_back,
        on_primary_container=palette.calm,
    )
