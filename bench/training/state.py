"""Where a training stands and what it has seen on the way: one object that can be written as JSON, and read to go on from.

The order of examples is a pure function of (seed, step), so that the step says which examples come next. Weights, optimiser and
random numbers stand beside it in a checkpoint.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn, optim

from bench.records.outcome import Point
from bench.records.trial import Rung
from bench.tokens.token_counts import TokenCounts

ItemAnswers = list[dict[str, Any]]
"""The items of one test set, each with its `gold` and `prediction`, as JSON values."""


@dataclass
class BestWeights:
    """What early stopping keeps of a stage: the scores that it saw, in order, and the weights of the best of them."""

    scores: list[float] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)


class Keeper(Protocol):
    """Who keeps a training on the way, so that it can go on after it was stopped."""

    def begin(self, model: nn.Module, adam: optim.Optimizer) -> None:
        """Before the first step that is done now: what a training that goes on has had beside its weights is put back."""

    def stepped(self, model: nn.Module, adam: optim.Optimizer, state: "TrainingState") -> None:
        """After a step, all that was measured then included."""

    def lowered(self, tokens: int) -> None:
        """Memory ran out, and micro-batches hold so many tokens from here, also after the training was ended."""

    def ended(self, model: nn.Module, state: "TrainingState") -> None:
        """After a stage, and after what is asked between two stages."""

    def set_random(self) -> None:
        """Where a training that goes on is over already, its random numbers are put back."""


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
    computed: TokenCounts = field(default_factory=TokenCounts)
    """What went through the model, padding included, all processes together."""
    useful: TokenCounts = field(default_factory=TokenCounts)
    """What had to: each text without padding, logits at the targets alone."""
    spared: TokenCounts = field(default_factory=TokenCounts)
    """Of what is counted as computed, what did not go through the layers that never change: their states had been kept."""
    seconds: float = 0.0
    """Of the loop, those of other runs included that have computed kept states for this one."""
    others_seconds: float = 0.0
    """Those of other runs."""
    earlier_seconds: float = 0.0
    """Those of the stages that are done."""
    longest_seconds: float = 0.0
    """Those of the stage that took the most, of the stages that are done."""
    timed: list[float] = field(default_factory=list)
    """Where the clock ends this stage: the shares of its time that had gone before its last step and after it."""
    elapsed: list[float] = field(default_factory=list)
    """Where the clock ends this stage: its seconds that had gone when each step was drawn, the same on all processes."""
    stopped: bool = False
    """Whether early stopping ends this stage after the last step."""
    ended_by: str = ""
    """What ended the last stage that is done: a limit of the budget, or early stopping."""
    kept_by: str = ""
    """By what the last stage keeps a memory ceiling, where it would pass it as it is."""
    losses: list[float] = field(default_factory=list)
    """Mean loss of each step, nats per target."""
    earlier_steps: int = 0
    """How many of them had come when the last stage that is done began."""
    validation: list[float] = field(default_factory=list)
    """Scores that early stopping saw in the stages that are done, in order; higher is better."""
    curve: list[Point] = field(default_factory=list)
    stage_scores: list[list[float]] = field(default_factory=list)
    """A row per stage that is done: the score on each stage's test set."""
    stage_answers: list[list[ItemAnswers]] = field(default_factory=list)
    """What those scores are made of."""
    micro_tokens: int | None = None
    """Of a padded micro-batch, at most, after memory ran out; None where it never did."""
    rungs: list[Rung] = field(default_factory=list)
    """Where a trial of tuning was looked at so far."""
    peak_bytes: int = 0
    """The most memory that was measured until it was last kept."""
    resumed: list[int] = field(default_factory=list)
    """Steps, over all stages, after which it was stopped and went on."""
    best: BestWeights = field(default_factory=BestWeights)
    keeper: Keeper | None = field(default=None, repr=False, compare=False)
    """None where nothing is kept on the way."""

    def reached(self, every: int | float) -> bool:
        """Whether the last step came to a multiple of so many steps, or of this share of the stage; its end always counts.

        A multiple of a share mostly lies within a step, which then passes it: a quarter of 25 steps by the 7th.
        """
        ended = self.stopped or self.step == self.steps
        if ended or isinstance(every, int):
            return ended or self.step % every == 0
        before, now = self.timed or ((self.step - 1) / self.steps, self.step / self.steps)
        # A hair more than the multiple is the multiple: shares of steps are rounded, and 0.3 // 0.1 is 2.
        return (now + 1e-9) // every > (before + 1e-9) // every

    def end_stage(self, examples: int, ended_by: str = "") -> None:
        """Take down what the stage has come to; the next one has its own schedule and early stopping."""
        self.examples, self.earlier_steps = self.examples + examples, len(self.losses) - self.step
        self.validation += self.best.scores
        self.longest_seconds = max(self.longest_seconds, self.seconds - self.earlier_seconds)
        self.earlier_seconds, self.timed, self.elapsed, self.ended_by = self.seconds, [], [], ended_by
        self.stage, self.step, self.steps, self.best, self.stopped = self.stage + 1, 0, 0, BestWeights(), False

    def as_json(self) -> dict[str, Any]:
        """All but the best weights, as JSON values."""
        plain = {name: value for name, value in vars(self).items() if name not in ("best", "keeper")}
        return plain | {
            "computed": asdict(self.computed),
            "useful": asdict(self.useful),
            "spared": asdict(self.spared),
            "curve": [point.model_dump(mode="json") for point in self.curve],
            "rungs": [rung.model_dump(mode="json") for rung in self.rungs],
            "best_scores": self.best.scores,
        }

    @classmethod
    def of_json(cls, plain: dict[str, Any], best: dict[str, Tensor]) -> "TrainingState":
        """What `as_json` gave, with the best weights."""
        rest = dict(plain)
        weights = BestWeights(rest.pop("best_scores"), best)
        curve = [Point.model_validate(point) for point in rest.pop("curve")]
        rungs = [Rung.model_validate(rung) for rung in rest.pop("rungs")]
        computed, useful, spared = (TokenCounts(**rest.pop(name)) for name in ("computed", "useful", "spared"))
        return cls(**rest, computed=computed, useful=useful, spared=spared, curve=curve, rungs=rungs, best=weights)
