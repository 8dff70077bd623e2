"""JSON in and out: nothing is lost, and what is wrong is named."""

import json
from typing import Any

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.codec import plan_from_json, plan_to_json, request_from_json, request_to_json
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.solve import solve


def problem(**changes: Any) -> dict[str, Any]:
    day = a_day(a_job(windows=(window("08:00", "09:00"),)), technicians=(ann(lunch=LUNCH),))
    data: dict[str, Any] = json.loads(request_to_json(day))
    return data | changes


def refusal(data: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        request_from_json(data if isinstance(data, str) else json.dumps(data))
    return str(refused.value)


class TestRoundTrip:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_requests_and_plans_come_back_equal(self, request: PlanRequest) -> None:
        assert request_from_json(request_to_json(request)) == request
        plan = solve(request, seconds=0)
        assert plan_from_json(plan_to_json(plan)) == plan

    def test_a_whole_town_too(self) -> None:
        day = a_town_day(12, 110)
        assert request_from_json(request_to_json(day)) == day

    def test_fields_with_a_default_may_be_left_out(self) -> None:
        data = problem()
        del data["weights"], data["now"], data["version"]
        data["jobs"] = [{"id": "j1", "place": 1, "minutes": 30}]
        assert request_from_json(json.dumps(data)).jobs[0] == a_job()


class TestBadInput:
    def test_not_json(self) -> None:
        assert refusal("{").startswith("this is not JSON: ")

    def test_not_an_object(self) -> None:
        assert refusal([1]) == "expected a JSON object, not list"

    def test_not_utf8(self) -> None:
        with pytest.raises(InvalidRequest, match="this is not UTF-8 text"):
            request_from_json(b"\xff\xfe{")

    def test_nan(self) -> None:
        assert refusal('{"now": NaN}') == "NaN is no number a plan can use"

    @pytest.mark.parametrize("version", ["true", "1.0"])
    def test_a_version_that_is_no_whole_number(self, version: str) -> None:
        with pytest.raises(InvalidRequest, match=r"version .* of the request is unknown"):
            request_from_json(f'{{"version": {version}}}')

    def test_a_newer_version(self) -> None:
        assert refusal(problem(version=2)) == "version 2 of the request is unknown; this program reads 1"

    def test_a_missing_field(self) -> None:
        data = problem()
        del data["jobs"][0]["minutes"]
        assert refusal(data) == "request.jobs[0].minutes is missing"

    def test_a_misspelt_field(self) -> None:
        data = problem()
        data["jobs"][0]["window"] = []
        assert refusal(data).startswith(
            "request.jobs[0] has an unknown field 'window'; known are after, drop_cost, due,"
        )

    @pytest.mark.parametrize(
        ("path", "value", "message"),
        [
            (("jobs", 0, "minutes"), "30", 'request.jobs[0].minutes must be a whole number, not "30"'),
            (("jobs", 0, "minutes"), True, "request.jobs[0].minutes must be a whole number, not true"),
            (("jobs", 0, "minutes"), 1.5, "request.jobs[0].minutes must be a whole number, not 1.5"),
            (
                ("jobs", 0, "minutes"),
                -1,
                "request.jobs[0]: job j1: minutes must be between 0 and 200000, not -1",
            ),
            (("jobs", 0, "windows"), {}, "request.jobs[0].windows must be a list, not {}"),
            (
                ("jobs", 0, "windows", 0, "closes"),
                1,
                "request.jobs[0].windows[0]: window.closes (1) is before window.opens (480)",
            ),
            (("jobs", 0, "id"), 7, "request.jobs[0].id must be a text, not 7"),
            (("jobs", 0, "priority"), 1.0, "request.jobs[0].priority must be a whole number, not 1.0"),
            (("jobs", 0, "after"), "b", 'request.jobs[0].after must be a list, not "b"'),
            (
                ("technicians", 0, "territories"),
                "AB",
                'request.technicians[0].territories must be a list, not "AB"',
            ),
            (("jobs", 0), None, "request.jobs[0] must be an object, not null"),
            (
                ("technicians", 0, "skills"),
                {"a": "b"},
                'request.technicians[0].skills.a must be a whole number, not "b"',
            ),
            (("technicians", 0, "skills"), [], "request.technicians[0].skills must be an object, not []"),
            (
                ("travel", "seconds", 1),
                [0],
                "request.travel: travel.seconds[1] has 1 entries, not 8: it must be square",
            ),
            (
                ("travel", "seconds", 1, 0),
                "x",
                'request.travel.seconds[1][0] must be a whole number, not "x"',
            ),
            (("travel", "estimated"), 0, "request.travel.estimated must be true or false, not 0"),
            (("weights", "unserved"), [1, 2], "request.weights.unserved must have 4 entries, not 2"),
        ],
    )
    def test_a_wrong_value(self, path: tuple[Any, ...], value: Any, message: str) -> None:
        data = problem()
        inner: Any = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert refusal(data).startswith(message)

    def test_a_plan_with_an_unknown_reason(self) -> None:
        request = a_day(a_job(skills={"fibre": 1}))
        data = json.loads(plan_to_json(solve(request, seconds=0)))
        data["unassigned"][0]["code"] = "mood"
        with pytest.raises(
            InvalidRequest, match=r"plan\.unassigned\[0\]\.code must be one of no_technician, skill,"
        ):
            plan_from_json(json.dumps(data))

    def test_a_plan_of_another_version(self) -> None:
        with pytest.raises(InvalidRequest, match="version None of the plan is unknown"):
            plan_from_json("{}")
