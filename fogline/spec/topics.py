"""Topic templates: levels of an MQTT topic, `{label}` for one level."""

import re
from typing import Final

from fogline.model.faults import Place, shown
from fogline.spec.document import TextNode
from fogline.spec.names import check_name
from fogline.spec.section import Section

LABEL: Final = re.compile(r"\{([^{}]*)\}")
MAX_BYTES: Final = 65_535
"""Longest topic that MQTT can carry, in bytes of UTF-8."""
MAX_LEVELS: Final = 128


def topic_labels(section: Section, key: str, node: TextNode) -> dict[str, Place]:
    """Labels of a template with their places, in the order of its levels; every mistake becomes a fault."""
    for message, hint in _impossible(node.text):
        section.fault(key, message, hint)
    labels: dict[str, Place] = {}
    index = 0
    for level in node.text.split("/"):
        place = node.place_at(index)
        index += len(level) + 1
        label = LABEL.fullmatch(level)
        if label is None:
            for message, hint in _impossible_level(level):
                section.faults.add(place, section.below(key), message, hint)
        elif label[1] in labels:
            message = f"the label {shown(label[1])} stands in two levels"
            section.faults.add(place, section.below(key), message, "give each level its own name")
        elif check_name(label[1], "label", place, section.below(key), section.faults):
            labels[label[1]] = place
    return labels


def _impossible(template: str) -> list[tuple[str, str]]:
    """Why no message can ever have such a topic."""
    reasons = []
    if not template:
        reasons.append(("the topic is empty", 'write one, for example "greenhouse/{zone}/air"'))
    if template.startswith("$"):
        hint = "devices cannot publish there; take another topic"
        reasons.append(("a topic that begins with `$` is the broker's own", hint))
    if len(template.encode("utf-8", "replace")) > MAX_BYTES or template.count("/") >= MAX_LEVELS:
        reasons.append(("the topic is too long", f"at most {MAX_LEVELS} levels and {MAX_BYTES} bytes"))
    return reasons


def _impossible_level(level: str) -> list[tuple[str, str]]:
    """Why no topic can have such a level."""
    reasons = []
    if "{" in level or "}" in level:
        hint = "a `{label}` stands for a whole level: between two `/`"
        reasons.append((f"{shown(level)} mixes text and label", hint))
    if "+" in level or "#" in level:
        hint = "give the level a name: `{label}` matches any one level"
        reasons.append((f"{shown(level)} is a wildcard of subscriptions", hint))
    if any(not character.isprintable() for character in level):
        reasons.append((f"{shown(level)} has an invisible character", "remove it: devices do not send it"))
    return reasons
