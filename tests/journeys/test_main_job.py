"""`./dev demo --check` on both databases, and what its JSON promises to programs."""

from __future__ import annotations

from typing import Any

import main_job
import pytest


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One whole run of the main job, with two visits a technician."""
    import databases

    arguments = ["--jobs", "2", "--plan-seconds", "3"]
    folder = tmp_path_factory.mktemp("main-job")
    with databases.empty_database(request.param, folder) as url:
        database = [] if request.param == "sqlite" else ["--database", url]
        yield main_job.run([*arguments, *database])


def step(result: Any, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = next(item["facts"] for item in result["steps"] if item["name"] == name)
    return facts


class TestTheMainJob:
    def test_happens_truly_from_the_order_to_the_invoice(self, result: Any) -> None:
        assert result["ok"], [item for item in result["steps"] if not item["ok"]]

    def test_reports_each_step_in_the_shape_that_programs_read(self, result: Any) -> None:
        assert set(result) == {"ok", "seconds", "steps"}
        assert {frozenset(item) for item in result["steps"]} == {
            frozenset({"name", "ok", "seconds", "facts"})
        }
        assert len(result["steps"]) == 12

    def test_plans_a_real_town_and_leaves_nothing_out_silently(self, result: Any) -> None:
        plan = step(result, "plan the day")
        orders = step(result, "town, people, orders")["work_orders"]
        assert orders >= 120
        assert plan["planned"] + len(plan["unassigned"]) == orders
        assert all(item["reason"] for item in plan["unassigned"])

    def test_counts_every_consequence_in_the_database(self, result: Any) -> None:
        offline = step(result, "work offline")
        booked = step(result, "consequences, from the database")
        assert booked["work_orders_completed"] == offline["jobs_closed_offline"] == 8
        assert booked["commands_accepted"] == offline["operations_queued"]
        assert booked["invoices_drafted"]["count"] == 8
        assert booked["journal_sum"] == 0

    def test_ignores_every_duplicate(self, result: Any) -> None:
        again = step(result, "the same push again")
        assert again["duplicates_ignored"] == step(result, "work offline")["operations_queued"]
        assert again["database_unchanged"]
