from __future__ import annotations

import asyncio
from datetime import date

import pytest
from day_of_work import uid

from mobile.look import Look
from mobile.state import Desk, job_route, parent_route, parse_route


class TestRoutes:
    @pytest.mark.parametrize(
        ("route", "meaning"),
        [
            ("/", ("today", None, "")),
            ("", ("today", None, "")),
            ("/stock", ("stock", None, "")),
            ("/sync?x=1", ("sync", None, "")),
            (f"/job/{uid(7)}", ("job", uid(7), "")),
            (f"/job/{uid(7)}/scan", ("job", uid(7), "scan")),
            ("/job/nonsense", ("today", None, "")),
            ("/nowhere", ("today", None, "")),
        ],
    )
    def test_lead_to_a_screen_and_never_astray(self, route, meaning):
        assert parse_route(route) == meaning

    def test_go_back_from_a_screen_to_its_job_and_from_there_to_the_day(self):
        assert parent_route(job_route(uid(7), "scan")) == job_route(uid(7))
        assert parent_route(job_route(uid(7))) == "/"
        assert parent_route("/sync") == "/"


class TestAChoiceOnAFullDevice:
    @pytest.mark.parametrize(
        ("choose", "name"),
        [
            (lambda desk: desk.lock_after(5), "lock_minutes"),
            (lambda desk: desk.send_photos("wifi"), "photos"),
            (lambda desk: desk.say_where("yes"), "photo_place"),
            (lambda desk: desk.suggest_arrival(True), "suggest_arrival"),
            (lambda desk: desk.choose(Look(theme="dark")), "theme"),
            (lambda desk: desk.hide_sketch(True), "sketch_hidden"),
        ],
    )
    def test_is_not_made_and_says_so(self, desk: Desk, gateway, choose, name: str):
        before = desk.shell.look
        gateway._store._disk.execute("PRAGMA query_only=ON")
        choose(desk)
        assert desk.shell.notice.text.endswith("Free some space, then try again")
        assert (gateway.preference(name), desk.shell.look) == (None, before)


class TestADeviceThatChangesHands:
    def test_keeps_nothing_that_was_entered_and_no_lock(self, desk: Desk, gateway):
        asyncio.run(gateway.lock.set("2580"))
        desk.keep_draft("text", "Gate code 12")
        desk.show_day(date(2026, 11, 24))
        desk.lock()
        gateway._store.wipe("erased")
        gateway._look_again()
        gateway._tell()
        assert (desk.forms.drafts, desk.shell.day, desk.shell.locked) == ({}, None, False)

    def test_keeps_all_while_it_does_not(self, desk: Desk, gateway):
        desk.keep_draft("text", "Gate code 12")
        desk.show_day(date(2026, 11, 24))
        gateway._tell()
        assert desk.draft("text") == "Gate code 12"
        assert desk.shell.day == date(2026, 11, 24)
