"""Where a training stands and what it has seen on the way: one object that can be written, and read again to go on from.

The order of examples is a pure function of (seed, step), so that the step says which examples come next. Weights and optimiser
are not in it: they are the launcher's to save, sharded or not.
"""

import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import RunError
from bench.folders import writing
from bench.records.outcome import Point
from bench.tokens.work import Work

BEST, CPU_RNG, GPU_RNG, NUMPY_RNG = "best.", "rng.torch", "rng.cuda.", "rng.numpy"

ItemAnswers = list[dict[str, Any]]
"""The items of one test set, each with its `gold` and `prediction`, as JSON values."""


@dataclass
class BestWeights:
    """What early stopping keeps of a stage: the scores that it saw, in order, and the weights of the best of them."""

    scores: list[float] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0


@dataclass
class TrainingState:
    """Counts are over all stages, but for `step` and `steps`; tokens are those that the model saw, without padding."""

    stage: int = 0
    step: int = 0
    """Steps that are done in this stage."""
    steps: int = 0
    """Steps that this stage has; where the clock ends it, as many as it is taken to have by now."""
    examples: int = 0
    """Of the stages that are done, windows of one example counted once."""
    tokens: int = 0
    computed: Work = field(default_factory=Work)
    """What went through the model, padding included, all processes together."""
    useful: Work = field(default_factory=Work)
    """What had to: each text without padding, logits at the targets alone."""
    seconds: float = 0.0
    earlier_seconds: float = 0.0
    """Those of the stages that are done."""
    timed: list[float] = field(default_factory=list)
    """Where the clock ends this stage: the shares of its time that had gone before its last step and after it."""
    ended_by: str = ""
    """What ended the last stage that is done: a limit of the budget, or early stopping."""
    kept_by: str = ""
    """By what the last stage keeps a memory ceiling, where it would pass it as it is."""
    losses: list[float] = field(default_factory=list)
    """Mean loss of each step, nats per target."""
    validation: list[float] = field(default_factory=list)
    """Scores that early stopping saw in the stages that are done, in order; higher is better."""
    curve: list[Point] = field(default_factory=list)
    stage_scores: list[list[float]] = field(default_factory=list)
    """A row per stage that is done: the score on each stage's test set."""
    stage_answers: list[list[ItemAnswers]] = field(default_factory=list)
    """What those scores are made of."""
    best: BestWeights = field(default_factory=BestWeights)

    def reached(self, every: int | float) -> bool:
        """Whether the last step came to a multiple of so many steps, or of this share of the stage; its end always counts."""
        if self.step == self.steps or isinstance(every, int):
            return self.step == self.steps or self.step % every == 0
        if self.timed:
            before, now = self.timed
            return now // every > before // every
        return self.step % max(1, round(self.steps * every)) == 0

    def end_stage(self, examples: int, ended_by: str = "") -> None:
        """Take down what the stage has come to; the next one has its own schedule and early stopping."""
        self.examples += examples
        self.validation += self.best.scores
        self.earlier_seconds, self.timed, self.ended_by = self.seconds, [], ended_by
        self.stage, self.step, self.steps, self.best = self.stage + 1, 0, 0, BestWeights()

    def write(self, path: Path) -> None:
        """Write all of it and the state of the random number generators, as one safetensors file, atomically."""
        tensors = {f"{BEST}{name}": weight.contiguous().cpu() for name, weight in self.best.weights.items()}
        tensors |= _random_tensors()
        with writing(path) as temporary:
            save_file(tensors, temporary, metadata={"state": json.dumps(self._plain())})

    @classmethod
    def read(cls, path: Path) -> "TrainingState":
        """What `write` wrote; the random number generators go on from where they stood then.

        Raises:
            RunError: the file is damaged or none of ours.
        """
        try:
            with safe_open(path, framework="pt") as file:
                plain: dict[str, Any] = json.loads(file.metadata()["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a file is no dict)
        except Exception as error:  # safetensors has its own exception types
            raise RunError(f"{path}: not a training state ({error}); delete it, and the training starts anew") from error
        _set_random(tensors, plain.pop("python_rng"))
        weights = {name.removeprefix(BEST): weight for name, weight in tensors.items() if name.startswith(BEST)}
        best = BestWeights(plain.pop("best_scores"), weights, plain.pop("best_step"))
        curve = [Point.model_validate(point) for point in plain.pop("curve")]
        computed, useful = Work(**plain.pop("computed")), Work(**plain.pop("useful"))
        return cls(**plain, computed=computed, useful=useful, curve=curve, best=best)

    def _plain(self) -> dict[str, Any]:
        """All but the tensors, as JSON values."""
        plain = {name: value for name, value in vars(self).items() if name not in ("best", "curve")}
        version, numbers, gauss = random.getstate()
        return plain | {
            "computed": asdict(self.computed),
            "useful": asdict(self.useful),
            "curve": [point.model_dump(mode="json") for point in self.curve],
            "best_scores": self.best.scores,
            "best_step": self.best.step,
            "python_rng": [version, list(numbers), gauss],
        }


def _random_tensors() -> dict[str, Tensor]:
    """The states of torch's generators and of numpy's global one."""
    _, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {CPU_RNG: torch.get_rng_state()}
    # float64 holds 32-bit integers exactly, so that one tensor is enough.
    tensors[NUMPY_RNG] = torch.tensor([*np.asarray(keys, dtype=np.float64), place, has_gauss, gauss], dtype=torch.float64)
    if torch.cuda.is_available():
        tensors |= {f"{GPU_RNG}{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return tensors


def _set_random(tensors: dict[str, Tensor], python: list[Any]) -> None:
    version, numbers, gauss = python
    random.setstate((version, tuple(numbers), gauss))
    *keys, place, has_gauss, cached = tensors[NUMPY_RNG].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), int(place), int(has_gauss), cached))
    torch.set_rng_state(tensors[CPU_RNG])
    # By number, since rng.cuda.10 sorts before rng.cuda.2.
    gpu = [tensors[f"{GPU_RNG}{i}"] for i in range(sum(name.startswith(GPU_RNG) for name in tensors))]
    if gpu and len(gpu) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(gpu)
