"""Functions over arrays as machine code, made at their first call and kept beside the source.

They touch no Python object, so other threads run meanwhile. `python -m scheduler warm` makes all of them.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

BARE: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """`function` as machine code."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))


def compiled_bare(function: Function) -> Function:
    """The same for a function that makes no array, only reads and writes those it is given.

    Nothing is counted then of who holds which array: with thirty of them in each call that took far longer
    than the work (numba 0.68; `_nrt` is the switch that leaves it out). Division by zero gives infinity.
    """
    return cast(Function, numba.njit(**BARE)(function))


def compiled_inside(function: Function) -> Function:
    """The same, made a part of each function that calls it: handing thirty arrays over takes its time too."""
    return cast(Function, numba.njit(**BARE, forceinline=True)(function))
