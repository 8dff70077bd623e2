"""Where a picture shows bars, and how to cut them out upright.

Bars are where all steps between neighbouring pixels go one way. That way is the line of reading: a decoder,
which looks along rows and columns, is shown the bars turned by just that angle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

TILE_PX = 12
# Of the steps between neighbours in a tile, the part that goes one way: 1 for bars, 0 for a chequered field.
ONE_WAY_MIN = 0.55
STEP_MIN = 6.0  # root mean square, in grey levels: below is paper, wall and noise
CALM_STEP_MIN = 2.0  # the same once the grain is blurred away
TURN_MAX = 12.0  # degrees between neighbouring tiles of one code
TILES_MIN = 6
FIELDS_MAX = 6
QUIET_TILES = 2
ENLARGED = 3
STRAIGHTENED_BY_PX = 120  # of the bars' height: half a degree moves a row at its end by half a pixel
ALONG_MIN = 90.0  # shorter is an edge, a letter or the finder of a DataMatrix
ACROSS_MIN = 20.0  # lower is a line of print
EDGES_MIN = 24  # the shortest codes, EAN-8 and a Code 128 of two characters, have more

Profile = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Bars:
    """One field of parallel bars: its centre, its size along the line of reading and along the bars (pixels).

    `degrees` is how far the line of reading is turned from the picture's rows, -90 to 90, clockwise.
    """

    x: float
    y: float
    along: float
    across: float
    degrees: float
    strength: float

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in the field."""
        c, s = cos(radians(self.degrees)), sin(radians(self.degrees))
        along, across = c * (x - self.x) + s * (y - self.y), c * (y - self.y) - s * (x - self.x)
        return abs(along) <= self.along / 2 and abs(across) <= self.across / 2


def find_bars(image: Image.Image) -> list[Bars]:
    """Fields of parallel bars, the clearest first."""
    return _find(image, image, STEP_MIN) or _find(
        image, image.filter(ImageFilter.GaussianBlur(1.5)), CALM_STEP_MIN
    )


def shows_texture(image: Image.Image) -> bool:
    """Whether anything in the picture is as busy as a code; paper, wall, sky and fog are not."""
    energy, _, _ = _tiles(image)
    return bool((energy >= STEP_MIN**2).sum() >= TILES_MIN)


def cut_out(image: Image.Image, bars: Bars, *, enlarged: int = ENLARGED) -> Image.Image:
    """The field with its bars upright, enlarged, and a margin where the code's quiet zone is."""
    width, height = int(bars.along * enlarged), int(bars.across * enlarged)
    c, s = cos(radians(bars.degrees)) / enlarged, sin(radians(bars.degrees)) / enlarged
    corner_x = bars.x - c * width / 2 + s * height / 2
    corner_y = bars.y - s * width / 2 - c * height / 2
    return image.transform(
        (width, height),
        Image.Transform.AFFINE,
        (c, -s, corner_x, s, c, corner_y),
        Image.Resampling.BICUBIC,
        fillcolor=255,
    )


def _edges(image: Image.Image, field: Bars) -> int:
    """How often the line through the whole height goes from paper to bar or back."""
    line = _even(np.asarray(cut_out(image, field), dtype=np.float64).mean(axis=0))
    return int(np.count_nonzero(np.diff(line > 0)))


def _find(image: Image.Image, looked_at: Image.Image, step_min: float) -> list[Bars]:
    energy, one_way, angle = _tiles(looked_at)
    barred = (one_way >= ONE_WAY_MIN) & (energy >= step_min**2)
    fields = [_field(group, energy, angle) for group in _groups(barred, angle)]
    codes = [field for field in fields if field.along >= ALONG_MIN and field.across >= ACROSS_MIN]
    codes.sort(key=lambda field: -field.strength)
    straight = (_straightened(image, field) for field in codes[:FIELDS_MAX])
    return [field for field in straight if _edges(image, field) >= EDGES_MIN]


def _straightened(image: Image.Image, field: Bars) -> Bars:
    """The field turned until its rows agree: then the mean of all of them has the most contrast."""

    def agreement(degrees: float) -> float:
        turned = replace(field, degrees=degrees, across=min(field.across, STRAIGHTENED_BY_PX))
        return float(np.asarray(cut_out(image, turned, enlarged=1), dtype=np.float64).mean(axis=0).std())

    degrees = field.degrees
    for step in (2.0, 1.0, 0.5):
        degrees = max((degrees, degrees - step, degrees + step), key=agreement)
    return replace(field, degrees=degrees)


def _tiles(image: Image.Image) -> tuple[Profile, Profile, Profile]:
    """For each tile: mean squared step, the part of it that goes one way, and which way (degrees)."""
    pixels = np.asarray(image, dtype=np.float32)
    dx = (pixels[:-1, 1:] - pixels[:-1, :-1] + pixels[1:, 1:] - pixels[1:, :-1]) / 2
    dy = (pixels[1:, :-1] - pixels[:-1, :-1] + pixels[1:, 1:] - pixels[:-1, 1:]) / 2
    down, across = dx.shape[0] // TILE_PX, dx.shape[1] // TILE_PX

    def mean(field: Profile) -> Profile:
        cut = field[: down * TILE_PX, : across * TILE_PX]
        means: Profile = cut.reshape(down, TILE_PX, across, TILE_PX).mean(axis=(1, 3))
        return means

    xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    energy = xx + yy
    one_way: Profile = np.hypot(xx - yy, 2 * xy) / (energy + 1e-6)
    return energy, one_way, np.degrees(np.arctan2(2 * xy, xx - yy)) / 2


def _groups(barred: NDArray[np.bool_], angle: Profile) -> Iterator[list[tuple[int, int]]]:
    """Neighbouring tiles with bars that go the same way."""
    left = {(int(row), int(column)) for row, column in np.argwhere(barred)}
    while left:
        group = [left.pop()]
        for row, column in group:
            around = {(row + r, column + c) for r in (-1, 0, 1) for c in (-1, 0, 1)} & left
            near = {tile for tile in around if _turn(angle[tile], angle[row, column]) <= TURN_MAX}
            left -= near
            group += near
        if len(group) >= TILES_MIN:
            yield group


def _turn(one: float, other: float) -> float:
    return abs((one - other + 90) % 180 - 90)


def _field(group: list[tuple[int, int]], energy: Profile, angle: Profile) -> Bars:
    rows, columns = np.array(group).T
    weight = energy[rows, columns]
    doubled = np.exp(2j * np.radians(angle[rows, columns]))
    degrees = float(np.degrees(np.angle((weight * doubled).sum())) / 2)
    c, s = cos(radians(degrees)), sin(radians(degrees))
    x, y = (columns + 0.5) * TILE_PX, (rows + 0.5) * TILE_PX
    along, across = c * x + s * y, c * y - s * x
    middle_along, middle_across = (along.max() + along.min()) / 2, (across.max() + across.min()) / 2
    return Bars(
        x=c * middle_along - s * middle_across,
        y=s * middle_along + c * middle_across,
        along=float(np.ptp(along)) + (1 + 2 * QUIET_TILES) * TILE_PX,
        across=float(np.ptp(across)) + TILE_PX,
        degrees=degrees,
        strength=float(weight.sum()),
    )


def _even(profile: Profile) -> Profile:
    """From -1 (bar) to 1 (paper), each stretch of the line measured by its own darkest and lightest."""
    reach = TILE_PX * ENLARGED
    padded = np.pad(profile, reach, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    low, high = windows.min(axis=1), windows.max(axis=1)
    span = np.maximum(high - low, 0.25 * np.ptp(profile) + 1)
    evened: Profile = 1 - 2 * np.clip((high - profile) / span, 0, 1)
    return evened
