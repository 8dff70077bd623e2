"""How much each technician works and drives, and the price of more than an even share. Compiled.

It is a sum along the route, so a visit is priced by the two drives and the stay that it adds.
"""

from typing import TYPE_CHECKING

from scheduler.compiled import compiled_inside
from scheduler.engine.problem import Problem
from scheduler.engine.visits import per_hour

if TYPE_CHECKING:
    from scheduler.engine.routes import Routes


@compiled_inside
def minutes_to(p: Problem, before: int, node: int) -> int:
    """Drive from the node before, and the stay at `node`."""
    shared = p.setup[before] if p.site[before] == p.site[node] else 0
    return p.arcs[before, node, 1] + p.minutes[node] + max(0, p.setup[node] - shared)


@compiled_inside
def busy(p: Problem, s: "Routes", person: int) -> int:
    """Minutes of work and driving of a whole route."""
    node, end = p.jobs + person, p.jobs + p.people + person
    minutes = p.busy_before[person]
    while node != end:
        minutes += minutes_to(p, node, s.after[node])
        node = s.after[node]
    return minutes


@compiled_inside
def unevenness(p: Problem, person: int, minutes: int) -> int:
    """What it costs, in cents, that the technician is busy for so long."""
    return per_hour(p.uneven_hour, minutes - p.fair[person])


@compiled_inside
def unevenness_with(p: Problem, s: "Routes", person: int, i: int, job: int, j: int) -> int:
    """How much dearer that gets with `job` between i and j."""
    more = minutes_to(p, i, job) + minutes_to(p, job, j) - minutes_to(p, i, j)
    return unevenness(p, person, s.busy[person] + more) - unevenness(p, person, s.busy[person])
