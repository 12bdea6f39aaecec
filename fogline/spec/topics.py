"""Topic templates: levels of an MQTT topic, `{label}` for one level."""

import re
from typing import Final

from fogline.model.faults import shown
from fogline.spec.names import check_name
from fogline.spec.section import Section

LABEL: Final = re.compile(r"\{([^{}]*)\}")
MAX_BYTES: Final = 65_535
"""Longest topic that MQTT can carry, in bytes of UTF-8."""
MAX_LEVELS: Final = 128


def topic_labels(section: Section, key: str, template: str) -> tuple[str, ...]:
    """Labels of a template in the order of its levels; every mistake in it becomes a fault."""
    for message, hint in _impossible(template):
        section.fault(key, message, hint)
    labels: list[str] = []
    for level in template.split("/"):
        found = LABEL.fullmatch(level)
        if found is None:
            if "{" in level or "}" in level:
                section.fault(
                    key,
                    f"{shown(level)} mixes text and label",
                    "a `{label}` stands for a whole level: between two `/`",
                )
            elif "+" in level or "#" in level:
                section.fault(
                    key,
                    f"{shown(level)} is a wildcard of subscriptions",
                    "give the level a name: `{label}` matches any one level",
                )
            continue
        name = found[1]
        if name in labels:
            section.fault(
                key, f"the label {shown(name)} stands in two levels", "give each level its own name"
            )
        elif check_name(name, "label", section.place_of(key), section.below(key), section.faults):
            labels.append(name)
    return tuple(labels)


def _impossible(template: str) -> list[tuple[str, str]]:
    """Why no message can ever have such a topic."""
    reasons = []
    if not template:
        reasons.append(("the topic is empty", 'write one, for example "greenhouse/{zone}/air"'))
    if template.startswith("$"):
        reasons.append(
            (
                "a topic that begins with `$` is the broker's own",
                "devices cannot publish there; take another topic",
            )
        )
    if len(template.encode("utf-8", "replace")) > MAX_BYTES or template.count("/") >= MAX_LEVELS:
        reasons.append(("the topic is too long", f"at most {MAX_LEVELS} levels and {MAX_BYTES} bytes"))
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in template):
        reasons.append(("the topic has a control character", "MQTT servers refuse such topics; remove it"))
    return reasons
