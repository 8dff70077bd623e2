"""A cursor as text: what it is made of, and the seal that only its own database can put on it."""

from __future__ import annotations

import pytest

from sync.server.cursors import is_genuine, parts, sealed, unsealed

PLAIN = "epoch-20261116-van.7.41"


class TestTheParts:
    @pytest.mark.parametrize(
        ("cursor", "found"),
        [
            (PLAIN, ("epoch-20261116-van", "7.41", None)),
            (f"{PLAIN}~asset/A~1/B!", ("epoch-20261116-van", "7.41", ("asset", "A~1/B!"))),
            ("nonsense", ("nonsense", None, None)),
            ("", ("", None, None)),
            (None, ("", None, None)),
        ],
    )
    def test_are_history_position_and_the_last_row_of_a_snapshot(self, cursor, found):
        assert parts(cursor) == found


class TestTheSeal:
    @pytest.mark.parametrize("cursor", [PLAIN, f"{PLAIN}~asset/ÄÖ! 1"])
    def test_is_known_again_and_comes_off(self, cursor: str):
        told = sealed(cursor, "key")
        assert (is_genuine(told, "key"), unsealed(told)) == (True, cursor)
        assert len(told) == len(cursor) + 12

    @pytest.mark.parametrize(
        "forged",
        [
            sealed(PLAIN, "another key"),
            sealed(PLAIN, "key").replace("41", "42"),
            sealed(PLAIN, "key")[:-1],
            sealed(PLAIN, "key") + "=",
            PLAIN,
            f"{PLAIN}!",
            "!",
            "!é",
            "",
            None,
        ],
    )
    def test_of_anybody_else_is_none(self, forged: str | None):
        assert is_genuine(forged, "key") is False

    def test_is_missing_on_what_an_older_server_gave_out(self):
        assert unsealed(PLAIN) is None
