"""What a run ends with when an invariant does not hold."""

from __future__ import annotations


class Violation(AssertionError):
    """`invariant` is its name, as docs/simulation.md lists it."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail

    def __reduce__(self) -> tuple[type[Violation], tuple[str, str]]:
        return Violation, (self.invariant, self.detail)  # so that it may come from another process


def require(holds: object, invariant: str, detail: object) -> None:
    """Raise Violation unless `holds`. `detail` is what a person needs to begin looking."""
    if not holds:
        raise Violation(invariant, str(detail)[:2_000])
