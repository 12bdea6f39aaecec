"""The tiers, each in this process: ``node``, ``aggregator``, ``cloud``, ``dashboard``."""

import typer

from fogline.cli.commands.identity import WORDS, Role, machine, token

app = typer.Typer()
app.add_typer(token)
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=_PASS_ON, add_help_option=False)
def node(context: typer.Context) -> None:
    """Run a fog node, or `join`, `revoke`, `update` one: `fogline node --help` lists its settings."""
    _identity("node", context)
    _update(context)
    _become("fog_node", "node", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def aggregator(context: typer.Context) -> None:
    """Run an aggregator, or `join`, `revoke` one: `fogline aggregator --help` lists its settings."""
    _identity("aggregator", context)
    _become("aggregator", "aggregator", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def cloud(context: typer.Context) -> None:
    """Run the cloud: `fogline cloud --help` lists its settings."""
    _become("cloud", "cloud", context)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def dashboard(context: typer.Context) -> None:
    """Run the dashboard, or print a `link` that signs in at one: `fogline dashboard --help` lists its settings."""
    if context.args[:1] == ["link"]:
        from fogline.cli.commands.dashboard import app as link

        link(context.args[1:], prog_name="fogline dashboard link")
    _become("cloud.dashboard", "dashboard", context)


def _identity(role: Role, context: typer.Context) -> None:
    """Do what concerns a machine's identity, and end; come back if it is to run."""
    if context.args[:1] and context.args[0] in WORDS:
        machine(role)(context.args, prog_name=f"fogline {role}")


def _update(context: typer.Context) -> None:
    """Update this machine, and end; come back if it is to run."""
    if context.args[:1] == ["update"]:
        from fogline.cli.commands.update import app as update

        update(context.args[1:], prog_name="fogline node update")


def _become(module: str, extra: str, context: typer.Context) -> None:
    from fogline.cli.tier import become

    become(module, extra, context.args)
