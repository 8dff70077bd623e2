"""Our scheduler as a solver of the bench: `python ours.py TASK.json`, one JSON object on stdout.

It plans a tiny day first, so that compiled code is loaded: how long a fresh process takes is a row by itself.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from scheduler.check import check
from scheduler.codec import request_from_json
from scheduler.request import Job, PlanRequest, Technician, TravelMatrix
from scheduler.solve import solve

TINY = PlanRequest(
    technicians=(Technician(id="t", start_place=0, end_place=0, shift_start=0, shift_end=600),),
    jobs=tuple(Job(id=f"j{number}", place=number, minutes=10) for number in range(3)),
    travel=TravelMatrix(
        seconds=tuple(tuple(60 * abs(i - j) for j in range(3)) for i in range(3)),
        metres=((0,) * 3,) * 3,
        engine="tiny",
        estimated=True,
    ),
)


def main(path: str) -> None:
    task = json.loads(Path(path).read_text())
    request = request_from_json(Path(task["problem"]).read_bytes())
    solve(TINY, seconds=0.05)
    began, cpu = time.monotonic(), time.process_time()
    one = task["threads"] == 1  # then the budget is processor time, as the peers have it
    plan = solve(
        request,
        seconds=task["seconds"],
        seed=task["seed"],
        threads=task["threads"],
        clock=time.process_time if one else time.monotonic,
    )
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    if violations := check(request, plan):
        raise SystemExit(f"the checker refuses the plan: {violations[0].text}")
    number = {job.id: place for place, job in enumerate(request.jobs)}
    routes = [[number[visit.job_id] for visit in route.visits] for route in plan.routes]
    answer = {"routes": routes, "cost": plan.cost.total, "version": plan.engine, "cpu": cpu, "wall": wall}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
