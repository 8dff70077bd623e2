"""Published instances: what is read, that a plan's cost is its distance, and what a broken file is told."""

import re
from pathlib import Path

import pytest

from scheduler.check import check, cost_of
from scheduler.plan import Plan, Unassigned
from scheduler.request import InvalidRequest, PlanRequest, Window
from scheduler.solve import solve
from scheduler.timing import Day
from scheduler.vrplib import LOAD, Instance, Vehicle, read_instance, request_of

SOLOMON = """C999

VEHICLE
NUMBER     CAPACITY
  2         200

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0       1000          0
    1      3         4         10          5        900         90
    2      1         1          0          0       1000         10
"""

VRPLIB = """NAME : tiny
TYPE : {type}
DIMENSION : 3
VEHICLES : 2
CAPACITY : 7
SERVICE_TIME : 1.5
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 -3 4
DEMAND_SECTION
1 0
2 5
3 6
TIME_WINDOW_SECTION
1 0 100
2 1 50.29
3 0 100
{more}DEPOT_SECTION
1
-1
EOF
"""


def vrplib(type: str = "VRPTW", more: str = "") -> str:
    return VRPLIB.format(type=type, more=more)


def refusal(text: str) -> str:
    with pytest.raises(InvalidRequest) as refused:
        request_of(read_instance(text))
    return str(refused.value)


class TestSolomon:
    def test_a_tick_is_a_minute_and_a_cent(self) -> None:
        request = request_of(read_instance(SOLOMON))
        assert [person.id for person in request.technicians] == ["v1", "v2"]
        first = request.technicians[0]
        assert (first.shift_start, first.shift_end, first.parts) == (0, 10_000, {LOAD: 200})
        job = request.jobs[0]
        assert (job.id, job.place, job.minutes, job.parts) == ("1", 1, 900, {LOAD: 10})
        assert job.windows == (Window(50, 9_000),)
        assert request.jobs[1].parts == {}
        # √2 is cut off at 14 ticks, not rounded; the way from (3, 4) to (1, 1) is 3.605….
        assert request.travel.seconds == ((0, 3000, 840), (3000, 0, 2160), (840, 2160, 0))
        assert [request.weights.drive(seconds, 0) for seconds in request.travel.seconds[1]] == [50, 0, 36]

    def test_a_plan_costs_its_distance(self) -> None:
        plan = solve(request_of(read_instance(SOLOMON)), seconds=0)
        assert plan.unassigned == ()
        assert plan.cost.total == plan.cost.travel == 50 + 36 + 14

    def test_leaving_a_customer_out_is_dearer_than_any_plan(self) -> None:
        request = request_of(read_instance(SOLOMON))
        assert {request.weights.leave_undone(job) for job in request.jobs} == {1 + 50 * (2 + 2)}

    @pytest.mark.parametrize(
        ("before", "after", "sentence"),
        [
            ("VEHICLE\n", "", "section VEHICLE is missing"),
            ("CUSTOMER\n", "", "section CUSTOMER is missing"),
            ("  2         200", "", "section VEHICLE must hold one row of two numbers: NUMBER and CAPACITY"),
            ("  2         200", "0 200", "VEHICLE: NUMBER must be at least 1"),
            (
                "  2         200",
                "2 1.5",
                "VEHICLE: CAPACITY must be a whole number from 0 up, not 1.5",
            ),
            ("         90\n", "\n", "CUSTOMER row 1 must have 7 numbers, not 6"),
            ("    1      3  ", "    7      3  ", "CUSTOMER row 1: the customer number is 7, not 1"),
            ("  10   ", "  -3   ", "CUSTOMER row 1: demand must be a whole number from 0 up, not -3"),
            ("  10   ", "  NaN   ", "CUSTOMER row 1: demand must be a finite number, not NaN"),
            ("  10   ", "  ten   ", "CUSTOMER row 1: demand must be a number, not 'ten'"),
            ("        90\n", "       -90\n", "CUSTOMER row 1: service time must not be negative, not -90"),
            (" 900 ", " 4 ", "CUSTOMER row 1: the time window closes (4) before it opens (5)"),
        ],
    )
    def test_a_broken_file_is_told_where(self, before: str, after: str, sentence: str) -> None:
        assert before in SOLOMON
        assert refusal(SOLOMON.replace(before, after, 1)) == sentence

    def test_a_depot_alone_is_refused(self) -> None:
        alone = SOLOMON.partition("    1   ")[0]
        assert refusal(alone) == "section CUSTOMER must hold a depot and at least one customer"

    def test_something_else_is_told_what_is_read_here(self) -> None:
        assert refusal("hello") == (
            "this is neither Solomon's text (VEHICLE, CUSTOMER) nor VRPLIB (DIMENSION, NODE_COORD_SECTION)"
        )


class TestVrplib:
    def test_reads_what_solomons_text_says_too(self) -> None:
        instance = read_instance(vrplib())
        assert instance.depots == (0,)
        assert instance.vehicles == (Vehicle(capacity=7, depot=0),) * 2
        assert [(n.number, n.opens, n.closes, n.service, n.prize) for n in instance.nodes] == [
            (1, 0, 1000, 0, None), (2, 10, 502, 15, None), (3, 0, 1000, 15, None),
        ]  # fmt: skip

    def test_a_prize_is_what_leaving_out_costs_and_none_means_must(self) -> None:
        request = request_of(read_instance(vrplib("PCVRPTW", "PRIZE_SECTION\n1 0\n2 2.5\n3 0\n")))
        assert [job.drop_cost for job in request.jobs] == [25, 1 + 60 * 4]
        plan = solve(request, seconds=0)
        assert [left.job_id for left in plan.unassigned] == ["2"]
        assert plan.cost.total == 100 + 25

    def test_who_may_visit_whom_becomes_skills(self) -> None:
        allowed = "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 2 3\n2 3\n"
        request = request_of(read_instance(vrplib("SDVRPTW", allowed)))
        assert [job.skills for job in request.jobs] == [{"fleet 1": 1}, {}]
        assert [person.skills for person in request.technicians] == [{"fleet 1": 1}, {}]

    def test_vehicles_may_differ_in_capacity_and_depot(self) -> None:
        text = vrplib(
            "MDVRPTW",
            "SERVICE_TIME_SECTION\n1 0\n2 0\n3 4\nCAPACITY_SECTION\n1 5\n2 9\n"
            "VEHICLES_DEPOT_SECTION\n2 2\n1 1\n",
        ).replace("DEPOT_SECTION\n1\n-1", "DEPOT_SECTION\n1\n2\n-1")
        request = request_of(read_instance(text))
        assert [(p.start_place, p.end_place, p.parts) for p in request.technicians] == [
            (0, 0, {LOAD: 5}), (1, 1, {LOAD: 9}),
        ]  # fmt: skip
        assert [(job.id, job.minutes) for job in request.jobs] == [("3", 40)]

    def test_a_longest_duration_is_left_out_only_when_told(self) -> None:
        text = vrplib().replace("CAPACITY", "VEHICLES_MAX_DURATION : 50\nCAPACITY", 1)
        assert read_instance(text).max_duration == 500
        assert refusal(text) == (
            "VEHICLES_MAX_DURATION: a request can't limit how long a route lasts; "
            "--without-max-duration leaves that rule out"
        )
        assert len(request_of(read_instance(text), without_max_duration=True).jobs) == 2

    @pytest.mark.parametrize(
        ("before", "after", "sentence"),
        [
            ("TYPE : VRPTW", "TYPE : CVRP", "TYPE must be one of VRPTW, PCVRPTW, SDVRPTW, MDVRPTW, not CVRP"),
            ("EUC_2D", "EXPLICIT", "EDGE_WEIGHT_TYPE must be EUC_2D, not EXPLICIT"),
            ("DIMENSION : 3", "", "DIMENSION is missing"),
            ("VEHICLES : 2", "", "VEHICLES is missing"),
            ("VEHICLES : 2", "VEHICLES : -2", "VEHICLES must be a whole number from 0 up, not -2"),
            ("CAPACITY : 7", "", "CAPACITY is missing"),
            ("DEMAND_SECTION\n1 0\n2 5\n3 6\n", "", "section DEMAND_SECTION is missing"),
            ("3 -3 4\n", "", "NODE_COORD_SECTION must have 3 rows, not 2"),
            ("3 -3 4\n", "4 -3 4\n", "NODE_COORD_SECTION: number 4 is not among 1 to 3"),
            ("3 -3 4\n", "2 -3 4\n", "NODE_COORD_SECTION: row 2 is there twice"),
            ("3 -3 4\n", "3 -3\n", "NODE_COORD_SECTION row 3 must have 3 numbers, not 2"),
            ("3 -3 4\n", "3 nan 4\n", "node 3: x must be a finite number, not nan"),
            ("2 1 50.29\n", "2 51 50\n", "node 2: the time window closes (50) before it opens (51)"),
            ("1\n-1\n", "-1\n", "DEPOT_SECTION names no depot"),
            ("1\n-1\n", "9\n-1\n", "DEPOT_SECTION: number 9 is not among 1 to 3"),
            ("1\n-1\n", "1\n2\n3\n-1\n", "DEPOT_SECTION: every node is a depot, there is nobody to visit"),
            ("NAME : tiny", "tiny", "expected KEY : value or a section, not 'tiny'"),
            ("EOF", "DEPOT_SECTION\n1\n", "section DEPOT_SECTION is there twice"),
        ],
    )
    def test_a_broken_file_is_told_where(self, before: str, after: str, sentence: str) -> None:
        text = vrplib()
        assert before in text
        assert refusal(text.replace(before, after, 1)) == sentence

    @pytest.mark.parametrize(
        ("type", "more", "sentence"),
        [
            ("PCVRPTW", "", "section PRIZE_SECTION is missing"),
            (
                "PCVRPTW",
                "PRIZE_SECTION\n1 0\n2 -5\n3 1\n",
                "node 2: prize must not be negative, not -5",
            ),
            (
                "SDVRPTW",
                "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 2\n2 2\n",
                "VEHICLES_ALLOWED_CLIENTS_SECTION: no vehicle may visit 3",
            ),
            (
                "MDVRPTW",
                "VEHICLES_DEPOT_SECTION\n1 1\n2 2\n",
                "VEHICLES_DEPOT_SECTION: node 2 is no depot",
            ),
            ("VRPTW", "CAPACITY_SECTION\n1 5\n", "CAPACITY_SECTION must have 2 rows, not 1"),
        ],
    )
    def test_a_broken_extra_section_too(self, type: str, more: str, sentence: str) -> None:
        assert refusal(vrplib(type, more)) == sentence


def published_plan(instance: Instance, request: PlanRequest, solution: str) -> Plan:
    """The plan of a `.sol` file, which counts the customers from 1 without the depot."""
    day = Day(request)
    orders: list[list[int]] = [[] for _ in request.technicians]
    for vehicle, route in enumerate(re.findall(r"^Route #\d+:(.*)$", solution, re.M)):
        orders[vehicle] = [day.job_number[str(int(customer) + 1)] for customer in route.split()]
    planned = {number for order in orders for number in order}
    left = tuple(
        Unassigned(job_id=job.id, code="too_costly", reason="as published")
        for number, job in enumerate(request.jobs)
        if number not in planned
    )
    return day.plan(orders, left, engine="published", seed=0)


class TestThePublishedSets:
    """On instances and best known plans that nobody here wrote."""

    @pytest.mark.parametrize(
        ("name", "ticks"),
        [("gh1000/R1_10_1", 530_261), ("pcvrptw1000/C1_10_1", 245_391)],
    )
    def test_a_best_known_plan_costs_what_its_file_says(
        self, shared_data: Path, name: str, ticks: int
    ) -> None:
        file = shared_data / "vrptw" / f"{name}.vrp"
        instance = read_instance(file.read_text())
        request = request_of(instance)
        plan = published_plan(instance, request, file.with_suffix(".sol").read_text())
        assert cost_of(request, plan).total == ticks
        assert check(request, plan) == []

    def test_every_file_is_read(self, shared_data: Path) -> None:
        files = [
            file
            for folder in ("solomon100", "gh200", "pcvrptw1000", "sdvrptw", "mdvrptw")
            for file in sorted((shared_data / "vrptw" / folder).iterdir())
            if file.suffix in (".txt", ".vrp")
        ]
        read = {file: read_instance(file.read_text()) for file in files}
        assert len(read) == 63
        assert {len(instance.depots) for instance in read.values()} == {1, 4, 6, 12}
        assert sum(instance.max_duration is not None for instance in read.values()) == 13
