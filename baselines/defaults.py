"""The learning rates of suites/strategies/, searched for on validation data: every strategy x family of models x type of task.

    python baselines/defaults.py                                         # as `make defaults`; more than a day on two cores
    python baselines/defaults.py --suites sentiment --models smollm2     # a part of it

Every strategy has the same number of trials in its own space, and each trial is the mean over two orders of the examples or
more: at 25 steps one order alone can give a rate that another one does not bear out. Writes baselines/defaults.jsonl.gz, a line
for each training, and from all its lines baselines/defaults.yaml: what was found, and what it rests on. The page on learning
rates gets the same as a table. A search that was made in an earlier call stays in all three until it is made anew, so that a
day's work can be done in parts.
"""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import yaml

from bench import quiet
from bench.folders import write_text, writing
from bench.processes import before_torch
from bench.records.record import TrialSummary
from bench.records.trial import TrialRecord, find_trial

HERE = Path(__file__).parent
FOUND, TRAININGS = "defaults.yaml", "defaults.jsonl.gz"
PAGE = HERE.parent / "docs" / "method" / "learning-rates.md"
BEGIN, END = "<!-- make defaults: begin -->\n", "<!-- make defaults: end -->\n"
SUITES = ("sentiment", "ner", "qa")
"""A suite for each type of task that is searched: classes, entities, questions."""
STRATEGIES = ("full", "frozen", "lora-8bit", "lora-32bit", "instruction", "multitask", "rehearsal")
"""All of suites/strategies/ that train, those too that no suite runs by itself; without `lora-slow`, which has the rate of
`full` on purpose."""
MODELS = ("smollm2", "minilm")
"""A decoder and an encoder."""
HEAD = "# Written by baselines/defaults.py (`make defaults`) from validation scores alone: docs/method/learning-rates.md.\n"

Values = str
"""The hyper-parameters of a trial, as JSON: trials of two tasks that have the same ones are the same trial."""


@dataclass(frozen=True)
class Searched:
    """One strategy's search on one task: its trials, the strategy's default first, each a training for each seed."""

    family: str
    strategy: str
    task: str
    trials: Sequence[Sequence[TrialRecord]]

    @property
    def key(self) -> tuple[str, str, str]:
        """What a later search of the same takes the place of."""
        return self.family, self.strategy, self.task

    @cached_property
    def spread(self) -> float | None:
        """The standard deviation between orders of the examples, pooled over the trials; None where none has two scores."""
        worths = [[record.worth for record in trial if record.worth is not None] for trial in self.trials]
        squares = [stdev(found) ** 2 for found in worths if len(found) > 1]
        return fmean(squares) ** 0.5 if squares else None

    @cached_property
    def scores(self) -> Mapping[Values, float]:
        """The mean score of each trial that failed for no seed, signed so that more is better."""
        found = {_values(trial): [each.worth for each in trial if each.status == "ok"] for trial in self.trials}
        worths = {values: [worth for worth in each if worth is not None] for values, each in found.items()}
        size = max(map(len, self.trials))
        return {values: fmean(each) for values, each in worths.items() if len(each) == size}

    def shown(self, values: Values) -> float | None:
        """A trial's mean score as it is printed."""
        if (found := self.scores.get(values)) is None:
            return None
        first = next(record.score for trial in self.trials for record in trial if record.score)
        return round(abs(found) if not first.higher_is_better else found, 4)


def _values(trial: Sequence[TrialRecord]) -> Values:
    return json.dumps(trial[0].sampled, sort_keys=True)


def searched(options: argparse.Namespace) -> Iterator[Searched]:
    """The searches that were asked for, done or gone on with."""
    from bench.devices.device import start
    from bench.devices.hardware import requested
    from bench.planning.options import PlanOptions
    from bench.planning.plan import plan
    from bench.planning.tuning import as_far_as_tuned, tuned
    from bench.progress import Progress
    from bench.running.assignments import Workplace

    precision = requested("auto")
    device, tune = start(precision), {"trials": options.trials, "seeds": options.seeds}
    for suite in options.suites:
        for model in options.models:
            small = {"budget": options.budget, "test_items": options.items, "strategies": options.strategies, "tune": tune}
            small["tasks"] = options.tasks
            runs = [run for run in plan(PlanOptions(suite, model, seeds=1, **small), precision) if run.search]
            waiting = as_far_as_tuned(runs, options.out)[1]
            place = Workplace(options.out, device, Progress(device.main, len(waiting)))
            for run in tuned(runs, place):
                trials = [_trainings(trial, options.out) for trial in run.tuning.tried]
                yield Searched(run.model.family, run.strategy.name, run.task.name, [each for each in trials if each])


def _trainings(trial: TrialSummary, out: Path) -> list[TrialRecord]:
    return [record for name in trial.ids if (record := find_trial(out, name))]


def kept(path: Path) -> list[Searched]:
    """The searches whose trainings stand in a file; none where there is no file."""
    trials: dict[tuple[str, str, str], dict[int, list[TrialRecord]]] = defaultdict(lambda: defaultdict(list))
    for line in gzip.decompress(path.read_bytes()).decode().splitlines() if path.exists() else ():
        read = json.loads(line)
        family, number = read.pop("family"), read.pop("trial")
        record = TrialRecord.model_validate(read)
        trials[family, record.setup.strategy, record.setup.task][number].append(record)
    return [Searched(*key, [found[number] for number in sorted(found)]) for key, found in trials.items()]


def lines(found: Sequence[Searched]) -> list[str]:
    """A line of JSON for each training, without the question that its id hashes: the data's and the model's description."""
    return [
        json.dumps(
            {"family": each.family, "trial": number} | record.model_dump(mode="json", exclude={"provenance": {"inputs"}})
        )
        for each in found
        for number, trial in enumerate(each.trials)
        for record in trial
    ]


def best_rates(found: Sequence[Searched]) -> dict[str, dict[str, dict[str, Any]]]:
    """Strategy -> family -> task -> the values with the best mean score over the orders, and what that rests on."""
    rates: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for each in found:
        rates[each.strategy][each.family][each.task] = _of_task(each)
    return rates


def _of_task(search: Searched) -> dict[str, Any]:
    """What was found, the first of those that did equally well, and None where every trial failed; all that were tried, the
    default first; and how."""
    best = max(search.scores, key=search.scores.__getitem__, default=None)
    record = search.trials[0][0]
    return {
        "values": best and json.loads(best),
        "score": best and search.shown(best),
        "items": record.score and record.score.n,
        "engines": sorted({record.provenance.engine_version for trial in search.trials for record in trial}),
        "budget": record.setup.budget,
        "seeds": len(search.trials[0]),
        "seed_sd": None if search.spread is None else round(search.spread, 4),
        "tried": [{**trial[0].sampled, "score": search.shown(_values(trial))} for trial in search.trials],
    }


def table(rates: Mapping[str, Mapping[str, Any]]) -> str:
    """What was found, in Markdown: a line for each search, and its best score in bold."""
    lines = [
        "| strategy | models | task | budget, items, orders | SD | learning rate: validation score |",
        "|---|---|---|---|---:|---|",
    ]
    for strategy in sorted(rates):
        for family, tasks in sorted(rates[strategy].items()):
            lines += [_line(strategy, family, *task) for task in sorted(tasks.items())]
    return "\n".join(lines) + "\n"


def _line(strategy: str, family: str, name: str, task: Mapping[str, Any]) -> str:
    scores = {each["learning_rate"]: each["score"] for each in sorted(task["tried"], key=lambda each: each["learning_rate"])}
    told = [f"{rate:g}: {_told(score, score == task['score'])}" for rate, score in scores.items()]
    how = f"{task['budget']}, {task['items']}, {task['seeds']}"
    spread = "–" if task["seed_sd"] is None else f"{task['seed_sd']:.3f}"
    return f"| {strategy} | {family} | {name} | {how} | {spread} | {', '.join(told)} |"


def _told(score: float | None, best: bool) -> str:
    if score is None:
        return "failed"
    return f"**{score:.3f}**" if best else f"{score:.3f}"


def put(text: str, page: Path) -> None:
    """Put the table into the page, in place of that which stands there."""
    before, after = page.read_text(encoding="utf-8").split(BEGIN)[0], page.read_text(encoding="utf-8").split(END)[1]
    write_text(page, f"{before}{BEGIN}\n{text}\n{END}{after}")


def write(found: Sequence[Searched], to: Path) -> Mapping[str, Any]:
    """Write both files; gives the rates by strategy and family."""
    with writing(to / TRAININGS) as path:  # the same trainings are the same bytes
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines(found)).encode(), mtime=0))
    rates = best_rates(found)
    write_text(to / FOUND, HEAD + yaml.safe_dump(json.loads(json.dumps(rates)), sort_keys=False, width=120))
    return rates


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--suites", nargs="+", default=SUITES)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--tasks", nargs="+", help="of the suites that are named; all of their tasks without it")
    parser.add_argument("--budget", help="the suite's own without it")
    parser.add_argument("--items", type=int, help="validation items, at most")
    parser.add_argument("--out", type=Path, default=Path("out/defaults"))
    parser.add_argument("--to", type=Path, default=HERE)
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("--seeds: a default must be stable over orders of the examples; give 2 or more")
    before_torch.set_variables()  # nothing here has imported torch yet: two searches side by side would take many times as long
    quiet.libraries(False)
    found = {each.key: each for each in (*kept(options.to / TRAININGS), *searched(options))}
    rates = write([*found.values()], options.to)
    if options.to == HERE:
        put(table(rates), PAGE)
    for strategy, families in rates.items():
        for family, tasks in families.items():
            for name, task in tasks.items():
                print(f"{strategy} ({family}, {name}): {task['values']}")


if __name__ == "__main__":
    main()
