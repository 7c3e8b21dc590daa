"""One run: what is to be done, resolved, with an id that is a hash of the question: what is asked of which model and data,
with what settings. On which machine and by which versions it is answered is the environment, which is no part of the id.

It stands below the planning that makes it and the running that does it.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import ENGINE_VERSION
from bench.data import sources
from bench.devices.hardware import Precision
from bench.errors import UserError
from bench.hashing import digest
from bench.inference.endpoint_model import EndpointModel
from bench.modeling.model_hash import check_unchanged
from bench.modeling.models import Model
from bench.records.outcome import SeedPart
from bench.records.record import SEED_PARTS, Seeds, Tuning
from bench.runs.fingerprints import probe_fingerprint, task_fingerprint
from bench.specs.budget import Budget
from bench.specs.probe import ProbeSpec
from bench.specs.search import Search
from bench.specs.source import Source
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.strategies import Strategy
from bench.tasks import types

PlannedModel = Model | EndpointModel
"""A model with weights on this machine, or one that is asked over an API. Each says by itself what sets it apart: whoever holds
one asks it, and not what kind it is."""

UNTUNED = Tuning()
BESIDE = 2
"""Raised when other texts are left out of what is trained on beside the own task: no fingerprint of a task holds that."""


@dataclass(frozen=True)
class Run:
    """One run, with everything it needs resolved."""

    suite: str
    model: PlannedModel
    task: TaskSpec
    others: tuple[TaskSpec, ...]
    """Tasks that the strategy mixes in."""
    earlier: tuple[TaskSpec, ...]
    """Stages that are trained on before the task, each with the whole budget."""
    also: tuple[TaskSpec, ...]
    """Tasks that are asked after training, in zero-shot form, without having been trained on."""
    strategy: Strategy
    probes: tuple[tuple[ProbeSpec, int], ...]
    """The probes that fit the model, with their size limits."""
    left_out: tuple[str, ...]
    """Why probes that are meant for the model's family don't fit it, or ask fewer items than was wished; a sentence each."""
    seed: int
    budget: Budget
    batch: int
    max_length: int
    precision: Precision
    """As the user asked for it: what `auto` becomes is the machine's, and the id must not depend on where a plan is made."""
    test_items: int | None
    other_items: int
    paraphrase_items: int
    probe_every: str | None
    """How often the curve is measured: a number of steps, or a share of the budget."""
    placement: str | None = None
    """Kind of device and number of processes, where seconds limit the run; nothing else that is asked depends on them."""
    search: Search | None = None
    """Where the hyper-parameters come from, if they are searched."""
    tuning: Tuning = UNTUNED
    """What the search has come to, once it is over. The search determines it, so that it is no part of the question."""
    varied: SeedPart | None = None
    """The part that the seed moves, the others being at 0; None: all of them."""

    @property
    def seeds(self) -> Seeds:
        """The seed of each part. Solved examples of few-shot prompts are the first of an order, and belong to it."""
        return Seeds(**{part: self.seed if self.varied in (None, part) else 0 for part in SEED_PARTS})

    @property
    def training_tasks(self) -> tuple[TaskSpec, ...]:
        """Everything that is trained on, the suite's task first; an encoder has a head for each, in this order."""
        return (self.task, *self.others, *(task for task in self.earlier if task not in self.others))

    @property
    def heads(self) -> dict[str, int]:
        """The number of each training task's head on an encoder; of a run that trains nothing there is none."""
        return {task.name: number for number, task in enumerate(self.training_tasks)} if self.strategy.trains else {}

    @property
    def stages(self) -> tuple[TaskSpec, ...]:
        """What is trained on one after another, the run's own task last."""
        return (*self.earlier, self.task)

    @property
    def tested(self) -> tuple[TaskSpec, ...]:
        """Everything whose test is asked once the model is trained, the suite's task first."""
        return (*self.training_tasks, *self.also)

    @property
    def rehearsed(self) -> Source | None:
        """General text that is trained on beside the tasks: only a decoder can learn it."""
        return self.strategy.rehearsal if self.model.family == "decoder" else None

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The question, as JSON values: everything that determines the result but the environment.

        A part names only what the answer depends on: a setting that changes nothing must not make a second run of it.
        """
        question: dict[str, Any] = {
            "engine": ENGINE_VERSION,
            "task": task_fingerprint(self.task),
            "strategy": type(self.strategy).__name__,
            # A rehearsal source counts by its content, and not by the place where it lies.
            "hyperparameters": self.strategy.hyperparameters.model_dump(mode="json", exclude={"rehearsal"}),
            "probes": [[probe_fingerprint(spec), limit] for spec, limit in self.probes],
            "test_items": self.test_items,
        }
        if self.strategy.rehearsal:
            question["rehearsal"] = sources.fingerprint(self.strategy.rehearsal)
        if self.search:
            question["search"] = self.search.model_dump(mode="json")
        of_training = self._training_inputs() if self.strategy.trains else {}
        return question | self.model.inputs(self.precision, self.max_length) | self._seed_inputs() | of_training

    def _seed_inputs(self) -> dict[str, Any]:
        """Empty where nothing is drawn. The run with all parts at 0 has one id, whichever part is varied."""
        if not self.strategy.trains and not self.strategy.wording.shots:
            return {}
        return {"seeds": self.seeds.model_dump()} if self.varied else {"seed": self.seed}

    def _training_inputs(self) -> dict[str, Any]:
        """What is trained on and how far, and what is asked only after training."""
        question: dict[str, Any] = {"budget": str(self.budget), "batch": self.batch}
        for name, tasks in (("others", self.others), ("earlier", self.earlier), ("also", self.also)):
            question[name] = [task_fingerprint(task) for task in tasks]
        if self.others or self.earlier or self.rehearsed:
            question["beside"] = BESIDE
        if self.placement:
            question["placement"] = self.placement
        if self.others or self.earlier or self.also or self.task.out_of_domain or types.task_type(self.task).balances:
            question["other_items"] = self.other_items
        if self.probe_every:
            question["probe_every"] = self.probe_every
        if self.strategy.wording.style == "instruction":
            question["paraphrase_items"] = self.paraphrase_items
        return question

    @cached_property
    def id(self) -> str:
        return digest(self.inputs)

    def check_as_planned(self) -> None:
        """Whether the model and the data are still what they were when the run was planned: it may have waited for hours, and
        another process that does it reads them anew.

        Raises:
            UserError: they are not; the sentence says what has changed.
        """
        task_fingerprint.forget()
        probe_fingerprint.forget()
        now = replace(self).inputs  # a copy keeps nothing of what was worked out
        names = (name for name in {**self.inputs, **now} if now.get(name) != self.inputs.get(name))
        if changed := ", ".join(names):
            raise UserError(f"what the run hangs on has changed since it was planned ({changed}); give the command again")
        checkpoint = self.model.checkpoint
        if checkpoint and isinstance(checkpoint.source, Path):
            check_unchanged(checkpoint.folder, checkpoint.content_hash)

    @property
    def unfit(self) -> str | None:
        """Why this task cannot be done with this model in this way, or None; then the run is skipped."""
        kind, shots = types.task_type(self.task), self.strategy.wording.shots
        if unfit := self.model.unfit_for(self.task.type, kind.asks, self.strategy.trains):
            return unfit
        asked_tasks = self.tested if self.strategy.trains else (self.task,)
        headless = [task for task in asked_tasks if types.task_type(task).auto_class is None]
        if self.model.family == "encoder" and headless:
            return f"'{headless[0].name}' is a {headless[0].type} task, which needs a decoder"
        if self.model.family == "encoder" and shots and not (kind.asks == "rank" and self.task.labels):
            return f"an encoder has no way to learn a {self.task.type} task from examples without training"
        if shots and kind.asks == "read":
            return f"a {self.task.type} task asks nothing that could be shown solved"
        return None

    @property
    def unworded(self) -> str | None:
        """Which task lacks the instructions by which the run would be asked, and what to do; None where it lacks none."""
        if self.unfit or self.wording.style != "instruction":
            return None
        asked_tasks = self.training_tasks if self.strategy.trains else (self.task,)
        bare = [task for task in asked_tasks if not task.instructions and types.task_type(task).asks != "read"]
        if not bare:
            return None
        model, own = self.model, self.model.own_style is not None
        who = f"model '{model.name}' (asked {model.reached})" if own else f"strategy '{self.strategy.name}'"
        other = "name another model with --model" if own else "name other strategies with --strategies"
        return (
            f"task '{bare[0].name}' has no instructions, and {who} is asked by instruction: "
            f"add `instructions: {{train: [...], test: [...]}}` to the task's YAML, or {other}"
        )

    @property
    def untuned(self) -> str | None:
        """Why the search has found nothing to run with, or None."""
        if not self.tuning.trials or self.tuning.chosen is not None:
            return None
        return f"all {self.tuning.trials} trials failed; the first: {self.tuning.tried[0].reason}"

    @property
    def checkpoint(self) -> Model:
        """The model's weights on this machine; a model behind an API has none, and nothing that needs them is asked of it."""
        assert self.model.checkpoint is not None, f"'{self.model.name}' has no weights on this machine"
        return self.model.checkpoint

    @property
    def wording(self) -> Wording:
        """How the run's model is asked: in the strategy's words; a chat in its own, after the strategy's examples."""
        own, of_strategy = self.model.own_style, self.strategy.wording
        return replace(of_strategy, style=own) if own else of_strategy

    @property
    def base_wordings(self) -> tuple[Wording, ...]:
        """The ways in which an untouched model can be asked without solved examples.

        A decoder plainly or by instruction. An API is a chat, so that it is instructed. An encoder without a head compares
        texts with labels, and reads no instruction.
        """
        if own := self.model.own_style:
            return (Wording(style=own),)
        if self.model.family == "encoder":
            return (Wording(),)
        return Wording(), Wording(style="instruction")

    def in_base_words(self, wording: Wording) -> Wording:
        """How the base model is asked what a model was asked in these words: in the same, as far as it reads them, and without
        solved examples."""
        return next((own for own in self.base_wordings if own.style == wording.style), self.base_wordings[0])

    @property
    def label(self) -> str:
        return f"{self.model.name} / {self.task.name} / {self.strategy.name} / seed {self.told_seed}"

    @property
    def told_seed(self) -> str:
        """`2`, or `2 of order` where that part alone is moved."""
        return f"{self.seed} of {self.varied}" if self.varied and self.seed else str(self.seed)
