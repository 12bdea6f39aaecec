"""The tiers, each in this process: ``node``, ``aggregator``, ``cloud``, ``dashboard``."""

import typer

app = typer.Typer()
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


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
