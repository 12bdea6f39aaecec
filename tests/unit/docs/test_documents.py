"""What the documents show exists: specs can be deployed, commands and flags are there, links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from aggregator.settings import AggregatorSettings
from cloud.settings import CloudSettings
from fog_node.settings import NodeSettings
from fogline.cli.commands.identity import WORDS, machine
from fogline.cli.commands.update import app as update
from fogline.cli.main import app
from fogline.service.settings import leaves
from fogline.spec.read import read_spec
from tests.unit.docs.blocks import DOCUMENTS, ROOT, Block, blocks, commands

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
SPECS = [b for b in BLOCKS if b.language == "yaml" and re.match(r"(#.*\n)*name:", b.text)]
COMMANDS = [pytest.param(c, id=f"{b.place} {c}") for b in BLOCKS for c in commands(b)]
TIERS: dict[str, type] = {"node": NodeSettings, "aggregator": AggregatorSettings, "cloud": CloudSettings}


@pytest.mark.parametrize("block", SPECS, ids=[b.place for b in SPECS])
def test_a_shown_spec_can_be_deployed(block: Block) -> None:
    read_spec(block.text, block.place)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_shown_command_and_its_flags_exist(command: str) -> None:
    program, name, *arguments = shlex.split(command)
    if program == "make":
        assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if program != "fogline" or name.startswith("-"):
        return
    if arguments and arguments[0] in WORDS:
        below = typer.main.get_command(machine(name))  # type: ignore[arg-type] # node or aggregator
        assert isinstance(below, typer.core.TyperGroup)
        below.commands[arguments[0]].make_context(arguments[0], arguments[1:])
    elif arguments[:1] == ["update"]:
        known = {option for known in typer.main.get_command(update).params for option in known.opts}
        assert {a for a in arguments if a.startswith("--")} <= known
    elif name in TIERS:
        known = {leaf.flag for leaf in leaves(TIERS[name])} | {"--settings", "--help"}
        assert {a for a in arguments if a.startswith("--")} <= known
    else:
        group = typer.main.get_command(app)
        assert isinstance(group, typer.core.TyperGroup)
        group.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_tests_that_are_named_exist(document: Path) -> None:
    for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", document.read_text()):
        assert (ROOT / file).exists(), file
        if name:
            assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), name


def test_the_readme_is_one_screen_to_the_first_result() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()

    assert len(lines) <= 100
    assert lines.index("make demo") < 30
