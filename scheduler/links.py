"""Who depends on whom in a day, and the windows that keep it so.

Routes know nothing of each other: a visit's place in one is judged by its window alone. So each linked visit
is held in a window of its own, such that whoever keeps all windows keeps all links. Visits of a group get one
minute; between a visit and the one that waits for it lies a minute which parts them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from scheduler.duty import home_by
from scheduler.timing import NEVER, Day

Windows = tuple[tuple[int, int], ...]
SHUT: Windows = ((NEVER, -1),)  # no arrival is early enough


@dataclass(frozen=True, slots=True)
class Gap:
    """`other` ends at least `least` minutes before, or begins after; at most `most` (NEVER: no limit)."""

    other: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Cause:
    """What a bound comes from: `other` begins with it, is waited for, or waits."""

    kind: Literal["together", "joins", "waits", "soon", "before"]
    other: int
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A job begins from `earliest` to `latest`, because of what the causes name."""

    earliest: int = 0
    latest: int = NEVER
    since: Cause | None = None
    until: Cause | None = None


class Links:
    """Who depends on whom, by job number. What has begun is a fact: nothing holds it, but it holds others."""

    def __init__(self, day: Day) -> None:
        self.day = day
        jobs, number = day.jobs, day.job_number
        self.facts = {n: job.fixed_start for n, job in enumerate(jobs) if job.fixed_start is not None}
        by_name: dict[str, list[int]] = {}
        self.ahead: dict[int, tuple[Gap, ...]] = {}
        self.behind: dict[int, list[Gap]] = {}
        for n in day.open_jobs:
            job = jobs[n]
            if job.after:
                self.ahead[n] = tuple(
                    Gap(number[a.job], a.gap_least, NEVER if a.gap_most is None else a.gap_most)
                    for a in job.after
                )
                for gap in self.ahead[n]:
                    if gap.other not in self.facts:
                        self.behind.setdefault(gap.other, []).append(Gap(n, gap.least, gap.most))
            if job.together is not None:
                by_name.setdefault(job.together, []).append(n)
        self.group = {n: tuple(members) for members in by_name.values() for n in members}
        self.joins: dict[int, tuple[int, ...]] = {}
        for n in self.facts:
            for member in by_name.get(jobs[n].together or "", ()):
                self.joins[member] = (*self.joins.get(member, ()), n)
        self.jobs = frozenset(self.ahead) | frozenset(self.behind) | frozenset(self.group)
        self.atoms = self._in_order()
        self.likely = self._if_all_are_planned()

    def __bool__(self) -> bool:
        return bool(self.jobs)

    def mates(self, job: int) -> tuple[int, ...]:
        """The open jobs that begin at the same minute, the job itself included."""
        return self.group.get(job, (job,))

    def _in_order(self) -> tuple[tuple[int, ...], ...]:
        """What is planned whole or not at all, each after what it waits for."""
        done: dict[tuple[int, ...], None] = {}
        stack = [self.mates(n) for n in sorted(self.jobs, reverse=True)]
        while stack:
            atom = stack[-1]
            waits = [
                mates
                for n in atom
                for gap in self.ahead.get(n, ())
                if gap.other not in self.facts and (mates := self.mates(gap.other)) not in done
            ]
            if waits:
                stack += waits
            else:
                done[stack.pop()] = None
        return tuple(done)

    def _if_all_are_planned(self) -> dict[int, tuple[int, int]]:
        """From when to when each linked job may begin at all, if everything linked is planned."""
        day, jobs = self.day, self.day.jobs
        low: dict[int, int] = {}
        high: dict[int, int] = {}
        for n in self.jobs:
            facts, place = self.by_facts(n), jobs[n].place
            able = [person for person in range(len(day.technicians)) if day.may_go(person, n)]
            there = min((day.origins[p].minute for p in able), default=0)
            home = max(
                (
                    home_by(day.technicians[p]) - day.minutes[place][day.technicians[p].end_place]
                    for p in able
                ),
                default=0,
            )
            low[n] = max(there, day.windows[n][0][0], facts.earliest)
            high[n] = min(home - jobs[n].minutes, day.windows[n][-1][1], facts.latest)
        for _ in range(len(self.jobs)):
            before = dict(low), dict(high)
            for n in self.jobs:
                for gap in self.behind.get(n, ()):
                    other, minutes = gap.other, jobs[n].minutes
                    low[other] = max(low[other], low[n] + minutes + gap.least)
                    high[n] = min(high[n], high[other] - gap.least - minutes)
                    if gap.most < NEVER:
                        high[other] = min(high[other], high[n] + minutes + gap.most)
                        low[n] = max(low[n], low[other] - gap.most - minutes)
                for mate in self.mates(n):
                    low[n], high[n] = max(low[n], low[mate]), min(high[n], high[mate])
            if before == (low, high):
                break
        return {n: (low[n], high[n]) for n in self.jobs}

    def components(self) -> list[tuple[tuple[int, ...], ...]]:
        """The atoms, those together that depend on each other, each after what it waits for."""
        root = {n: n for n in self.jobs}

        def find(n: int) -> int:
            while root[n] != n:
                root[n] = root[root[n]]
                n = root[n]
            return n

        for n in self.jobs:
            others = [*self.mates(n), *(gap.other for gap in self.behind.get(n, ()))]
            for other in others:
                root[find(n)] = find(other)
        found: dict[int, list[tuple[int, ...]]] = {}
        for atom in self.atoms:
            found.setdefault(find(atom[0]), []).append(atom)
        return [tuple(atoms) for atoms in found.values()]

    def falling_with(self, job: int) -> set[int]:
        """The jobs that can't be planned without `job`, itself included."""
        found: set[int] = set()
        stack = [job]
        while stack:
            for n in self.mates(stack.pop()):
                if n not in found:
                    found.add(n)
                    stack += [gap.other for gap in self.behind.get(n, ())]
        return found

    def missing_for(self, job: int, planned: Mapping[int, int]) -> Cause | None:
        """What `job` needs and is not planned: somebody of its group, or one that it waits for."""
        for gap in self.ahead.get(job, ()):
            if gap.other not in planned and gap.other not in self.facts:
                return Cause("waits", gap.other)
        for mate in self.mates(job):
            if mate != job and mate not in planned:
                return Cause("together", mate)
        return None

    def whole(self, planned: Mapping[int, int]) -> set[int]:
        """Those of `planned` that may stay: groups that are complete, and nobody before what it waits for."""
        kept = {n for n in planned if n in self.jobs}
        for atom in self.atoms:
            waits = [gap.other for n in atom for gap in self.ahead.get(n, ())]
            if not all(n in kept for n in atom) or any(n not in kept and n not in self.facts for n in waits):
                kept.difference_update(atom)
        return kept

    def bounds(self, job: int, starts: Mapping[int, int]) -> Bounds:
        """When `job` may begin while everybody else begins as `starts` say (linked jobs that are planned)."""
        jobs = self.day.jobs
        since: list[tuple[int, Cause]] = []
        until: list[tuple[int, Cause]] = []
        for mate in self.mates(job):
            if mate != job and mate in starts:
                since.append((starts[mate], Cause("together", mate)))
                until.append((starts[mate], Cause("together", mate)))
        for other in self.joins.get(job, ()):
            since.append((self.facts[other], Cause("joins", other)))
            until.append((self.facts[other] + jobs[other].minutes - 1, Cause("joins", other)))
        for gap in self.ahead.get(job, ()):
            start = self.facts.get(gap.other, starts.get(gap.other))
            if start is not None:
                ends = start + jobs[gap.other].minutes
                since.append((ends + gap.least, Cause("waits", gap.other, gap.least)))
                if gap.most < NEVER:
                    until.append((ends + gap.most, Cause("soon", gap.other, gap.most)))
        for gap in self.behind.get(job, ()):
            start = starts.get(gap.other)
            if start is not None:
                until.append((start - gap.least - jobs[job].minutes, Cause("before", gap.other, gap.least)))
                if gap.most < NEVER:
                    since.append((start - gap.most - jobs[job].minutes, Cause("soon", gap.other, gap.most)))
        # Where two say the same minute, the first of them is named.
        earliest, why_since = max(since, key=lambda bound: bound[0], default=(0, None))
        latest, why_until = min(until, key=lambda bound: bound[0], default=(NEVER, None))
        return Bounds(max(0, earliest), latest, why_since, why_until)

    def by_facts(self, job: int) -> Bounds:
        """What visits that have begun leave of the time for `job`."""
        return self.bounds(job, {})

    def boxes(
        self, starts: Mapping[int, int], part: Callable[[int], int] | None = None
    ) -> dict[int, tuple[int, int]]:
        """For each linked job that is planned its first and last minute; all together they keep every link.

        part: slack between a visit's end and the next one's begin → how much of it the later one may use by
        coming earlier. Without it nobody comes earlier than now, and the one before may use all slack.
        """
        jobs, lowest, highest = self.day.jobs, {}, {}
        for n, start in starts.items():
            facts = self.by_facts(n)
            if part is None or len(self.mates(n)) > 1:
                lowest[n] = start
                continue
            low = facts.earliest
            for gap in self.ahead.get(n, ()):
                if gap.other in starts:
                    slack = start - (starts[gap.other] + jobs[gap.other].minutes + gap.least)
                    low = max(low, start - part(slack))
            for gap in self.behind.get(n, ()):
                if gap.other in starts and gap.most < NEVER:
                    low = max(low, starts[gap.other] - gap.most - jobs[n].minutes)
            lowest[n] = min(low, start)
        for n, start in starts.items():
            high = self.by_facts(n).latest
            if len(self.mates(n)) > 1:
                high = start
            for gap in self.ahead.get(n, ()):
                if gap.other in starts and gap.most < NEVER:
                    high = min(high, lowest[gap.other] + jobs[gap.other].minutes + gap.most)
            for gap in self.behind.get(n, ()):
                if gap.other in starts:
                    high = min(high, lowest[gap.other] - gap.least - jobs[n].minutes)
            highest[n] = high
        return {n: (lowest[n], highest[n]) for n in starts}


def clipped(windows: Windows, earliest: int, latest: int = NEVER) -> Windows:
    """What of `windows` lies from `earliest` to `latest`, or SHUT."""
    if earliest <= 0 and latest >= NEVER:
        return windows
    left = tuple(
        (max(opens, earliest), min(closes, latest))
        for opens, closes in windows
        if opens <= latest and closes >= earliest
    )
    return left if left and earliest <= latest else SHUT
