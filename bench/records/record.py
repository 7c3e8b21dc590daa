"""A run's result: one schema-checked JSON file, and beside it a Parquet file with every item's answer.

Records are the only thing that reports read, and nothing here needs torch. What a source does not know is None.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.statistics.estimates import Verdict

SCHEMA_VERSION = 1
Status = Literal["ok", "failed", "skipped"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Score(Part):
    """A metric with its 95 % interval over `n` items."""

    name: str
    value: float
    ci_low: float
    ci_high: float
    n: int = Field(ge=1)
    higher_is_better: bool = True
    share: bool = False
    """Whether it is a number in [0, 1], whose differences are shown in points."""


class Delta(Part):
    """What was lost, positive where it is a loss, with its 95 % interval, paired over items; a distance has none."""

    value: float
    ci_low: float | None = None
    ci_high: float | None = None


class Pair(Part):
    before: float
    after: float


class Forgetting(Part):
    """A probe before and after training, both in the precision of training. `delta` is what was lost: before minus after where
    higher is better, else after minus before; its interval is paired over items, and a distance from the base has none."""

    value_name: str
    higher_is_better: bool
    share: bool = False
    """Whether the score is a number in [0, 1]."""
    before: float
    after: float
    delta: float
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = Field(ge=1)
    others: dict[str, Pair] = {}
    """Further numbers of the same items, such as bits per byte, or the similarity of each layer."""
    verdict: Verdict | None = "none"
    quantisation: Delta | None = None
    """What rounding the base to 8 or 4 bit lost before any training; None where nothing was rounded."""
    contaminated: int = Field(default=0, ge=0)
    """Items that share a passage of words with what was trained on."""


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
    base_score: float
    gain: float
    gain_ci_low: float
    gain_ci_high: float


class Robustness(Part):
    """The score under each of the unseen instructions alone, on the same items."""

    scores: dict[str, Score]
    """Instruction -> score."""

    @property
    def spread(self) -> float:
        """Best minus worst."""
        values = [score.value for score in self.scores.values()]
        return max(values) - min(values)


class Cost(Part):
    """What a run took; training costs are 0 for rows that train nothing."""

    train_examples: int = Field(ge=0)
    train_tokens: int = Field(ge=0)
    """Tokens fed to the model in training, padding left out."""
    train_flops: int = Field(ge=0)
    """By the formula of bench/costs/flops.py."""
    train_seconds: float = Field(ge=0)
    eval_seconds: float = Field(ge=0)
    """Task and probes, after training."""
    probe_seconds: float = Field(default=0.0, ge=0)
    """The probes' part of `eval_seconds`."""
    peak_memory_bytes: int = Field(ge=0)
    trainable_parameters: int = Field(ge=0)
    total_parameters: int = Field(ge=0)
    saved_bytes: int = Field(ge=0)
    """Size of the trained tensors: what must be kept beside the pinned base."""
    money: float | None = None
    """What an API asks for the answers, in the currency of its prices; None where nothing is paid."""


class Tuning(Part):
    trials: int = Field(default=0, ge=0)


class Provenance(Part):
    """Where the numbers come from."""

    model_hash: str
    data_hash: str
    data: dict[str, int]
    """Sizes of the splits, and counts of rows removed as repeated or as part of the test."""
    engine_version: int
    trust_remote_code: bool
    started: str
    """UTC, ISO 8601."""
    inputs: dict[str, Any]
    """Everything that the run's id is a hash of."""


class Record(Part):
    schema_version: Literal[1] = 1
    run_id: str
    suite: str
    model: str
    task: str
    strategy: str
    seed: int
    status: Status
    reason: str | None = None
    """Why a run failed or was skipped."""
    score: Score | None = None
    metrics: dict[str, Score] = {}
    """All metrics of the task, the score's included."""
    base_score: float | None = None
    gain: float | None = None
    """Score minus the base model's, which is the zero-shot row's."""
    gain_ci_low: float | None = None
    gain_ci_high: float | None = None
    elsewhere: dict[str, Elsewhere] = {}
    """By name of the task or domain."""
    robustness: Robustness | None = None
    forgetting: dict[str, Forgetting] = {}
    relative_forgetting: float | None = None
    """FG of Luo et al. 2023: mean over probes where higher is better of (before - after) / before, in per cent."""
    curve: list[Point] = []
    stages: Stages | None = None
    checks: dict[str, bool] = {}
    cost: Cost | None = None
    losses: list[float] = []
    """Mean training loss of each step, nats per target."""
    validation: list[float] = []
    """Scores that early stopping saw, in order; higher is better."""
    hyperparameters: dict[str, Any]
    budget: str
    tuning: Tuning = Tuning()
    versions: dict[str, str]
    device: dict[str, str | int]
    provenance: Provenance | None = None
