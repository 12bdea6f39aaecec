"""Messages of MQTT servers: ``replay``, ``tap``, ``infer``."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.options import CaOption, CertificateOption, JsonOption, KeyOption, PasswordFileOption

app = typer.Typer()


class TimeMode(Enum):
    """What ``replay`` does with the rows' times."""

    KEEP = "keep"
    SHIFT = "shift"


class TimeUnitName(Enum):
    """Units of a column of times."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"
    ISO = "iso"


TimeModeOption = Annotated[
    TimeMode, typer.Option(help="keep the rows' times, or shift all so that the latest row becomes now.")
]
SpeedOption = Annotated[
    str, typer.Option(metavar="max|X", help="As fast as acknowledged, or X times real time.")
]
SplitOption = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="With several --to: rows go by this column's hash.")
]


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header line, plain or gzipped.")],
    *,
    to: Annotated[list[str], typer.Option(metavar="URL", help="mqtt://HOST:PORT; several with --split.")],
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="Takes columns: 'wsn/{node}/reading'.")],
    time: TimeModeOption = TimeMode.KEEP,
    time_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="[default: ts, time, ...]")
    ] = None,
    time_unit: Annotated[TimeUnitName | None, typer.Option(help="[default: told from the first row]")] = None,
    speed: SpeedOption = "max",
    split: SplitOption = None,
    password_file: PasswordFileOption = None,
    ca: CaOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON at the end.")] = False,
) -> None:
    """Publish the rows of a CSV file over MQTT, and wait until each is acknowledged."""
    from fogline.cli.access import Access
    from fogline.cli.passwords import hide_secrets
    from fogline.cli.replay.run import Request
    from fogline.cli.replay.run import replay as run

    hide_secrets()
    run(
        Request(
            file=file,
            to=to,
            topic=topic,
            shift=time is TimeMode.SHIFT,
            time_column=time_column,
            time_unit=time_unit.value if time_unit is not None else None,
            speed=_speed(speed),
            split=split,
            as_json=as_json,
            access=Access(password_file=password_file, ca=ca, certificate=certificate, key=key),
        )
    )


@app.command()
def tap(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="mqtt[s]://[USER:PASSWORD@]HOST:PORT of a broker.")
    ],
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="What to subscribe to; + and # as MQTT has them.")
    ],
    *,
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="End after so many messages.")] = None,
    password_file: PasswordFileOption = None,
    ca: CaOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show live messages of a broker: topic, time, size, payload, rate."""
    from fogline.cli.access import Access
    from fogline.cli.passwords import hide_secrets
    from fogline.cli.tap import tap as run

    hide_secrets()
    access = Access(password_file=password_file, ca=ca, certificate=certificate, key=key)
    run(url, topic, access, count=count, as_json=as_json)


@app.command()
def infer(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="mqtt[s]://[USER:PASSWORD@]HOST:PORT.")
    ] = None,
    topic: Annotated[
        str, typer.Argument(metavar="[TOPIC]", help="What to listen to; # is everything.")
    ] = "#",
    *,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 10s, 2m.")] = "10s",
    messages: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many messages.")] = 20_000,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read what `fogline tap --json` wrote instead.")
    ] = None,
    password_file: PasswordFileOption = None,
    ca: CaOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
) -> None:
    """Propose a pipeline that reads what devices send: formats, topics, times, labels, fields."""
    from fogline.cli.access import Access
    from fogline.cli.infer import run
    from fogline.cli.instants import span_option
    from fogline.cli.passwords import hide_secrets

    hide_secrets()
    if (url is None) == (file is None):
        raise typer.BadParameter("name a broker, or a file of captured messages", param_hint="URL")
    if file is not None:
        run.infer_captured(file, most=messages)
    elif url is not None:
        access = Access(password_file=password_file, ca=ca, certificate=certificate, key=key)
        run.infer_live(url, topic, access, seconds=span_option("--for", duration), most=messages)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is neither max nor a number above 0", param_hint="--speed")
    return speed
