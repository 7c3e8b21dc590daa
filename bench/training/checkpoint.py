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
from bench.modeling.weights import beside, full_tensor, put, shape
from bench.processes import stopping
from bench.specs.checkpoint_every import CheckpointInterval
from bench.training.randomness import random_state, set_random_state
from bench.training.state import TrainingState

ROOM = "micro_batch_tokens.txt"
WEIGHT, MOMENT, BEST, RNG = "weight.", "moment.", "best.", "rng."


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
        self._read: dict[str, Tensor] = {}
        self._written, self._steps = time.monotonic(), 0

    def resume(self, model: nn.Module) -> TrainingState | None:
        """The state that was kept, its weights put into the adapted model, which no launcher trains yet; None where there
        is none, or none that every process can read."""
        state, fault = None, ""
        try:
            state, tensors = _contents(self.path)
            _fill(model, tensors)
        except FileNotFoundError:
            fault = "missing"
        except Exception as error:  # safetensors has its own exception types; what can't be read is told all the same
            fault = f"{self.path} is no checkpoint of this training ({error}); the training starts anew"
        faults = [each for each in gather_object([fault]) if each]
        if faults or state is None:
            if told := [each for each in faults if each != "missing"]:
                self._say(told[0])
            return None
        self._read, state.keeper, state.micro_tokens = tensors, self, self.room()
        state.resumed.append(len(state.losses))
        return state

    def begin(self, model: nn.Module, adam: optim.Optimizer) -> None:
        if self._read:
            _set_moments(model, adam, self._read)
            self.set_random()
        self._written, self._steps = time.monotonic(), 0

    def set_random(self) -> None:
        """Let each process draw on from where it stood; one that was not there then, from where the main process did."""
        own, first = (f"{RNG}{rank}." for rank in (self._accelerator.process_index, 0))
        state = _part(self._read, own) or _part(self._read, first)
        if state:
            set_random_state(state)
        self._read = {}

    def stepped(self, model: nn.Module, adam: optim.Optimizer, state: TrainingState) -> None:
        self._steps += 1
        due = self._every.is_over(time.monotonic() - self._written, self._steps)
        asked, due = self._agreed(bool(stopping.asked()), due)
        # DeepSpeed's optimiser holds its moments in partitions of its own, without which a stage can't be gone on with.
        whole = self._accelerator.distributed_type != DistributedType.DEEPSPEED
        if whole and (asked or due):
            self.write(model, state, adam)
        if asked:
            left = "" if whole else ", of which nothing is kept under DeepSpeed: its stage begins again"
            raise stopping.Stopped(f"{self._why()} after step {state.step} of {state.steps}{left}")

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
        if self._agreed(bool(stopping.asked()), False)[0]:
            raise stopping.Stopped(f"{self._why()} after its last step")

    def write(self, model: nn.Module, state: TrainingState, adam: optim.Optimizer | None = None) -> None:
        """Put all of it on disk in place of what was there. A disk that has no room ends no training: a sentence says so."""
        state.peak_bytes = max(state.peak_bytes, self._peak())
        tensors = {f"{WEIGHT}{name}": _whole(tensor) for name, tensor in _trained(model)}
        tensors |= {f"{BEST}{name}": _whole(tensor) for name, tensor in state.best.weights.items()}
        if adam is not None:
            tensors |= dict(_moments(model, adam))
        for rank, generators in enumerate(gather_object([random_state()])):
            tensors |= {f"{RNG}{rank}.{name}": tensor for name, tensor in generators.items()}
        if self._accelerator.is_main_process:
            try:
                with writing(self.path) as temporary:
                    save_file(tensors, temporary, metadata={"state": json.dumps(state.as_json())})
            except UnwritableError as error:
                self._say(
                    f"no checkpoint was written ({error}); the run goes on, and what it does from here is lost if it stops"
                )
        self._written, self._steps = time.monotonic(), 0

    def _agreed(self, asked: bool, due: bool) -> tuple[bool, bool]:
        """Whether any process was asked to stop, and whether by the main one's clock a checkpoint is due, on all processes."""
        if self._accelerator.num_processes == 1:
            return asked, due
        flags = torch.tensor([asked, due and self._accelerator.is_main_process], dtype=torch.float32)
        asked_any, due_main = self._accelerator.reduce(flags.to(self._accelerator.device)).tolist()
        return asked_any > 0, due_main > 0

    def _why(self) -> str:
        return f"stopped by {stopping.asked() or 'a signal to another process'}"


def _contents(path: Path) -> tuple[TrainingState, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        plain: dict[str, Any] = json.loads(file.metadata()["state"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a file is no dict)
    return TrainingState.of_json(plain, _part(tensors, BEST)), tensors


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _trained(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """What training may change: weights, and numbers that a layer counts by itself, such as running means."""
    inner = unlaunched(model)
    yield from ((name, weight) for name, weight in inner.named_parameters() if weight.requires_grad)
    yield from ((name, buffer) for name, buffer in inner.named_buffers() if buffer.is_floating_point())


@torch.no_grad()
def _fill(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    kept, own = _part(tensors, WEIGHT), dict(_trained(model))
    if {name: shape(tensor) for name, tensor in kept.items()} != {name: shape(tensor) for name, tensor in own.items()}:
        raise ValueError("its weights are those of another model")
    for name, tensor in own.items():
        put(tensor, kept[name])


def _moments(model: nn.Module, adam: optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    for name, weight in unlaunched(model).named_parameters():
        for kind, moment in adam.state.get(weight, {}).items():
            yield f"{MOMENT}{name}.{kind}", _whole(moment)


def _set_moments(model: nn.Module, adam: optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    moments = _part(tensors, MOMENT)
    for name, weight in unlaunched(model).named_parameters():
        own = {key.rpartition(".")[2]: moment for key, moment in moments.items() if key.rpartition(".")[0] == name}
        if own:
            adam.state[weight] = {kind: beside(weight, moment) for kind, moment in own.items()}


def _whole(tensor: Tensor) -> Tensor:
    """All of it, on the CPU; there without a copy, which would count as the run's memory."""
    return full_tensor(tensor).cpu().contiguous()
