"""Colours and sizes: for gloves, sunlight and a screen 360 px wide."""

from __future__ import annotations

import flet as ft

INK = "#0A1E26"  # on WHITE 16.8:1
QUIET = "#40545C"  # second line; on WHITE 7.9:1
TEAL = "#0B3D4D"
AMBER = "#FFB347"  # INK on it 9.6:1
WHITE = "#FFFFFF"
CANVAS = "#EDF2F4"
LINE = "#B9C6CC"

GOOD, GOOD_BACK = "#0B5D2A", "#DDF3E4"
WARN, WARN_BACK = "#7A4100", "#FFF0D1"
BAD, BAD_BACK = "#9B1420", "#FDE3E4"
CALM, CALM_BACK = "#0B3D4D", "#DCE9EE"

TARGET = 56  # height of everything one can tap; 48 is the least that gloves hit
PRIMARY = 68
GAP = 12
EDGE = 16
RADIUS = 14

HUGE, TITLE, LARGE, BODY, SMALL = 30, 22, 20, 17, 15

WIDE = 840  # from here on list and detail stand side by side
LIST_WIDTH = 400

MOODS = {
    "good": (GOOD, GOOD_BACK, ft.Icons.CHECK_CIRCLE),
    "warn": (WARN, WARN_BACK, ft.Icons.WARNING_AMBER_ROUNDED),
    "bad": (BAD, BAD_BACK, ft.Icons.DANGEROUS_OUTLINED),
    "calm": (CALM, CALM_BACK, ft.Icons.INFO_OUTLINE),
}
"""Mood → ink, background, icon. Never colour alone: an icon and words go with it."""


def theme() -> ft.Theme:
    return ft.Theme(
        color_scheme=ft.ColorScheme(
            primary=TEAL,
            on_primary=WHITE,
            secondary=AMBER,
            on_secondary=INK,
            secondary_container=AMBER,
            on_secondary_container=INK,
            surface=WHITE,
            on_surface=INK,
            on_surface_variant=QUIET,
            outline=QUIET,
            error=BAD,
        ),
        visual_density=ft.VisualDensity.STANDARD,
    )
