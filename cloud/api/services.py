"""What people and programs may ask, apart from how they ask: every method takes a caller, and checks its rights."""

from dataclasses import dataclass

from cloud.api.containers import Containers
from cloud.api.nodes import Nodes, Overview
from cloud.api.pipelines import Pipelines
from cloud.api.results import Results
from cloud.board import Board
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.committer import CommitCounters
from cloud.planner.planner import Planner
from cloud.store.store import Store
from fogline.control.switchboard import Switchboard
from fogline.model.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All of them: what a door opens on."""

    pipelines: Pipelines
    results: Results
    nodes: Nodes
    overview: Overview
    containers: Containers


def make_services(
    *,
    store: Store,
    catalog: Catalog,
    board: Board,
    planner: Planner,
    changes: Changes,
    clock: Clock,
    commits: CommitCounters,
    sessions: Switchboard,
) -> Services:
    """The services over one cloud process's parts; ``commits`` counts what this process committed.

    ``sessions``: what leads to containers on nodes.
    """
    return Services(
        pipelines=Pipelines(store, catalog, planner),
        results=Results(store, catalog, changes, clock),
        nodes=Nodes(store, board, clock),
        overview=Overview(store, catalog, board, clock, commits),
        containers=Containers(store, catalog, board, sessions, clock),
    )
