"""A row: what a line of every table shows, and the records that it comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.records.outcome import Outcome, Point
from bench.records.record import Cost, Record, Setup, Status
from bench.statistics.estimates import Estimate
from reports.rows.means import Away, Forgotten, OtherMetric
from reports.rows.numbers import Quantity, quantity_of
from reports.rows.stage_means import StageMeans
from reports.rows.transfer import Transfer
from reports.rows.wordings import Wordings

KINDS = {"Other tasks": "others", "Earlier tasks": "earlier", "Tasks not trained on": "also", "Domains": ""}
"""What is asked beside the row's own task, and the run's input that lists it; what none lists is a domain."""


@dataclass(frozen=True)
class Row:
    """What a line of the leaderboard shows, and the records it comes from, in the order of their seeds."""

    records: tuple[Record, ...]
    score: Estimate | None = None
    gain: Estimate | None = None
    """Over the base asked in the row's own words: what training, or solved examples, changed."""
    over_best: Estimate | None = None
    """The gain over the base asked in its best words: what the row has that was not there without training."""
    metrics: Mapping[str, OtherMetric] = field(default_factory=dict)
    """The task's other metrics, and the rate of malformed answers."""
    elsewhere: Mapping[str, Away] = field(default_factory=dict)
    wordings: Wordings | None = None
    transfers: Sequence[Transfer] = ()
    forgetting: Mapping[str, Forgotten] = field(default_factory=dict)
    relative_forgetting: Estimate | None = None
    """In per cent."""
    curve: Sequence[Point] = ()
    """The way to the end, on validation items."""
    start: float = 0.0
    """Gain where that way begins: the base's in the row's own words, below 0 where gains are over its best."""
    stages: StageMeans | None = None
    cost: Cost | None = None
    """Means over seeds; counts rounded."""
    variant: str = ""
    """What sets this row apart from others of its model, task and strategy, e.g. `peft.r=16`."""

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def setup(self) -> Setup:
        """What was run; the runs differ in their seeds alone."""
        return self.first.setup

    @property
    def budget(self) -> str | None:
        """What it might spend in training; empty where it trains nothing, None where that is not known."""
        examples = self.cost.train_examples if self.cost else None
        return "" if examples == 0 else self.setup.budget

    @property
    def outcome(self) -> Outcome | None:
        """The first run's, for what is the same for all seeds."""
        return self.first.outcome

    @property
    def group(self) -> tuple[str, str, str]:
        """Suite, model and task: rows that may be compared."""
        return self.setup.suite, self.setup.model, self.setup.task

    @property
    def status(self) -> Status:
        return self.first.status

    @property
    def reason(self) -> str:
        return self.first.reason or "no reason was recorded"

    @property
    def quantity(self) -> Quantity:
        """What the row's score is."""
        return quantity_of(self.outcome.score) if self.outcome else Quantity("", share=False)

    @property
    def relative_forgetting_share(self) -> Estimate | None:
        """As RELATIVE_FORGETTING of numbers.py: shown, it is in per cent again."""
        return None if self.relative_forgetting is None else self.relative_forgetting * 0.01

    @property
    def higher_is_better(self) -> bool:
        return self.outcome is None or self.outcome.score.higher_is_better

    @property
    def base_score(self) -> float | None:
        """The untouched model's score, the same for all seeds."""
        return self.outcome.base_score if self.outcome else None

    @property
    def asked(self) -> str | None:
        """How the task was put to the model, where that was not the usual way."""
        return self.outcome.asked if self.outcome else None

    @property
    def label(self) -> str:
        return f"{self.setup.strategy} ({self.variant})" if self.variant else self.setup.strategy

    @property
    def seeds(self) -> str:
        """The seeds of the row's runs; a row whose result depends on none has none."""
        inputs = self.first.provenance.inputs
        # Runs of `--vary` have the seeds of their parts in place of one seed.
        if inputs and not {"seed", "seeds"} & inputs.keys():
            return "none"
        return ", ".join(str(record.setup.seed) for record in self.records)

    @property
    def of_one_seed(self) -> bool:
        """Whether its score's interval is for this trained model alone: no other seed, of it or of rows like it, is known. Of
        somebody else's result it is not known whether it was trained, and so it may be."""
        return self.score is not None and self.score.basis == "items" and not self.seedless

    @property
    def seedless(self) -> bool:
        """Whether another seed is known to change nothing."""
        return self.seeds == "none" and self.first.provenance.source is None

    @property
    def seed_sd(self) -> float | None:
        """Standard deviation of the score over the row's seeds; None where there is one."""
        return self.score.seed_sd if self.score else None

    @property
    def collapsed(self) -> int:
        """Runs of the row that answer nothing of their own any more."""
        return len(self.fallen)

    @property
    def fallen(self) -> dict[int, str]:
        """Seed of each run that collapsed -> what shows it, and what to try."""
        runs = [(record.setup.seed, record.outcome.collapsed) for record in self.records if record.outcome]
        return {seed: why for seed, why in runs if why}

    def kind(self, name: str) -> str:
        """What a name of `elsewhere` is to the row, one of KINDS."""
        inputs = self.first.provenance.inputs
        named = (kind for kind, field in KINDS.items() if any(task["name"] == name for task in inputs.get(field) or []))
        return next(named, "Domains")

    @property
    def stage_quantities(self) -> dict[str, Quantity]:
        """What the score on each stage's task is; a score of which the record says nothing keeps its own unit."""
        scores = {name: away.quantity for name, away in self.elsewhere.items()} | {self.setup.task: self.quantity}
        tasks = self.stages.tasks if self.stages else []
        return {task: scores.get(task, Quantity("score", share=False)) for task in tasks}

    @property
    def stage_quantity(self) -> Quantity | None:
        """What a mean over the stages' tasks is: a share where all of them are; None where their units are unlike."""
        quantities = set(self.stage_quantities.values())
        shares = all(quantity.share for quantity in quantities)
        # Each measure leaves out the first task or the last, so that of two stages it is of one task.
        unlike = len(self.stage_quantities) > 2 and len(quantities) > 1 and not shares
        return None if unlike else Quantity("score", share=shares)

    @property
    def trains(self) -> bool:
        return bool(self.cost and self.cost.train_examples)

    def spent(self, take: Callable[[Cost], float | None]) -> list[float]:
        """A cost of each of the row's runs; nothing where one does not know it, or nothing was spent."""
        costs = [take(run.cost) if run.cost else None for run in self.records]
        # A ratio to nothing has no logarithm.
        amounts = [float(value) for value in costs if value]
        return amounts if len(amounts) == len(costs) else []

    @property
    def trained_share(self) -> float | None:
        """Trainable parameters as a share of all; None where it is not known."""
        trainable, total = (self.cost.trainable_parameters, self.cost.total_parameters) if self.cost else (None, None)
        return trainable / total if trainable is not None and total else None

    @property
    def faults(self) -> list[str]:
        """Self-tests that did not hold in some run of the row."""
        return sorted({name for record in self.records for name, holds in record.trust.checks.items() if not holds})
