"""A suite becomes runs: model x task x strategy x seed, each with an id that is a hash of what determines its result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from bench import strategies
from bench.errors import UserError, unknown
from bench.inference.endpoint import EndpointModel
from bench.modeling.models import Model, find_model
from bench.planning import settings
from bench.probes import Probe, probe_class
from bench.running.run import Run
from bench.specs.budget import Budget
from bench.specs.library import Library, suites_for
from bench.specs.probe_every import checked_stride
from bench.specs.suite import SuiteSpec
from bench.tasks import types


@dataclass(frozen=True)
class PlanOptions:
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


def plan(options: PlanOptions, precision: str) -> list[Run]:
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


def _planned(options: PlanOptions, precision: str, library: Library, suite: SuiteSpec) -> list[Run]:
    budgets = {"decoder": suite.budget, "encoder": suite.encoder_budget or suite.budget}
    probe_items = {"decoder": suite.probe_items, "encoder": suite.encoder_probe_items or suite.probe_items}
    seeds = options.seeds or suite.seeds
    tasks = [library.task(name) for name in _chosen("task", options.tasks, suite.stages or suite.tasks, library)]
    wanted = _chosen("strategy", options.strategies, suite.strategies, library)
    given = settings.parse(options.settings, wanted)
    specs = [library.probe(name) for name in suite.probes]
    kinds = {spec.name: probe_class(spec) for spec in specs}
    also = [library.task(name) for name in suite.also]
    for task in (*tasks, *also):
        types.task_type(task)
    # Of stages, the last one is the run's task; the others come before it.
    final = tasks[-1:] if suite.stages else tasks
    runs: list[Run] = []
    for model in [_model(name, library, options.trust_remote_code) for name in _models(options, suite)]:
        meant = [spec for spec in specs if kinds[spec.name].family in (None, model.family)]
        unfit = {spec.name: reason for spec in meant if (reason := _unfit(kinds[spec.name], model))}
        most = probe_items[model.family]
        fitting = tuple(
            (spec, options.probe_items or min(spec.items, most or spec.items)) for spec in meant if spec.name not in unfit
        )
        loaded = [
            strategies.load_strategy(library.strategy(n), model.family, settings.of(n, given), suite.hyperparameters.get(n))
            for n in wanted
        ]
        settings.check_known(given, loaded)
        if isinstance(model, EndpointModel):
            model.endpoint.key()  # a missing one is told now
        for task, strategy in product(final, loaded):
            run = Run(
                suite=suite.name,
                model=model,
                task=task,
                others=tuple(library.task(name) for name in strategy.tasks if name != task.name),
                earlier=tuple(tasks[:-1]) if suite.stages and strategy.trains else (),
                also=tuple(other for other in also if other.name not in (task.name, *strategy.tasks)),
                strategy=strategy,
                probes=fitting,
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


def _model(name: str, library: Library, trust_remote_code: bool) -> Model | EndpointModel:
    spec = library.model(name)
    if spec and spec.endpoint:
        return EndpointModel(spec.name, spec.endpoint)
    return find_model(name, library, trust_remote_code)


def _unfit(probe: type[Probe], model: Model | EndpointModel) -> str | None:
    """Why a model of the right family cannot be measured by a probe all the same, or None."""
    if isinstance(model, EndpointModel):
        return None if probe.uses in model.can else f"'{model.name}' is asked over an API, which gives no {probe.uses}"
    return probe.unfit(model)


def _models(options: PlanOptions, suite: SuiteSpec) -> list[str]:
    return [options.model] if options.model else list(suite.models)


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
