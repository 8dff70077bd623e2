"""A command in words, whatever it is and however old."""

from __future__ import annotations

import pytest

from server.dispatch.meaning import _THINGS, counted, in_words
from shared.commands import FIELD_COMMANDS, OFFICE_COMMANDS


class TestACommandInWords:
    @pytest.mark.parametrize(
        ("kind", "body", "words"),
        [
            ("install_asset", '{"serial": "ZTEGC0DE1234"}', "install device ZTEGC0DE1234"),
            ("record_check", '{"code": "optical_power", "value": "-19.5"}', "record optical power: -19.5"),
            ("use_parts", '{"lines": [{"sku": "DROP", "quantity": 35}]}', "use 35 × DROP"),
            ("add_evidence", '{"kind": "photo"}', "add a photo"),
            (
                "cannot_complete",
                '{"reason": "customer_absent"}',
                "say it cannot be completed: nobody at home",
            ),
            ("close_work_order", "{}", "close the job"),
            ("teleport", '{"to": "Mars"}', "something this server does not know (teleport)"),
        ],
    )
    def test_says_what_was_meant(self, kind: str, body: str, words: str):
        assert in_words(kind, body) == words

    @pytest.mark.parametrize("body", ["", "not json", "[]", "null", '{"lines": 7}'])
    def test_survives_any_body(self, body: str):
        assert all(in_words(kind, body) for kind in (*FIELD_COMMANDS, *OFFICE_COMMANDS))

    def test_knows_every_command_there_is(self):
        unknown = [k for k in (*FIELD_COMMANDS, *OFFICE_COMMANDS) if "does not know" in in_words(k, "{}")]
        assert unknown == []

    def test_cuts_a_long_note(self):
        assert len(in_words("add_note", '{"text": "%s"}' % ("long " * 100))) < 100


@pytest.mark.parametrize(
    ("kind", "count", "said"),
    [
        ("close_work_order", 1, "close of the job"),
        ("photo", 3, "3 photos"),
        ("read_meter", 1, "read meter"),
        ("read_meter", 2, "2 × read meter"),
    ],
)
def test_what_a_device_carries_is_counted_in_words(kind: str, count: int, said: str):
    assert counted(kind, count) == said


def test_every_command_of_a_phone_has_a_word_for_what_it_leaves():
    assert set(FIELD_COMMANDS) <= set(_THINGS)
