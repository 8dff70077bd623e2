"""What plans are weighed by: versions in the database, the newest in force, none ever changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.request import InvalidRequest, Weights
from server.dispatch.models import PolicyRow
from server.dispatch.texts import tidy
from shared.problems import BadValue, Conflict

NOTE_MAX = 500
TERRITORIES_MAX = 200
TERRITORY_LENGTH_MAX = 80
POSTCODE_LENGTH_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningPolicy:
    """One version; 0 is what the program comes with. territories: name → beginnings of its postcodes."""

    version: int = 0
    made_at: datetime | None = None
    made_by: str = ""
    note: str = "As the program comes"
    weights: Weights = field(default_factory=Weights)
    territories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def territory_of(self, postcode: str) -> str | None:
        """The territory with the longest beginning of `postcode`; of equals the first by name."""
        found = [
            (-len(start), name)
            for name, starts in self.territories.items()
            for start in starts
            if postcode.startswith(start)
        ]
        return min(found)[1] if found else None


def policy_in_force(session: Session) -> PlanningPolicy:
    row = session.scalar(select(PolicyRow).order_by(PolicyRow.version.desc()).limit(1))
    return _policy(row) if row else PlanningPolicy()


def versions(session: Session) -> list[PlanningPolicy]:
    """All that were ever in force, the newest first; the program's own last."""
    rows = session.scalars(select(PolicyRow).order_by(PolicyRow.version.desc()))
    return [*(_policy(row) for row in rows), PlanningPolicy()]


def change(
    session: Session,
    *,
    after: int,
    weights: Mapping[str, Any],
    territories: Mapping[str, list[str]] | None,
    note: str,
    who: str,
    now: datetime,
) -> PlanningPolicy:
    """Put a new version in force: the one `after` which it comes, with `weights` and `territories` changed.

    territories replace the former ones when given. Raises BadValue naming the weight or territory, and
    Conflict when `after` is not in force any more.
    """
    before = policy_in_force(session)
    if before.version != after:
        raise Conflict(f"Version {before.version} is in force, not {after}. Look at it first")
    note = tidy(note, NOTE_MAX + 1)
    if not note or len(note) > NOTE_MAX:
        raise BadValue(f"Say in 1 to {NOTE_MAX} characters why it is changed", field="note")
    row = PolicyRow(
        version=before.version + 1,
        made_at=now,
        made_by=who,
        note=note,
        weights=_plain(_changed(before.weights, weights)),
        territories=_territories(before.territories if territories is None else territories),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Somebody else has changed it at the same time. Look at it first") from error
    return _policy(row)


def _changed(before: Weights, weights: Mapping[str, Any]) -> Weights:
    known = {one.name for one in fields(Weights)}
    if unknown := sorted(set(weights) - known):
        raise BadValue(
            f"There is no weight {unknown[0]}; there are {', '.join(sorted(known))}", field="weights"
        )
    try:
        return Weights(**{**asdict(before), **{name: _value(value) for name, value in weights.items()}})
    except (InvalidRequest, TypeError) as error:
        raise BadValue(str(error), field="weights") from error


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(weights: Weights) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(weights).items()}


def _territories(territories: Mapping[str, Any]) -> dict[str, list[str]]:
    if len(territories) > TERRITORIES_MAX:
        raise BadValue(f"No more than {TERRITORIES_MAX} territories, please", field="territories")
    for name, starts in territories.items():
        if not name.strip() or not starts or not all(start.strip() for start in starts):
            raise BadValue(
                f"Territory {name!r} needs a name and the beginnings of its postcodes", field="territories"
            )
    return drawn(territories)


def drawn(territories: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Territories as every database can keep them."""
    return {
        tidy(name, TERRITORY_LENGTH_MAX): [tidy(start, POSTCODE_LENGTH_MAX) for start in starts]
        for name, starts in territories.items()
    }


def _policy(row: PolicyRow) -> PlanningPolicy:
    known = {one.name for one in fields(Weights)}
    return PlanningPolicy(
        version=row.version,
        made_at=row.made_at,
        made_by=row.made_by,
        note=row.note,
        # A weight that a later version of the program has taken away says nothing any more.
        weights=Weights(**{name: _value(v) for name, v in row.weights.items() if name in known}),
        territories={name: tuple(starts) for name, starts in row.territories.items()},
    )
