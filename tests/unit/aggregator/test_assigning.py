"""Assignments: made within grants, obeyed within grants."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.assigning import MAX_SEQUENCE, Decision, Member, decide, entries
from fog_node.assigned import effective
from fogline.control.assignments import Given, judge
from fogline.v1 import control_pb2

NODES = ("n1", "n2", "n3")
IMAGE = "acme/clean@sha256:" + "0" * 64


@st.composite
def operators(draw: st.DrawFn, step: str) -> control_pb2.OperatorRelease:
    least = draw(st.integers(0, 3))
    return control_pb2.OperatorRelease(
        step=step,
        image=draw(st.sampled_from([IMAGE, "process:clean@sha256:" + "1" * 64])),
        resources=control_pb2.Resources(
            cpu_millis=draw(st.sampled_from([0, 250, 1000])),
            memory_bytes=draw(st.sampled_from([0, 64 << 20])),
        ),
        min_replicas=least,
        max_replicas=least + draw(st.integers(0, 3)),
    )


@st.composite
def states(draw: st.DrawFn) -> control_pb2.DesiredState:
    term = draw(st.integers(1, 3))
    return control_pb2.DesiredState(
        generation=draw(st.integers(1, 9)),
        grants=[
            control_pb2.Grant(
                plan=plan,
                operators=[draw(operators(step)) for step in ("clean", "score")],
                nodes=draw(st.lists(st.sampled_from(NODES), unique=True)),
                aggregators=draw(st.lists(st.sampled_from(["a1", "a2"]), unique=True)),
                term=term,
            )
            for plan in ("p", "q")
        ],
    )


@st.composite
def groups(draw: st.DrawFn) -> list[Member]:
    return [
        Member(
            name=name,
            capacity=control_pb2.Capacity(
                cpu_millis=draw(st.sampled_from([0, 1000, 4000])),
                memory_bytes=draw(st.sampled_from([0, 1 << 30])),
                runtimes=draw(st.lists(st.sampled_from(["docker", "process"]), unique=True)),
            ),
            sequence=draw(st.integers(0, 20)),
        )
        for name in draw(st.lists(st.sampled_from(NODES), unique=True))
    ]


def said(decision: Decision) -> control_pb2.SignedAssignments:
    content = control_pb2.Assignments(
        aggregator="a1",
        generation=decision.generation,
        term=decision.term,
        sequence=decision.sequence,
        assignments=decision.entries,
    )
    return control_pb2.SignedAssignments(content=content.SerializeToString())


@given(state=states(), group=groups())
def test_whatever_is_assigned_every_node_obeys(state: control_pb2.DesiredState, group: list[Member]) -> None:
    decision = decide(None, state, "a1", group)
    if decision is None:
        return
    given_ = judge(said(decision), state=state, held=None, vouch=None)
    assert given_ is not None
    shares = {
        (name, *place): share.replicas
        for name in NODES
        for effect in [effective(state, given_.content, name)]
        for place, share in effect.shares.items()
        if not effect.faults
    }
    assert shares == {(one.node, one.plan, one.step): one.replicas for one in decision.entries}


@given(state=states(), group=groups())
def test_nothing_is_assigned_where_it_may_not_or_cannot_run(
    state: control_pb2.DesiredState, group: list[Member]
) -> None:
    capacities = {member.name: member.capacity for member in group}
    grants = {grant.plan: grant for grant in state.grants}
    needs = dict.fromkeys(capacities, 0)
    for one in entries(state, "a1", group):
        grant = grants[one.plan]
        (operator,) = [each for each in grant.operators if each.step == one.step]
        runtime = "process" if operator.image.startswith("process:") else "docker"
        assert not grant.nodes or one.node in grant.nodes
        assert not grant.aggregators or "a1" in grant.aggregators
        assert one.replicas == operator.min_replicas
        assert runtime in capacities[one.node].runtimes
        needs[one.node] += one.replicas * operator.resources.cpu_millis
    assert all(need <= capacities[name].cpu_millis for name, need in needs.items())


@given(steps=st.lists(st.tuples(states(), groups()), min_size=1, max_size=8))
def test_the_sequence_only_goes_up_and_only_with_news(
    steps: list[tuple[control_pb2.DesiredState, list[Member]]],
) -> None:
    before: Decision | None = None
    for state, group in steps:
        decision = decide(before, state, "a1", group)
        if decision is not None:
            assert decision.sequence > max([m.sequence for m in group], default=0)
            if before is not None:
                assert decision.sequence > before.sequence
            before = decision
        heard = [
            Member(name=m.name, capacity=m.capacity, sequence=before.sequence if before else 0) for m in group
        ]
        assert decide(before, state, "a1", heard) is None, "nothing has changed"


@given(state=states(), group=groups(), seen=st.integers(1, 1000))
def test_a_node_that_comes_from_another_aggregator_obeys_this_one(
    state: control_pb2.DesiredState, group: list[Member], seen: int
) -> None:
    theirs = control_pb2.Assignments(
        aggregator="a2",
        generation=state.generation,
        term=max(grant.term for grant in state.grants),
        sequence=seen,
    )
    held = Given(content=theirs, signed=control_pb2.SignedAssignments(content=theirs.SerializeToString()))
    newcomer = Member(name="n1", capacity=control_pb2.Capacity(runtimes=["docker"]), sequence=seen)
    before = decide(None, state, "a1", group)
    decision = decide(before, state, "a1", [newcomer]) or before
    if decision is not None:
        assert judge(said(decision), state=state, held=held, vouch=None) is not None


def test_a_node_that_claims_to_have_seen_everything_is_not_outbid() -> None:
    operator = control_pb2.OperatorRelease(step="s", image=IMAGE, min_replicas=1, max_replicas=1)
    state = control_pb2.DesiredState(
        generation=1, grants=[control_pb2.Grant(plan="p", term=1, operators=[operator])]
    )
    liar = Member(name="n1", capacity=control_pb2.Capacity(runtimes=["docker"]), sequence=MAX_SEQUENCE)
    decision = decide(None, state, "a1", [liar])
    assert decision is not None
    assert decision.sequence == 1
