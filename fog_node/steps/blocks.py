"""Decoded blocks, shared by the plans that read them together: a block is decoded once, not once a plan."""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from fog_node.decode.stream import Decoded, StreamDecoder, together
from fog_node.messages import Block, joined
from fogline.model.part import Origin
from fogline.model.plan import Plan, StreamSpec

KEPT: Final = 8
"""Blocks; enough for plans that keep pace with each other. One that lags decodes for itself."""


class DecoderKey(NamedTuple):
    """Streams that decode alike, whatever plan they belong to."""

    spec: StreamSpec
    keep_us: int
    disorder_us: int


class _BlockKey(NamedTuple):
    decoder: DecoderKey
    origin: Origin
    first: int
    end: int


class DecodedBlocks:
    """Decodes blocks and keeps the newest few."""

    def __init__(self) -> None:
        self._decoders: dict[DecoderKey, StreamDecoder] = {}
        self._plans: Counter[DecoderKey] = Counter()
        self._kept: OrderedDict[_BlockKey, Decoded] = OrderedDict()

    def decode(self, block: Block, key: DecoderKey) -> Decoded:
        """The readings of a block as a stream's spec reads them."""
        if self._plans[key] < 2:
            return self._decoder(key).decode(block)
        block_key = _BlockKey(key, block.origin, block.first, block.end)
        decoded = self._kept.get(block_key)
        if decoded is None:
            decoded = self._decoder(key).decode(block)
            self._kept[block_key] = decoded
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return decoded

    def decode_together(self, blocks: Sequence[Block], key: DecoderKey) -> Decoded:
        """The readings of blocks that follow each other, as one batch.

        Plans that share a decoder come to different stretches: what they share stays the single block.
        """
        if self._plans[key] < 2:
            return self._decoder(key).decode(joined(blocks))
        return together([self.decode(block, key) for block in blocks], [len(block) for block in blocks])

    def read_by(self, plans: list[Plan]) -> None:
        """These plans read now: forget what no other needs, and keep blocks only where plans share them."""
        self._plans = Counter(decoder_key(plan, spec) for plan in plans for spec in plan.streams)
        self._decoders = {key: decoder for key, decoder in self._decoders.items() if key in self._plans}
        self._kept.clear()

    def _decoder(self, key: DecoderKey) -> StreamDecoder:
        if key not in self._decoders:
            self._decoders[key] = StreamDecoder(key.spec, keep_us=key.keep_us, disorder_us=key.disorder_us)
        return self._decoders[key]


def decoder_key(plan: Plan, spec: StreamSpec) -> DecoderKey:
    """How a plan decodes one of its streams."""
    return DecoderKey(spec, plan.keep_us, plan.disorder_us)
