"""One believable day of work orders at a town's real addresses. Same inputs, same bytes.

What is in it on purpose: morning peaks; repairs that share one splitter; two emergencies; a customer who
will not be at home; and a few orders that nobody can do, each for a stated reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from server.demo.catalogue import Catalogue, TariffPlan
from server.demo.names import ACCESS_NOTES, FAULTS, NAMES
from server.demo.network import Splitter, network, splitters_of
from server.demo.people import People
from server.demo.serials import Device, Serials
from server.town.model import Address, Town
from shared.skills import SkillNeed
from shared.windows import TimeWindow
from shared.work_orders import EquipmentNeed, PartLine, ServiceState, WorkOrderKind

FIRST_DEVICE = 500_001  # far from the vans' (server.demo.people.FIRST_DEVICE)
CLUSTER = 9  # repairs under the failing splitter
EMERGENCIES = 2
IMPOSSIBLE = 5

#: Shares of the ordinary orders.
MIX = {
    WorkOrderKind.INSTALL: 28, WorkOrderKind.REPAIR: 24, WorkOrderKind.UPGRADE: 18, WorkOrderKind.SWAP: 16,
    WorkOrderKind.DISCONNECT: 14,
}  # fmt: skip
PLAN_MIX = {"FIBRE-100": 25, "FIBRE-300": 35, "FIBRE-1000": 30, "FIBRE-2000": 10}
LANGUAGES = {"fi": 60, "sv": 12, "en": 22, "de": 6}
#: (from, until, share) in local hours; mornings are what customers ask for.
WINDOWS = ((8, 10, 22), (10, 12, 16), (12, 14, 8), (14, 16, 8), (16, 18, 3), (8, 12, 20), (12, 16, 10),
           (8, 16, 13))  # fmt: skip
REPAIR_HOURS, EMERGENCY_HOURS = 24, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCustomer:
    number: str
    name: str
    email: str
    phone: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLocation:
    """Where a service runs. `unit` is the staircase and flat, or empty; `port` is the splitter's, from 1."""

    number: str
    address: Address
    unit: str
    access_note: str
    splitter: str
    cabinet_id: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoService:
    """RESERVED until built. `installed` is what hangs on the customer's wall this morning."""

    number: str
    customer: str
    location: str
    plan: str
    state: ServiceState
    installed: tuple[Device, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """`plan` is the one that runs afterwards. `window` and `sla_due_at` are UTC.

    `customer_absent`: nobody will open. `impossible` says why nobody can do it, and is empty for all others;
    the plan must find that out by itself.
    """

    number: str
    kind: WorkOrderKind
    customer: str
    location: str
    service: str
    plan: str
    summary: str
    priority: int
    expected_minutes: int
    window: TimeWindow
    sla_due_at: datetime
    skills: tuple[SkillNeed, ...]
    equipment: tuple[EquipmentNeed, ...]
    parts: tuple[PartLine, ...]
    customer_absent: bool = False
    impossible: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDay:
    """`cluster` is the code of the splitter whose customers all call today."""

    date: date
    zone: str
    splitters: tuple[Splitter, ...]
    cluster: str
    customers: tuple[DemoCustomer, ...]
    locations: tuple[DemoLocation, ...]
    services: tuple[DemoService, ...]
    orders: tuple[DemoOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a visit needs, before it has a customer and a time."""

    kind: WorkOrderKind
    plan: TariffPlan
    summary: str
    minutes: int
    skills: dict[str, int]
    fit: tuple[tuple[str, str], ...] = ()  # role, SKU
    parts: dict[str, int]
    priority: int = 3
    impossible: str = ""


def make_day(
    town: Town,
    catalogue: Catalogue,
    people: People,
    day: date,
    seed: int,
    orders: int = 130,
    zone: str = "Europe/Helsinki",
) -> DemoDay:
    """The day's customers, services and orders. Raises ValueError below 30 orders: too few for a day.

    `people` decides what is impossible: skills and models that none of them has.
    """
    if orders < 30:
        raise ValueError(f"a believable day needs at least 30 orders, not {orders}")
    return _Maker(town, catalogue, people, day, Random(f"day {day.isoformat()} {seed}"), zone).make(orders)


class _Maker:
    def __init__(
        self, town: Town, catalogue: Catalogue, people: People, day: date, random: Random, zone: str
    ) -> None:
        self.catalogue = catalogue
        self.people = people
        self.day = day
        self.random = random
        self.zone = ZoneInfo(zone)
        self.serials = Serials(random, first=FIRST_DEVICE)
        self.splitters = network(town)
        self.under = splitters_of(self.splitters)
        self.ports: dict[str, int] = {}
        self.customers: list[DemoCustomer] = []
        self.locations: list[DemoLocation] = []
        self.services: list[DemoService] = []
        self.orders: list[DemoOrder] = []
        self.stocked = set[str]().union(*(tech.van.stock.amounts() for tech in people.technicians))

    def make(self, count: int) -> DemoDay:
        cluster = self.random.choice([s for s in self.splitters if len(s.addresses) >= 4] or self.splitters)
        struck = self._some(cluster.addresses, CLUSTER)
        works = [self._fault("splice", "Whole stair without light", 2) for _ in struck]
        special = [*(self._emergency() for _ in range(EMERGENCIES)), *self._impossible()]
        usual = count - len(works) - len(special)
        kinds = self.random.choices(list(MIX), list(MIX.values()), k=usual)
        elsewhere = [a for s in self.splitters if s is not cluster for a in s.addresses] or cluster.addresses
        rest = self._some(elsewhere, count - len(struck))
        works += [*special, *map(self._usual, kinds)]
        jobs = list(zip(works, [*struck, *rest], strict=True))
        # In the order in which they were taken, not sorted by kind.
        self.random.shuffle(jobs)
        absent = next(
            number
            for number, (work, _) in enumerate(jobs)
            if work.kind is WorkOrderKind.SWAP and not work.impossible
        )
        for number, (work, address) in enumerate(jobs):
            self._take(work, address, absent=number == absent)
        return DemoDay(
            date=self.day, zone=self.zone.key, splitters=self.splitters, cluster=cluster.code,
            customers=tuple(self.customers), locations=tuple(self.locations),
            services=tuple(self.services), orders=tuple(self.orders),
        )  # fmt: skip

    def _some(self, addresses: Sequence[Address], count: int) -> list[Address]:
        """`count` addresses, all different while there are enough, else flats of the same houses."""
        taken: list[Address] = []
        while len(taken) < count:
            taken += self.random.sample(addresses, min(count - len(taken), len(addresses)))
        return taken

    # What the visit is

    def _usual(self, kind: WorkOrderKind) -> _Work:
        plan = self.catalogue.plan(self._weighted(PLAN_MIX))
        match kind:
            case WorkOrderKind.INSTALL:
                return self._install(plan)
            case WorkOrderKind.UPGRADE:
                faster = self.catalogue.plan("FIBRE-2000" if plan.code == "FIBRE-2000" else "FIBRE-1000")
                return _Work(
                    kind=kind, plan=faster, summary=f"Upgrade to {faster.name}", minutes=self._about(25),
                    skills={"config": 2, "customer_premises": 2}, fit=self._devices(faster, router_share=0),
                    parts={"PAT-CAT6": 1},
                )  # fmt: skip
            case WorkOrderKind.REPAIR:
                need = self.random.choices(("splice", "config", "copper"), (45, 40, 15))[0]
                return self._fault(need, self.random.choice(FAULTS[need]), 3)
            case WorkOrderKind.SWAP:
                return _Work(
                    kind=kind, plan=plan, summary="Replace the failing ONT", minutes=self._about(25),
                    skills={"config": 1, "customer_premises": 2}, fit=self._devices(plan, router_share=0),
                    parts={"PAT-SCAPC3": 1},
                )  # fmt: skip
            case WorkOrderKind.DISCONNECT:
                return _Work(
                    kind=kind, plan=plan, summary="Collect the devices, close the line", priority=4,
                    minutes=self._about(15), skills={"customer_premises": 1}, parts={},
                )  # fmt: skip

    def _install(self, plan: TariffPlan) -> _Work:
        aerial = self.random.random() < 0.15
        skills = {"fibre_install": 2, "customer_premises": 2, **({"heights": 1} if aerial else {})}
        return _Work(
            kind=WorkOrderKind.INSTALL, plan=plan,
            summary=f"New {plan.name}" + (", drop cable from the pole" if aerial else ""),
            minutes=self._about(60 if aerial else 50), skills=skills,
            fit=self._devices(plan, router_share=0.3),
            parts={"CAB-DROP1": self.random.randrange(15, 61, 5), "CON-SCAPC": 2, "OUT-WALL2": 1,
                   "PAT-SCAPC3": 1},
        )  # fmt: skip

    def _fault(self, need: str, summary: str, priority: int) -> _Work:
        plan = self.catalogue.plan(self._weighted(PLAN_MIX))
        parts = {
            "splice": {"SPP-60": 4, "CON-SCAPC": 1}, "copper": {"SPC-UY2": 4}, "config": {"PAT-CAT6": 1},
        }[need]  # fmt: skip
        level = 2 if need == "splice" else self.random.choice((1, 2))
        minutes = self._about({"splice": 45, "copper": 40, "config": 25}[need])
        return _Work(
            kind=WorkOrderKind.REPAIR, plan=plan, summary=summary, minutes=minutes, parts=parts,
            skills={need: level, "customer_premises": 1}, priority=priority,
        )  # fmt: skip

    def _emergency(self) -> _Work:
        summary = self.random.choice(("Care home without telephones and alarms", "Clinic offline, cut cable"))
        return _Work(
            kind=WorkOrderKind.REPAIR, plan=self.catalogue.plan("FIBRE-1000"), summary=summary, minutes=75,
            skills={"splice": 3, "fibre_install": 3}, priority=1,
            parts={"SPP-60": 12, "CON-SCAPC": 2, "CAB-DROP1": 40},
        )  # fmt: skip

    def _impossible(self) -> list[_Work]:
        """Three that ask for a level nobody has, two for a model that no van carries."""
        works = []
        for skill in ("heights", "copper", "heights"):
            level = 1 + max(tech.levels.get(skill, 0) for tech in self.people.technicians)
            works.append(_Work(
                kind=WorkOrderKind.REPAIR, plan=self.catalogue.plan("FIBRE-300"), minutes=60,
                summary="Cable on the mast" if skill == "heights" else "Old exchange frame, copper pairs",
                skills={skill: level}, parts={"SPP-60": 2} if skill == "heights" else {"SPC-UY2": 10},
                impossible=f"nobody has {skill} at level {level}",
            ))  # fmt: skip
        unstocked = next(item.sku for item in self.catalogue.of("ont") if item.sku not in self.stocked)
        plan = next(plan for plan in self.catalogue.plans if unstocked in plan.ont_skus)
        for _ in range(IMPOSSIBLE - len(works)):
            works.append(_Work(
                kind=WorkOrderKind.SWAP, plan=plan, minutes=25, fit=(("ONT", unstocked),),
                summary="Replace the ONT, same model for the outdoor box", parts={},
                skills={"config": 1, "customer_premises": 1}, impossible=f"{unstocked} is on no van",
            ))  # fmt: skip
        return works

    def _devices(self, plan: TariffPlan, *, router_share: float) -> tuple[tuple[str, str], ...]:
        ont = self.random.choice([sku for sku in plan.ont_skus if sku in self.stocked])
        if self.random.random() >= router_share:
            return (("ONT", ont),)
        return ("ONT", ont), ("router", self.random.choice(plan.router_skus))

    # Whose it is and when

    def _take(self, work: _Work, address: Address, *, absent: bool) -> None:
        number = len(self.orders) + 1
        customer = self._customer(number)
        location = self._locate(number, address, customer.name)
        service = self._service(number, work, customer, location)
        window = self._window(work)
        self.customers.append(customer)
        self.locations.append(location)
        self.services.append(service)
        self.orders.append(DemoOrder(
            number=f"WO-{self.day:%y%m%d}-{number:03d}", kind=work.kind, customer=customer.number,
            location=location.number, service=service.number, plan=work.plan.code, summary=work.summary,
            priority=work.priority, expected_minutes=work.minutes, window=window,
            sla_due_at=self._due(work, window),
            skills=tuple(SkillNeed(name, level) for name, level in sorted(work.skills.items())),
            equipment=tuple(EquipmentNeed(role=role, skus=(sku,)) for role, sku in work.fit),
            parts=tuple(PartLine(sku=sku, quantity=quantity) for sku, quantity in work.parts.items()),
            customer_absent=absent, impossible=work.impossible,
        ))  # fmt: skip

    def _customer(self, number: int) -> DemoCustomer:
        language = self._weighted(LANGUAGES)
        given, family = (self.random.choice(names) for names in NAMES[language])
        return DemoCustomer(
            number=f"C-{10_000 + number}", name=f"{given} {family}", email=f"c{10_000 + number}@mail.example",
            phone=f"+999 45 555 {number:04d}", language=language,
        )  # fmt: skip

    def _locate(self, number: int, address: Address, name: str) -> DemoLocation:
        splitter = self.under[address.id]
        port = self.ports[splitter.code] = self.ports.get(splitter.code, 0) + 1
        flat = self.random.random() < 0.6
        note = self.random.choice(ACCESS_NOTES)
        return DemoLocation(
            number=f"L-{10_000 + number}", address=address, splitter=splitter.code,
            unit=f"{self.random.choice('ABC')} {self.random.randint(1, 40)}" if flat else "",
            access_note=note.format(code=self.random.randint(1000, 9999), name=name.split()[-1]),
            cabinet_id=splitter.cabinet_id, port=(port - 1) % splitter.ports + 1,
        )  # fmt: skip

    def _service(
        self, number: int, work: _Work, customer: DemoCustomer, location: DemoLocation
    ) -> DemoService:
        new = work.kind is WorkOrderKind.INSTALL
        plan = work.plan
        if work.kind is WorkOrderKind.UPGRADE:
            slower = [p for p in self.catalogue.plans if p.down_mbps < plan.down_mbps]
            plan = self.random.choice(slower)
        ont = self.catalogue.item(self.random.choice(plan.ont_skus))
        return DemoService(
            number=f"S-{10_000 + number}", customer=customer.number, location=location.number, plan=plan.code,
            state=ServiceState.RESERVED if new else ServiceState.ACTIVE,
            installed=() if new else (self.serials.mint(ont),),
        )  # fmt: skip

    def _window(self, work: _Work) -> TimeWindow:
        if work.priority == 1:
            return self._local(8, 8 + EMERGENCY_HOURS)
        if work.priority == 2:
            return self._local(8, 16)  # the whole stair is down: whenever the splicer gets there
        opens, closes, _ = self.random.choices(WINDOWS, [share for *_, share in WINDOWS])[0]
        return self._local(opens, closes)

    def _local(self, opens: int, closes: int) -> TimeWindow:
        start, end = (
            datetime.combine(self.day, time(hour), self.zone).astimezone(UTC) for hour in (opens, closes)
        )
        return TimeWindow(start, end)

    def _due(self, work: _Work, window: TimeWindow) -> datetime:
        """Repairs by the hours since the report, all others by the end of the promised window and an hour."""
        if work.priority == 1:
            return window.start + timedelta(hours=EMERGENCY_HOURS)
        if work.kind is WorkOrderKind.REPAIR:
            reported = window.start - timedelta(hours=self.random.randint(4, 14))
            return max(reported + timedelta(hours=REPAIR_HOURS), window.end)
        return window.end + timedelta(hours=1)

    # Chance

    def _weighted(self, shares: dict[str, int]) -> str:
        return self.random.choices(list(shares), list(shares.values()))[0]

    def _about(self, minutes: int) -> int:
        """Within a fifth of `minutes`, in steps of five."""
        return 5 * round(minutes * self.random.uniform(0.8, 1.2) / 5)
