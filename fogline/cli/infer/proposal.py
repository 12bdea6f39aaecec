"""What was heard, as streams that a spec can name: the decisions, apart from how they are written down."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fogline.cli.infer.columns import Columns, choose_columns
from fogline.cli.infer.facts import Facts, gather
from fogline.cli.infer.heard import Message
from fogline.cli.infer.names import Names, many, singular, to_name
from fogline.cli.infer.payloads import Kind, Path, Payload, dotted, read_payload
from fogline.cli.infer.times import Arrived, Search, Time, find_time, senml_time
from fogline.cli.infer.topics import Group, Topic, can_be_read, group_topics

MOST_STREAMS: Final = 64
MOST_TOPICS: Final = 2_000
"""Topics that are looked at; finding what they have in common takes longer with the square of them."""
ARRIVAL: Final = "arrival"
"""What SQL calls the event time of a stream without one."""
SENML_TIME: Final = "time"

Heard = tuple[Message, Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A label of the topic."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamProposal:
    """A stream, and how often it was seen."""

    name: str
    topic: str
    kind: Kind
    levels: tuple[Level, ...]
    time: Time | None
    time_name: str
    """What SQL calls the event time."""
    columns: Columns
    facts: Facts
    messages: int
    topics: int
    unreadable: int
    """Messages on its topics that its format does not read."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to read, and what cannot be read."""

    streams: tuple[StreamProposal, ...]
    """The busiest first."""
    unread: tuple[str, ...]
    """What no stream reads, and why, in words."""


def propose(messages: Sequence[Message]) -> Proposal:
    """Propose the streams of a spec that reads these messages."""
    heard: dict[str, list[Heard]] = defaultdict(list)
    for message in messages:
        heard[message.topic].append((message, read_payload(message.payload)))
    more = list(heard)[MOST_TOPICS:]
    unread = [f"{len(more):,} more topics, which were not looked at"] if more else []
    for topic in more:
        del heard[topic]
    unread += [
        f"{topic!r}: no template can name the topic" for topic in sorted(heard) if not can_be_read(topic)
    ]
    readable = {topic: some for topic, some in heard.items() if can_be_read(topic)}
    topics = {topic: _topic(topic, some) for topic, some in readable.items()}
    unread += [_said(topic, readable[topic]) for topic, t in sorted(topics.items()) if t.kind is Kind.OTHER]
    names, streams = Names(), list[StreamProposal]()
    # What no template can name by itself may still fall under one that stands for more.
    others = [
        Topic(levels=tuple(t.split("/")), kind=Kind.OTHER, paths=frozenset())
        for t in heard.keys() - topics.keys()
    ]
    groups = group_topics([*topics.values(), *others])
    groups.sort(key=lambda g: -sum(len(readable["/".join(t.levels)]) for t in g.topics))
    for group in groups:
        found = _stream(group, readable, names)
        if isinstance(found, str):
            unread.append(found)
        elif len(streams) < MOST_STREAMS:
            streams.append(found)
        else:
            unread.append(f"{found.topic}: a spec has at most {MOST_STREAMS} streams")
    return Proposal(streams=tuple(streams), unread=tuple(unread))


def _topic(topic: str, heard: Sequence[Heard]) -> Topic:
    """Tell what a topic carries: what most of its messages are, as far as they can be read."""
    kinds = Counter(p.kind for _, p in heard if p.kind is not Kind.OTHER)
    kind = kinds.most_common(1)[0][0] if kinds else Kind.OTHER
    paths = frozenset(path for _, p in heard if p.kind is kind for r in p.readings for path in r.values)
    return Topic(levels=tuple(topic.split("/")), kind=kind, paths=paths)


def _stream(group: Group, heard: Mapping[str, Sequence[Heard]], names: Names) -> StreamProposal | str:
    """Propose a stream; or say why there is none."""
    some = [one for topic in group.topics for one in heard["/".join(topic.levels)]]
    kind = group.topics[0].kind
    arrived: list[Arrived] = [(m.arrival_us, r) for m, p in some if p.kind is kind for r in p.readings]
    facts = gather(reading for _, reading in arrived)
    template = "/".join("+" if level is None else level for level in group.template)
    search = find_time(facts, arrived) if kind is Kind.JSON else Search()
    if kind is Kind.SENML and (search := Search(time=senml_time(arrived))).time is None:
        return f"{template}: SenML whose times are none, or are far ahead of the arrival"
    time_name = search.time.path[-1] if search.time else ARRIVAL
    taken = Names(time_name)
    topic, levels = _levels(group, taken)
    path = search.time.path if search.time and kind is Kind.JSON else None
    columns = choose_columns(facts, taken, kind=kind, taken=path, alone=_last_word(group))
    if not columns.fields:
        return f"{template}: {many(len(some), 'message')} without a number to read{_at_lists(facts)}"
    literals = [level for level in group.template if level]
    return StreamProposal(
        name=names.give(to_name("_".join(literals[-2:]).lower(), otherwise="stream")),
        topic=topic,
        kind=kind,
        levels=levels,
        time=search.time,
        time_name=time_name,
        columns=columns,
        facts=facts,
        messages=len(some),
        topics=len(group.topics),
        unreadable=sum(p.kind is not kind for _, p in some),
        notes=(*search.notes, *(f"{dotted(p)} is a list, or not always a table" for p in facts.unreadable)),
    )


def _levels(group: Group, names: Names) -> tuple[str, tuple[Level, ...]]:
    """Write the topic with a name for each level that varies."""
    varying = [place for place, level in enumerate(group.template) if level is None]
    written, levels = list[str](), []
    for place, level in enumerate(group.template):
        if level is not None:
            written.append(level)
            continue
        values = tuple(sorted({topic.levels[place] for topic in group.topics}))
        before = group.template[place - 1] if place else None
        name = names.give(_level_name(before, values, alone=len(varying) == 1, number=place + 1))
        levels.append(Level(name=name, values=values))
        written.append(f"{{{name}}}")
    return "/".join(written), tuple(levels)


def _level_name(before: str | None, values: Sequence[str], *, alone: bool, number: int) -> str:
    otherwise = "device" if alone else f"level{number}"
    if before is None:
        return otherwise
    if (one := singular(before)) is not None:
        return one
    if all(value.isdecimal() for value in values):
        return to_name(before.lower(), otherwise=otherwise)
    return otherwise


def _last_word(group: Group) -> str:
    """Name a bare number by the last level of the topic that is the same for all."""
    return next((level.lower() for level in reversed(group.template) if level), "value")


def _said(topic: str, heard: Sequence[Heard]) -> str:
    payloads = list(dict.fromkeys(message.payload[:24] for message, _ in heard))[:3]
    examples = ", ".join(repr(payload.decode("utf-8", "backslashreplace")) for payload in payloads)
    return f"{topic}: {many(len(heard), 'message')} of no JSON object, SenML or number, such as {examples}"


def _at_lists(facts: Facts) -> str:
    paths: list[Path] = list(facts.unreadable[:3])
    return f" (lists: {', '.join(map(dotted, paths))})" if paths else ""
