"""suites/NAME.yaml."""

from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bench.errors import UserError
from bench.specs.ablation import AblationSpec
from bench.specs.base import Distinct, Name, Spec
from bench.specs.probe_every import checked_stride
from bench.specs.probe_power import probe_power
from bench.specs.search import TuneOptions

LEAST_LENGTH = 8
"""Tokens of one example, at least: its special tokens and a few more."""


class SuiteSpec(Spec):
    """suites/NAME.yaml: tasks, strategies, probes, seeds and a budget; or a list of other suites, run one after another."""

    name: Name
    version: int = Field(ge=1)
    description: str
    suites: Distinct = []
    models: Distinct = []
    tasks: Distinct = []
    stages: Distinct = []
    """Instead of tasks: one model is trained on these one after another, each with the whole budget."""
    also: Distinct = []
    """Tasks that every trained model is asked besides, in zero-shot form."""
    strategies: Distinct = []
    hyperparameters: dict[str, dict[str, Any]] = {}
    """Strategy -> what this suite sets on top of its defaults, and `--set` on top of that."""
    probes: Distinct = []
    probe_items: int | None = Field(default=None, ge=2)
    """Size limit of each probe."""
    encoder_probe_items: int | None = Field(default=None, ge=2)
    """Size limit of encoders' probes, which read one short pass per item; without it the same as decoders'."""
    probe_power: str | None = None
    """Instead of a size limit: as many items as finding a loss of so many points, or nats, four times out of five needs."""
    probe_every: str | None = None
    """Measure on the way too: every so many steps (`10`), or so large a share of the budget (`25%`)."""
    test_items: int | None = Field(default=None, ge=2)
    """Size limit of each task's test set, where asking all of it would take too long; without it all of it is asked."""
    other_items: int = Field(default=128, ge=2)
    """Size limit of each test set from another domain and of each other task that was trained on."""
    paraphrase_items: int = Field(default=64, ge=2)
    """Test items that are asked under each unseen instruction, where a strategy trains on instructions."""
    seeds: int = Field(default=1, ge=1)
    budget: str = "512examples"
    encoder_budget: str | None = None
    """Budget of encoders, whose heads start from nothing; without it the same as decoders'."""
    tune: TuneOptions | None = None
    """How hyper-parameters are chosen, for every strategy with a search space; without it they are the strategies' defaults."""
    batch: int = Field(default=16, ge=1)
    """Examples per optimiser step over all processes: the same whatever their number."""
    max_length: int = Field(default=256, ge=LEAST_LENGTH)
    """Tokens of one example; a longer prompt loses its middle, a rehearsed text its end; an encoder reads windows of it."""
    ablations: list[AblationSpec] = []
    """What `tunebench ablate --suite NAME` sweeps; `tunebench run` does without it."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set - {"name", "version", "description"}
        if self.suites and given != {"suites"}:
            raise ValueError(f"a list of suites says nothing else; '{min(given - {'suites'})}' belongs into one of them")
        if missing := [field for field in ("models", "tasks", "strategies") if not self.suites and not getattr(self, field)]:
            if missing != ["tasks"] or len(self.stages) < 2:
                raise ValueError(
                    f"'{missing[0]}' is missing or empty; stages, of which there are at least two, stand for tasks"
                )
        elif self.stages:
            raise ValueError("a suite has tasks or stages, not both")
        return self

    @field_validator("probe_power")
    @classmethod
    def _power(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                probe_power(value)
            except UserError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("probe_every", mode="before")
    @classmethod
    def _stride(cls, value: Any) -> str | None:
        try:
            return None if value is None else checked_stride(str(value))  # YAML reads 10 and 0.25 as numbers
        except UserError as error:
            # In a file it is a field and no option.
            raise ValueError(str(error).removeprefix("--")) from None

    @field_validator("hyperparameters")
    @classmethod
    def _of_its_strategies(cls, value: dict[str, dict[str, Any]], fields: ValidationInfo) -> dict[str, dict[str, Any]]:
        # Where `strategies` is wrong itself it is missing here, and that is told instead.
        strategies = fields.data.get("strategies", list(value))
        if strange := set(value) - set(strategies):
            raise ValueError(f"'{min(strange)}' is none of the suite's strategies, {', '.join(strategies)}")
        return value
