"""Who may do what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """A skill at a level from 1 (assists) to 5 (teaches)."""

    name: str
    level: int


def lacking(needs: Iterable[SkillNeed], held: Mapping[str, int]) -> tuple[SkillNeed, ...]:
    """The needs that `held` (skill → level) does not meet."""
    return tuple(need for need in needs if held.get(need.name, 0) < need.level)
