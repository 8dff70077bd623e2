"""The published JSON Schemas say what the code reads and writes."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from days import a_town_day, random_days
from hypothesis import HealthCheck, given, settings

from scheduler.codec import plan_to_json, request_to_json
from scheduler.request import PlanRequest
from scheduler.schema import SCHEMAS, plan_schema, request_schema, written
from scheduler.solve import solve

DOCS = Path(__file__).parents[2] / "docs" / "schemas"
FILES = {"request": DOCS / "plan-request.schema.json", "plan": DOCS / "plan.schema.json"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_file_is_what_the_code_says(name: str) -> None:
    """Else: python -m scheduler schema NAME > docs/schemas/…"""
    assert FILES[name].read_text(encoding="utf-8") == written(name) + "\n"


class TestWhatItSays:
    def test_what_may_be_left_out_and_what_it_is_then(self) -> None:
        job = request_schema()["$defs"]["Job"]
        assert job["required"] == ["id", "place", "minutes"]
        assert job["properties"]["priority"] == {"type": "integer", "default": 3}
        assert job["properties"]["due"] == {
            "anyOf": [{"type": "integer"}, {"type": "null"}], "default": None,
        }  # fmt: skip

    def test_every_reason_for_leaving_a_job_out(self) -> None:
        assert plan_schema()["$defs"]["Unassigned"]["properties"]["code"] == {
            "enum": [
                "no_technician",
                "skill",
                "pinned",
                "territory",
                "certificate",
                "parts",
                "time",
                "day_full",
                "too_costly",
                "linked",
            ]
        }

    def test_every_part_is_described(self) -> None:
        for schema in (request_schema(), plan_schema()):
            assert [name for name, part in schema["$defs"].items() if len(part["description"]) < 30] == []


REQUESTS = jsonschema_rs.validator_for(request_schema())
PLANS = jsonschema_rs.validator_for(plan_schema())


class TestWhatItAllows:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_every_request_and_every_plan(self, request: PlanRequest) -> None:
        REQUESTS.validate(json.loads(request_to_json(request)))
        PLANS.validate(json.loads(plan_to_json(solve(request, seconds=0))))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("jobs", 0, "minutes"), "30"),
            (("jobs", 0, "minutes"), 1.5),
            (("jobs", 0, "windows"), {}),
            (("jobs", 0, "window"), []),
            (("jobs", 0), None),
            (("technicians", 0, "skills"), {"fibre": "b"}),
            (("weights", "unserved"), [1, 2]),
            (("travel", "estimated"), 0),
            (("version",), 2),
        ],
    )
    def test_nothing_that_the_reader_refuses(self, path: tuple[Any, ...], value: Any) -> None:
        data: Any = json.loads(request_to_json(a_town_day(2, 3)))
        assert REQUESTS.is_valid(data)
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert not REQUESTS.is_valid(data)
