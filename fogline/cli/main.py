"""``fogline``: commands and flags. What a command does is imported when it runs, so that help is quick."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.doctor.command import doctor

app = typer.Typer(
    name="fogline",
    help="One SQL pipeline across fog nodes, aggregators and the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ServerOption = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT", help="The cloud's gRPC address."),
]
DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="The folder of a running `fogline up` [default: that of `up`]."
    ),
]


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


_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def _version(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if value:
        from fogline import __version__

        typer.echo(f"fogline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """One SQL pipeline across fog nodes, aggregators and the cloud."""


@app.command()
def deploy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pipeline's spec, YAML.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return once every node runs it.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long --wait waits.")] = 60.0,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a pipeline's spec and make it run."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.deploy(Server(server, directory), file, wait=wait, within=timeout, as_json=as_json)


@app.command()
def results(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's name.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Windows that start at or after: RFC 3339, or ago as 15m, 2h."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Windows that start before.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each change as it happens.")
    ] = False,
    resume: Annotated[
        str, typer.Option(metavar="TOKEN", help="Follow on behind the line that bore this resume_token.")
    ] = "",
    step: Annotated[str, typer.Option(metavar="STEP", help="Only this window step.")] = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a pipeline's windows, oldest first."""
    from fogline.cli import reading
    from fogline.cli.instants import instant_option
    from fogline.cli.server import Server

    reading.results(
        Server(server, directory),
        pipeline,
        since=instant_option("--since", since),
        until=instant_option("--until", until),
        step=step,
        follow=follow,
        resume=resume,
        as_json=as_json,
    )


@app.command()
def pipelines(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Print the spec of this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is deployed, or print a pipeline's spec."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.pipelines(Server(server, directory), name, as_json=as_json)


@app.command()
def streams(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only those of this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the streams that the pipelines read, and how they go."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.streams(Server(server, directory), pipeline, as_json=as_json)


@app.command()
def nodes(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | retire NAME]", help="Show one node, or retire one that is gone for ever."
        ),
    ] = None,
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the fog nodes, show one, or retire one: windows stop waiting for it."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.nodes(Server(server, directory), words or [], as_json=as_json)


@app.command()
def ledger(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where every message and reading went, and that it adds up."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.ledger(Server(server, directory), pipeline, as_json=as_json)


@app.command()
def status(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """Show tiers, pipelines and their health."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.status(Server(server, directory), as_json=as_json)


@app.command()
def up(
    *,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keeps everything; the next `up` goes on.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="Fog nodes [default: as before, else 2].")
    ] = None,
    sensors: Annotated[
        bool, typer.Option("--sensors/--no-sensors", help="Publish this machine's own sensors.")
    ] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the dashboard.")] = True,
    pipeline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Deploy this spec, beside the sensors' if they are on."),
    ] = None,
    broker: Annotated[
        str,
        typer.Option(
            envvar="FOGLINE_UP_BROKER",
            show_envvar=False,
            metavar="URL",
            help="The nodes read from this broker, too: mqtt[s]://[USER:PASSWORD@]HOST:PORT.",
        ),
    ] = "",
    store: Annotated[
        str,
        typer.Option(
            envvar="FOGLINE_CLOUD_STORE",
            show_envvar=False,
            metavar="URL",
            help="Where results are kept: postgresql://USER:PASSWORD@HOST:PORT/DATABASE [default: SQLite in DIR].",
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON on stdout when everything is ready.")
    ] = False,
) -> None:
    """Run every tier on this machine, with live readings of its own sensors."""
    from fogline.cli.up.given import hide_secrets
    from fogline.cli.up.run import Wishes
    from fogline.cli.up.run import up as run
    from fogline.client.find import default_directory

    hide_secrets()
    run(
        Wishes(
            directory=directory or default_directory(),
            nodes=nodes,
            sensors=sensors,
            browser=browser,
            pipeline=pipeline,
            as_json=as_json,
            broker=broker,
            store=store,
        )
    )


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header line, plain or gzipped.")],
    *,
    to: Annotated[list[str], typer.Option(metavar="URL", help="mqtt://HOST:PORT; several with --split.")],
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="Takes columns: 'wsn/{node}/reading'.")],
    time: Annotated[
        TimeMode, typer.Option(help="keep the rows' times, or shift all so that the latest row becomes now.")
    ] = TimeMode.KEEP,
    time_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="[default: ts, time, ...]")
    ] = None,
    time_unit: Annotated[TimeUnitName | None, typer.Option(help="[default: told from the first row]")] = None,
    speed: Annotated[
        str, typer.Option(metavar="max|X", help="As fast as acknowledged, or X times real time.")
    ] = "max",
    split: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="With several --to: rows go by this column's hash.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON at the end.")] = False,
) -> None:
    """Publish the rows of a CSV file over MQTT, and wait until each is acknowledged."""
    from fogline.cli.replay.run import Request
    from fogline.cli.replay.run import replay as run

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
    as_json: JsonOption = False,
) -> None:
    """Show live messages of a broker: topic, time, size, payload, rate."""
    from fogline.cli.tap import tap as run

    run(url, topic, count=count, as_json=as_json)


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
) -> None:
    """Propose a pipeline that reads what devices send: formats, topics, times, labels, fields."""
    from fogline.cli.infer import run
    from fogline.cli.instants import span_option

    if (url is None) == (file is None):
        raise typer.BadParameter("name a broker, or a file of captured messages", param_hint="URL")
    if file is not None:
        run.infer_captured(file, most=messages)
    elif url is not None:
        run.infer_live(url, topic, seconds=span_option("--for", duration), most=messages)


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


app.command()(doctor)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def node(context: typer.Context) -> None:
    """Run a fog node: `fogline node --help` lists its settings."""
    _become("fog_node", "node", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def aggregator(context: typer.Context) -> None:
    """Run an aggregator: `fogline aggregator --help` lists its settings."""
    _become("aggregator", "aggregator", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def cloud(context: typer.Context) -> None:
    """Run the cloud: `fogline cloud --help` lists its settings."""
    _become("cloud", "cloud", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def dashboard(context: typer.Context) -> None:
    """Run the dashboard: `fogline dashboard --help` lists its settings."""
    _become("cloud.dashboard", "dashboard", context)


def _become(module: str, extra: str, context: typer.Context) -> None:
    from fogline.cli.tier import become

    become(module, extra, context.args)


def main() -> None:
    """Entry point of the ``fogline`` command."""
    app()
