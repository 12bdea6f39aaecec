"""What runs beside SQL: ``containers``, ``events``, ``logs``, ``top``, ``exec``."""

from typing import Annotated

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app = typer.Typer()

NodeOption = Annotated[str, typer.Option("--node", metavar="NODE", help="Only on this node.")]
ReplicaOption = Annotated[
    int | None, typer.Option("--replica", metavar="NUMBER", min=0, help="Only this replica of the step.")
]


@app.command()
def containers(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only those of this one.")] = "",
    *,
    node: NodeOption = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the replicas of operators and the services, and how they stand."""
    from fogline.cli import visiting
    from fogline.cli.server import Server

    visiting.containers(Server(server, directory), pipeline, node=node, as_json=as_json)


@app.command()
def events(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only those of this one.")] = "",
    *,
    node: NodeOption = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened to containers, the newest last: starts, ends, faults, batches given up."""
    from fogline.cli import visiting
    from fogline.cli.server import Server

    visiting.events(Server(server, directory), pipeline, node=node, as_json=as_json)


@app.command()
def logs(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's name.")],
    name: Annotated[str, typer.Argument(metavar="[STEP]", help="Step or service; none: all.")] = "",
    *,
    node: NodeOption = "",
    replica: ReplicaOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it comes.")] = False,
    tail: Annotated[
        int, typer.Option(metavar="LINES", min=1, max=10_000, help="So many lines of each container first.")
    ] = 100,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what containers write, wherever they run, also behind NAT."""
    from fogline.cli import visiting
    from fogline.cli.server import Server

    wanted = visiting.Wanted(
        pipeline=pipeline, name=name, node=node, replica=replica, tail=tail, follow=follow
    )
    visiting.logs(Server(server, directory), wanted, as_json=as_json)


@app.command()
def top(
    node: Annotated[str, typer.Argument(metavar="[NODE]", help="Measure on this one now.")] = "",
    *,
    once: Annotated[bool, typer.Option("--once", help="Print one table, and end.")] = False,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what containers use: CPU, memory, throttling."""
    from fogline.cli import visiting
    from fogline.cli.server import Server

    visiting.top(Server(server, directory), node, once=once, as_json=as_json)


@app.command("exec")
def execute(
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node's name.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Step or service.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="Program and arguments.")],
    *,
    pipeline: Annotated[
        str, typer.Option("--pipeline", metavar="PIPELINE", help="Of several that have the name.")
    ] = "",
    replica: ReplicaOption = None,
    stdin: Annotated[bool, typer.Option("--stdin", "-i", help="Feed it what comes on stdin.")] = False,
    server: ServerOption = None,
    directory: DirOption = None,
) -> None:
    """Run a command in a container, if the node's owner allows it; ends with the command's exit code."""
    from fogline.cli import visiting
    from fogline.cli.server import Server

    visiting.execute(
        Server(server, directory), node, name, command, pipeline=pipeline, replica=replica, stdin=stdin
    )
