"""What a suite would run, running it, and the data and the machine that it runs on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import DEFAULT_OUT, Out, comma_separated

if TYPE_CHECKING:
    from bench.planning.options import PlanOptions
    from bench.specs.checkpoint_every import CheckpointInterval

RUNNING = typer.Typer()

BUDGET = (
    "What training may spend: 2000examples, 200steps, 80ktokens, 3TFLOP, 90s, or several: 2000examples,90s. "
    "4GB is a ceiling for its memory."
)
ProbeEvery = Annotated[
    str | None, typer.Option(help="Score and probe on the way too, every N steps or share of the budget (0.25, 25%).")
]
ProbeItemsByPower = Annotated[
    str | None, typer.Option(help="As many probe items as finding a loss of 5points or .02nats four times out of five needs.")
]
Launch = Annotated[
    str | None, typer.Option(help="Check all, then start the processes of a file of launch/ (cpu, gpus, ...) or of your own.")
]
CheckpointEvery = Annotated[
    str, typer.Option(help="Keep a training on the way, so that it can go on: every 300s, every 50steps, or auto.")
]
KeepModel = Annotated[bool, typer.Option("--keep-model", help="Keep each trained model or adapter, in OUT/models/RUN_ID.")]
RerunOnChange = Annotated[
    bool, typer.Option("--rerun-on-change", help="Do finished runs of another environment (versions, device) again.")
]
Tune = Annotated[int | None, typer.Option(min=1, help="Choose hyper-parameters by N trials per strategy, on validation data.")]
TuneSeeds = Annotated[int | None, typer.Option(min=1, help="Trainings of each trial, with a seed each.")]
TuneShare = Annotated[float | None, typer.Option(help="Share of the budget that a trial may spend; all of it without.")]
TuneSampler = Annotated[str | None, typer.Option(help="How trials are drawn: random, or tpe, which learns from earlier ones.")]
TunePruner = Annotated[str | None, typer.Option(help="Which trials end early: none, or with halving the worse half.")]
Vary = Annotated[
    str | None,
    typer.Option(help="Move parts of the seed one at a time (init,order,dropout), to see how far each moves scores."),
]
Workers = Annotated[str, typer.Option(help="Workers that do runs at once, on a device or some cores each: a number, or auto.")]
Engine = Annotated[str, typer.Option(help="What the workers are: process, on this machine, or ray, on a cluster.")]
Address = Annotated[
    str | None, typer.Option(help="Of a running cluster; without it Ray takes RAY_ADDRESS, the last one here, or a new one.")
]
Track = Annotated[str | None, typer.Option(help="Trackers of runs: tensorboard, mlflow, wandb, trackio; comma-separated.")]
TrustRemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run code from the model's repository.")]


@RUNNING.command()
def run(
    context: typer.Context,
    suite: Annotated[str, typer.Option(help="Name of a suite, or path of its YAML file.")],
    model: Annotated[str | None, typer.Option(help="Pinned model, YAML file of a model, hub id or local folder.")] = None,
    strategies: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds, at most 1,000.")] = None,
    budget: Annotated[str | None, typer.Option(help=BUDGET)] = None,
    probe_items: Annotated[int | None, typer.Option(min=2, help="At most N items of each probe.")] = None,
    probe_power: ProbeItemsByPower = None,
    probe_every: ProbeEvery = None,
    test_items: Annotated[int | None, typer.Option(min=2, help="Ask a sample of N test examples instead of all.")] = None,
    tune: Tune = None,
    tune_seeds: TuneSeeds = None,
    tune_share: TuneShare = None,
    sampler: TuneSampler = None,
    pruner: TunePruner = None,
    vary: Vary = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Hyper-parameter: key=value or strategy.key=value.")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16 (master weights are always fp32).")] = "auto",
    out: Out = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with an estimate, and stop.")] = False,
    checkpoint_every: CheckpointEvery = "auto",
    keep_model: KeepModel = False,
    launch: Launch = None,
    workers: Workers = "1",
    engine: Engine = "process",
    address: Address = None,
    track: Track = None,
    rerun_on_change: RerunOnChange = False,
    trust_remote_code: TrustRemoteCode = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> int:
    """Train, score and probe every strategy of a suite; what has a record is not run again."""
    from bench.planning.options import PlanOptions

    options = PlanOptions(suite, model, seeds=seeds, budget=budget, settings=set_ or [], trust_remote_code=trust_remote_code)
    options = replace(options, tasks=comma_separated(tasks), strategies=comma_separated(strategies), vary=comma_separated(vary))
    options = replace(options, test_items=test_items, probe_items=probe_items, probe_power=probe_power, probe_every=probe_every)
    options = replace(options, tune=_not_none(trials=tune, sampler=sampler, pruner=pruner, share=tune_share, seeds=tune_seeds))
    every = _look_first(options, checkpoint_every, debug)
    from bench.launching.launch import launched_or_run
    from bench.placing.crew import Crew
    from bench.runs.run_folder import KeepOptions
    from bench.suite_run import SuiteOptions

    _track(comma_separated(track), out)
    doing = SuiteOptions(out, dry_run, rerun_on_change, debug, KeepOptions(every, keep_model), Crew(workers, engine, address))
    return launched_or_run(launch, options, precision, doing, context.obj)


def _look_first(options: "PlanOptions", checkpoint_every: str, debug: bool) -> "CheckpointInterval":
    """What is wrong is told before anything heavy is imported, as far as that can be known."""
    from bench.planning.first_look import first_look
    from bench.specs.checkpoint_every import checkpoint_interval

    first_look(options)
    interval = checkpoint_interval(checkpoint_every)
    _quiet_libraries(debug)
    return interval


def _quiet_libraries(debug: bool) -> None:
    """To be called first: it sets what the heavy packages read on import."""
    from bench import quiet

    quiet.libraries(debug)


def _track(trackers: list[str] | None, out: Path) -> None:
    """Before any process is started: they inherit the choice by their environment."""
    from bench.running.tracking import choose_trackers

    if trackers:
        choose_trackers(trackers, out)


def _not_none(**options: int | float | str | None) -> dict[str, int | float | str]:
    """Those that were given on the command line."""
    return {name: value for name, value in options.items() if value is not None}


@RUNNING.command()
def data(
    task: Annotated[str, typer.Argument(help="Name of a task, or path of its YAML file.")],
    split: Annotated[str | None, typer.Option(help="train, validation, test, or a set from another domain.")] = None,
    suite: Annotated[str | None, typer.Option(help="Whose max_length and first model are used.")] = None,
    model: Annotated[str | None, typer.Option(help="Whose tokens are shown; without it and --suite, words.")] = None,
    instructed: Annotated[bool, typer.Option("--instructed", help="Put the examples as instructions.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Counts of labels, clusters, lengths, repeats, overlaps.")] = False,
) -> int:
    """The examples as a run reads them, a JSON object a line; the training split without --split."""
    from bench import quiet

    quiet.libraries(False)
    from bench.planning.data_view import DataView

    DataView.of(task, suite, model, instructed).show(split, summary)
    return 0


@RUNNING.command()
def doctor() -> int:
    """What this machine can do: devices, precisions, launchers, hub, free memory and disk."""
    from bench import quiet

    quiet.libraries(False)
    from bench.planning import doctor as doctor_module

    doctor_module.print_findings()
    return 0
