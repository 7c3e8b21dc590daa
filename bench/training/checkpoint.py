"""A training on disk, to go on from after it was stopped: its state and weights, the optimiser's moments, and the random
numbers of every process. One safetensors file that is written whole or not at all.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, gather_object
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from bench.errors import UnwritableError
from bench.folders import write_text, writing
from bench.modeling.forward import unlaunched
from bench.modeling.weights import full_tensor, local_part, numel, shape, write_weight
from bench.processes import stopping
from bench.specs.checkpoint_every import CheckpointInterval
from bench.training.partitions import Partitions
from bench.training.randomness import random_state, set_random_state
from bench.training.state import TrainingState

ROOM = "micro_batch_tokens.txt"
WEIGHT, MOMENT, BEST, RNG = "weight.", "moment.", "best.", "rng."
DISK = 5e8
"""Bytes that a disk takes in a second, before the first checkpoint has told."""
MOMENT_ROWS = ".rows"
"""How the name of what says which rows of a weight have moments ends."""


class Checkpoint:
    """Keeps one training in one file; all processes call its methods together.

    Args:
        peak: the most memory that the training has held so far, in bytes.
        say: tells a person a sentence.
    """

    def __init__(
        self,
        path: Path,
        accelerator: Accelerator,
        every: CheckpointInterval,
        peak: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        self.path, self._accelerator, self._every, self._peak, self._say = path, accelerator, every, peak, say
        self._random: dict[str, Tensor] = {}
        self._written, self._steps = time.monotonic(), 0
        self._writing: float | None = None  # seconds that the last one took

    def resume(self, model: nn.Module) -> TrainingState | None:
        """The state that was kept, its weights put into the adapted model, which no launcher trains yet; None where there
        is none, or none that every process can read."""
        state, random, fault = None, {}, ""
        missing = f"{self.path} is not there for every process; the training starts anew"
        try:
            state, random = _read_state(self.path), self._own_random()
            _check_fit(model, self.path)
        except FileNotFoundError:
            fault = missing
        except Exception as error:  # safetensors has its own exception types; what can't be read is told all the same
            fault = f"{self.path} is no checkpoint of this training ({error}); the training starts anew"
        faults = gather_object([fault])
        if any(faults) or state is None:
            if set(faults) != {missing}:  # else there is none
                self._say(next(filter(None, faults)))
            return None
        # By all processes or none: a training that starts anew must not start from weights that are trained.
        _fill(model, self.path)
        self._random, state.keeper, state.micro_tokens = random, self, self.room()
        state.resumed.append(len(state.losses))
        return state

    def begin(self, model: nn.Module, adam: optim.Optimizer) -> None:
        # Only a training that goes on has random numbers that still wait to be put back.
        if self._random:
            _set_moments(model, self._moments(adam), self.path)
            self.set_random()
        if self._writing is None:
            trained_bytes = sum(numel(tensor) * tensor.element_size() for _, tensor in _trained_tensors(model))
            self._writing = 3 * trained_bytes / DISK  # the weights, and two moments of each
        self._written, self._steps = time.monotonic(), 0

    def set_random(self) -> None:
        if self._random:
            set_random_state(self._random)
        self._random = {}

    def _own_random(self) -> dict[str, Tensor]:
        """Where each process drew from; one that was not there then draws from where the main process did."""
        own, first = (f"{RNG}{rank}." for rank in (self._accelerator.process_index, 0))
        return _read_tensors(self.path, own) or _read_tensors(self.path, first)

    def stepped(self, model: nn.Module, adam: optim.Optimizer, state: TrainingState) -> None:
        self._steps += 1
        due = self._every.is_over(time.monotonic() - self._written, self._steps, self._writing or 0.0)
        must_stop, due = self._agreed(bool(stopping.stop_signal()), due)
        if must_stop or due:
            self.write(model, state, adam)
        if must_stop:
            raise stopping.Stopped(f"{self._why()} after step {state.step} of {state.steps}")

    def lowered(self, tokens: int) -> None:
        self._say(f"memory ran out: from here micro-batches hold {tokens} tokens")
        # At once, and beside the training: the step that this process is in can't be kept.
        with suppress(UnwritableError):  # a run that goes on finds it once more
            write_text(self.path.with_name(ROOM), str(tokens))

    def room(self) -> int | None:
        """Tokens of a micro-batch that were found to be enough before the training was ended; None where all were."""
        path = self.path.with_name(ROOM)
        return int(path.read_text(encoding="utf-8")) if path.exists() else None

    def ended(self, model: nn.Module, state: TrainingState) -> None:
        """After a stage, of which no moments are needed any more."""
        self.write(model, state)
        if self._agreed(bool(stopping.stop_signal()), False)[0]:
            raise stopping.Stopped(f"{self._why()} after its last step")

    def write(self, model: nn.Module, state: TrainingState, adam: optim.Optimizer | None = None) -> None:
        """Put all of it on disk in place of what was there. A disk that has no room ends no training: a sentence says so."""
        state.peak_bytes = max(state.peak_bytes, self._peak())
        started = time.monotonic()
        kept, main = dict[str, Tensor](), self._accelerator.is_main_process
        for name, tensor in _contents(model, state, self._moments(adam) if adam is not None else None):
            values = full_tensor(tensor)  # by all processes, of which one keeps them: no machine holds them once for each
            if main:
                kept[name] = values.cpu().contiguous()  # there without a copy, which would count as the run's memory
        for rank, generators in enumerate(gather_object([random_state()])):
            kept |= {f"{RNG}{rank}.{name}": tensor for name, tensor in generators.items()}
        if main:
            try:
                with writing(self.path) as temporary:
                    save_file(kept, temporary, metadata={"state": json.dumps(state.as_json())})
            except UnwritableError as error:
                self._say(
                    f"no checkpoint was written ({error}); the run goes on, and what it does from here is lost if it stops"
                )
        self._written, self._steps = time.monotonic(), 0
        self._writing = self._written - started

    def _agreed(self, stop_requested: bool, due: bool) -> tuple[bool, bool]:
        """Whether any process was asked to stop, and whether by the main one's clock a checkpoint is due, on all processes."""
        if self._accelerator.num_processes == 1:
            return stop_requested, due
        flags = torch.tensor([stop_requested, due and self._accelerator.is_main_process], dtype=torch.float32)
        any_requested, due_main = self._accelerator.reduce(flags.to(self._accelerator.device)).tolist()
        return any_requested > 0, due_main > 0

    def _moments(self, adam: optim.Optimizer) -> "Partitions | _ByWeight":
        return Partitions(adam) if self._accelerator.distributed_type == DistributedType.DEEPSPEED else _ByWeight(adam)

    def _why(self) -> str:
        return f"stopped by {stopping.stop_signal() or 'a signal to another process'}"


def _read_state(path: Path) -> TrainingState:
    with safe_open(path, framework="pt") as file:
        plain: dict[str, Any] = json.loads(file.metadata()["state"])
    return TrainingState.of_json(plain, _read_tensors(path, BEST))


def _read_tensors(path: Path, prefix: str) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in _each_tensor(path, prefix)}


def _each_tensor(path: Path, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of one kind, one after another, so that what is made of them is all the memory that a training which goes on
    takes more. Each is read from a file opened anew: all that was read of an open one is held until it is closed."""
    for name in _shapes(path, prefix):
        with safe_open(path, framework="pt") as file:
            tensor = file.get_tensor(f"{prefix}{name}")
        yield name, tensor


def _shapes(path: Path, prefix: str) -> dict[str, tuple[int, ...]]:
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 (a file is no dict)
        return {name.removeprefix(prefix): tuple(file.get_slice(name).get_shape()) for name in names}


def _trained_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """What training may change: weights, and numbers that a layer counts by itself, such as running means."""
    inner = unlaunched(model)
    yield from ((name, weight) for name, weight in inner.named_parameters() if weight.requires_grad)
    yield from ((name, buffer) for name, buffer in inner.named_buffers() if buffer.is_floating_point())


def _check_fit(model: nn.Module, path: Path) -> None:
    if _shapes(path, WEIGHT) != {name: shape(tensor) for name, tensor in _trained_tensors(model)}:
        raise ValueError("its weights are those of another model")


@torch.no_grad()
def _fill(model: nn.Module, path: Path) -> None:
    own = dict(_trained_tensors(model))
    for name, values in _each_tensor(path, WEIGHT):
        write_weight(own[name], values)


class _ByWeight:
    """The moments of torch's own optimisers, in the words of `Partitions`."""

    def __init__(self, adam: optim.Optimizer) -> None:
        self._adam = adam

    def of(self, weight: nn.Parameter) -> Iterator[tuple[str, Tensor]]:
        yield from self._adam.state.get(weight, {}).items()

    def put(self, weight: nn.Parameter, kind: str, values: Tensor) -> None:
        self._adam.state[weight][kind] = local_part(weight, values)


def _contents(model: nn.Module, state: TrainingState, moments: Partitions | _ByWeight | None) -> Iterator[tuple[str, Tensor]]:
    """All that a file holds beside random numbers: weights, the best weights, moments; as they are, shared out or not."""
    yield from ((f"{WEIGHT}{name}", tensor) for name, tensor in _trained_tensors(model))
    yield from ((f"{BEST}{name}", tensor) for name, tensor in state.best.weights.items())
    if moments:
        for name, weight in unlaunched(model).named_parameters():
            yield from ((f"{MOMENT}{name}.{kind}", moment) for kind, moment in moments.of(weight))


def _set_moments(model: nn.Module, moments: Partitions | _ByWeight, path: Path) -> None:
    """Of every row, also where the file has those of some alone: the launcher that goes on may need all."""
    weights = dict(unlaunched(model).named_parameters())
    by_row = [key for key in _shapes(path, MOMENT) if key.endswith(MOMENT_ROWS)]
    rows = {key.removesuffix(MOMENT_ROWS): tensor for key in by_row for _, tensor in _each_tensor(path, f"{MOMENT}{key}")}
    for key, moment in _each_tensor(path, MOMENT):
        name, _, kind = key.rpartition(".")
        if key in by_row:
            continue
        if name in rows and moment.ndim:
            moment = torch.zeros(shape(weights[name])).index_copy(0, rows[name], moment)
        moments.put(weights[name], kind, moment)
