from __future__ import annotations

import pytest
from day_of_work import uid

from mobile.state import job_route, parent_route, parse_route


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
