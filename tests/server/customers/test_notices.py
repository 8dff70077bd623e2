"""What customers are told, in four languages."""

from __future__ import annotations

from datetime import timedelta
from string import Formatter

import pytest
from world import MONDAY, World

from server import office
from server.customers.models import CustomerRow, NoticeRow
from server.customers.notices import WORDS, render
from shared.commands import AssignWorkOrder, StartTravel

LANGUAGES = {"en", "fi", "sv", "de"}
FACTS = {"technician": "Ana", "number": "WO-1", "time": "09:08", "plan": "Home 100"}


class TestTheWords:
    @pytest.mark.parametrize("template", list(WORDS))
    def test_are_there_in_every_language_with_the_same_facts(self, template: str):
        texts = WORDS[template]
        assert set(texts) == LANGUAGES
        asked = {
            language: {name for _, name, _, _ in Formatter().parse(text)} for language, text in texts.items()
        }
        assert all(facts - {None} == asked["en"] - {None} for facts in asked.values())
        assert all("{" not in render(template, language, **FACTS) for language in LANGUAGES)

    def test_are_english_where_we_lack_the_language(self):
        assert render("on_the_way", "et", **FACTS) == "Ana is on the way to you for WO-1."


class TestQueueing:
    def test_by_mail_where_there_is_no_phone_and_once_for_each_template(self, world: World):
        job = world.order(language="sv")
        with world.database.write() as session:
            session.get_one(CustomerRow, job.customer_id).phone = ""
        world.ana.send(StartTravel(work_order_id=job.id), start=MONDAY + timedelta(days=1))
        give_back = AssignWorkOrder(
            work_order_id=job.id, technician_id=world.ana.technician_id, planned_start=MONDAY,
            planned_end=MONDAY + timedelta(hours=1),
        )  # fmt: skip
        office.run(world.database, world.settings, give_back, "Dora")
        world.ana.send(StartTravel(work_order_id=job.id), start=MONDAY + timedelta(days=1))
        notice = world.row(NoticeRow)
        assert (notice.channel, notice.recipient, notice.state) == ("email", "customer1@home.test", "queued")
        assert notice.body == "Ana är på väg till dig, uppdrag WO-0001."
