"""A journal that balances."""

from __future__ import annotations

from uuid import uuid5

import pytest
from situations import JOB
from world import MONDAY, World

from server.billing.journal import Account, Posting, post
from server.billing.models import JournalLineRow
from shared.money import Money


class TestTheJournal:
    def test_adds_an_entry_that_balances(self, world: World):
        postings = [
            Posting(Account.RECEIVABLE_DRAFT, Money(125)),
            Posting(Account.VISITS, Money(-100)),
            Posting(Account.VAT, Money(-25)),
            Posting(Account.PARTS, Money(0)),
        ]
        with world.database.write() as session:
            post(session, JOB, postings, at=MONDAY)
        assert [(row.line, row.account[:4], row.amount_minor) for row in world.rows(JournalLineRow)] == [
            (1, "1500", 125),
            (2, "4000", -100),
            (3, "2200", -25),
        ]

    def test_refuses_one_that_does_not(self, world: World):
        postings = [Posting(Account.STOCK, Money(5)), Posting(Account.PARTS_USED, Money(-4))]
        with (
            pytest.raises(ValueError, match=r"the entry is off by 0\.01 EUR"),
            world.database.write() as session,
        ):
            post(session, JOB, postings, at=MONDAY)
        assert world.rows(JournalLineRow) == []

    def test_adds_nothing_for_nothing(self, world: World):
        with world.database.write() as session:
            post(session, uuid5(JOB, "free"), [Posting(Account.VISITS, Money(0))], at=MONDAY)
        assert world.rows(JournalLineRow) == []
