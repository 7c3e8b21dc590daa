"""The training loop: a plan of steps in, a trained model and its costs out. AdamW in fp32, loss on the targets alone.

A step's loss is the (weighted) mean over all targets of its global batch, whatever the number of processes or
micro-batches; this is what transformers' Trainer computes, and a test holds the two together.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import nn

from bench.errors import RunError
from bench.modeling.forward import loss_sum
from bench.strategies.base import Hyperparameters
from bench.tokens.batches import micro_batches
from bench.tokens.encoded import Encoded, collate

OnStep = Callable[[int, int, float], None]
"""Called after each step with (step, steps, loss)."""

Watch = Callable[[nn.Module, int, int], bool]
"""Called after each step with the model and (step, steps); what it measures is not training time. True ends the training."""


@dataclass
class Spent:
    """What training cost: tokens as the model saw them, without padding."""

    steps: int = 0
    tokens: int = 0
    positions: int = 0
    """Positions that carried loss."""
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    """Mean loss of each step."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.steps + other.steps,
            self.tokens + other.tokens,
            self.positions + other.positions,
            self.seconds + other.seconds,
            self.losses + other.losses,
        )


def learning_rate(step: int, steps: int, hyperparameters: Hyperparameters) -> float:
    """Linear warm-up, then linear to 0 or constant; equal to transformers' get_scheduler at each step (0-based)."""
    warm = round(hyperparameters.warmup * steps)
    if step < warm:
        return hyperparameters.learning_rate * step / max(1, warm)
    if hyperparameters.schedule == "constant":
        return hyperparameters.learning_rate
    return hyperparameters.learning_rate * (steps - step) / max(1, steps - warm)


def optimizer(model: nn.Module, hyperparameters: Hyperparameters) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over the trained weights; norms and biases are not decayed, as in the Trainer."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decayed = [p for name, p in trained if p.ndim > 1]
    plain = [p for name, p in trained if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": hyperparameters.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=hyperparameters.learning_rate, fused=True)


def train(
    model: nn.Module,
    steps: Sequence[Sequence[Encoded]],
    hyperparameters: Hyperparameters,
    accelerator: Accelerator,
    pad: int,
    tokens: int,
    progress: OnStep = lambda step, steps, loss: None,
    watch: Watch = lambda model, step, steps: False,
) -> Spent:
    """Train `model` in place on the steps' global batches.

    Args:
        tokens: bound of a padded micro-batch; memory, not the result, depends on it.

    Raises:
        RunError: the loss is not finite.
    """
    if accelerator.state.deepspeed_plugin is not None:
        accelerator.state.deepspeed_plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = 1
    wrapped, adam = accelerator.prepare(model, optimizer(model, hyperparameters))
    wrapped.train()
    spent = Spent()
    for number, step in enumerate(steps):
        started = time.perf_counter()
        rate = learning_rate(number, len(steps), hyperparameters)
        for group in adam.param_groups:
            group["lr"] = rate
        mean = _gradients(wrapped, step, accelerator, pad, tokens, hyperparameters.label_smoothing)
        if not math.isfinite(mean):
            raise RunError(f"the loss is {mean} at step {number + 1} of {len(steps)}; lower the learning rate ({rate:g})")
        accelerator.clip_grad_norm_(wrapped.parameters(), hyperparameters.max_grad_norm)
        adam.step()
        adam.zero_grad()
        spent.steps += 1
        spent.tokens += sum(encoded.fed for encoded in step)
        spent.positions += sum(encoded.targets for encoded in step)
        spent.losses.append(mean)
        spent.seconds += time.perf_counter() - started
        progress(number + 1, len(steps), mean)
        wrapped.eval()
        if watch(wrapped, number + 1, len(steps)):
            break
        wrapped.train()
    wrapped.eval()
    return spent


def _gradients(
    wrapped: nn.Module, step: Sequence[Encoded], accelerator: Accelerator, pad: int, tokens: int, smoothing: float
) -> float:
    """Backward passes over a step's global batch; returns its mean loss."""
    world = accelerator.num_processes
    mass = sum(encoded.mass for encoded in step)
    total = torch.zeros((), device=accelerator.device, dtype=torch.float64)
    parts = micro_batches(step, tokens, accelerator.process_index, world)
    for last, part in zip([*[False] * (len(parts) - 1), True], parts, strict=True):
        # A process without an example still joins in, with a loss of 0.
        batch = collate(part or step[:1], pad, accelerator.device)
        # What accelerator.accumulate does for a fixed number of micro-batches; here it depends on the step's lengths.
        accelerator.gradient_state._set_sync_gradients(last)
        with nullcontext() if last else accelerator.no_sync(wrapped):
            with accelerator.autocast():
                loss = loss_sum(wrapped, batch, smoothing) * (1.0 if part else 0.0)
            # Processes' gradients are averaged, so each scales its sum to the global mean.
            accelerator.backward(loss * (world / mass))
        total += loss.detach().double()
    return float(accelerator.reduce(total)) / mass
