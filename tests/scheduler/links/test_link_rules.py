"""Links that no plan could keep are refused with the request, in one sentence that names the field."""

from typing import Any

import pytest
from days import a_day, a_job, ann, at, bob, window

from scheduler.codec import request_from_json, request_to_json
from scheduler.request import After, InvalidRequest, Job


def refused(*jobs: Job) -> str:
    with pytest.raises(InvalidRequest) as error:
        a_day(*jobs, technicians=(ann(), bob()))
    return str(error.value)


def after(job: str, **gaps: Any) -> tuple[After, ...]:
    return (After(job=job, **gaps),)


class TestWhatIsRefused:
    def test_an_end_that_depends_on_who_was_there_before(self) -> None:
        said = refused(a_job("a", after=after("b")), a_job("b", setup_minutes=10))
        assert said == "job b: setup_minutes must be 0, a waits for its end: add it to minutes"

    def test_an_unknown_job(self) -> None:
        assert refused(a_job("a", after=after("z"))) == "job a: after[0] names the unknown job z"

    def test_a_job_named_twice(self) -> None:
        assert refused(a_job("a", after=after("b") * 2), a_job("b")) == "job a: after names b twice"

    def test_a_group_of_one(self) -> None:
        assert refused(a_job("a", together="crew")) == "job a: together crew has no other job"

    def test_a_group_larger_than_the_team(self) -> None:
        text = "job j0: together crew has 3 jobs, there are 2 technicians"
        assert refused(*[a_job(f"j{n}", together="crew") for n in range(3)]) == text

    def test_a_visit_of_no_length_in_a_group(self) -> None:
        jobs = (a_job("a", together="crew"), a_job("b", minutes=0, together="crew"))
        assert refused(*jobs) == "job b: minutes must be 1 or more in together crew"

    def test_an_empty_name_of_a_group(self) -> None:
        with pytest.raises(InvalidRequest, match=r"job a: together must be a text that is not empty"):
            a_job("a", together=" ")

    def test_a_job_that_waits_for_itself(self) -> None:
        text = "job a: after leads back to the job itself (a after a)"
        assert refused(a_job("a", after=after("a"))) == text

    def test_a_circle(self) -> None:
        jobs = (a_job("a", after=after("c")), a_job("b", after=after("a")), a_job("c", after=after("b")))
        assert refused(*jobs) == (
            "job a: after leads back to the job itself (a after c, c after b, b after a)"
        )

    def test_a_circle_by_way_of_a_group(self) -> None:
        jobs = (
            a_job("a", together="g", after=after("x")),
            a_job("b", together="g"),
            a_job("x", after=after("b")),
        )
        assert refused(*jobs) == "job a: after leads back to the job itself (a after x, x after b)"

    def test_one_of_a_group_after_another_of_it(self) -> None:
        jobs = (a_job("a", together="g", after=after("b")), a_job("b", together="g"))
        assert "after leads back to the job itself" in refused(*jobs)

    def test_gaps_of_one_link_that_contradict_each_other(self) -> None:
        with pytest.raises(
            InvalidRequest, match=r"^after.gap_most \(5\) is less than after.gap_least \(10\)$"
        ):
            After(job="a", gap_least=10, gap_most=5)

    def test_gaps_of_several_links_that_contradict_each_other(self) -> None:
        jobs = (
            a_job("drop"),
            a_job("splice", after=after("drop", gap_least=60)),
            a_job("install", after=(*after("splice"), *after("drop", gap_most=80))),
        )
        assert refused(*jobs) == (
            "job install: after[1].gap_most (80) is shorter than what else must happen in that time"
        )

    @pytest.mark.parametrize("gap", ["gap_least", "gap_most"])
    @pytest.mark.parametrize("value", [-1, 1.5, "3"])
    def test_a_gap_that_is_no_whole_number(self, gap: str, value: object) -> None:
        with pytest.raises(InvalidRequest, match=rf"^after\.{gap} must be"):
            After(job="a", **{gap: value})


class TestWhatIsTaken:
    def test_gaps_that_just_leave_room(self) -> None:
        a_day(
            a_job("drop"),
            a_job("splice", after=after("drop", gap_least=60)),
            a_job("install", after=(*after("splice"), *after("drop", gap_most=90))),
        )

    def test_links_to_what_has_begun_contradict_nothing(self) -> None:
        a_day(
            a_job("drop", technician="ann", fixed_start=at("08:10")),
            a_job("splice", after=after("drop", gap_least=60)),
            a_job("install", after=(*after("splice"), *after("drop", gap_most=10))),
        )

    def test_it_goes_through_json_and_back(self) -> None:
        request = a_day(
            a_job("a", together="g", windows=(window("09:00", "10:00"),)),
            a_job("b", together="g", after=after("c", gap_least=5, gap_most=50)),
            a_job("c"),
            technicians=(ann(), bob()),
        )
        assert request_from_json(request_to_json(request)) == request
