"""Who may do what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """A skill at a level from 1 (assists) to 5 (teaches)."""

    name: str
    level: int
