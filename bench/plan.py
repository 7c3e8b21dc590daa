"""A suite becomes runs: model x task x strategy x seed, each with an id that is a hash of what determines its result."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from bench import ENGINE_VERSION, probes, settings, strategies, tasktypes
from bench.costs.budget import Budget
from bench.data import sources
from bench.errors import UserError, unknown
from bench.modeling.models import Model
from bench.modeling.models import find as find_model
from bench.specs.library import Library, suites_for
from bench.specs.probe import ProbeSpec
from bench.specs.source import Source
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec
from bench.strategies import Strategy


@dataclass(frozen=True)
class Options:
    """What the command line says on top of the suite; None means what the suite says."""

    suite: str
    model: str | None = None
    tasks: Sequence[str] | None = None
    strategies: Sequence[str] | None = None
    seeds: int | None = None
    budget: str | None = None
    probe_items: int | None = None
    test_items: int | None = None
    settings: Sequence[str] = ()
    """Hyper-parameters as `key=value` or `strategy.key=value`."""
    trust_remote_code: bool = False
    probe_every: str | None = None


@dataclass(frozen=True)
class Run:
    """One run, with everything it needs resolved."""

    suite: str
    model: Model
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
    """Why probes that are meant for the model's family don't fit it, one sentence each."""
    seed: int
    budget: Budget
    batch: int
    max_length: int
    precision: str
    test_items: int | None
    other_items: int
    paraphrase_items: int
    probe_every: str | None
    """How often the curve is measured: a number of steps, or a share of the budget."""

    @property
    def trained(self) -> tuple[TaskSpec, ...]:
        """Everything that is trained on, the suite's task first; an encoder has a head for each, in this order."""
        return (self.task, *self.others, *(task for task in self.earlier if task not in self.others))

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What determines the result, as JSON values."""
        found: dict[str, Any] = {
            "engine": ENGINE_VERSION,
            "model": self.model.content_hash,
            "task": task_fingerprint(self.task),
            "strategy": type(self.strategy).__name__,
            "hyperparameters": self._determining(),
            "probes": [[probe_fingerprint(spec), limit] for spec, limit in self.probes],
            "max_length": self.max_length,
            "precision": self.precision,
            "test_items": self.test_items,
        }
        if self.strategy.trains or self.strategy.wording.shots:
            found["seed"] = self.seed
        if self.strategy.trains:
            found |= {"budget": str(self.budget), "batch": self.batch}
            found["others"] = [task_fingerprint(task) for task in self.others]
            found["earlier"] = [task_fingerprint(task) for task in self.earlier]
            found["also"] = [task_fingerprint(task) for task in self.also]
            if self.others or self.earlier or self.also or self.task.out_of_domain:
                found["other_items"] = self.other_items
            if self.probe_every:
                found["probe_every"] = self.probe_every
            if self.strategy.wording.style == "instruction":
                found["paraphrase_items"] = self.paraphrase_items
        if self.strategy.rehearsal:
            found["rehearsal"] = sources.fingerprint(self.strategy.rehearsal)
        if self.model.trust_remote_code:
            found["trust_remote_code"] = True
        return found

    @cached_property
    def id(self) -> str:
        return digest(self.inputs)

    def _determining(self) -> dict[str, Any]:
        """Hyper-parameters; a rehearsal source counts by its content instead, and not by the place where it lies."""
        values = self.strategy.hyperparameters
        incidental: frozenset[str] = getattr(values, "incidental")  # noqa: B009 (no field of BaseModel)
        return values.model_dump(mode="json", exclude={*incidental, "rehearsal"})

    @property
    def unfit(self) -> str | None:
        """Why this task cannot be done with this model in this way, or None; then the run is skipped."""
        kind, shots = tasktypes.load(self.task), self.strategy.wording.shots
        if self.strategy.client:
            return f"a {self.task.type} task cannot be put to an endpoint" if kind.asks == "read" else None
        headless = [task for task in (self.task, *self.others) if tasktypes.load(task).auto_class is None]
        if self.model.family == "encoder" and headless:
            return f"'{headless[0].name}' is a {headless[0].type} task, which needs a decoder"
        if self.model.family == "encoder" and shots and kind.asks != "rank":
            return f"an encoder has no way to learn a {self.task.type} task from examples without training"
        if shots and kind.asks == "read":
            return f"a {self.task.type} task asks nothing that could be shown solved"
        return None

    @property
    def label(self) -> str:
        return f"{self.model.name} / {self.task.name} / {self.strategy.name} / seed {self.seed}"


def digest(value: Any) -> str:
    """16 hex digits of the SHA-256 of a JSON value, keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def task_fingerprint(task: TaskSpec) -> dict[str, Any]:
    """The task without its words for people, with its data's hashes instead of its places."""
    shape = task.model_dump(mode="json", exclude={"description", "train", "validation", "test", "out_of_domain"})
    for split in ("train", "validation", "test"):
        part = getattr(task, split)
        if isinstance(part, list):
            shape[split] = [sources.fingerprint(source) for source in part]
        else:
            shape[split] = sources.fingerprint(part) if isinstance(part, Source) else part.model_dump()
    shape["out_of_domain"] = {name: sources.fingerprint(source) for name, source in task.out_of_domain.items()}
    return shape


def probe_fingerprint(probe: ProbeSpec) -> dict[str, Any]:
    shape = probe.model_dump(mode="json", exclude={"description", "source", "items"})
    return {**shape, "source": sources.fingerprint(probe.source)}


def plan(options: Options, precision: str) -> list[Run]:
    """The runs of a suite, or of all suites that it lists, in their order.

    Raises:
        UserError: a name, number or setting is wrong; nothing has been written by then.
    """
    parts = suites_for(options.suite)
    if len(parts) == 1:
        return _planned(options, precision, *parts[0])
    runs: list[Run] = []
    for library, suite in parts:
        asked = suite.tasks if options.tasks is None else [name for name in suite.tasks if name in options.tasks]
        if asked:
            runs += _planned(replace(options, tasks=asked), precision, library, suite)
    known = {task for _, suite in parts for task in suite.tasks}
    if strange := [name for name in options.tasks or () if name not in known]:
        raise unknown("task", strange[0], known)
    return runs


def _planned(options: Options, precision: str, library: Library, suite: SuiteSpec) -> list[Run]:
    budgets = {"decoder": suite.budget, "encoder": suite.encoder_budget or suite.budget}
    probe_items = {"decoder": suite.probe_items, "encoder": suite.encoder_probe_items or suite.probe_items}
    seeds = options.seeds or suite.seeds
    tasks = [library.task(name) for name in _chosen("task", options.tasks, suite.stages or suite.tasks, library)]
    wanted = _chosen("strategy", options.strategies, suite.strategies, library)
    given = settings.parse(options.settings, wanted)
    specs = [library.probe(name) for name in suite.probes]
    kinds = {spec.name: probes.load(spec) for spec in specs}
    also = [library.task(name) for name in suite.also]
    for task in (*tasks, *also):
        tasktypes.load(task)
    # Of stages, the last one is the run's task; the others come before it.
    final = tasks[-1:] if suite.stages else tasks
    runs: list[Run] = []
    for model in [find_model(name, library, options.trust_remote_code) for name in _models(options, suite)]:
        meant = [spec for spec in specs if kinds[spec.name].family in (None, model.family)]
        unfit = {spec.name: reason for spec in meant if (reason := kinds[spec.name].unfit(model))}
        most = probe_items[model.family]
        fitting = tuple(
            (spec, options.probe_items or min(spec.items, most or spec.items)) for spec in meant if spec.name not in unfit
        )
        loaded = [
            strategies.load(library.strategy(n), model.family, settings.of(n, given), suite.hyperparameters.get(n))
            for n in wanted
        ]
        settings.check(given, loaded)
        for strategy in loaded:
            if strategy.client:
                strategy.client.key()  # a missing one is told now
        for task, strategy in product(final, loaded):
            run = Run(
                suite=suite.name,
                model=model,
                task=task,
                others=tuple(library.task(name) for name in strategy.tasks if name != task.name),
                earlier=tuple(tasks[:-1]) if suite.stages and strategy.trains else (),
                also=tuple(other for other in also if other.name not in (task.name, *strategy.tasks)),
                strategy=strategy,
                probes=() if strategy.client else fitting,
                left_out=tuple(f"probe '{name}' is left out: {reason}" for name, reason in unfit.items()),
                seed=0,
                budget=Budget.parse(options.budget or budgets[model.family]),
                batch=suite.batch,
                max_length=suite.max_length,
                precision=precision,
                test_items=options.test_items,
                other_items=min(suite.other_items, options.test_items or suite.other_items),
                paraphrase_items=min(suite.paraphrase_items, options.test_items or suite.paraphrase_items),
                probe_every=checked_stride(options.probe_every),
            )
            varies = strategy.trains or strategy.wording.shots > 0
            runs += [replace(run, seed=seed) for seed in range(seeds if varies else 1)]
    return runs


def _models(options: Options, suite: SuiteSpec) -> list[str]:
    return [options.model] if options.model else list(suite.models)


def checked_stride(every: str | None) -> str | None:
    """A number of steps, or a share of the budget as a fraction or in per cent; a share always in per cent, so that 0.5 and
    50% are one run.

    Raises:
        UserError: it is neither.
    """
    if every is None:
        return None
    if amount := _amount(every):
        return str(amount) if isinstance(amount, int) else f"{100 * amount:g}%"
    raise UserError(f"--probe-every {every}: give a number of steps (10) or a share of the budget (0.25 or 25%)")


def stride(every: str, steps: int) -> int:
    """Steps between two measurements of a curve, of a checked `every`."""
    amount = _amount(every)
    return amount if isinstance(amount, int) else max(1, round(amount * steps))


def _amount(every: str) -> int | float:
    """A number of steps, or a share of them in (0, 1]; 0 where it is neither."""
    found = re.fullmatch(r"(\d+)|(0?\.\d+)|(\d+(?:\.\d+)?)%", every)
    if not found:
        return 0
    if found[1]:
        return int(found[1])
    share = float(found[2]) if found[2] else float(found[3]) / 100
    return share if 0 < share <= 1 else 0


def _chosen(what: str, asked: Sequence[str] | None, of_suite: Sequence[str], library: Library) -> list[str]:
    """The suite's names, or those of the command line, in the suite's order; others of the library may be named too."""
    if asked is None:
        return list(of_suite)
    if not asked:
        raise UserError(f"no {what} is named; leave the option out for all of the suite's: {', '.join(of_suite)}")
    known = library.names("tasks" if what == "task" else "strategies")
    for name in asked:
        if name not in known and not name.endswith((".yaml", ".yml")):
            raise unknown(what, name, {*known, *of_suite})
    return [name for name in of_suite if name in asked] + [name for name in asked if name not in of_suite]
