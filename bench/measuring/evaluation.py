"""What a run's model is asked at the end: its task, other tasks and domains, the wordings one at a time, and the probes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pandas as pd
from torch import nn

from bench.devices.device import Device
from bench.errors import UserError
from bench.inference.backend import Backend
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.measuring.simple_answers import answers_without_model
from bench.probes import Probe, probe_class
from bench.progress import Progress
from bench.runs.run import Run
from bench.runs.run_folder import RunFolder
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding

VALIDATION_ITEMS = 128
"""A sample of the validation split; whoever asks on the way asks the same. At an accuracy of .8 its standard error is 3.5
points: enough to tell a wording or a step that is much better, in a seventh of the time of SST-2's test set."""


@dataclass(frozen=True)
class EvalSets:
    """The examples that a run's model is asked, in the words and to the head that it was trained with."""

    test: EvalSet
    validation: EvalSet
    """What a run is asked before it ends, test data being read once."""
    elsewhere: dict[str, EvalSet]
    """Other tasks and domains, by name."""
    stages: list[EvalSet]
    """The test sets of all that is trained on one after another, where there is more than the run's own task."""
    paraphrases: list[EvalSet]
    """The test set under each unseen instruction alone, where instructions were trained on."""


@dataclass(frozen=True)
class TrainingSession:
    """A run that is being trained: on which device, and how its model is asked on the way.

    This is all that a trial of tuning gets. Held-out data is not in it.
    """

    run: Run
    device: Device
    progress: Progress
    folder: RunFolder = field(default_factory=RunFolder, kw_only=True)

    def check_as_planned(self) -> None:
        """`Run.check_as_planned`, by the main process for all: one that saw a change alone would leave the others waiting.

        Raises:
            UserError: on all processes.
        """
        fault: str | None = None
        if self.device.main:
            try:
                self.run.check_as_planned()
            except UserError as error:
                fault = str(error)
        if fault := self.device.agreed(fault):
            raise UserError(fault)

    @cached_property
    def encoding(self) -> Encoding:
        """Into the ids of the run's model."""
        return Encoding(self.run.checkpoint, self.run.max_length)

    def validation(self, task: TaskSpec, items: int) -> EvalSet:
        """A sample of a task's validation items, as the run's model is asked them."""
        return validation_set(self.run, run_encoding(self.run), task, items)

    def backend(self, module: nn.Module, cast: bool = True) -> Backend:
        """The way to ask a model on this machine, the base or what has become of it: in the precision of training, or, without
        `cast`, in its own."""
        return LocalBackend(module, self.run.checkpoint, self.device, cast=cast)


@dataclass(frozen=True)
class Session(TrainingSession):
    """A run that is done to its end: also all that its model is asked then; data is read and probes are made once."""

    sets: EvalSets
    probes: list[Probe]

    @classmethod
    def of(cls, run: Run, device: Device, progress: Progress, folder: RunFolder | None = None) -> "Session":
        sets, probes = eval_sets(run, run_encoding(run)), run_probes(run)
        return cls(run, device, progress, sets, probes, folder=folder or RunFolder())

    @cached_property
    def simple_answers(self) -> dict[str, pd.DataFrame]:
        """What answers that need no model say to the run's own test set, by name."""
        return answers_without_model(self.sets.test)


@dataclass(frozen=True)
class Evaluation:
    """What one model predicts on the task's test set and elsewhere, under single wordings, and gives to each probe."""

    test: pd.DataFrame
    elsewhere: dict[str, pd.DataFrame] = field(default_factory=dict)
    probes: dict[str, pd.DataFrame] = field(default_factory=dict)
    paraphrases: tuple[pd.DataFrame, ...] = ()
    seconds: float = 0.0
    """What asking took, all of it."""
    probe_seconds: float = 0.0
    """What the probes took of it."""


def evaluate(backend: Backend, session: Session, probes: Sequence[Probe]) -> Evaluation:
    """Ask a model everything, but for what it has answered before the run was stopped."""
    sets, answers = session.sets, partial(session.folder.answers, device=session.device)
    session.progress.phase("test set")
    test = answers("test", "", measure=lambda: predict(backend, sets.test))
    elsewhere = {
        name: answers("elsewhere", name, measure=partial(predict, backend, each)) for name, each in sets.elsewhere.items()
    }
    wordings = (
        answers("paraphrase", str(number), measure=partial(predict, backend, each))
        for number, each in enumerate(sets.paraphrases)
    )
    # They are asked here: asked when they are first read, they would run under the probes' name.
    paraphrases = tuple(wordings)
    session.progress.phase("probes")
    items = {p.spec.name: answers("probe", p.spec.name, measure=partial(p.measure, backend)) for p in probes}
    probe_seconds = sum(frame.attrs["seconds"] for frame in items.values())
    seconds = sum(frame.attrs["seconds"] for frame in (test, *elsewhere.values(), *paraphrases))
    return Evaluation(test, elsewhere, items, paraphrases, seconds + probe_seconds, probe_seconds)


def run_encoding(run: Run) -> Encoding | None:
    """Into the ids of the run's model; None where the model takes words."""
    return Encoding(run.model.checkpoint, run.max_length) if run.model.checkpoint else None


def run_probes(run: Run) -> list[Probe]:
    """The run's probes on its model; none of a model that takes words."""
    encoding = run_encoding(run)
    return [probe_class(spec)(spec, encoding, limit) for spec, limit in run.probes] if encoding else []


def eval_sets(run: Run, encoding: Encoding | None) -> EvalSets:
    """All sets of a run; reads the data of its tasks."""
    heads = run.heads

    def evalset_of(spec: TaskSpec, items: int | None, split: str = "test") -> EvalSet:
        task, data, head = types.task_type(spec), splits.load_splits(spec), heads.get(spec.name)
        return EvalSet(task, data, encoding, run.wording, run.seeds.order, items=items, head=head, split=split)

    test = evalset_of(run.task, run.test_items)
    stages = [evalset_of(task, run.other_items) for task in run.stages] if run.earlier else []
    return EvalSets(
        test=test,
        validation=validation_set(run, encoding, run.task, VALIDATION_ITEMS),
        elsewhere=_sets_elsewhere(run, evalset_of) if run.strategy.trains else {},
        stages=stages,
        paraphrases=[replace(test, items=run.paraphrase_items, paraphrase=number) for number in _paraphrases(run, test)],
    )


def validation_set(run: Run, encoding: Encoding | None, spec: TaskSpec, items: int) -> EvalSet:
    """A sample of a task's validation items, in the words and to the head that the run's model is trained with."""
    task, data, head = types.task_type(spec), splits.load_training(spec), run.heads.get(spec.name)
    return EvalSet(task, data, encoding, run.wording, run.seeds.order, items=items, head=head, split="validation")


def as_base(evalset: EvalSet, wording: Wording) -> EvalSet:
    """The same examples as the base model is asked: in one of its wordings, and without a head."""
    # The seed chooses solved examples, and a base is shown none: its answers are kept for the runs of all seeds.
    return replace(evalset, wording=wording, seed=0, head=None)


def _sets_elsewhere(run: Run, evalset_of: Callable[..., EvalSet]) -> dict[str, EvalSet]:
    """The task's sets from other domains, other tasks that were trained on, and those that were not, in zero-shot form."""
    limit = run.other_items
    domains = {name: evalset_of(run.task, limit, name) for name in splits.load_splits(run.task).out_of_domain}
    trained_tasks = {task.name: evalset_of(task, limit) for task in run.training_tasks[1:]}
    untrained_tasks = {task.name: as_base(evalset_of(task, limit), run.base_wordings[0]) for task in run.also}
    return domains | trained_tasks | untrained_tasks


def _paraphrases(run: Run, test: EvalSet) -> range:
    """Numbers of the unseen instructions that are asked one at a time: where instructions were trained on, and there are
    several. A single one is what the test set is asked in."""
    instructed, count = run.strategy.trains and run.wording.style == "instruction", len(run.task.paraphrases("test"))
    return range(count if instructed and count > 1 and test.task.asks != "read" else 0)
