"""Functions over arrays, compiled at their first call and kept beside the source for the next start."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """`function` as machine code. It lets other threads run meanwhile: it touches no Python object."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))
