"""One row of the table, as a figure of the report."""

from __future__ import annotations

from typing import Any


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    peer: str | None = None,
    peer_value: float | None = None,
    floor: str | None = None,
    aim: str | None = None,
    digits: int = 2,
    **more: Any,
) -> dict[str, Any]:
    """`floor` and `aim` as the runner reads them: "<= 3", or "<= 0.5 of peer" for the ratio."""
    full: dict[str, Any] = {"name": name, "value": round(value, digits), "unit": unit}
    if peer:
        assert peer_value is not None, "a peer has a value"
        full |= {"peer": peer, "peer_value": round(peer_value, digits), "ratio": round(value / peer_value, 3)}
    return full | {"floor": floor, "aim": aim} | more


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
