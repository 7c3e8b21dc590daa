"""One strategy at several values of a hyper-parameter, as the tables and figures of a paper."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import DEFAULT_OUT, Out, comma_separated
from bench.commands.running import BUDGET, TrustRemoteCode, Tune, Workers

ABLATING = typer.Typer()

AXIS = (
    "Name and values: a hyper-parameter (peft.r=2,4,8), or budget, batch or max_length (budget=256examples,1024examples); at "
    "most two axes. Without --strategy and --axis: what the suite has as `ablations`."
)
SELECT = (
    "Columns, comma-separated: score, gain, over_best, forgetting (all probes), forgetting.PROBE, train_seconds, train_flops, "
    "peak_memory_bytes, trainable_parameters, saved_bytes. Of two axes and one column the table is a grid."
)


@ABLATING.command()
def ablate(
    suite: Annotated[str, typer.Option(help="Name of a suite, or path of its YAML file.")],
    strategy: Annotated[str | None, typer.Option(help="The strategy that is tried at several values.")] = None,
    axis: Annotated[list[str] | None, typer.Option(help=AXIS)] = None,
    model: Annotated[str | None, typer.Option(help="Pinned model, YAML file of a model, hub id or local folder.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Comma-separated; all of the suite's without it.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds, at most 1,000.")] = None,
    budget: Annotated[str | None, typer.Option(help=BUDGET)] = None,
    probe_items: Annotated[int | None, typer.Option(min=2, help="At most N items of each probe.")] = None,
    test_items: Annotated[int | None, typer.Option(min=2, help="Ask a sample of N test examples instead of all.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Hyper-parameter of all points: key=value.")] = None,
    tune: Tune = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16 (master weights are always fp32).")] = "auto",
    out: Out = DEFAULT_OUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with an estimate, and stop.")] = False,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Make the tables of the records that there are, and run nothing.")
    ] = False,
    workers: Workers = "1",
    select: Annotated[str | None, typer.Option(help=SELECT)] = None,
    transpose: Annotated[bool, typer.Option("--transpose", help="Values of the axis side by side.")] = False,
    latex: Annotated[Path | None, typer.Option(help="Write the tables here, for \\input, with booktabs.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables here.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the full numbers here.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the tables here, as PDF, PNG or SVG by the file's ending.")] = None,
    trust_remote_code: TrustRemoteCode = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> int:
    """Run a strategy at each value of one or two axes, and show what it came to; what has a record is not run again."""
    # The packages that are imported below read what it sets.
    from bench import quiet

    quiet.libraries(debug)
    from bench.ablation import ablated, sweeps
    from bench.placing.crew import Crew
    from bench.planning.options import PlanOptions
    from bench.processes import stopping
    from bench.suite_run import SuiteOptions
    from reports.paper.ablated import AblationFiles
    from reports.paper.measures import DEFAULT_SELECTION

    options = PlanOptions(suite, model, seeds=seeds, budget=budget, settings=set_ or [], trust_remote_code=trust_remote_code)
    options = replace(options, tasks=comma_separated(tasks), strategies=[strategy] if strategy else None)
    options = replace(options, test_items=test_items, probe_items=probe_items, tune={"trials": tune} if tune else {})
    shown = comma_separated(select) or DEFAULT_SELECTION
    files = AblationFiles(shown, transpose, latex, markdown, csv, figure)
    doing = SuiteOptions(out, dry_run, debug=debug, crew=Crew(workers), shows=False)
    stopping.listen()
    return ablated(sweeps(options, axis), precision, doing, files, runs=not no_run)
