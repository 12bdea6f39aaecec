"""The ``identity:`` of a stream: what names a reading, so that devices' own repeats are told apart."""

from collections.abc import Sequence
from typing import Final

from fogline.model.clock import DAY, MILLISECOND, MINUTE
from fogline.model.faults import did_you_mean, shown
from fogline.model.plan import Identity
from fogline.spec.document import TableNode
from fogline.spec.quantities import duration
from fogline.spec.section import Section

DEFAULT_WITHIN_US: Final = 10 * MINUTE
MOST_WITHIN_US: Final = 7 * DAY
FORM: Final = "write [device, seq] or {fields: [device, seq], within: 10m}"


def read_identity(
    stream: Section, columns: Sequence[str], time_name: str | None, *, sound: bool
) -> Identity | None:
    """The identity, if there is one; with ``sound`` false an unknown name is not blamed."""
    node = stream.node("identity")
    if node is None:
        return None
    section, key, within_us = stream, "identity", DEFAULT_WITHIN_US
    if isinstance(node, TableNode):
        place = stream.table.key_places["identity"]
        section, key = Section(node, place, stream.below("identity"), stream.faults), "fields"
        section.only(("fields", "within"))
        section.required("fields", FORM)
        within_us = duration(
            section, "within", DEFAULT_WITHIN_US, least_us=MILLISECOND, most_us=MOST_WITHIN_US
        )
    names: list[str] = []
    for name, place in section.texts(key, FORM):
        path = section.below(key)
        if name in names:
            section.faults.add(place, path, f"{shown(name)} stands there twice", "keep one")
        elif name in columns:
            names.append(name)
        elif name == time_name:
            hint = f"read it as a field too: {{{name}_number: {{type: int, path: {name}}}}}"
            section.faults.add(place, path, f"{shown(name)} is the event time, not a field", hint)
        elif sound:
            hint = did_you_mean(name, columns)
            section.faults.add(place, path, f"no label or field is called {shown(name)}", hint)
    return Identity(names=tuple(names), within_us=within_us) if names else None
