"""The learning rates of suites/strategies/, searched for on validation data: every strategy x family of models x task.

    python baselines/defaults.py        # as `make defaults`; about a day on two cores; it goes on where it was stopped

Every strategy has the same number of trials in its own space, and each trial is the mean over two orders of the examples or
more: at 25 steps one order alone can give a rate that another one does not bear out. Writes baselines/defaults.yaml, what was
found and what it rests on, and baselines/defaults.jsonl.gz, a line for each training.
"""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import yaml

from bench import ENGINE_VERSION, quiet
from bench.folders import write_text, writing
from bench.records.record import TrialSummary, Tuning
from bench.records.trial import TrialRecord, find_trial

HERE = Path(__file__).parent
FOUND, TRAININGS = "defaults.yaml", "defaults.jsonl.gz"
SUITES = ("sentiment", "ner", "qa")
"""A suite for each family of tasks: classes, entities, questions."""
MODELS = ("smollm2", "minilm")
"""A decoder and an encoder."""
HEAD = "# Written by baselines/defaults.py (`make defaults`) from validation scores alone. docs/method/tuning.md says how.\n"


@dataclass(frozen=True)
class Searched:
    """One strategy's search on one task."""

    family: str
    strategy: str
    task: str
    tuning: Tuning


def searched(options: argparse.Namespace) -> Iterator[Searched]:
    """All searches, done or gone on with."""
    from bench.devices.device import start
    from bench.devices.hardware import requested
    from bench.planning.options import PlanOptions
    from bench.planning.plan import plan
    from bench.planning.tuning import trial_count, tuned
    from bench.progress import Progress
    from bench.running.work import Workplace

    precision = requested("auto")
    device, tune = start(precision), {"trials": options.trials, "seeds": options.seeds}
    for suite in options.suites:
        for model in options.models:
            small = {"budget": options.budget, "test_items": options.items, "strategies": options.strategies, "tune": tune}
            runs = [run for run in plan(PlanOptions(suite, model, seeds=1, **small), precision) if run.search]
            place = Workplace(options.out, device, Progress(device.main, trial_count(runs)))
            for run in tuned(runs, place):
                yield Searched(run.model.family, run.strategy.name, run.task.name, run.tuning)


def best_rates(found: Sequence[Searched]) -> dict[str, dict[str, Any]]:
    """Strategy -> family -> the values that cost least against each task's best, averaged over the tasks.

    Trials of equal number have equal values on every task, as all searches draw alike; a trial that failed anywhere is out.
    """
    groups: dict[tuple[str, str], list[Searched]] = defaultdict(list)
    for each in found:
        groups[each.strategy, each.family].append(each)
    rates: dict[str, dict[str, Any]] = defaultdict(dict)
    for (strategy, family), tasks in groups.items():
        rates[strategy][family] = _best(tasks)
    return dict(rates)


def _best(tasks: Sequence[Searched]) -> dict[str, Any]:
    behind = {each.task: _behind(each.tuning) for each in tasks}
    common = set.intersection(*(set(losses) for losses in behind.values()))
    if not common:
        return {"values": None, "why": "every trial failed on some task"}
    best = min(sorted(common), key=lambda number: fmean(losses[number] for losses in behind.values()))
    return {
        "values": tasks[0].tuning.tried[best].hyperparameters,
        "trial": best,
        "behind_the_best": round(fmean(losses[best] for losses in behind.values()), 4),
        "tasks": {each.task: _of_task(each.tuning, best) for each in tasks},
    }


def _behind(tuning: Tuning) -> dict[int, float]:
    """Trial -> how far its mean score lies behind the best one, for those that have one."""
    sign = 1.0 if tuning.higher_is_better else -1.0
    scores = {n: sign * trial.score for n, trial in enumerate(tuning.tried) if trial.score is not None and trial.status == "ok"}
    return {number: max(scores.values()) - score for number, score in scores.items()}


def _of_task(tuning: Tuning, number: int) -> dict[str, Any]:
    """What the choice rests on: its score, the default's, and the best that this task alone would have chosen."""
    assert tuning.chosen is not None
    best = tuning.tried[tuning.chosen]
    alone = {"score": _rounded(best), "values": best.hyperparameters}
    return {"score": _rounded(tuning.tried[number]), "default": _rounded(tuning.tried[0]), "best_alone": alone}


def _rounded(trial: TrialSummary) -> float | None:
    return None if trial.score is None else round(trial.score, 4)


def spreads(found: Sequence[Searched], out: Path) -> dict[str, float]:
    """`strategy, family` -> the standard deviation between orders of the examples, pooled over trials and tasks."""
    squares: dict[str, list[float]] = defaultdict(list)
    for search, trial in ((each, trial) for each in found for trial in each.tuning.tried if trial.status == "ok"):
        scores = [record.score.value for record in _records(trial, out) if record.score]
        if len(scores) > 1:
            squares[f"{search.strategy}, {search.family}"].append(stdev(scores) ** 2)
    return {name: round(fmean(values) ** 0.5, 4) for name, values in squares.items()}


def _records(trial: TrialSummary, out: Path) -> list[TrialRecord]:
    return [record for name in trial.ids if (record := find_trial(out, name))]


def lines(found: Sequence[Searched], out: Path) -> list[str]:
    """A line of JSON for each training, without what all have in common."""
    records = {record.trial_id: record for each in found for trial in each.tuning.tried for record in _records(trial, out)}
    common = {"setup": {"tuning"}, "provenance": {"inputs", "versions", "environment"}}
    return [records[name].model_dump_json(exclude=common) for name in sorted(records)]


def write(found: Sequence[Searched], options: argparse.Namespace) -> Mapping[str, Any]:
    """Write both files to `options.to`; gives the first one's content."""
    first = found[0].tuning
    content = {
        "engine": ENGINE_VERSION,
        **{name: getattr(first, name) for name in ("trials", "seeds", "share", "sampler", "items")},
        "seed_sd": spreads(found, options.out),
        "strategies": best_rates(found),
    }
    write_text(options.to / FOUND, HEAD + yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False, width=120))
    text = "".join(f"{line}\n" for line in lines(found, options.out))
    with writing(options.to / TRAININGS) as path:
        path.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same trainings are the same bytes
    return content


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--suites", nargs="+", default=SUITES)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--strategies", nargs="+", help="all of each suite without it")
    parser.add_argument("--budget", help="the suite's own without it")
    parser.add_argument("--items", type=int, help="validation items, at most")
    parser.add_argument("--out", type=Path, default=Path("out/defaults"))
    parser.add_argument("--to", type=Path, default=HERE)
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("--seeds: a default must be stable over orders of the examples; give 2 or more")
    quiet.libraries(False)
    content = write(list(searched(options)), options)
    for strategy, families in content["strategies"].items():
        for family, best in families.items():
            print(f"{strategy} ({family}): {best['values']}")


if __name__ == "__main__":
    main()
