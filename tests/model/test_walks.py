"""Random walks through configurations that are too large to be seen whole."""

import random

import pytest

from tests.model.machine import Edge, Machine
from tests.model.properties import is_goal, wrong_in_cloud, wrong_on_node
from tests.model.setups import WIDE
from tests.model.values import World


def chosen(edges: list[Edge], chance: random.Random) -> Edge:
    """Mostly what happens by itself, now and then a fault."""
    faults = [edge for edge in edges if edge.fault is not None]
    regular = [edge for edge in edges if edge.fault is None]
    if faults and (not regular or chance.random() < 0.08):
        return chance.choice(faults)
    return chance.choice(regular)


def wrong(machine: Machine, world: World) -> str:
    step = machine.memory.step
    faults = [step(wrong_on_node, node, world.cloud) for node in world.nodes]
    return step(wrong_in_cloud, world.cloud) or "".join(faults)


@pytest.mark.parametrize("name", WIDE)
def test_a_walk_ends_at_the_goal_and_nothing_goes_wrong_on_the_way(
    name: str, pytestconfig: pytest.Config
) -> None:
    seed = pytestconfig.getoption("--model-seed", default=None)
    seed = random.randrange(10**6) if seed is None else seed
    for number in range(pytestconfig.getoption("--model-walks", default=15)):
        chance = random.Random(f"{seed} {number}")
        again = f"walk {number} of --model-seed={seed}"
        machine = Machine(WIDE[name])
        world, story = machine.canonical(machine.first()), list[str]()
        while edges := list(machine.edges(world)):
            edge = chosen(edges, chance)
            world = machine.canonical(edge.world)
            story.append(edge.what)
            fault = wrong(machine, world)
            assert not fault, f"{again}: {fault} after\n" + "\n".join(story)
            assert len(story) < 20_000, f"{again} does not end"
        end = "\n".join(story)
        assert is_goal(world, machine.setup), f"{again} ended short of the goal\n{end}"
