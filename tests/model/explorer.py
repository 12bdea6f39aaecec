"""Breadth first through everything that can happen: is it safe, and does it always end well?"""

import gc
from collections import deque
from dataclasses import dataclass

from tests.model.machine import Machine
from tests.model.properties import is_goal, wrong_in_cloud, wrong_on_node
from tests.model.rules import SHIPPED, Rules
from tests.model.setup import Setup
from tests.model.values import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an exploration found."""

    states: int
    edges: int
    """Those that need no fault."""
    finished: bool
    """The whole space was seen; else nothing is said about how it ends."""
    violation: str = ""
    trace: tuple[str, ...] = ()
    """What happened before the violation."""
    dead_ends: int = 0
    """States in which nothing can happen any more, short of the goal."""
    stuck: int = 0
    """States from which the goal cannot be reached without another fault."""
    looping: int = 0
    """States with a cycle ahead that no fault has to drive."""

    @property
    def safe(self) -> bool:
        return not self.violation

    @property
    def terminates(self) -> bool:
        """Whatever the order of events, everything ends at the goal."""
        return self.finished and self.safe and not (self.dead_ends or self.stuck or self.looping)

    def __str__(self) -> str:
        if self.violation:
            return f"UNSAFE after {self.states} states: {self.violation}\n" + "\n".join(
                f"  {i}. {what}" for i, what in enumerate(self.trace, 1)
            )
        sizes = f"{self.states} states, {self.edges} fault-free edges, safe, "
        if not self.finished:
            return sizes + "not finished"
        if self.terminates:
            return sizes + "terminates"
        return sizes + f"{self.dead_ends} dead ends, {self.stuck} stuck, {self.looping} looping"


class Explorer:
    """The states seen so far, and how each was reached."""

    def __init__(self, setup: Setup, rules: Rules = SHIPPED) -> None:
        self.machine = Machine(setup, rules)
        self.setup = setup
        self._index: dict[tuple[object, ...], int] = {}
        self._worlds: deque[World] = deque()
        self._came_from: list[tuple[int, str]] = []
        self._next: list[list[int]] = []
        self._goals: list[bool] = []
        self._sound: dict[tuple[int, ...], str] = {}

    def run(self, most: int) -> Report:
        """Explore at most about so many states."""
        self._reach(self.machine.first(), -1, "")
        here = 0
        while self._worlds and len(self._index) < most:
            world = self._worlds.popleft()
            violation = self._wrong(world)
            if violation:
                return self._report(violation=violation, trace=self._trace(here))
            for edge in self.machine.edges(world):
                there = self._reach(edge.world, here, edge.what)
                if edge.fault is None:
                    self._next[here].append(there)
            here += 1
        return self._report() if self._worlds else self._ending()

    def _reach(self, world: World, origin: int, what: str) -> int:
        world = self.machine.canonical(world)
        key = (
            *map(id, world.nodes),
            *map(id, world.aggregators),
            *map(id, world.streams),
            id(world.cloud),
            world.faults,
        )
        number = self._index.setdefault(key, len(self._index))
        if number == len(self._came_from):
            self._worlds.append(world)
            self._came_from.append((origin, what))
            self._next.append([])
            self._goals.append(is_goal(world, self.setup))
        return number

    def _wrong(self, world: World) -> str:
        step = self.machine.memory.step
        return step(wrong_in_cloud, world.cloud) or next(
            (fault for node in world.nodes if (fault := step(wrong_on_node, node, world.cloud))), ""
        )

    def _trace(self, number: int) -> tuple[str, ...]:
        story: list[str] = []
        while number > 0:
            number, what = self._came_from[number]
            story.append(what)
        return tuple(reversed(story))

    def _report(self, *, violation: str = "", trace: tuple[str, ...] = ()) -> Report:
        edges = sum(map(len, self._next))
        return Report(states=len(self._index), edges=edges, finished=False, violation=violation, trace=trace)

    def _ending(self) -> Report:
        count = len(self._next)
        before: list[list[int]] = [[] for _ in range(count)]
        for here, following in enumerate(self._next):
            for there in following:
                before[there].append(here)
        ends = [i for i in range(count) if not self._next[i]]
        return Report(
            states=count,
            edges=sum(map(len, self._next)),
            finished=True,
            dead_ends=sum(not self._goals[i] for i in ends),
            stuck=count - len(_reaching([i for i in range(count) if self._goals[i]], before)),
            looping=count - _peeled(ends, self._next, before),
        )


def _reaching(goals: list[int], before: list[list[int]]) -> set[int]:
    seen = set(goals)
    todo = list(goals)
    while todo:
        for earlier in before[todo.pop()]:
            if earlier not in seen:
                seen.add(earlier)
                todo.append(earlier)
    return seen


def _peeled(ends: list[int], following: list[list[int]], before: list[list[int]]) -> int:
    """How many states have no cycle ahead: those that fall when leaves are taken off again and again."""
    open_ways = [len(ways) for ways in following]
    todo, peeled = list(ends), 0
    while todo:
        peeled += 1
        for earlier in before[todo.pop()]:
            open_ways[earlier] -= 1
            if not open_ways[earlier]:
                todo.append(earlier)
    return peeled


def explore(setup: Setup, rules: Rules = SHIPPED, *, most: int = 200_000) -> Report:
    """Explore a configuration under some rules."""
    # Millions of values that stay: the collector would look at them again and again and find nothing.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return Explorer(setup, rules).run(most)
    finally:
        if collecting:
            gc.enable()
