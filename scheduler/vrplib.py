"""Published routing instances as plan requests: Solomon's text, Gehring & Homberger's, and VRPLIB files.

Of VRPLIB it reads VRPTW, prize-collecting (PCVRPTW), site-dependent (SDVRPTW) and multi-depot (MDVRPTW)
instances, in the dialect that PyVRP reads.

Everything is counted in ticks: tenths of the file's unit, cut off, as the DIMACS challenge has it; so plans
compare with the tables of best known values. One tick becomes one *minute* of the request and costs one cent:
a plan's cost in cents is its distance in ticks, plus the prizes it leaves behind.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from scheduler.request import (
    COST_MAX,
    InvalidRequest,
    Job,
    PlanRequest,
    Technician,
    TravelMatrix,
    Weights,
    Window,
)

T = TypeVar("T")

LOAD = "load"
"""The SKU that stands for demand and capacity."""

TYPES = ("VRPTW", "PCVRPTW", "SDVRPTW", "MDVRPTW")
CENT_A_MINUTE = Weights(drive_hour=60, drive_km=0)
TICKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A depot or a customer; times in ticks. `prize` is None where leaving it out is not allowed."""

    number: int  # as the file numbers it
    x: float
    y: float
    demand: int
    opens: int
    closes: int
    service: int
    prize: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """`depot` is a position in the instance's nodes; `allowed` the customers' numbers, None for all."""

    capacity: int
    depot: int
    allowed: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A published instance as it was read. max_duration: ticks from leaving the depot to being back."""

    name: str
    nodes: tuple[Node, ...]
    depots: tuple[int, ...]
    vehicles: tuple[Vehicle, ...]
    max_duration: int | None = None

    @property
    def customers(self) -> Iterator[tuple[int, Node]]:
        """Position and node of everyone to visit."""
        return ((place, node) for place, node in enumerate(self.nodes) if place not in self.depots)

    def distances(self) -> list[list[int]]:
        """Ticks between all nodes: straight lines, cut off to a tenth."""
        return [
            [int(TICKS * math.hypot(a.x - b.x, a.y - b.y) + 1e-9) for b in self.nodes] for a in self.nodes
        ]


def read_instance(text: str) -> Instance:
    """Read an instance. Raises InvalidRequest with one sentence that names the section and the row."""
    lines = [line.strip() for line in text.splitlines()]
    if any(line.startswith("DIMENSION") or line.endswith("_SECTION") for line in lines):
        return _vrplib(lines)
    if "VEHICLE" in lines or "CUSTOMER" in lines:
        return _solomon(lines)
    raise InvalidRequest(
        "this is neither Solomon's text (VEHICLE, CUSTOMER) nor VRPLIB (DIMENSION, NODE_COORD_SECTION)"
    )


def request_of(instance: Instance, *, without_max_duration: bool = False) -> PlanRequest:
    """Put `instance` as a request: technicians v1, v2 …, jobs by the file's numbers, load as a part on a van.

    A request can't limit how long a route lasts, so an instance that does is refused unless that rule is to
    be left out. Who must be visited costs more to leave out than any plan could cost.
    """
    if instance.max_duration is not None and not without_max_duration:
        raise InvalidRequest(
            "VEHICLES_MAX_DURATION: a request can't limit how long a route lasts; "
            "--without-max-duration leaves that rule out"
        )
    ticks = instance.distances()
    customers = list(instance.customers)
    longest = max(map(max, ticks))
    must = min(COST_MAX, 1 + longest * (len(customers) + len(instance.vehicles)))
    skill_of, skills = _skills(instance)
    return PlanRequest(
        technicians=tuple(
            Technician(
                id=f"v{number}",
                start_place=vehicle.depot,
                end_place=vehicle.depot,
                shift_start=instance.nodes[vehicle.depot].opens,
                shift_end=instance.nodes[vehicle.depot].closes,
                skills=skills[number - 1],
                parts={LOAD: vehicle.capacity},
            )
            for number, vehicle in enumerate(instance.vehicles, 1)
        ),
        jobs=tuple(
            Job(
                id=str(node.number),
                place=place,
                minutes=node.service,
                skills=skill_of[node.number],
                parts={LOAD: node.demand} if node.demand else {},
                windows=(Window(node.opens, node.closes),),
                drop_cost=must if node.prize is None else node.prize,
            )
            for place, node in customers
        ),
        travel=TravelMatrix(
            seconds=tuple(tuple(60 * tick for tick in row) for row in ticks),
            metres=((0,) * len(ticks),) * len(ticks),
            engine=f"straight lines of {instance.name}",
            estimated=False,
        ),
        weights=CENT_A_MINUTE,
    )


def _skills(instance: Instance) -> tuple[dict[int, dict[str, int]], list[dict[str, int]]]:
    """Who may visit whom, as skills: one for each set of vehicles that shares some customers."""
    everyone = frozenset(range(len(instance.vehicles)))
    classes: dict[frozenset[int], str] = {}
    of_node: dict[int, dict[str, int]] = {}
    of_vehicle: list[dict[str, int]] = [{} for _ in instance.vehicles]
    for _, node in instance.customers:
        able = frozenset(
            v for v, vehicle in enumerate(instance.vehicles)
            if vehicle.allowed is None or node.number in vehicle.allowed
        )  # fmt: skip
        if not able:
            raise InvalidRequest(f"VEHICLES_ALLOWED_CLIENTS_SECTION: no vehicle may visit {node.number}")
        of_node[node.number] = {}
        if able == everyone:
            continue
        if able not in classes:
            classes[able] = f"fleet {len(classes) + 1}"
            for v in able:
                of_vehicle[v][classes[able]] = 1
        of_node[node.number] = {classes[able]: 1}
    return of_node, of_vehicle


# --- Solomon's text ---

SOLOMON_COLUMNS = ("customer number", "x", "y", "demand", "ready time", "due date", "service time")


def _solomon(lines: Sequence[str]) -> Instance:
    filled = [line for line in lines if line]
    for section in ("VEHICLE", "CUSTOMER"):
        if section not in filled:
            raise InvalidRequest(f"section {section} is missing")
    middle = filled.index("CUSTOMER")
    fleet = [line.split() for line in filled[filled.index("VEHICLE") + 1 : middle] if line[0] not in "Nn"]
    if len(fleet) != 1 or len(fleet[0]) != 2:
        raise InvalidRequest("section VEHICLE must hold one row of two numbers: NUMBER and CAPACITY")
    vehicles = _count("VEHICLE: NUMBER", fleet[0][0])
    capacity = _whole("VEHICLE: CAPACITY", fleet[0][1])
    nodes: list[Node] = []
    for row in (line.split() for line in filled[middle + 1 :]):
        if row[0].upper() == "CUST":
            continue
        where = f"CUSTOMER row {len(nodes)}"
        if len(row) != len(SOLOMON_COLUMNS):
            raise InvalidRequest(f"{where} must have {len(SOLOMON_COLUMNS)} numbers, not {len(row)}")
        if _whole(f"{where}: customer number", row[0]) != len(nodes):
            raise InvalidRequest(f"{where}: the customer number is {row[0]}, not {len(nodes)}")
        nodes.append(_node(where, len(nodes), row[1], row[2], row[3], (row[4], row[5]), row[6]))
    if len(nodes) < 2:
        raise InvalidRequest("section CUSTOMER must hold a depot and at least one customer")
    name = filled[0] if filled[0] != "VEHICLE" else "instance"
    fleet_of = (Vehicle(capacity=capacity, depot=0),) * vehicles
    return Instance(name=name, nodes=tuple(nodes), depots=(0,), vehicles=fleet_of)


# --- VRPLIB ---


def _vrplib(lines: Sequence[str]) -> Instance:
    head, sections = _parts(lines)
    kind = head.get("TYPE", "VRPTW")
    if kind not in TYPES:
        raise InvalidRequest(f"TYPE must be one of {', '.join(TYPES)}, not {kind}")
    if (edges := head.get("EDGE_WEIGHT_TYPE", "EUC_2D")) != "EUC_2D":
        raise InvalidRequest(f"EDGE_WEIGHT_TYPE must be EUC_2D, not {edges}")
    count = _count("DIMENSION", _field(head, "DIMENSION"))
    vehicles = _count("VEHICLES", _field(head, "VEHICLES"))

    def rows(section: str, expected: int, width: int | None) -> list[list[str]]:
        return _rows(section, _field(sections, section), expected, width)

    if "SERVICE_TIME_SECTION" in sections:
        service = [row[0] for row in rows("SERVICE_TIME_SECTION", count, 1)]
    else:
        service = [head.get("SERVICE_TIME", "0")] * count
    prizes: list[list[str]] | None = None
    if kind == "PCVRPTW":
        prizes = rows("PRIZE_SECTION", count, 1)
    depots = _depots(sections, count)
    coordinates = rows("NODE_COORD_SECTION", count, 2)
    demand = rows("DEMAND_SECTION", count, 1)
    windows = rows("TIME_WINDOW_SECTION", count, 2)
    nodes = tuple(
        _node(
            f"node {place + 1}",
            place + 1,
            coordinates[place][0],
            coordinates[place][1],
            demand[place][0],
            (windows[place][0], windows[place][1]),
            service[place] if place not in depots or "SERVICE_TIME_SECTION" in sections else "0",
            prizes[place][0] if prizes else None,
        )
        for place in range(count)
    )
    if "CAPACITY_SECTION" in sections:
        capacities = [_whole("CAPACITY_SECTION", row[0]) for row in rows("CAPACITY_SECTION", vehicles, 1)]
    else:
        capacities = [_whole("CAPACITY", _field(head, "CAPACITY"))] * vehicles
    homes = [depots[0]] * vehicles
    if "VEHICLES_DEPOT_SECTION" in sections:
        homes = [
            _number_of("VEHICLES_DEPOT_SECTION", row[0], count) - 1
            for row in rows("VEHICLES_DEPOT_SECTION", vehicles, 1)
        ]
        if strangers := sorted(set(homes) - set(depots)):
            raise InvalidRequest(f"VEHICLES_DEPOT_SECTION: node {strangers[0] + 1} is no depot")
    allowed: list[frozenset[int] | None] = [None] * vehicles
    if "VEHICLES_ALLOWED_CLIENTS_SECTION" in sections:
        section = "VEHICLES_ALLOWED_CLIENTS_SECTION"
        allowed = [
            frozenset(_number_of(section, entry, count) for entry in row)
            for row in rows(section, vehicles, None)
        ]
    duration = head.get("VEHICLES_MAX_DURATION")
    if len(depots) == count:
        raise InvalidRequest("DEPOT_SECTION: every node is a depot, there is nobody to visit")
    return Instance(
        name=head.get("NAME", "instance"),
        nodes=nodes,
        depots=depots,
        vehicles=tuple(
            Vehicle(capacity=capacity, depot=home, allowed=may)
            for capacity, home, may in zip(capacities, homes, allowed, strict=True)
        ),
        max_duration=None if duration is None else _ticks("VEHICLES_MAX_DURATION", duration),
    )


def _parts(lines: Sequence[str]) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    """Split a file into its head ("KEY : value") and its sections' rows."""
    head: dict[str, str] = {}
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in lines:
        if line == "EOF":
            break
        if line.endswith("_SECTION"):
            if line in sections:
                raise InvalidRequest(f"section {line} is there twice")
            rows = sections.setdefault(line, [])
        elif rows is not None and line:
            rows.append(line.split())
        elif ":" in line:
            key, _, value = line.partition(":")
            head[key.strip()] = value.strip()
        elif line:
            raise InvalidRequest(f"expected KEY : value or a section, not {line[:60]!r}")
    return head, sections


def _rows(section: str, rows: list[list[str]], expected: int, width: int | None) -> list[list[str]]:
    """The rows of a section in the order of their numbers, which are 1 to `expected`, each once."""
    if len(rows) != expected:
        raise InvalidRequest(f"{section} must have {expected} rows, not {len(rows)}")
    found: dict[int, list[str]] = {}
    for row in rows:
        number = _number_of(section, row[0], expected)
        if number in found:
            raise InvalidRequest(f"{section}: row {number} is there twice")
        if width is not None and len(row) != width + 1:
            raise InvalidRequest(f"{section} row {number} must have {width + 1} numbers, not {len(row)}")
        found[number] = row[1:]
    return [found[number] for number in range(1, expected + 1)]


def _depots(sections: Mapping[str, list[list[str]]], count: int) -> tuple[int, ...]:
    """Positions of the depots; the first node where the file does not say."""
    numbers = [row[0] for row in sections.get("DEPOT_SECTION", [["1"]]) if row[0] != "-1"]
    if not numbers:
        raise InvalidRequest("DEPOT_SECTION names no depot")
    return tuple(_number_of("DEPOT_SECTION", number, count) - 1 for number in numbers)


def _field(found: Mapping[str, T], name: str) -> T:
    if name not in found:
        raise InvalidRequest(f"{'section ' * name.endswith('_SECTION')}{name} is missing")
    return found[name]


# --- numbers ---


def _node(
    where: str, number: int, x: str, y: str, demand: str, window: tuple[str, str], service: str,
    prize: str | None = None,
) -> Node:  # fmt: skip
    opens, closes = (_ticks(f"{where}: time window", value) for value in window)
    if closes < opens:
        raise InvalidRequest(f"{where}: the time window closes ({window[1]}) before it opens ({window[0]})")
    # A prize of 0 means, in PyVRP's dialect, that the customer must be visited.
    worth = None if prize is None else _ticks(f"{where}: prize", prize) or None
    return Node(
        number=number,
        x=_number(f"{where}: x", x),
        y=_number(f"{where}: y", y),
        demand=_whole(f"{where}: demand", demand),
        opens=opens,
        closes=closes,
        service=_ticks(f"{where}: service time", service),
        prize=worth,
    )


def _number(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"{where} must be a number, not {text[:60]!r}") from None
    if not math.isfinite(value):
        raise InvalidRequest(f"{where} must be a finite number, not {text}")
    return value


def _ticks(where: str, text: str) -> int:
    value = _number(where, text)
    if value < 0:
        raise InvalidRequest(f"{where} must not be negative, not {text}")
    return math.floor(round(TICKS * value, 6))


def _whole(where: str, text: str) -> int:
    value = _number(where, text)
    if value < 0 or value != int(value):
        raise InvalidRequest(f"{where} must be a whole number from 0 up, not {text}")
    return int(value)


def _count(where: str, text: str) -> int:
    count = _whole(where, text)
    if count == 0:
        raise InvalidRequest(f"{where} must be at least 1")
    return count


def _number_of(section: str, text: str, count: int) -> int:
    number = _whole(section, text)
    if not 1 <= number <= count:
        raise InvalidRequest(f"{section}: number {text} is not among 1 to {count}")
    return number
