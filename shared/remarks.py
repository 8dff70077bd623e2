"""Remarks: the command was accepted, and somebody should know something about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """`slug` for programs, `detail` one plain sentence for people."""

    slug: str
    detail: str
