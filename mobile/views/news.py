"""What the office changed, in words: marks on a job's card, and lines for jobs that have no card any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from mobile import words
from mobile.news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsLine:
    """One sentence about a job that is not in the list below. `id` is None where there is nothing to open."""

    text: str
    id: UUID | None


def marks(news: News | None, today: date, zone: tzinfo | None) -> tuple[str, ...]:
    """One short sentence a change, with the old value and the new one where there are both."""
    return tuple(_mark(change, news, today, zone) for change in news.changes) if news else ()


def lines(
    news: Mapping[UUID, News], shown: frozenset[UUID], today: date, zone: tzinfo | None
) -> tuple[NewsLine, ...]:
    """What the cards of the `shown` jobs do not say: jobs that are gone, cancelled, or on another day."""
    return tuple(
        NewsLine(
            text=words.news_of_job(found.job.number, found.job.street, marks(found, today, zone)),
            id=found.order_id if found.after and not found.after.cancelled else None,
        )
        for found in news.values()
        if found.order_id not in shown
    )


def _mark(change: str, news: News, today: date, zone: tzinfo | None) -> str:
    match change:
        case "new":
            start = news.after.start if news.after else None
            return words.listed([words.NEW_JOB, _time(start, today, zone)]) if start else words.NEW_JOB
        case "gone":
            return words.GONE_JOB
        case "cancelled":
            return words.CANCELLED_JOB
        case "parts":
            return words.NEW_PARTS
        case "note":
            return words.NEW_NOTE
    assert news.before and news.after, "what moved was there before and is there now"
    if change == "moved":
        return words.moved_job(_time(news.before.start, today, zone), _time(news.after.start, today, zone))
    return words.new_window(_window(news.before.window, today, zone), _window(news.after.window, today, zone))


def _time(instant: datetime | None, today: date, zone: tzinfo | None) -> str:
    return words.clock_and_day(instant.astimezone(zone), today) if instant else words.NO_TIME


def _window(window: tuple[datetime, datetime] | None, today: date, zone: tzinfo | None) -> str:
    if window is None:
        return words.NO_TIME
    start, end = window
    return words.span(_time(start, today, zone), words.clock(end.astimezone(zone)))
