"""What nodes last said of a plan's lanes."""

from cloud.api.ledger import LaneWord
from cloud.board import Board, bounded, origin_of
from fogline.model.caller import Caller


def lane_words(board: Board, caller: Caller, plan: str) -> list[LaneWord]:
    """The newest reports of a plan's lanes."""
    words = []
    for word in board.nodes(caller.tenant):
        journaled = {origin_of(j.origin): j.journaled for j in word.report.journals}
        words += [
            LaneWord(
                origin=origin,
                journaled=bounded(journaled[origin]),
                start=bounded(lane.start),
                committed=bounded(lane.committed),
                pending=bounded(lane.pending),
            )
            for lane in word.report.lanes
            if lane.plan == plan and (origin := origin_of(lane.origin)) is not None and origin in journaled
        ]
    return words
