"""The training loop: a plan of steps in, a trained model and its costs out. AdamW in fp32, loss on the targets alone.

A step's loss is the (weighted) mean over all targets of its global batch, whatever the number of processes or
micro-batches; this is what transformers' Trainer computes, and a test holds the two together.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from accelerate import Accelerator
from torch import nn

from bench.devices.launched import WHOLE_GRADIENTS, parallelism
from bench.errors import DivergedError
from bench.modeling.compiling import CompiledBlocks
from bench.modeling.forward import loss_sum, unlaunched
from bench.modeling.sharding import askable, ready, release
from bench.modeling.shared_beginnings import shares_beginnings
from bench.modeling.spared_work import SPARED, clock
from bench.modeling.structure import fixed
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded, collate
from bench.tokens.micro_batches import micro_batches
from bench.tokens.token_counts import TokenCounts, useful_counts
from bench.training.clipping import clip
from bench.training.course import Course, Listed
from bench.training.optimizer import by_rows, optimizer
from bench.training.shrinking import as_memory_allows
from bench.training.state import TrainingState
from bench.training.tied_words import rows_added_in_place

Watch = Callable[[nn.Module, TrainingState], bool]
"""Called after each step with the model and the state; what it measures is not training time. True ends the training."""


MICRO_BATCH_TOKENS = 1024
"""Padded tokens of a micro-batch, where no memory ceiling makes it smaller. What a pass costs beside its tokens is then a tenth
(`PASS_TOKENS`); activations grow with it, and of MiniLM they are .17 GB."""


@dataclass(frozen=True)
class Padding:
    """How a micro-batch is filled up: with which id, and to at most how many tokens. Memory depends on it, not the result."""

    pad: int
    tokens: int = MICRO_BATCH_TOKENS


def learning_rate(step: float, steps: float, hyperparameters: Hyperparameters) -> float:
    """The rate of a step, counted from 0: a linear warm-up, then linear towards 0 or constant.

    No step is spent at a rate of 0, since the budget counts it: what stands at 0 in transformers' schedule would be one step
    before the first and one after the last. It is that schedule, a warm-up step and a step longer, advanced by one.
    """
    warm = round(hyperparameters.warmup * steps)
    if step < warm:
        return hyperparameters.learning_rate * (step + 1) / (warm + 1)
    if hyperparameters.schedule == "constant":
        return hyperparameters.learning_rate
    return hyperparameters.learning_rate * (steps - step) / max(1, steps - warm)


def train(
    model: nn.Module,
    steps: Sequence[Sequence[Encoded]] | Course,
    hyperparameters: Hyperparameters,
    accelerator: Accelerator,
    padding: Padding,
    state: TrainingState | None = None,
    watches: Sequence[Watch] = (),
) -> TrainingState:
    """Train `model` in place on the steps' global batches, from where the state stands; gives the state at the end. Nothing of
    the optimiser is held then.

    Raises:
        DivergedError: the loss is not finite.
        BudgetError: one step takes longer than all may.
    """
    state, course = state or TrainingState(), steps if isinstance(steps, Course) else Listed(steps)
    try:
        _train(model, course, hyperparameters, accelerator, padding, state, watches)
    finally:
        release(accelerator)
    askable(model, accelerator)
    return state


def _train(
    model: nn.Module,
    course: Course,
    hyperparameters: Hyperparameters,
    accelerator: Accelerator,
    padding: Padding,
    state: TrainingState,
    watches: Sequence[Watch],
) -> None:
    own = optimizer(model, hyperparameters)
    wrapped, adam = ready(model, own, accelerator, hyperparameters.max_grad_norm)
    if state.keeper:
        state.keeper.begin(wrapped, adam)
    still = fixed(unlaunched(wrapped))
    # A launcher's wrapper counts on one pass of each process before a backward pass, and the compiler on texts without a cache.
    sharing = parallelism(accelerator) == "none" and not hyperparameters.compile and shares_beginnings(model)
    compiled = CompiledBlocks(unlaunched(wrapped)) if hyperparameters.compile else nullcontext()
    _training_mode(wrapped, still)
    # From here on, where the weights are placed: a weight that is moved may leave its hooks behind.
    with by_rows(model, hyperparameters, accelerator), rows_added_in_place(model, accelerator):
        step = course.next(state)
        while step is not None:
            started, others = clock(), SPARED.seconds
            rate = learning_rate(*course.place(state), hyperparameters)
            for group in adam.param_groups:
                group["lr"] = rate
            passes = partial(_gradients, wrapped, step, accelerator, hyperparameters.label_smoothing, padding.pad, sharing)
            with compiled:
                mean, computed, spared = as_memory_allows(wrapped, state, accelerator, padding.tokens, passes)
            if not math.isfinite(mean):
                fault = f"the loss is {mean} at step {state.step + 1} of {state.steps}; lower the learning rate ({rate:g})"
                raise DivergedError(fault)
            clip(wrapped.parameters(), own, accelerator, hyperparameters.max_grad_norm)
            adam.step()
            adam.zero_grad()
            _take_down(state, step, mean, computed, spared)
            state.seconds += clock() - started
            state.others_seconds += SPARED.seconds - others
            step = course.next(state)  # before the watches, which want to know whether this step was the last
            wrapped.eval()
            # A list, so that every watch looks, whichever of them ends the training.
            if any([watch(wrapped, state) for watch in watches]):  # noqa: C419
                break
            if state.keeper and step is not None:
                state.keeper.stepped(wrapped, adam, state)
            _training_mode(wrapped, still)
    wrapped.eval()


def _take_down(state: TrainingState, step: Sequence[Encoded], mean: float, computed: TokenCounts, spared: TokenCounts) -> None:
    state.step += 1
    state.tokens += sum(encoded.fed for encoded in step)
    state.computed += computed
    state.spared += spared
    state.useful += useful_counts(step)
    state.losses.append(mean)


def _training_mode(wrapped: nn.Module, still: Sequence[nn.Module]) -> None:
    """Dropout on, but for the part below the lowest trained weight: it is a fixed function, and noise in it would only make
    what trains above it read other features than the ones it is asked with."""
    wrapped.train()
    for module in still:
        module.training = False


def _gradients(
    wrapped: nn.Module,
    step: Sequence[Encoded],
    accelerator: Accelerator,
    smoothing: float,
    pad: int,
    sharing: bool,
    tokens: int,
) -> tuple[float, TokenCounts, TokenCounts]:
    """Backward passes over a step's global batch; returns its mean loss, what went through all processes' models, and what of
    it past the layers that never change."""
    world = accelerator.num_processes
    mass = sum(encoded.mass for encoded in step)
    total, work, before = torch.zeros((), device=accelerator.device, dtype=torch.float64), TokenCounts(), SPARED.work
    parts = micro_batches(step, tokens, accelerator.process_index, world, sharing)
    # Where gradients are shared out, each process keeps only its part of their sum, and DeepSpeed does so by itself.
    together = parallelism(accelerator) in WHOLE_GRADIENTS
    for last, part in zip([*[False] * (len(parts) - 1), True], parts, strict=True):
        batch, work = collate(part.rows, pad, accelerator.device, part.shared), work + part.work
        # What accelerator.accumulate does for a fixed number of micro-batches; here it depends on the step's lengths.
        accelerator.gradient_state._set_sync_gradients(last)
        with accelerator.no_sync(wrapped) if together and not last else nullcontext():
            with accelerator.autocast():
                loss = loss_sum(wrapped, batch, smoothing)
            # Processes' gradients are averaged, so each scales its sum to the global mean.
            accelerator.backward(loss * (world / mass))
        total += loss.detach().double()
    # Together, as each reduction waits for all processes; float64 holds the counts exactly.
    counted = [*work.counts, *(now - then for now, then in zip(SPARED.work.counts, before.counts, strict=True))]
    loss_total, *counts = accelerator.reduce(torch.stack([total, *map(total.new_tensor, counted)])).tolist()
    return loss_total / mass, TokenCounts(*map(int, counts[:4])), TokenCounts(*map(int, counts[4:]))
