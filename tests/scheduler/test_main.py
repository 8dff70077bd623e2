"""The command line, as a program of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from days import a_day, a_job, ann

from scheduler.codec import plan_from_json, request_from_json, request_to_json

ROOT = Path(__file__).parents[2]
DAY = a_day(
    a_job("a", place=1),
    a_job("b", place=2, skills={"splice": 1}),
    technicians=(ann(), ann(id="bob", start_place=3)),
)


def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scheduler", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(request_to_json(DAY), encoding="utf-8")
    return path


class TestSolve:
    def test_prints_a_plan_that_check_passes(self, problem: Path, tmp_path: Path) -> None:
        solved = run("solve", problem, "--seconds", "0.3", "--progress")
        assert solved.returncode == 0
        assert plan_from_json(solved.stdout).unassigned[0].job_id == "b"
        assert next(set(json.loads(line)) for line in solved.stderr.splitlines()) == {"seconds", "cost"}
        checked = run("check", problem, "-", stdin=solved.stdout)
        assert (checked.returncode, json.loads(checked.stdout)) == (0, {"ok": True, "violations": []})

    def test_writes_to_a_file_when_asked(self, problem: Path, tmp_path: Path) -> None:
        solved = run("solve", problem, "--seconds", "0", "--out", tmp_path / "plan.json")
        assert (solved.returncode, solved.stdout) == (0, "")
        assert plan_from_json((tmp_path / "plan.json").read_text()).engine == "greedy"

    def test_reads_standard_input(self) -> None:
        assert run("solve", "-", "--seconds", "0", stdin=request_to_json(DAY)).returncode == 0

    def test_bad_input_gets_one_sentence_and_exit_2(self) -> None:
        solved = run("solve", "-", stdin='{"technicians": 1}')
        assert (solved.returncode, solved.stdout) == (2, "")
        assert solved.stderr == "error: request.technicians must be a list, not 1\n"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        solved = run("solve", tmp_path / "none.json")
        assert solved.returncode == 2
        assert solved.stderr == f"error: {tmp_path / 'none.json'}: No such file or directory\n"

    def test_a_negative_time_is_refused(self, problem: Path) -> None:
        assert "must be between 0 and 86400" in run("solve", problem, "--seconds", "-1").stderr


class TestCheck:
    def test_a_spoilt_plan_exits_1_and_says_why(self, problem: Path) -> None:
        plan = json.loads(run("solve", problem, "--seconds", "0").stdout)
        plan["unassigned"] = []
        checked = run("check", problem, "-", stdin=json.dumps(plan))
        assert checked.returncode == 1
        assert json.loads(checked.stdout)["violations"][0]["text"] == "job b is neither planned nor listed"


class TestExplain:
    def test_every_job_on_a_line(self, problem: Path) -> None:
        plan = run("solve", problem, "--seconds", "0").stdout
        lines = [json.loads(line) for line in run("explain", problem, "-", stdin=plan).stdout.splitlines()]
        assert [line["job_id"] for line in lines] == ["a", "b"]
        assert lines[1]["reason"] == "nobody has splice level 1: the best has none"

    def test_one_job_with_one_technician(self, problem: Path) -> None:
        plan = run("solve", problem, "--seconds", "0").stdout
        answer = json.loads(
            run("explain", problem, "-", "--job", "b", "--technician", "bob", stdin=plan).stdout
        )
        assert answer["broken"] == [{"code": "skill", "text": "needs splice level 1, has none"}]

    def test_a_technician_without_a_job_is_refused(self, problem: Path) -> None:
        plan = run("solve", problem, "--seconds", "0").stdout
        explained = run("explain", problem, "-", "--technician", "bob", stdin=plan)
        assert (explained.returncode, explained.stderr) == (2, "error: --technician needs --job\n")


class TestCompare:
    def test_two_plans_as_json_and_as_lines(self, problem: Path, tmp_path: Path) -> None:
        plan = json.loads(run("solve", problem, "--seconds", "0").stdout)
        before = tmp_path / "before.json"
        before.write_text(json.dumps(plan))
        compared = run("compare", problem, before, "-", stdin=json.dumps(plan))
        assert compared.returncode == 0
        answer = json.loads(compared.stdout)
        assert (answer["moved"], answer["before"]["unassigned"]) == ([], [0, 0, 1, 0])
        lines = run("compare", problem, before, before, "--text", "--tell-minutes", "30").stdout.splitlines()
        assert lines[-1] == (
            "0 of 2 jobs move, 0 to another technician; 0 customers hear a new time (from 30 minutes on)"
        )

    def test_only_one_may_come_from_standard_input(self, problem: Path) -> None:
        compared = run("compare", problem, "-", "-")
        assert (compared.returncode, compared.stderr) == (
            2, "error: only one of problem and plans can come from standard input\n",
        )  # fmt: skip


INSTANCE = """T1

VEHICLE
NUMBER CAPACITY
1 5

CUSTOMER
CUST NO. XCOORD. YCOORD. DEMAND READY DUE SERVICE

0 0 0 0 0 100 0
1 3 4 5 0 100 1
"""


class TestConvert:
    def test_an_instance_becomes_a_problem_that_solve_takes(self, tmp_path: Path) -> None:
        (tmp_path / "T1.txt").write_text(INSTANCE)
        problem = tmp_path / "problem.json"
        converted = run("convert", tmp_path / "T1.txt", "--out", problem)
        assert (converted.returncode, converted.stdout) == (0, "")
        plan = plan_from_json(run("solve", problem, "--seconds", "0").stdout)
        assert plan.cost.total == 100

    def test_a_broken_instance_gets_one_sentence(self) -> None:
        converted = run("convert", "-", stdin=INSTANCE.replace("3 4 5", "3 nan 5"))
        assert (converted.returncode, converted.stdout) == (2, "")
        assert converted.stderr == "error: CUSTOMER row 1: y must be a finite number, not nan\n"


class TestSchema:
    @pytest.mark.parametrize(("of", "title"), [("request", "PlanRequest"), ("plan", "Plan")])
    def test_prints_it(self, of: str, title: str) -> None:
        assert json.loads(run("schema", of).stdout)["title"] == title


class TestShare:
    def test_writes_the_problem_with_everybody_s_share(self, problem: Path) -> None:
        shared = run("share", problem)
        assert shared.returncode == 0
        people = request_from_json(shared.stdout).technicians
        assert [person.fair_minutes for person in people] == [40, 40]  # 2 × 30 min of work, 2 × 10 to drive
