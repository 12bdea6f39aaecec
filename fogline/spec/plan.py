"""From a spec to the plan that nodes execute, and the release of it."""

from fogline.model.plan import Plan
from fogline.spec.read import Spec


def make_plan(spec: Spec, tenant: str) -> Plan:
    """The plan of a spec for a tenant. Equal specs give equal plans, however they are laid out."""
    used = {step.stream for step in spec.steps}
    return Plan(
        tenant=tenant,
        pipeline=spec.name,
        streams=tuple(stream for stream in spec.streams if stream.name in used),
        steps=spec.steps,
        disorder_us=spec.late.disorder_us,
        wait_us=spec.late.wait_us,
        keep_us=spec.late.keep_us,
        emit_every_us=spec.emit_every_us,
        max_keys=spec.max_keys,
    )
