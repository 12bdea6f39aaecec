"""A proposal as YAML that `fogline deploy` takes, with what was seen as comments."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

from fogline.cli.infer.columns import FieldDraft, LabelDraft
from fogline.cli.infer.facts import Fact
from fogline.cli.infer.names import Names, many
from fogline.cli.infer.payloads import Kind, Path
from fogline.cli.infer.proposal import Proposal, StreamProposal
from fogline.cli.infer.times import Time, spelt
from fogline.model.clock import DAY, SECOND
from fogline.model.plan import Scalar

LONGEST: Final = 32
"""Characters of a value that is shown."""
MOST_OUTPUTS: Final = 4
MOST_KEYS: Final = 3
KEEP_US: Final = DAY
DISORDER_S: Final = 5
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PATH: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS: Final = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def write(proposal: Proposal, *, heading: str, deployable: Callable[[str], bool]) -> str:
    """Write a spec. Names in SQL are quoted if ``deployable`` refuses the text without: some are words of SQL."""
    text = _written(proposal, heading, quoted=False)
    return text if not proposal.streams or deployable(text) else _written(proposal, heading, quoted=True)


def _written(proposal: Proposal, heading: str, *, quoted: bool) -> str:
    return "".join(f"{line}\n" for line in _lines(proposal, heading, quoted=quoted))


def _lines(proposal: Proposal, heading: str, *, quoted: bool) -> Iterator[str]:
    yield f"# {_comment(heading)}"
    if proposal.streams:
        yield "name: inferred"
        yield "streams:"
        for stream in proposal.streams:
            yield from _stream(stream)
        yield "steps:"
        names = Names()
        for stream in proposal.streams:
            yield from _step(stream, names.give(f"{stream.name[:56]}_10s"), quoted=quoted)
        yield from _late(proposal)
    if proposal.unread:
        yield "# Not read:"
        for words in proposal.unread:
            yield f"#   {_comment(words)}"


def _stream(stream: StreamProposal) -> Iterator[str]:
    seen = f"{many(stream.messages, 'message')} on {many(stream.topics, 'topic')}"
    yield f"  {_name(stream.name)}:  # {seen}"
    if stream.unreadable:
        yield f"    # {stream.unreadable:,} of them are of another format, and would be dead letters"
    yield f"    mqtt: {_text(stream.topic)}"
    for level in stream.levels:
        shown = ", ".join(_shown(value) for value in level.values[:4])
        more = f" and {len(level.values) - 4:,} more" if len(level.values) > 4 else ""
        yield f"    # {{{level.name}}}: {shown}{more}"
    yield f"    format: {stream.kind.value}"
    if stream.kind is Kind.JSON:
        yield from _time(stream)
    if stream.columns.labels:
        yield "    labels:"
        for label in stream.columns.labels:
            yield f"      {_name(label.name)}: {_path(label.path, stream.kind)}  # {_seen(label, stream)}"
    yield "    fields:"
    for column in stream.columns.fields:
        yield f"      {_name(column.name)}: {_field(column, stream.kind)}  # {_seen(column, stream)}"
    if stream.columns.left_out:
        yield f"      # {stream.columns.left_out:,} more that could be read"
    for note in stream.notes:
        yield f"    # {_comment(note)}"


def _time(stream: StreamProposal) -> Iterator[str]:
    time = stream.time
    if time is None:
        yield "    # no time in the payload: the time of arrival is taken"
        return
    zone = ", without a zone: read as UTC" if time.zoneless else ""
    yield (
        f"    time: {{path: {_path(time.path, stream.kind)}, unit: {time.unit}}}"
        f"  # in all {stream.facts.readings:,}; up to {spelt(time.behind_us)} before arrival{zone}"
    )


def _field(field: FieldDraft, kind: Kind) -> str:
    parts = [f"type: {field.type}"]
    if kind is not Kind.NUMBER and field.path != (field.name,):
        parts.append(f"path: {_path(field.path, kind)}")
    if field.decimals is not None:
        parts.append(f"resolution: {10**-field.decimals:.{field.decimals}f}")
    return field.type if len(parts) == 1 else f"{{{', '.join(parts)}}}"


def _seen(column: FieldDraft | LabelDraft, stream: StreamProposal) -> str:
    fact: Fact = column.fact
    often = (
        f"in all {fact.valued:,}"
        if fact.valued == stream.facts.readings
        else (f"in {fact.valued:,} of {stream.facts.readings:,}")
    )
    said = f"{often}: {', '.join(_shown(value) for value in fact.shown())}"
    if isinstance(column, FieldDraft) and column.type == "float" and fact.is_whole:
        said += "; int if it is never a fraction"
    return said


def _step(stream: StreamProposal, step: str, *, quoted: bool) -> Iterator[str]:
    def name(text: str) -> str:
        escaped = text.replace('"', '""')
        return f'"{escaped}"' if quoted or not _PLAIN.fullmatch(text) else text

    keys = [name(level.name) for level in stream.levels[:MOST_KEYS]]
    counted = _free("n", {column.name for column in stream.columns.fields} | {x.name for x in stream.levels})
    outputs = [f"count(*) AS {name(counted)}"]
    outputs += [f"avg({name(f.name)}) AS {name(f.name)}" for f in stream.columns.fields[:MOST_OUTPUTS]]
    grouped = [*keys, f"TUMBLE({name(stream.time_name)}, INTERVAL '10 seconds')"]
    yield f"  {_name(step)}:"
    yield "    sql: |"
    lead = "SELECT "
    for column in [*keys, *outputs][:-1]:
        yield f"      {lead}{column},"
        lead = " " * len(lead)
    yield f"      {lead}{outputs[-1]}"
    yield f"      FROM {name(stream.name)}"
    yield f"      GROUP BY {', '.join(grouped)}"


def _late(proposal: Proposal) -> Iterator[str]:
    times: list[Time] = [stream.time for stream in proposal.streams if stream.time is not None]
    ahead_s = max((-(-time.ahead_us // SECOND) for time in times), default=0)
    behind_us = max((time.behind_us for time in times), default=0)
    parts, reasons = [], []
    if ahead_s > DISORDER_S:
        parts.append(f"disorder: {ahead_s}s")
        reasons.append(f"clocks are up to {ahead_s} s ahead")
    if behind_us > KEEP_US:
        parts.append("keep: forever")
        reasons.append(f"readings are up to {spelt(behind_us)} old")
    if parts:
        yield f"late: {{{', '.join(parts)}}}  # {', '.join(reasons)}"


def _free(wish: str, taken: set[str]) -> str:
    return wish if wish not in taken else _free(f"{wish}_messages", taken)


def _path(path: Path, kind: Kind) -> str:
    if kind is Kind.SENML:
        return _text(path[0])
    if any("." in name for name in path):
        return f"[{', '.join(_text(name) for name in path)}]"
    written = ".".join(path)
    return written if _PATH.fullmatch(written) and written.lower() not in _WORDS else _text(written)


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _shown(value: Scalar) -> str:
    text = json.dumps(value)
    return _comment(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}...")


def _comment(words: str) -> str:
    """Make it safe behind a #: on one line, and with characters that YAML knows."""
    return "".join(c if c.isprintable() else "?" for c in words)
