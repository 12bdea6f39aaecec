"""What came of it: ``results``, ``ledger``."""

from typing import Annotated

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app = typer.Typer()


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
