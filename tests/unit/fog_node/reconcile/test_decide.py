"""Laws of deciding, on a world in which every action does at once what it says."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fog_node.reconcile.decide import (
    ALIVE,
    START_US,
    Action,
    Actual,
    ImageState,
    Look,
    Patience,
    Presence,
    Pull,
    Seen,
    Start,
    Stop,
    Tries,
    Update,
    decide,
    failed,
)
from fog_node.reconcile.desired import Desired, Wanted
from fog_node.runtimes.runtime import Condition, Container, ContainerSpec, Limits, Slot
from fogline.model.clock import SECOND

NOW = 1_000 * SECOND
LATER = 2 * NOW
IMAGES = ("a@sha256:1", "b@sha256:2")
RUNTIMES = ("docker", "process")

slots = st.builds(
    Slot,
    kind=st.just("operator"),
    plan=st.sampled_from(["p", "q"]),
    name=st.just("s"),
    replica=st.integers(0, 1),
)
limits = st.builds(
    Limits,
    cpu_millis=st.sampled_from([100, 200]),
    memory_bytes=st.just(1),
    pids=st.just(1),
    tmp_bytes=st.sampled_from([1, 2]),
)
specs = st.builds(
    ContainerSpec, slot=slots, tenant=st.just("main"), image=st.sampled_from(IMAGES), limits=limits
)
tries = st.builds(
    Tries, failures=st.integers(0, 3), not_before_us=st.sampled_from([0, LATER]), busy=st.booleans()
)


@st.composite
def wishes(draw: st.DrawFn) -> Desired:
    chosen = {spec.slot: spec for spec in draw(st.lists(specs, max_size=4))}
    wanted = {
        slot: Wanted(
            spec=spec,
            runtime=draw(st.sampled_from(RUNTIMES)),
            start_millis=draw(st.sampled_from([0, 150, 300])),
        )
        for slot, spec in chosen.items()
    }
    return Desired(wanted=wanted, images=frozenset(one.spec.image for one in wanted.values()))


@st.composite
def worlds(draw: st.DrawFn) -> Actual:
    containers = [
        Container(
            id=f"c{number}",
            spec=spec,
            condition=draw(st.sampled_from(list(Condition))),
            since_us=draw(st.integers(0, 3)),
        )
        for number, spec in enumerate(draw(st.lists(specs, max_size=5)))
    ]
    seen = tuple(
        Seen(runtime=draw(st.sampled_from(RUNTIMES)), container=one, condemned=draw(st.booleans()))
        for one in containers
    )
    keys = [(runtime, image) for runtime in RUNTIMES for image in IMAGES]
    return Actual(
        containers=seen,
        away=frozenset(draw(st.lists(st.sampled_from(RUNTIMES), max_size=1))),
        images={
            key: ImageState(presence=draw(st.sampled_from(list(Presence))), tries=draw(tries)) for key in keys
        },
        slots=draw(st.dictionaries(slots, tries)),
    )


def _slot(action: Action) -> Slot | None:
    match action:
        case Start():
            return action.spec.slot
        case Stop() | Update():
            return action.container.spec.slot
        case _:
            return None


def _done(actual: Actual, action: Action, number: int) -> Actual:
    """The world after an action that worked."""
    match action:
        case Look() | Pull():
            found = Presence.PRESENT if isinstance(action, Pull) else Presence.ABSENT
            return replace(actual, images={**actual.images, action.key: ImageState(presence=found)})
        case Start():
            made = Container(id=f"n{number}", spec=action.spec, condition=Condition.RUNNING, since_us=NOW)
            seen = Seen(runtime=action.runtime, container=made, ready=True)
            return replace(actual, containers=(*actual.containers, seen))
        case Stop():
            left = tuple(seen for seen in actual.containers if seen.container.id != action.container.id)
            return replace(actual, containers=left)
        case Update():
            return replace(actual, containers=tuple(_updated(seen, action) for seen in actual.containers))


def _updated(seen: Seen, action: Update) -> Seen:
    if seen.container.id != action.container.id:
        return seen
    spec = replace(seen.container.spec, limits=action.limits)
    return replace(seen, container=replace(seen.container, spec=spec))


def _calm(actual: Actual) -> Actual:
    """The same with nothing busy, no waits, every runtime there."""
    images = {key: replace(state, tries=Tries()) for key, state in actual.images.items()}
    return replace(actual, away=frozenset(), images=images, slots={})


@given(wishes(), worlds())
def test_doing_what_is_decided_ends_with_exactly_what_is_wanted(desired: Desired, actual: Actual) -> None:
    actual = _calm(actual)
    for turn in range(30):
        actions = decide(desired, actual, NOW)
        if not actions:
            break
        for number, action in enumerate(actions):
            actual = _done(actual, action, 100 * turn + number)
    assert decide(desired, actual, NOW) == ()
    running = {seen.container.spec.slot: seen for seen in actual.containers}
    assert len(running) == len(actual.containers)
    assert {slot: (seen.container.spec, seen.runtime) for slot, seen in running.items()} == {
        slot: (want.spec, want.runtime) for slot, want in desired.wanted.items()
    }
    assert all(seen.container.condition in ALIVE and not seen.condemned for seen in actual.containers)


@given(wishes(), worlds())
def test_a_slot_gets_one_action_and_none_while_it_is_busy_or_waits(desired: Desired, actual: Actual) -> None:
    actions = decide(desired, actual, NOW)
    about = [slot for action in actions if (slot := _slot(action)) is not None]
    assert len(about) == len(set(about))
    for slot in about:
        state = actual.slots.get(slot, Tries())
        assert not state.busy
        assert state.not_before_us <= NOW
    for action in actions:
        if isinstance(action, Look | Pull):
            assert not actual.images[action.key].tries.busy
            assert actual.images[action.key].tries.not_before_us <= NOW


@given(wishes(), worlds())
def test_a_runtime_that_is_away_is_told_nothing(desired: Desired, actual: Actual) -> None:
    for action in decide(desired, actual, NOW):
        runtime = action.key[0] if isinstance(action, Look | Pull) else action.runtime
        assert runtime not in actual.away


@given(wishes(), worlds(), slots)
def test_each_slot_is_decided_by_itself(desired: Desired, actual: Actual, slot: Slot) -> None:
    alone = replace(desired, wanted={one: want for one, want in desired.wanted.items() if one == slot})
    mine = tuple(seen for seen in actual.containers if seen.container.spec.slot == slot)
    together = [action for action in decide(desired, actual, NOW) if _slot(action) == slot]
    by_itself = decide(alone, replace(actual, containers=mine), NOW)
    assert together == [action for action in by_itself if _slot(action) == slot]


@given(wishes(), worlds())
def test_what_is_as_it_shall_be_is_never_stopped(desired: Desired, actual: Actual) -> None:
    fit = {
        slot: [
            seen
            for seen in actual.containers
            if seen.runtime == want.runtime
            and seen.container.spec == want.spec
            and seen.container.condition in ALIVE
            and not seen.condemned
        ]
        for slot, want in desired.wanted.items()
    }
    stopped = {action.container.id for action in decide(desired, actual, NOW) if isinstance(action, Stop)}
    for ones in fit.values():
        assert len([seen for seen in ones if seen.container.id in stopped]) < max(1, len(ones))


def test_an_old_release_runs_on_until_the_new_image_is_here() -> None:
    old, new = _spec(IMAGES[0]), _spec(IMAGES[1])
    runs = Seen(
        runtime="docker",
        container=Container(id="old", spec=old, condition=Condition.RUNNING, since_us=1),
    )
    desired = Desired(wanted={new.slot: Wanted(spec=new, runtime="docker")})
    key = ("docker", IMAGES[1])
    absent = Actual(containers=(runs,), images={key: ImageState(presence=Presence.ABSENT)})
    assert decide(desired, absent, NOW) == (Pull(key=key),)
    present = replace(absent, images={key: ImageState(presence=Presence.PRESENT)})
    assert decide(desired, present, NOW) == (Stop(runtime="docker", container=runs.container, at_once=False),)


def test_a_container_has_a_core_until_it_is_ready_but_not_for_long() -> None:
    spec = _spec(IMAGES[0])
    desired = Desired(wanted={spec.slot: Wanted(spec=spec, runtime="docker", start_millis=1000)})
    images = {("docker", IMAGES[0]): ImageState(presence=Presence.PRESENT)}
    (start,) = decide(desired, Actual(images=images), NOW)
    assert isinstance(start, Start)
    assert start.spec == replace(spec, limits=replace(spec.limits, cpu_millis=1000))
    made = Container(id="c", spec=start.spec, condition=Condition.RUNNING, since_us=NOW)
    starts = Seen(runtime="docker", container=made)

    def then(seen: Seen, now_us: int) -> tuple[Action, ...]:
        return decide(desired, Actual(containers=(seen,), images=images), now_us)

    # Nobody has to remember anything: whoever looks, also in another life, sees what it has and what it shall have.
    bound = (Update(runtime="docker", container=made, limits=spec.limits),)
    assert then(starts, NOW + START_US - 1) == ()
    assert then(starts, NOW + START_US) == bound
    assert then(starts, NOW - 1) == bound  # the clock was set back
    assert then(replace(starts, ready=True), NOW + 1) == bound
    assert then(replace(starts, ready=True, container=replace(made, spec=spec)), NOW + 1) == ()


def test_a_start_never_has_less_than_the_limit() -> None:
    spec = _spec(IMAGES[0])
    desired = Desired(wanted={spec.slot: Wanted(spec=spec, runtime="docker", start_millis=50)})
    images = {("docker", IMAGES[0]): ImageState(presence=Presence.PRESENT)}
    assert decide(desired, Actual(images=images), NOW) == (Start(runtime="docker", spec=spec),)


def test_waits_double_up_to_the_cap_and_begin_anew_after_health() -> None:
    patience = Patience(base_us=SECOND, cap_us=8 * SECOND, healthy_us=60 * SECOND)
    state, waits = Tries(), []
    for _ in range(7):
        state = failed(state, NOW, patience)
        waits.append((state.not_before_us - NOW) // SECOND)
    assert waits == [0, 1, 2, 4, 8, 8, 8]
    assert failed(state, NOW, patience, ran_us=61 * SECOND).not_before_us == NOW
    assert failed(state, NOW, patience, jitter=0.5).not_before_us == NOW + 10 * SECOND


def _spec(image: str) -> ContainerSpec:
    slot = Slot(kind="operator", plan="p", name="s")
    few = Limits(cpu_millis=100, memory_bytes=1, pids=1, tmp_bytes=1)
    return ContainerSpec(slot=slot, tenant="main", image=image, limits=few)
