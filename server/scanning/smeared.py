"""A Code 128 too blurred, shaken or grainy for a decoder: the row of symbols that explains its line best.

A decoder measures each bar, and finds none where two have run together. Here each symbol is smeared the same
way as the picture, and the cheapest row of them is looked for (Viterbi): neighbours that run into each other
are expected to. The check character and how well the whole line is explained decide whether it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Line = NDArray[np.float64]

# Widths of bar, space, bar … of the symbols 0 to 105 (ISO/IEC 15417), then of the stop.
_WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)
WIDTHS = tuple(_WIDTHS[at : at + 6] for at in range(0, len(_WIDTHS), 6))
STOP = "2331112"
SYMBOL_MODULES, STOP_MODULES = 11, 13
START_A, START_B, START_C = 103, 104, 105
FNC1, SHIFT = 102, 98
DATA = range(FNC1 + 1)

SAMPLES = 4  # a module
HALF = SYMBOL_MODULES * SAMPLES // 2
# Smears to expect, in modules: a lens out of focus (sigma), a moving hand (length).
BLURS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.3)
SHAKES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
SYMBOLS_MIN, SYMBOLS_MAX = 4, 32  # with the check character, without start and stop
SLACK = (-0.4, 0.0, 0.4, 0.8)  # modules that the first and last dark pixel may be off
ENDS_MISSED_MAX = 0.25  # of start's and stop's power; more is no code
GUESSES = 8  # of length, place and smear, that are looked at whole
UNEXPLAINED_MAX = 0.12  # of the line's variance


@dataclass(frozen=True, slots=True)
class _Smear:
    """Every symbol as the picture shows it. `head` and `tail` are what it adds to the window of one symbol's
    width around its beginning and its end, shape (symbols, 2 * HALF)."""

    head: Line
    tail: Line
    stop_head: Line
    stop_tail: Line


@dataclass(frozen=True, slots=True)
class _Guess:
    """`line` is 0 on paper and 1 on a bar, in samples, HALF of them before the code and after it."""

    line: Line
    symbols: int
    smear: _Smear
    cost: float


def read_smeared(upright: Image.Image, *, module_px_min: float) -> str | None:
    """The text of the Code 128 whose upright bars fill the picture, or None.

    A GS (0x1D) stands for FNC1; `]C1` in front says that the code begins with one, so that it is GS1-128.
    """
    rows = np.asarray(upright, dtype=np.float64)
    quarter = len(rows) // 4
    # A bar is the same all the way down: the mean of a hundred rows has a tenth of the noise of one.
    for profile in (rows.mean(axis=0), rows[quarter : len(rows) - quarter].mean(axis=0)):
        for guess in sorted(_guesses(profile, module_px_min), key=lambda guess: guess.cost)[:GUESSES]:
            symbols, unexplained = _likeliest(guess)
            if unexplained <= UNEXPLAINED_MAX and _adds_up(symbols):
                return _text(symbols)
    return None


def _guesses(profile: Line, module_px_min: float) -> Iterator[_Guess]:
    """Lengths, places and smears that explain start and stop."""
    ink = _ink(profile)
    dark = np.flatnonzero(ink > 0.3 * np.percentile(ink, 98))
    if not len(dark):
        return
    first, last = float(dark[0]), float(dark[-1] + 1)
    for symbols in range(SYMBOLS_MIN, SYMBOLS_MAX + 1):
        modules = (symbols + 1) * SYMBOL_MODULES + STOP_MODULES
        module = (last - first) / modules
        if module < module_px_min:
            return
        edges = np.array([(first + a * module, last - b * module) for a in SLACK for b in SLACK])
        yield from _fitted(_sampled(ink, edges, modules), symbols)


def _ink(profile: Line) -> Line:
    """0 on paper and more on bars, in light that changes along the line."""
    tenth = max(len(profile) // 12, 1)
    left, right = np.percentile(profile[:tenth], 80), np.percentile(profile[-tenth:], 80)
    paper = np.linspace(left, right, len(profile))
    return 1 - profile / np.maximum(paper, 1)


def _sampled(ink: Line, edges: Line, modules: int) -> Line:
    """One line for each (first, last) of `edges`."""
    count = modules * SAMPLES
    parts = (np.arange(-HALF, count + HALF) + 0.5) / count
    places = edges[:, :1] + parts * (edges[:, 1:] - edges[:, :1])
    return np.interp(places, np.arange(len(ink)) + 0.5, ink)


def _fitted(lines: Line, symbols: int) -> Iterator[_Guess]:
    """For each line and smear, how well start and stop are found at its ends."""
    ends = _ends()  # (smears, starts, samples)
    seen = np.concatenate([lines[:, : 2 * HALF], lines[:, -STOP_MODULES * SAMPLES :]], axis=1)
    power = (seen**2).sum(axis=1)[:, np.newaxis, np.newaxis] + 1e-9
    alike = np.einsum("ls,mts->lmt", seen, ends)
    scales = np.maximum(alike / (ends**2).sum(axis=-1), 1e-3)
    misses = 1 - scales * (2 * alike - scales * (ends**2).sum(axis=-1)) / power
    best = misses.argmin(axis=-1)
    for at, smear in np.argwhere(misses.min(axis=-1) <= ENDS_MISSED_MAX):
        start = best[at, smear]
        scale, miss = scales[at, smear, start], misses[at, smear, start]
        yield _Guess(lines[at] / scale, symbols, _smears()[smear], float(miss))


def _likeliest(guess: _Guess) -> tuple[list[int], float]:
    """The cheapest row of symbols from start to check character, and the part of the line it leaves open."""
    line, smear = guess.line, guess.smear
    cost = np.full(len(WIDTHS), np.inf)
    cost[START_A:] = ((line[: 2 * HALF] - smear.head[START_A:]) ** 2).sum(axis=1)
    came_from = []
    cross = 2 * smear.tail @ smear.head[DATA].T
    heads = (smear.head[DATA] ** 2).sum(axis=1)
    for place in range(1, guess.symbols + 1):
        window = line[2 * HALF * place : 2 * HALF * (place + 1)]
        before = cost + ((window - smear.tail) ** 2).sum(axis=1)
        paths = before[:, np.newaxis] + cross + (heads - 2 * smear.head[DATA] @ window)
        came_from.append(paths.argmin(axis=0))
        cost = np.full(len(WIDTHS), np.inf)
        cost[DATA] = paths.min(axis=0)
    window = line[2 * HALF * (guess.symbols + 1) :][: 2 * HALF]
    cost = cost + ((window - smear.tail - smear.stop_head) ** 2).sum(axis=1)
    symbol = int(cost.argmin())
    total = float(cost[symbol]) + float(((line[-STOP_MODULES * SAMPLES :] - smear.stop_tail) ** 2).sum())
    row = [symbol]
    for step in reversed(came_from):
        row.append(int(step[row[-1]]))
    return row[::-1], total / float(((line - line.mean()) ** 2).sum())


def _adds_up(symbols: list[int]) -> bool:
    start, *data, check = symbols
    return (start + sum(place * value for place, value in enumerate(data, start=1))) % 103 == check


def _text(symbols: list[int]) -> str | None:
    """What start and data say; None for a row that no encoder writes."""
    start, *data, _ = symbols
    code_set = "ABC"[start - START_A]
    prefix, text, shifted = "", "", False
    for place, value in enumerate(data):
        current = {"A": "B", "B": "A"}[code_set] if shifted else code_set
        shifted = False
        if value == FNC1:
            if place == 0:
                prefix = "]C1"
            else:
                text += "\x1d"
        elif current == "C":
            if value < 100:
                text += f"{value:02d}"
            else:
                code_set = "B" if value == 100 else "A"
        elif value < 96:
            text += chr(value + 32) if current == "B" or value < 64 else chr(value - 64)
        elif value == SHIFT:
            shifted = True
        elif value == 99:
            code_set = "C"
        elif value in (100, 101) and "BA"[value - 100] != current:
            code_set = "BA"[value - 100]
        else:
            return None  # FNC2 to FNC4: no label has them
    return prefix + text if text else None


@cache
def _ends() -> Line:
    """Around the beginning of each start, and the rest of the stop; shape (smears, starts, samples)."""
    return np.array(
        [[np.concatenate([start, smear.stop_tail]) for start in smear.head[START_A:]] for smear in _smears()]
    )


@cache
def _smears() -> tuple[_Smear, ...]:
    frequency = np.fft.rfftfreq(4 * HALF + STOP_MODULES * SAMPLES)
    blurs = [np.exp(-2 * (np.pi * frequency * sigma * SAMPLES) ** 2) for sigma in BLURS]
    shakes = [np.sinc(frequency * length * SAMPLES) * blurs[0] for length in SHAKES]
    return tuple(_smear(response) for response in (*blurs, *shakes))


def _smear(response: Line) -> _Smear:
    drawn = np.array([_smeared(widths, response) for widths in WIDTHS])
    stop = _smeared(STOP, response)
    return _Smear(
        head=drawn[:, : 2 * HALF],
        tail=drawn[:, 2 * HALF : 4 * HALF],
        stop_head=stop[: 2 * HALF],
        stop_tail=stop[2 * HALF : HALF + STOP_MODULES * SAMPLES + HALF],
    )


def _smeared(widths: str, response: Line) -> Line:
    """One symbol in samples, HALF of them before it."""
    modules = np.concatenate([np.full(int(w), 1 - place % 2) for place, w in enumerate(widths)])
    sharp = np.zeros(4 * HALF + STOP_MODULES * SAMPLES)
    sharp[HALF : HALF + len(modules) * SAMPLES] = np.repeat(modules, SAMPLES)
    return np.fft.irfft(np.fft.rfft(sharp) * response, len(sharp))
