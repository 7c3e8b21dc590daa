"""How a run keeps a memory ceiling: by smaller micro-batches, then by gradient checkpointing; else it does not fit.

Neither changes the question: the global batch stays, and the numbers differ by rounding alone.
"""

from dataclasses import dataclass

from torch import nn

from bench.devices.hardware import uses_gpu
from bench.errors import BudgetError
from bench.modeling.recomputation import checkpoint_blocks
from bench.modeling.structure import set_dropout
from bench.running import sizes
from bench.running.sizes import Memory
from bench.runs.run import Run
from bench.strategies.base import Hyperparameters
from bench.training.loop import MICRO_BATCH_TOKENS

HEADROOM = 1.3
"""Times the plan: what an allocator can't use again, and a layer's weights unpacked."""
UNPLANNED = 128_000_000
"""Bytes on a CPU that hang on no model, and are more than that of small ones: code that is read in when it is first called, and
what a run's own checks take. MiniLM's frozen training held 118 MB more than planned in a process that had just begun."""


@dataclass(frozen=True)
class Fit:
    """How a stage is trained, and what that is planned to take on each device."""

    adapted: nn.Module
    """The adapted model on the meta device."""
    memory: Memory
    tokens: int
    """Of a padded micro-batch, at most; a longer example is one by itself."""
    checkpointing: bool = False
    """Besides what the strategy's own hyper-parameters switch on."""

    @property
    def changed(self) -> bool:
        """Whether the ceiling made it another than a run without one has."""
        return self.checkpointing or self.tokens < MICRO_BATCH_TOKENS

    def __str__(self) -> str:
        return f"micro-batches of {self.tokens} tokens{' and gradient checkpointing' if self.checkpointing else ''}"


def fit(run: Run, longest: int) -> Fit:
    """The largest micro-batch with which the run's training stays below the budget's ceiling, if it has one.

    Args:
        longest: tokens of the longest example, which no micro-batch can be smaller than.

    Raises:
        BudgetError: it does not fit, whatever is done.
    """
    tokens = max(MICRO_BATCH_TOKENS, longest)
    adapted, memory = _planned_memory(run, tokens)
    plain = Fit(adapted, memory, MICRO_BATCH_TOKENS)
    if run.budget.memory is None or not run.strategy.trains:
        return plain
    most = _plannable(run.budget.memory)
    if room := _room(most - _state_bytes(plain), memory, tokens, longest):
        return Fit(*_planned_memory(run, room), min(room, MICRO_BATCH_TOKENS))
    adapted, memory = _planned_memory(run, longest, checkpointing=True)
    least = Fit(adapted, memory, min(longest, MICRO_BATCH_TOKENS), checkpointing=True)
    state_bytes = _state_bytes(least)
    if _room(most - state_bytes, memory, longest, longest):
        return least
    raise BudgetError(
        f"its training does not fit into {run.budget.memory / 1e9:g} GB: with micro-batches of one example ({longest} tokens) "
        f"and gradient checkpointing it takes about {most_held(state_bytes + memory.activations) / 1e9:.2f} GB, of which "
        f"weights, gradients and moments are {state_bytes / 1e9:.2f} GB"
    )


def most_held(planned: float) -> float:
    """Bytes that a training may come to hold, of which so many are planned."""
    return max(HEADROOM * planned, planned + _unplanned())


def _plannable(ceiling: int) -> float:
    """Bytes that may be planned, so that no more than the ceiling are held."""
    return min(ceiling / HEADROOM, ceiling - _unplanned())


def _unplanned() -> int:
    return 0 if uses_gpu() else UNPLANNED  # what is counted on a GPU are its tensors


def _room(left: float, memory: Memory, tokens: int, longest: int) -> int:
    """Tokens of the largest micro-batch for whose activations there are so many bytes, at most those that `memory` is planned
    for; 0 where none is."""
    if not memory.activations:  # where a head alone trains, no block keeps any for a backward pass
        return tokens if left >= 0 else 0
    room = min(tokens, int(left * tokens / memory.activations))  # activations grow with the tokens
    return room if room >= longest else 0


def _state_bytes(fitted: Fit) -> int:
    """Bytes of weights, gradients and moments, and of one gradient more, which is added to that of the last micro-batch. On a
    CPU a quantised base was there in fp32 before it was rounded, and what the allocator has got it keeps."""
    memory, trainable = fitted.memory, (p.numel() for p in fitted.adapted.parameters() if p.requires_grad)
    loaded = memory.weights if uses_gpu() else max(memory.weights, 4 * memory.parameters)
    return loaded + memory.gradients + memory.optimizer + 4 * max(trainable, default=0)


def _planned_memory(run: Run, tokens: int, checkpointing: bool = False) -> tuple[nn.Module, Memory]:
    # The heads of other tasks, a few thousand weights, are left out.
    shape = sizes.task_shape(run.checkpoint, run.task)
    if isinstance(chosen := run.strategy.hyperparameters, Hyperparameters) and chosen.dropout is not None:
        set_dropout(shape, chosen.dropout)
    if checkpointing:
        checkpoint_blocks(shape)
    return sizes.memory(shape, run.strategy, run.model.family, tokens, run.checkpoint.reference_bits)
