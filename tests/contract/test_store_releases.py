"""What every store promises of releases: images and resources change without a new plan."""

from cloud.store.releases import KEPT
from fogline.v1 import control_pb2
from tests.contract.installation import Installation, spec

DIGESTS = [f"sha256:{number:064x}" for number in range(KEPT + 2)]


def with_operator(image: str, more: str = "") -> str:
    """The pipeline with an operator before its windows, in this image."""
    text = spec().replace("FROM air", "FROM clean")
    return text.replace("steps:\n", f"steps:\n  clean: {{image: {image}, from: air{more}}}\n")


def image(number: int) -> str:
    return f"acme/clean@{DIGESTS[number]}"


def desired(installation: Installation) -> control_pb2.DesiredState:
    state = installation.catalog.desired.state
    assert state is not None
    return state


async def test_a_plan_of_sql_alone_has_no_release_and_no_grant(installation: Installation) -> None:
    assert (await installation.store.shelf()).releases == []
    assert not desired(installation).grants


async def test_a_plan_with_an_operator_is_granted_its_release(installation: Installation) -> None:
    await installation.deploy(with_operator(image(1), ", cpu: 0.5"))
    (grant,) = desired(installation).grants
    assert (grant.plan, grant.release, grant.term) == (installation.plan_id, 1, 1)
    assert [(one.step, one.image) for one in grant.operators] == [("clean", image(1))]
    assert grant.operators[0].resources.cpu_millis == 500
    assert not grant.nodes
    assert not grant.aggregators


async def test_another_image_is_a_new_release_of_the_same_plan(installation: Installation) -> None:
    await installation.deploy(with_operator(image(1)))
    plan, generation = installation.plan_id, desired(installation).generation
    assert await installation.deploy(with_operator(image(2), ", memory: 64Mi"))
    assert installation.plan_id == plan
    assert desired(installation).generation == generation + 1
    grant = next(grant for grant in desired(installation).grants if grant.plan == plan)
    assert (grant.release, grant.operators[0].image) == (2, image(2))
    assert await installation.store.spec("main", plan) == installation.text


async def test_deploying_the_same_release_again_changes_nothing(installation: Installation) -> None:
    await installation.deploy(with_operator(image(1)))
    before = await installation.store.shelf()
    assert not await installation.deploy(with_operator(image(1)) + "\n# the same\n")
    assert await installation.store.shelf() == before


async def test_an_older_image_is_a_release_like_any_other(installation: Installation) -> None:
    for number in (1, 2, 1):
        assert await installation.deploy(with_operator(image(number)))
    (release,) = (await installation.store.shelf()).releases
    assert release.number == 3


async def test_services_can_be_added_and_taken_away(installation: Installation) -> None:
    bare = installation.text
    assert await installation.deploy(bare + f"services: {{viewer: {{image: {image(1)}}}}}\n")
    assert [one.name for one in desired(installation).grants[0].services] == ["viewer"]
    assert await installation.deploy(bare)
    assert not desired(installation).grants
    assert (await installation.store.shelf()).releases[0].number == 2
    assert not await installation.deploy(bare)


async def test_a_bounded_number_of_releases_is_kept(installation: Installation) -> None:
    for number in range(KEPT + 2):
        await installation.deploy(with_operator(image(number)))
    (release,) = (await installation.store.shelf()).releases
    assert release.number == KEPT + 2
    assert await installation.store.spec("main", installation.plan_id) == installation.text


async def test_every_plan_that_runs_keeps_its_own_release(installation: Installation) -> None:
    one = with_operator(image(1)).replace("name: greenhouse", "name: other")
    await installation.deploy(one)
    first = installation.plan_id
    await installation.deploy(one.replace(image(1), image(2)).replace("count(*) AS n", "count(*) AS number"))
    granted = {grant.plan: grant.operators[0].image for grant in desired(installation).grants}
    assert granted == {first: image(1), installation.plan_id: image(2)}


async def test_what_a_pipeline_has_run_is_kept_with_what_it_takes_to_run_it_again(
    installation: Installation,
) -> None:
    bare = installation.plan_id
    for number in (1, 2):
        await installation.deploy(with_operator(image(number)))
    history = await installation.store.history("main", "greenhouse")
    assert {(one.plan, one.release) for one in history} == {
        (bare, 0),
        (installation.plan_id, 1),
        (installation.plan_id, 2),
    }
    first = next(one for one in history if one.release == 1)
    assert control_pb2.Grant.FromString(first.wire).operators[0].image == image(1)
    assert image(1) in first.spec
    assert await installation.store.history("main", "other") == []
    assert await installation.store.history("else", "greenhouse") == []
