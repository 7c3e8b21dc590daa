"""How a step's examples are cut into passes: of similar length, and what texts begin with alike is read once for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.tokens.batches import PASS_TOKENS, by_length
from bench.tokens.encoded import Encoded
from bench.tokens.shared_prefixes import ROW_TOKENS, root
from bench.tokens.token_counts import TokenCounts, padded_counts

COPIED_RATIO = 2
"""How many times a micro-batch's bound the tokens may come to whose keys and values its rows look at, read or copied. A token's
keys and values are a ninth of what the rest of it keeps for its gradient."""


@dataclass(frozen=True)
class MicroBatch:
    """What goes through the model at once: examples for one head, padded to the longest."""

    rows: list[Encoded]
    shared: int = 0
    """Tokens that all of them begin with, and that are read once."""

    @property
    def work(self) -> TokenCounts:
        """What goes through the model."""
        return padded_counts(self.rows, self.shared)

    @property
    def cost(self) -> int:
        """In padded tokens. What is shared takes a pass of its own, and its keys and values are copied for each row."""
        once = PASS_TOKENS + ROW_TOKENS * len(self.rows) if self.shared else 0
        return self.work.tokens + PASS_TOKENS + once


def micro_batches(step: Sequence[Encoded], tokens: int, rank: int, world: int, sharing: bool = False) -> list[MicroBatch]:
    """This process's part of one step's global batch, as batches of similar length, each for one head.

    Every process gets the same number of batches, as sharded models need. One without an example of its own gets another's that
    weighs nothing: for the same head, since ZeRO-2 sends gradients in the order of the backward pass.

    Args:
        tokens: of a batch, at most, as they are computed; a longer example is one by itself.
        sharing: whether one process, which has the step to itself, may read what texts begin with once, where that costs less.
    """
    batches: list[MicroBatch] = []
    for head in sorted({encoded.head for encoded in step}):
        part = [encoded for encoded in step if encoded.head == head]
        # Cut for all processes together and dealt out in turn: neighbours in length then wait little for each other.
        dealt = by_length([encoded.size for encoded in part], tokens, world=world)
        rows = ([part[index] for index in batch[rank::world]] or [replace(part[batch[0]], weight=0.0)] for batch in dealt)
        batches += [MicroBatch(each) for each in rows]
    if sharing and all(encoded.decodes for encoded in step):
        return min(batches, _read_once(step, tokens), key=lambda cut: sum(batch.cost for batch in cut))
    return batches


def _read_once(step: Sequence[Encoded], tokens: int) -> list[MicroBatch]:
    """Texts that begin alike together."""
    tree = root([encoded.ids for encoded in step], [encoded.before_targets for encoded in step])
    batches = _of_alike([step[number] for number in tree.leaves], 0, tokens)
    for branch in tree.branches:
        batches += _of_alike([step[number] for number in branch.all_leaves], len(branch.ids), tokens)
    return batches


def _of_alike(texts: Sequence[Encoded], shared: int, tokens: int) -> list[MicroBatch]:
    """Of texts that agree in their first `shared` tokens, which each batch of several reads once."""
    longest = max((text.size for text in texts), default=1)
    rows, each = (max(1, COPIED_RATIO * tokens // longest), 2 * PASS_TOKENS + shared) if shared else (None, PASS_TOKENS)
    cut = by_length([text.size - shared for text in texts], tokens - shared, rows, each=each)
    return [MicroBatch([texts[index] for index in batch], shared if len(batch) > 1 else 0) for batch in cut]
