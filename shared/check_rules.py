"""Answering a checklist, and leaving an item out. Numbers are tests: shared/visit_rules.py records them."""

from __future__ import annotations

from datetime import datetime

from shared import commands as cmd
from shared import events as ev
from shared import visit_rules as visit
from shared.checklists import ANSWER_LENGTH_MAX, NO, YES, item_of
from shared.conflicts import CONFLICTS
from shared.problems import BadValue
from shared.remarks import Remark
from shared.situation import Situation
from shared.work_orders import Answer, CheckItem, ItemKind, SkipReason


def answer_check(command: cmd.AnswerCheck, now: Situation, at: datetime) -> visit.Outcome:
    visit.must_be_on_site(now.order)
    answer, item = answered(command, now, at)
    return (ev.CheckAnswered(answer=answer),), _said_by_others(item, now)


def skip_check(command: cmd.SkipCheck, now: Situation, at: datetime) -> visit.Outcome:
    visit.must_be_on_site(now.order)
    answer, item = skipped(command, now, at)
    return (ev.CheckSkipped(answer=answer),), _said_by_others(item, now)


def answered(command: cmd.AnswerCheck, now: Situation, at: datetime) -> tuple[Answer, CheckItem]:
    """The answer as it is kept, whether its item applies at the moment or not. Raises BadValue."""
    item, value = _item(command.code, now), visit.printable(command.value).strip()
    match item.kind:
        case ItemKind.NUMBER:
            raise BadValue(f"{item.label} needs a number in {item.unit}", field="value")
        case ItemKind.PHOTO:
            raise BadValue(f"Take the photo “{item.label}”", field="value")
        case ItemKind.YES_NO if value not in (YES, NO):
            raise BadValue(f"“{item.label}” is answered with yes or no", field="value")
        case ItemKind.CHOICE if value not in {choice.code for choice in item.choices}:
            choices = ", ".join(choice.label for choice in item.choices)
            raise BadValue(f"“{item.label}” has these answers: {choices}", field="value")
        case ItemKind.TEXT:
            _check_text(item, value, needed=True)
    passed = not item.good or value in item.good
    return Answer(code=item.code, value=value, passed=passed, at=at, by=now.actor_id), item


def skipped(command: cmd.SkipCheck, now: Situation, at: datetime) -> tuple[Answer, CheckItem]:
    """That an item was left out, with its reason. Raises BadValue."""
    item, text = _item(command.code, now), visit.printable(command.text).strip()
    if not item.skippable:
        raise BadValue(f"{item.label} can't be left out: the job can't be closed without it", field="code")
    _check_text(item, text, needed=command.reason is SkipReason.OTHER)
    answer = Answer(code=item.code, value=text, passed=False, at=at, by=now.actor_id, skipped=command.reason)
    return answer, item


def _item(code: str, now: Situation) -> CheckItem:
    item = item_of(now.order, code)
    if item is None:
        raise visit.not_asked(code, now.order)
    return item


def _check_text(item: CheckItem, text: str, *, needed: bool) -> None:
    if needed and not text:
        raise BadValue(f"“{item.label}” needs some words", field="text")
    if len(text) > ANSWER_LENGTH_MAX:
        detail = f"“{item.label}” holds {ANSWER_LENGTH_MAX} characters, this has {len(text)}"
        raise BadValue(detail, field="text")


def _said_by_others(item: CheckItem, now: Situation) -> tuple[Remark, ...]:
    order = now.order
    if all(one.code != item.code or one.by == now.actor_id for one in order.answers):
        return ()
    return (CONFLICTS["check-recorded-twice"].remarked(label=item.label, number=order.number),)
