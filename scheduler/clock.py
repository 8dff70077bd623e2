"""Minutes after local midnight, as people read them."""


def hhmm(minute: int) -> str:
    """Return `minute` as "14:05"; past midnight it goes on counting ("25:10"), so that no day is hidden."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
