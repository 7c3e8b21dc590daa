"""What came out of a run: its scores, what it gained and forgot, and how it went on the way."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.statistics.estimates import Verdict

SeedPart = Literal["init", "order", "dropout"]
"""A part of what a seed moves: fresh weights, the order of examples, and the random numbers of training."""


class Part(BaseModel):
    """A part of a record: it is never changed, and refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def first_fault(error: Exception) -> str:
    """Which field of a file that was read as a `Part` is wrong, and how; `file` where it could not be read at all."""
    fault = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
    return f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"


class Score(Part):
    """A metric with its 95 % interval over `n` items; somebody else's may have none."""

    name: str
    """Of the metric."""
    value: float
    ci_low: float | None
    ci_high: float | None
    n: int = Field(ge=1)
    higher_is_better: bool = True
    share: bool = False
    """Whether it is a number in [0, 1], whose differences are shown in points."""


class Gain(Part):
    """Score minus the base model's, signed so that positive is better, with its 95 % interval, paired over items."""

    value: float
    ci_low: float | None = None
    ci_high: float | None = None


class BestBase(Part):
    """The untouched model, asked in that of its wordings which scores best on validation items: what there is without
    training."""

    style: Literal["plain", "instruction"]
    """Of that wording: `plain`, or by `instruction`."""
    score: float
    gain: Gain
    """The run's score minus this one."""


class Delta(Part):
    """What was lost, positive where it is a loss, with its 95 % interval, paired over items; a distance has none."""

    value: float
    ci_low: float | None = None
    ci_high: float | None = None


class Pair(Part):
    """A number of a probe's items before and after training."""

    before: float
    after: float


class Forgetting(Part):
    """A probe before and after training. Before is the base in its reference precision: what the user had.

    `delta` is what was lost: before minus after where higher is better, else after minus before. Its interval is paired over
    items, and a distance from the base has none."""

    value_name: str
    """Name of the probe's score, with its unit."""
    higher_is_better: bool
    share: bool = False
    """Whether the score is a number in [0, 1]."""
    before: float | None = None
    after: float | None = None
    delta: float
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = Field(default=None, ge=1)
    """None, as before and after, where somebody else's result says `delta` alone."""
    others: dict[str, Pair] = {}
    """Further numbers of the same items, such as bits per byte, or the similarity of each layer."""
    accuracy_lost: Delta | None = None
    """Accuracy before minus after, where items have a right answer: coarser than `delta`, and easier to picture."""
    verdict: Verdict | None = "none"
    """Loss or gain where the interval leaves zero out; None where there is no interval."""
    quantisation: Delta | None = None
    """The part of `delta` that rounding alone lost, to 8 or 4 bit or to bf16, before any training; None where nothing was
    rounded."""


class Point(Part):
    """A run on its way: validation score and gain, and what each probe has lost so far."""

    step: int = Field(ge=1)
    examples: int = Field(ge=1)
    score: float
    gain: float
    forgetting: dict[str, float]


class Stages(Part):
    """Tasks that were trained on one after another, and every score on the way; test sets are the same throughout.

    With R[i][j] the score on task j after stage i, R[-1] the base's, T stages (scores where lower is better count negated):
    """

    tasks: list[str]
    base: list[float]
    scores: list[list[float]]
    """R: a row per stage, a column per task."""
    backward_transfer: float
    """Mean over j < T of R[T][j] - R[j][j] (Lopez-Paz & Ranzato 2017)."""
    forward_transfer: float
    """Mean over j > 1 of R[j-1][j] - base[j] (Lopez-Paz & Ranzato 2017, with the base model for their random one)."""
    forgetting: float
    """Mean over j < T of max over i < T of R[i][j], minus R[T][j] (Chaudhry et al. 2018)."""


class Elsewhere(Part):
    """Score and gain on another task that was trained on, or on the task's examples from another domain."""

    score: Score
    metrics: dict[str, Score] = {}
    """As the run's own."""
    base_score: float
    gain: Gain
    best_base: BestBase | None = None


class Robustness(Part):
    """The score under each of the unseen instructions alone, on the same items."""

    scores: dict[str, Score]
    """Instruction -> score."""

    @property
    def spread(self) -> float:
        """Best minus worst."""
        values = [score.value for score in self.scores.values()]
        return max(values) - min(values)


class Outcome(Part):
    """All that was measured of a run that came to its end."""

    score: Score
    """The task's first metric."""
    metrics: dict[str, Score] = {}
    """All metrics of the task, the score's included; where they apply, `malformed`, `unfinished` (the share of written answers
    that came to the limit of tokens), `truncated` (the share of items of which the model read a part alone), `answerable` (of
    questions on a text, the share whose answer was still in what a decoder read after cutting) and `reference_loss` (nats per
    token of the reference, or of every learned answer of a chat)."""
    signatures: dict[str, str] = {}
    """How sacrebleu made its metrics, by name: references, tokenisation, smoothing, version."""
    base_score: float | None = None
    """The untouched model's, asked in the same words without solved examples."""
    gain: Gain | None = None
    """Score minus `base_score`: what training or solved examples changed."""
    best_base: BestBase | None = None
    """The untouched model asked in its best words, and the gain over that."""
    references: dict[str, Score] = {}
    """Answers that need no model, on the same items: the simplest constant answer, or a list of the training names."""
    collapsed: str | None = None
    """What shows that a trained model answers nothing of its own, in words, and what to try; None where nothing does."""
    elsewhere: dict[str, Elsewhere] = {}
    """By name of the task or domain."""
    robustness: Robustness | None = None
    """Where instructions were trained on."""
    forgetting: dict[str, Forgetting] = {}
    """By name of the probe."""
    relative_forgetting: float | None = None
    """FG of Luo et al. 2023: mean over probes whose score or accuracy is a share of (before - after) / before, in per cent."""
    curve: list[Point] = []
    """With `--probe-every`, in order."""
    stages: Stages | None = None
    """Where there is more than one."""
    losses: list[float] = []
    """Mean training loss of each step, nats per target."""
    validation: list[float] = []
    """Scores that early stopping saw, in order; higher is better."""
    drew: list[SeedPart] | None = None
    """The parts of the seed that drew random numbers, where seeds were set apart: `init` is none of them where no weight was
    fresh, and `dropout` where nothing was dropped."""
    asked: str | None = None
    """How the task was put to the model where that was not the usual way: an API without likelihoods is asked to write."""
