"""A checklist on the screen: what each item has, what it still lacks, and which one is next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from mobile import words
from mobile.rule_words import said
from mobile.views.quantities import read_number
from shared.checklists import NO, YES, applying, missing_checks, photos_of, standing
from shared.work_orders import Answer, CheckItem, CheckResult, CheckSpec, ItemKind, SkipReason, WorkOrder

Mark = Literal["open", "good", "bad", "skipped"]
SKIP_REASONS = tuple(SkipReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One item that applies. `stands`: what counts for it; `before`: other values on record, newest first.

    `lacks`: what the close still asks of it, in sentences.
    """

    item: CheckItem
    mark: Mark
    title: str
    stands: str
    before: tuple[str, ...]
    lacks: tuple[str, ...]
    photos: int

    @property
    def code(self) -> str:
        return self.item.code

    @property
    def is_open(self) -> bool:
        return bool(self.lacks)

    @property
    def label(self) -> str:
        """For who does not see the mark."""
        return words.listed([self.title, self.stands or words.NOT_YET])

    @property
    def wants_photo(self) -> bool:
        return self.mark != "skipped" and (self.item.photo or self.item.kind is ItemKind.PHOTO)


def check_rows(order: WorkOrder, clock: Callable[[datetime], str]) -> tuple[CheckRow, ...]:
    """The items that apply now, in order. `clock`: a time as the technician reads it."""
    lacks: dict[str | None, list[str]] = {}
    for problem in missing_checks(order):
        lacks.setdefault(problem.field, []).append(said(problem.detail))
    return tuple(_row(item, order, tuple(lacks.get(item.code, ())), clock) for item in applying(order))


def _row(
    item: CheckItem, order: WorkOrder, lacks: tuple[str, ...], clock: Callable[[datetime], str]
) -> CheckRow:
    found, photos = standing(order, item.code), photos_of(order, item.code)
    on_record: list[CheckResult | Answer] = [*order.checks, *order.answers]
    others = sorted(
        (one for one in on_record if one.code == item.code and one != found),
        key=lambda one: one.at,
        reverse=True,
    )
    parts = [in_words(found, item)] if found else []
    skipped = isinstance(found, Answer) and found.skipped is not None
    if photos and not skipped:
        parts.append(words.photos(photos))
    mark: Mark = "open" if lacks or not parts else "good"
    if skipped:
        mark = "skipped"
    elif found is not None and not found.passed and item.must_pass:
        mark = "bad"
    return CheckRow(
        item=item,
        mark=mark,
        title=said(item.label),
        stands=words.listed(parts),
        before=tuple(words.earlier(in_words(one, item), clock(one.at)) for one in others),
        lacks=lacks,
        photos=photos,
    )


def in_words(found: CheckResult | Answer, item: CheckItem) -> str:
    """What was measured, answered or left out, as a person reads it."""
    if isinstance(found, CheckResult):
        return words.measured(found.value, found.unit)
    if found.skipped is not None:
        return words.left_out(found.skipped, found.value)
    return answer_in_words(item, found.value)


def answer_in_words(item: CheckItem, value: str) -> str:
    if item.kind is ItemKind.YES_NO:
        return {YES: words.YES, NO: words.NO}.get(value, value)
    return next((said(choice.label) for choice in item.choices if choice.code == value), value)


def choices_of(item: CheckItem) -> tuple[tuple[str, str], ...]:
    """(what is saved, what is read) of an item that is answered by one tap."""
    if item.kind is ItemKind.YES_NO:
        return ((YES, words.YES), (NO, words.NO))
    return tuple((choice.code, said(choice.label)) for choice in item.choices)


def open_row(rows: tuple[CheckRow, ...], chosen: str) -> CheckRow | None:
    """The one to show whole: what was tapped, else the first that lacks something."""
    tapped = next((row for row in rows if row.code == chosen), None)
    return tapped or next((row for row in rows if row.is_open), None)


def next_open(rows: tuple[CheckRow, ...], code: str) -> str:
    """The code of the open item after `code`, else of the first one; empty when all is done."""
    codes = [row.code for row in rows]
    place = codes.index(code) + 1 if code in codes else 0
    return next((row.code for row in (*rows[place:], *rows[:place]) if row.is_open), "")


def typed_value(text: str, spec: CheckSpec) -> tuple[Decimal | None, str]:
    """The number that was typed, or why it is not taken."""
    value = read_number(text)
    if value is None:
        return None, words.not_a_number(text, spec.label)
    if not spec.allows(value) and value > 0 and spec.allows(-value):
        return None, words.sign_missing(value, spec.unit)
    return value, ""


def done_of(rows: tuple[CheckRow, ...]) -> int:
    return sum(not row.is_open for row in rows)
