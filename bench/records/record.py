"""A run's result: what was run, what came out, what it cost, how far it can be trusted, and where it comes from.

Records are the only thing that reports read, and nothing here needs torch. What is not known is None, or an empty dict.
"""

from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from bench.records.outcome import Outcome, Part, SeedPart

SCHEMA_VERSION: Literal[2] = 2
Status = Literal["ok", "failed", "skipped"]
SECONDS_TOLERANCE = 0.02
"""By so much of its limit may a training take longer than a budget in seconds; nothing else of a budget may be passed."""


class Spent(Part):
    """What all trainings of a trial took together."""

    examples: int = Field(ge=0)
    tokens: int = Field(ge=0)
    flops: int = Field(ge=0)
    seconds: float = Field(ge=0)
    """Of training, without asking the validation items."""
    asking_seconds: float | None = Field(default=None, ge=0)
    """Of asking the validation items at the end; None where not known."""
    money: float | None = Field(default=None, ge=0)
    """What an API asked for its answers to them; None where nobody knows."""


class TrialSummary(Part):
    """A trial of the search."""

    ids: list[str]
    """Of its trainings, one per seed: `trials/ID.json`."""
    hyperparameters: dict[str, Any]
    """Those that are searched."""
    status: Literal["ok", "pruned", "failed"]
    reason: str | None = None
    score: float | None = None
    """Mean over its seeds of the metric on validation items; None where one of them failed."""
    spent: Spent | None = None
    overran: bool = False
    """Whether one of its trainings passed its budget: any limit at all, or seconds by more than 2 %."""
    beyond_budget: bool = False
    """Whether it failed because no machine could do it in the budget."""


class BestAfter(Part):
    """The best validation score that a search of so many trials is expected to find (Dodge et al. 2019)."""

    trials: int = Field(ge=1)
    expected: float
    """With the default as its first trial and random draws after it."""
    low: float | None
    """The 95 % interval's lower end, of the score that half of all such searches reach; null where the trials tell none."""
    high: float | None
    """Its upper end; null where the trials tell none."""


class Tuning(Part):
    """What choosing the hyper-parameters took; without tuning no trials, and nothing else."""

    trials: int | None = Field(default=0, ge=0)
    """None where others tuned and did not say how often."""
    sampler: str | None = None
    """`random` or `tpe`."""
    pruner: str | None = None
    """`none` or `halving`."""
    share: float | None = None
    """Of the run's budget that a trial may spend."""
    seeds: int | None = None
    """Trainings of each trial."""
    batch: int | None = None
    """Trials that are asked for at once."""
    items: int | None = None
    """Validation items that a trial is scored on, at most."""
    metric: str | None = None
    higher_is_better: bool = True
    tried: list[TrialSummary] = []
    """The trials in the order in which they were asked for; the first is the strategy's default."""
    chosen: int | None = None
    """The place in `tried`, from 0, of the trial with the best score, of equals the first; null where all failed."""
    expected_best: list[BestAfter] = []
    """After one trial, two, and so on; empty where trials are not independent draws, as under `tpe`."""


SEED_PARTS: tuple[SeedPart, ...] = get_args(SeedPart)


class Seeds(Part):
    """The seed of each part of a run, where they were set apart."""

    init: int = 0
    """Of weights that the base does not have: a head's or an adapter's."""
    order: int = 0
    """Of the order of examples, of what is mixed in and rehearsed too; and of the words that augmentation drops."""
    dropout: int = 0
    """Of the random numbers that are drawn in training."""

    @property
    def varied(self) -> SeedPart | None:
        """The part that is not at 0; None where all are."""
        return next((part for part in SEED_PARTS if getattr(self, part)), None)


class Setup(Part):
    """What was run."""

    suite: str
    model: str
    task: str
    strategy: str
    hyperparameters: dict[str, Any]
    """Of the strategy, its defaults included."""
    seed: int
    seeds: Seeds | None = None
    """With `--vary`: one part has the seed, and the others 0. None where all parts have it."""
    budget: str | None
    """What training might spend: `400examples`, or several limits, `2000examples,90s`; None where it is not known."""
    tuning: Tuning = Tuning()


class Cost(Part):
    """What a run took; training costs are 0 for rows that train nothing, and None where somebody else's result does not say."""

    train_examples: int | None = Field(ge=0)
    """Repeats counted."""
    train_tokens: int | None = Field(ge=0)
    """Tokens fed to the model in training, padding left out."""
    train_flops: int | None = Field(ge=0)
    """Of all that goes through the model, padding and recomputation included, by the formula of bench/modeling/flops.py;
    `spared_flops` of them were not computed. A beginning that is read once for several texts counts once."""
    # A field with a default has come later: it is what older records are read with.
    useful_flops: int | None = Field(default=None, ge=0)
    """What the same texts take one at a time, without padding and recomputation, with logits at the targets alone; None where
    not counted. More than `train_flops` where much was read once for several texts."""
    spared_flops: int | None = Field(default=None, ge=0)
    """Of `train_flops`, those that were not computed: what the layers that never change make of a text had been kept, from an
    earlier pass or by another run on the same base. None where not counted."""
    train_seconds: float | None = Field(ge=0)
    """Of the training loop alone, as if nothing had run before: the wall clock's, and `others_seconds`."""
    others_seconds: float | None = Field(default=None, ge=0)
    """Of `train_seconds`, those that other runs have spent on computing what this one read. None where not counted."""
    device_seconds: float | None = Field(default=None, ge=0)
    """`train_seconds` of all processes together, each with a device of its own; None where it is not known."""
    eval_seconds: float | None = Field(ge=0)
    """Of all that the model is asked after training: the test set, other tasks and domains, single wordings, probes."""
    probe_seconds: float | None = Field(default=0.0, ge=0)
    """The probes' part of `eval_seconds`."""
    peak_memory_bytes: int | None = Field(ge=0)
    """The most held at once beyond what the process held before the run: resident set on a CPU, allocated on a GPU. Of several
    processes, that of the one that held most."""
    peak_memory_per_process: list[int] = []
    """The same of each process, in the order of their ranks; empty where it is not known."""
    trainable_parameters: int | None = Field(ge=0)
    total_parameters: int | None = Field(ge=0)
    """Adapters included; packed weights at their full number."""
    weight_bytes: int | None = Field(default=None, ge=0)
    """The weights as they were held in memory, quantised ones with their scales and adapters included."""
    saved_bytes: int | None = Field(ge=0)
    """Size of the trained tensors: what must be kept beside the pinned base."""
    money: float | None = None
    """What an API asks for the answers, in the currency of its prices; None where nothing is paid, or its server counts no
    tokens."""

    @field_validator("peak_memory_bytes", "total_parameters", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        # Older records of models behind an API say 0 for what nobody knows, and would be the cheapest of all.
        return value or None


class Limit(Part):
    """One limit of a budget, in its own unit: counts, seconds, or bytes of memory."""

    limit: int | float = Field(gt=0)
    """Of all stages together; of seconds, for each stage; of memory, at any time."""
    spent: int | float = Field(ge=0)
    """What training took; of seconds, in the stage that took the most; of memory, the most that was measured until its end."""


class Spending(Part):
    """What training took of its budget."""

    limits: dict[str, Limit]
    """By name: `examples`, `steps`, `tokens`, `flops` (useful ones), `seconds`, `memory`."""
    ended_by: str
    """The limit that ended the training, of several stages the last one's; or `early_stopping`."""
    kept_by: str | None = None
    """By what the memory ceiling was kept: `micro-batches of 256 tokens and gradient checkpointing`."""

    @property
    def passed(self) -> dict[str, Limit]:
        """The limits of which more was spent, of seconds by more than 2 %."""
        # How long a step takes is known only when it is over; what is counted is known before it is spent.
        slack = {"seconds": 1 + SECONDS_TOLERANCE}
        return {name: limit for name, limit in self.limits.items() if limit.spent > limit.limit * slack.get(name, 1)}


class Trust(Part):
    """How far the numbers can be trusted."""

    checks: dict[str, bool] = {}
    """Self-tests, and whether each held."""
    contamination: dict[str, int] = {}
    """Probe -> its items that share a passage of words with what was trained on."""
    micro_batch_tokens: int | None = None
    """Of a micro-batch, at most, after memory ran out in training; None where it never did. It moves numbers by rounding."""
    data: dict[str, int] = {}
    """Sizes of the splits, and counts of rows removed as repeated or as part of the test."""


Interval = Literal["items", "binomial", "standard error", "none"]


class Import(Part):
    """Which file of others a record was read from."""

    whose: str
    """The program that wrote it: `peft-method-comparison`, `lm-eval`."""
    file: str
    """Its name alone."""
    sha256: str
    """Of its content."""
    interval: Interval
    """What the score's interval is made of: answers per item, their number alone (binomial), or a standard error that stood in
    the file."""


class Provenance(Part):
    """Where the numbers come from."""

    versions: dict[str, str]
    """Of the packages that can change a result."""
    device: dict[str, str | int]
    """Type, name, processes, threads, precision, memory, platform."""
    environment: dict[str, str] = {}
    """What can change a number though the question stays the same: versions, kind of device, resolved precision."""
    environment_id: str | None = None
    """A hash of `environment`, which stands beside the run's id."""
    model_hash: str | None = None
    data_hash: str | None = None
    """SHA-256 over all examples of the task, in order."""
    engine_version: int | None = None
    trust_remote_code: bool = False
    started: str | None = None
    """UTC, ISO 8601."""
    resumed: list[int] = []
    """Steps, over all stages, after which its training was stopped and went on from a checkpoint."""
    inputs: dict[str, Any] = {}
    """Everything that the run's id is a hash of."""
    source: Import | None = None
    """Of an imported record; None where tunebench made the run."""


class Record(Part):
    """One run's result. A run that failed or was skipped has a reason; one that was scored has an outcome and a cost."""

    schema_version: Literal[2] = SCHEMA_VERSION
    run_id: str
    status: Status
    reason: str | None = None
    """Why a run failed or was skipped."""
    setup: Setup
    outcome: Outcome | None = None
    cost: Cost | None = None
    spending: Spending | None = None
    """None for rows that train nothing."""
    trust: Trust = Trust()
    provenance: Provenance

    @property
    def overran(self) -> bool:
        """Whether its training passed its budget: any limit at all, or seconds by more than 2 %."""
        return self.spending is not None and bool(self.spending.passed)

    @property
    def task_definition(self) -> dict[str, Any]:
        """The task's YAML, as far as the record holds it."""
        task = self.provenance.inputs.get("task")
        return task if isinstance(task, dict) else {}
