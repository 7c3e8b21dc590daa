"""A suite becomes runs: model x task x strategy x seed, each with an id that is a hash of the question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench import plugins, strategies
from bench.devices import hardware
from bench.devices.hardware import Precision
from bench.errors import UserError, unknown
from bench.planning import settings
from bench.planning.axes import with_numbers
from bench.planning.first_look import chosen
from bench.planning.fitting_probes import fitting_probes
from bench.planning.options import PlanOptions, sweep_points
from bench.planning.planned_model import planned_model
from bench.planning.spaces import FIRST_TRIAL_SEED, TRIAL_ITEMS, search_of, tune_options
from bench.planning.varying import parts_named, varied_runs
from bench.probes import Probe, probe_class
from bench.records.outcome import SeedPart
from bench.runs.run import PlannedModel, Run
from bench.specs.budget import Budget
from bench.specs.library import Library, suites_for
from bench.specs.probe import ProbeSpec
from bench.specs.probe_every import checked_stride
from bench.specs.probe_power import probe_power
from bench.specs.search import Search
from bench.specs.strategy import StrategySpec
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec
from bench.strategies import Strategy
from bench.tasks import types


def _runs_of_sweep(options: PlanOptions, precision: Precision) -> list[Run]:
    runs = [run for point in sweep_points(options).values() for run in plan(point, precision)]
    if len({run.id for run in runs}) < len(runs):
        swept = " ".join(f"--axis {axis}" for axis in options.axes)
        raise UserError(f"{swept}: two of the values give the same runs; name values that differ in what the strategy does")
    return runs


def plan(options: PlanOptions, precision: Precision) -> list[Run]:
    """The runs of a suite, or of all suites that it lists, in their order.

    Args:
        precision: as the user wrote it. The ids hash the question, so that they are the same on every machine.

    Raises:
        UserError: a name, number or setting is wrong; nothing has been written by then.
    """
    if options.axes:
        return _runs_of_sweep(options, precision)
    suites = suites_for(options.suite)
    runs = _of_suite(options, precision, *suites[0]) if len(suites) == 1 else _of_suites(options, precision, suites)
    if not runs and options.vary:
        raise UserError("--vary: none of the strategies trains, and nothing else has parts of a seed; name one that trains")
    _check_apart(runs)
    if unworded := next((run.unworded for run in runs if run.unworded), None):
        raise UserError(unworded)
    return runs


def _check_apart(runs: Sequence[Run]) -> None:
    """Whether each strategy of a suite asks something of its own.

    Raises:
        UserError: two ask the same, as with settings that take away what sets them apart.
    """
    if same_runs := asking_the_same(runs):
        raise UserError(f"{same_runs} with these settings; leave one of them out")


def asking_the_same(runs: Sequence[Run]) -> str | None:
    """Which two strategies of a suite have the same runs, as after a search that chose alike for both; None where none do."""
    names: dict[tuple[str, str], str] = {}
    for run in runs:
        first = names.setdefault((run.suite, run.id), run.strategy.name)
        if first != run.strategy.name:
            return f"strategies '{first}' and '{run.strategy.name}' ask the same of {run.model.name}"
    return None


def _of_suites(options: PlanOptions, precision: Precision, suites: Sequence[tuple[Library, SuiteSpec]]) -> list[Run]:
    """Each suite takes those of the named tasks that it has; a suite that has none of them is left out."""
    own = [suite.stages or suite.tasks for _, suite in suites]
    known = {task for tasks in own for task in tasks}
    if options.tasks is not None and not options.tasks:
        raise UserError(f"no task is named; leave the option out for all of the suites': {', '.join(sorted(known))}")
    if strange := [name for name in options.tasks or () if name not in known]:
        raise unknown("task", strange[0], known)
    runs: list[Run] = []
    # What is set for a strategy that another of the suites has is no mistake.
    named = [library.strategy(name).name for library, suite in suites for name in options.strategies or suite.strategies]
    for (library, suite), tasks in zip(suites, own, strict=True):
        task_names = tasks if options.tasks is None else [name for name in tasks if name in options.tasks]
        if task_names:
            runs += _of_suite(replace(options, tasks=task_names), precision, library, suite, named)
    return runs


@dataclass(frozen=True)
class _Parts:
    """What a suite and the command line name, looked up: the plan is a product of these."""

    options: PlanOptions
    precision: Precision
    suite: SuiteSpec
    library: Library
    tasks: Sequence[TaskSpec]
    also: Sequence[TaskSpec]
    strategies: Mapping[str, StrategySpec]
    """By the name or path by which each was asked for, which is also how a suite's `hyperparameters` name it."""
    settings: Sequence[settings.Setting]
    probes: Sequence[tuple[ProbeSpec, type[Probe]]]
    vary: Sequence[SeedPart] | None
    seeds: int


def _of_suite(
    options: PlanOptions, precision: Precision, library: Library, suite: SuiteSpec, beside: Sequence[str] = ()
) -> list[Run]:
    """`beside`: strategies of the suites that are planned together."""
    suite = with_numbers(suite, options.numbers)
    # Here, since it bounds validation items of trials and what is asked elsewhere as well.
    options = replace(options, test_items=options.test_items or suite.test_items)
    parts = _looked_up(options, precision, library, suite, beside)
    # Models come last, since the hub may be asked for them: a misspelt task is told before.
    names = [options.model] if options.model else suite.models
    models = [planned_model(name, library, options.trust_remote_code) for name in names]
    for model in models:
        model.check_access()  # a missing key is told now
    return [run for model in models for run in _on_model(parts, model)]


def _looked_up(options: PlanOptions, precision: Precision, library: Library, suite: SuiteSpec, beside: Sequence[str]) -> _Parts:
    if options.probe_power:
        probe_power(options.probe_power)  # also where the suite has no probe that asks it
        if options.probe_items:
            raise UserError("--probe-items and --probe-power both say how many items each probe asks; give one of them")
    tasks = [library.task(name) for name in chosen("task", options.tasks, suite.stages or suite.tasks, library)]
    named = chosen("strategy", options.strategies, suite.strategies, library)
    adapting = {name: library.strategy(name) for name in named}
    for spec in adapting.values():
        for kind in (*spec.types, *spec.encoder_types):
            types.check_type(kind, f"strategy '{spec.name}'")
    given = settings.parse(options.settings, [*(spec.name for spec in adapting.values()), *beside])
    kinds = [(spec, probe_class(spec)) for spec in map(library.probe, suite.probes)]
    also = [library.task(name) for name in suite.also]
    # For what is wrong with them: the type may not exist, or lack something in the YAML.
    for task in (*tasks, *also):
        types.task_type(task)
    vary, seeds = _parts_to_vary(options, suite), _seed_count(options, suite)
    return _Parts(options, precision, suite, library, tasks, also, adapting, given, kinds, vary, seeds)


def _seed_count(options: PlanOptions, suite: SuiteSpec) -> int:
    seeds = options.seeds or suite.seeds
    if seeds > FIRST_TRIAL_SEED:
        raise UserError(f"{seeds:,} seeds are too many; give at most {FIRST_TRIAL_SEED:,}, since trials have those beyond")
    return seeds


def _parts_to_vary(options: PlanOptions, suite: SuiteSpec) -> Sequence[SeedPart] | None:
    if options.vary is None:
        return None
    if tune_options(suite.tune, options.tune):
        raise UserError("--vary trains with given hyper-parameters: leave tuning out, and give what a search chose by --set")
    if options.probe_every:
        raise UserError("--vary compares how runs end, and reads no curve: leave --probe-every out")
    return parts_named(options.vary)


def _on_model(parts: _Parts, model: PlannedModel) -> list[Run]:
    """A run per task and strategy; of stages, the last one is the run's task, and the others come before it."""
    tasks = parts.tasks[-1:] if parts.suite.stages else parts.tasks
    fitting, left_out = fitting_probes(parts.suite, parts.options, parts.probes, model)
    runs: list[Run] = []
    adapted = {kind: _strategies(parts, model, kind) for kind in dict.fromkeys(task.type for task in tasks)}
    rows = [(task, *each) for task in tasks for each in adapted[task.type]]
    for task, strategy, search in rows:
        # What neither trains nor draws examples to show is the same at every seed.
        varies = strategy.trains or strategy.wording.shots > 0
        first = replace(_planned_run(parts, model, task, strategy, fitting, left_out), search=search)
        if parts.vary is None:
            runs += [replace(first, seed=seed) for seed in range(parts.seeds if varies else 1)]
        elif strategy.trains:
            runs += varied_runs(first, parts.vary, parts.seeds)
    return runs


def _strategies(parts: _Parts, model: PlannedModel, task_type: str) -> list[tuple[Strategy, Search | None]]:
    """Each with the search of its hyper-parameters, where they are searched; as tasks of a type have them."""
    given, suite = parts.settings, parts.suite
    loaded = [
        strategies.load_strategy(
            spec,
            model.family,
            settings.values_for(spec.name, given),
            suite.hyperparameters.get(name),
            plugins.as_listed(task_type),
        )
        for name, spec in parts.strategies.items()
    ]
    # Which names are known is known of loaded strategies: it hangs on their kind.
    settings.check_known(given, loaded)
    tune = tune_options(suite.tune, parts.options.tune)
    if tune is None:
        return [(strategy, None) for strategy in loaded]
    items = min(TRIAL_ITEMS, parts.options.test_items or TRIAL_ITEMS)
    spaces = [spec.space(model.family) for spec in parts.strategies.values()]
    # What a suite sets is where a search begins; what `--set` says is not searched.
    fixed = [settings.values_for(spec.name, given) for spec in parts.strategies.values()]
    return [
        (strategy, search_of(strategy, space, values, tune, items))
        for strategy, space, values in zip(loaded, spaces, fixed, strict=True)
    ]


def _planned_run(
    parts: _Parts,
    model: PlannedModel,
    task: TaskSpec,
    strategy: Strategy,
    fitting: tuple[tuple[ProbeSpec, int], ...],
    left_out: tuple[str, ...],
) -> Run:
    suite, options = parts.suite, parts.options
    budget = _run_budget(suite, options.budget, model)
    mixed = {name: parts.library.task(name) for name in strategy.tasks if name != task.name}
    for name, other in mixed.items():
        # Its share is known by this name, and the task by its own.
        if other.name != name:
            raise UserError(
                f"strategy '{strategy.name}' mixes in '{name}', a task that calls itself '{other.name}'; name it so, with its "
                f"file in `tasks/` beside the suite as {other.name}.yaml"
            )
    earlier = tuple(parts.tasks[:-1]) if suite.stages and strategy.trains else ()
    trained_names = {task.name, *strategy.tasks, *(stage.name for stage in earlier)}
    return Run(
        suite=suite.name,
        model=model,
        task=task,
        others=tuple(mixed.values()),
        earlier=earlier,
        # What is trained on is asked as it was trained, and not in zero-shot form in its place.
        also=tuple(other for other in parts.also if other.name not in trained_names),
        strategy=strategy,
        probes=fitting,
        left_out=(*left_out, *_unrehearsed(strategy, model)),
        seed=0,
        budget=budget,
        batch=suite.batch,
        max_length=suite.max_length,
        precision=parts.precision,
        test_items=options.test_items,
        other_items=min(suite.other_items, options.test_items or suite.other_items),
        paraphrase_items=min(suite.paraphrase_items, options.test_items or suite.paraphrase_items),
        probe_every=None if options.vary else checked_stride(options.probe_every) or suite.probe_every,
        placement=hardware.placement() if budget.seconds is not None else None,
    )


def _unrehearsed(strategy: Strategy, model: PlannedModel) -> Iterator[str]:
    """What is told of a strategy that mixes in nothing but general text, where the model can learn none."""
    if strategy.rehearsal and not strategy.tasks and model.family == "encoder":
        yield f"strategy '{strategy.name}' rehearses nothing on {model.name}: only a decoder can learn general text"


def _run_budget(suite: SuiteSpec, given: str | None, model: PlannedModel) -> Budget:
    """The command line's, or the suite's; a memory ceiling alone is meant on top of the suite's."""
    own = Budget.parse((suite.encoder_budget if model.family == "encoder" else None) or suite.budget)
    budget = Budget.parse(given) if given else own
    if not budget.ends:
        budget = replace(own, memory=budget.memory)
    if not budget.ends:
        raise UserError(
            f"budget '{budget}' of suite '{suite.name}' ends no training; add a limit that does: 512examples,{budget}"
        )
    return budget
