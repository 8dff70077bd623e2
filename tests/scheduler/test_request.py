"""A request that exists is well formed; a bad one is refused with the field's name."""

from typing import Any

import numpy as np
import pytest
from days import LUNCH, a_day, a_job, a_road, ann, bob

from scheduler.request import InvalidRequest, Job, Lunch, Pin, PlanRequest, TravelMatrix, Weights, Window


class TestTravelMatrix:
    def test_takes_numpy_and_rounds(self) -> None:
        matrix = TravelMatrix.of(np.array([[0, 61.5], [59.4, 0]]), np.eye(2), engine="x", estimated=True)
        assert matrix.seconds == ((0, 62), (59, 0))
        assert matrix.metres == ((1, 0), (0, 1))

    def test_drive_minutes_are_rounded_up(self) -> None:
        matrix = TravelMatrix.of([[0, 61], [60, 0]], [[0, 1], [1, 0]], engine="x", estimated=True)
        assert (matrix.minutes(0, 1), matrix.minutes(1, 0), matrix.minutes(0, 0)) == (2, 1, 0)

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), "near", None])
    def test_refuses_what_is_no_number(self, bad: Any) -> None:
        with pytest.raises(
            InvalidRequest, match=r"travel\.seconds\[1\] holds something that is not a finite"
        ):
            TravelMatrix.of([[0, 1], [bad, 0]], [[0, 1], [1, 0]], engine="x", estimated=True)

    def test_refuses_rows_that_are_none(self) -> None:
        with pytest.raises(InvalidRequest, match=r"^travel\.seconds must be a tuple of tuples, not 'ab'$"):
            TravelMatrix(seconds="ab", metres=(), engine="x", estimated=True)  # type: ignore[arg-type]

    def test_refuses_a_negative_drive(self) -> None:
        with pytest.raises(InvalidRequest, match=r"travel\.metres\[0\]\[1\] must be a whole number from 0"):
            TravelMatrix.of([[0, 1], [1, 0]], [[0, -1], [1, 0]], engine="x", estimated=True)

    def test_refuses_a_matrix_that_is_not_square(self) -> None:
        with pytest.raises(
            InvalidRequest, match=r"travel\.seconds\[1\] has 1 entries, not 2: it must be square"
        ):
            TravelMatrix.of([[0, 1], [1]], [[0, 1], [1, 0]], engine="x", estimated=True)

    def test_refuses_metres_of_another_shape(self) -> None:
        with pytest.raises(InvalidRequest, match=r"travel\.metres has 1 rows, travel\.seconds has 2"):
            TravelMatrix.of([[0, 1], [1, 0]], [[0]], engine="x", estimated=True)


class TestTheParts:
    def test_a_window_may_be_one_minute(self) -> None:
        assert Window(600, 600).closes == 600

    def test_a_window_must_not_end_before_it_opens(self) -> None:
        with pytest.raises(InvalidRequest, match=r"window\.closes \(500\) is before window\.opens \(600\)"):
            Window(600, 500)

    def test_lunch_must_fit_into_the_shift(self) -> None:
        with pytest.raises(InvalidRequest, match="technician ann: lunch does not fit into the shift"):
            ann(lunch=Lunch(earliest=940, latest=1000, minutes=30))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"id": " "}, "technician.id must be a text"),
            ({"shift_start": -1}, "technician ann: shift_start must be between 0 and 200000, not -1"),
            ({"shift_start": 480.5}, "technician ann: shift_start must be a whole number, not 480.5"),
            ({"shift_start": True}, "technician ann: shift_start must be a whole number, not True"),
            ({"shift_end": 480}, "shift_end (480) is not after shift_start (480)"),
            ({"skills": {"fibre": 0}}, "technician ann: skills['fibre'] must be between 1"),
            ({"parts": {"ONT": -2}}, "technician ann: parts['ONT'] must be between 0"),
            ({"bias": {"j1": -5}}, "technician ann: bias['j1'] must be between 0"),
            ({"skills": ["fibre"]}, "technician ann: skills must be a mapping, not ['fibre']"),
            ({"valid_until": "never"}, "technician ann: valid_until must be a mapping, not 'never'"),
            ({"lunch": (690, 780, 30)}, "technician ann: lunch must be a Lunch or None, not (690, 780, 30)"),
            ({"breaks": LUNCH}, "technician ann: breaks must be a tuple of Lunch, not Lunch("),
            ({"territories": "AB"}, "technician ann: territories must be a tuple of texts, not 'AB'"),
            ({"territories": ("A", 2)}, "technician ann: territories[1] must be a text, not 2"),
            ({"stays": 1}, "technician ann: stays must be True or False, not 1"),
            ({"person": None}, "technician ann: person must be a text, not None"),
        ],
    )
    def test_a_bad_technician_is_named(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            ann(**changes)
        assert message in str(refusal.value)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"minutes": -5}, "job j1: minutes must be between 0 and 200000, not -5"),
            ({"priority": 5}, "job j1: priority must be 1 (emergency) to 4, not 5"),
            ({"skills": {"": 1}}, "a key of job j1: skills must be a text"),
            ({"parts": {"ONT": 0}}, "job j1: parts['ONT'] must be between 1"),
            ({"drop_cost": -1}, "job j1: drop_cost must be between 0"),
            ({"due": 1.5}, "job j1: due must be a whole number, not 1.5"),
            ({"priority": 1.0}, "job j1: priority must be 1 (emergency) to 4, not 1.0"),
            ({"priority": True}, "job j1: priority must be 1 (emergency) to 4, not True"),
            ({"after": "b"}, "job j1: after must be a tuple of After, not 'b'"),
            ({"after": ("b",)}, "job j1: after[0] must be an After, not 'b'"),
            ({"windows": Window(600, 700)}, "job j1: windows must be a tuple of Window, not Window("),
            ({"preferred": ((600, 700),)}, "job j1: preferred[0] must be a Window, not (600, 700)"),
            ({"technician": 7}, "job j1: technician must be a text or None, not 7"),
            (
                {"previous_technician": b"ann"},
                "job j1: previous_technician must be a text or None, not b'ann'",
            ),
            ({"pinned": "ann"}, "job j1: pinned must be a Pin or None, not 'ann'"),
            ({"parts": None}, "job j1: parts must be a mapping, not None"),
            ({"fixed_start": 500}, "job j1: fixed_start needs technician"),
            (
                {"windows": (Window(600, 700), Window(650, 800))},
                "job j1: windows overlap or are out of order",
            ),
        ],
    )
    def test_a_bad_job_is_named(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            a_job(**changes)
        assert message in str(refusal.value)

    def test_a_pin_is_to_a_name(self) -> None:
        with pytest.raises(InvalidRequest, match=r"^pinned\.technician must be a text or None, not 7$"):
            Pin(technician=7)  # type: ignore[arg-type]

    def test_weights_are_whole_and_not_negative(self) -> None:
        with pytest.raises(InvalidRequest, match=r"weights\.drive_km must be between 0"):
            Weights(drive_km=-1)
        with pytest.raises(InvalidRequest, match=r"weights\.unserved of priority 2 must be a whole number"):
            Weights(unserved=(1, 2.5, 3, 4))  # type: ignore[arg-type]
        with pytest.raises(
            InvalidRequest, match=r"weights\.unserved must be a tuple of whole numbers, not 5"
        ):
            Weights(unserved=5)  # type: ignore[arg-type]

    def test_a_drive_costs_its_time_and_its_way(self) -> None:
        assert Weights().drive(600, 1000) == 1000 + 30


class TestTheWhole:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"jobs": "ab"}, "jobs must be a tuple of Job, not 'ab'"),
            ({"jobs": ("j1",)}, "jobs[0] must be a Job, not 'j1'"),
            ({"technicians": ann()}, "technicians must be a tuple of Technician, not Technician(id='ann'"),
            ({"travel": [[0]]}, "travel must be a TravelMatrix, not [[0]]"),
            ({"weights": None}, "weights must be a Weights, not None"),
            ({"day": None}, "day must be a text, not None"),
            ({"pace": 500}, "pace must be a tuple of whole numbers, not 500"),
        ],
    )
    def test_a_field_of_another_kind_is_named(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            PlanRequest(**{"technicians": (ann(),), "jobs": (), "travel": a_road()} | changes)
        assert message in str(refusal.value)

    def test_nobody_to_plan_for_is_refused(self) -> None:
        with pytest.raises(InvalidRequest, match="technicians is empty"):
            PlanRequest(technicians=(), jobs=(), travel=a_road())

    @pytest.mark.parametrize(
        ("jobs", "people", "message"),
        [
            ((a_job("a"), a_job("a")), (ann(),), "jobs holds the id a twice"),
            ((), (ann(), ann()), "technicians holds the id ann twice"),
            ((a_job(place=8),), (ann(),), "job j1: place 8 is not among 8 places"),
            ((), (ann(end_place=9),), "technician ann: end_place 9 is not among 8 places"),
            ((a_job(technician="eve"),), (ann(), bob()), "job j1: technician eve is unknown"),
            ((a_job(),), (ann(bias={"j2": 1}),), "technician ann: bias names the unknown job j2"),
        ],
    )
    def test_what_does_not_fit_together_is_named(
        self, jobs: tuple[Job, ...], people: tuple[Any, ...], message: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            a_day(*jobs, technicians=people)
        assert str(refusal.value) == message


def test_more_jobs_than_can_be_planned_at_once_are_refused_with_what_to_do() -> None:
    jobs = tuple(a_job(f"j{n}") for n in range(10_000))
    with pytest.raises(
        InvalidRequest, match="jobs holds 10000, at most 5000 are planned at once: plan by day"
    ):
        a_day(*jobs)
