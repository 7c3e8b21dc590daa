"""What a plan can tell beforehand of runs that may learn nothing."""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from bench.errors import BudgetError
from bench.groups import groups_by
from bench.modeling.flops import count_flops
from bench.running.budget_account import counted_limits
from bench.running.curriculum import build_curriculum
from bench.running.memory_ceiling import fit
from bench.runs.run import Run
from bench.tasks import splits
from bench.tasks.encoding import Encoding
from bench.tasks.spans import entities

TAGGING_STEPS = 160
"""After 160 steps MiniLM, fully trained, tagged `medical-spans` better than a list of its training spans does. After 80 steps
on a user's file of six types, three runs of four tagged nothing."""


def plan_warnings(runs: Sequence[Run]) -> Iterator[str]:
    """What is doubtful of these runs; seeds and trials of one strategy are looked at once."""
    for alike in groups_by(runs, _examples_key).values():
        if sentence := doubt(alike[0]):
            yield sentence


def doubt(run: Run) -> str | None:
    """A sentence on an encoder that would be trained to tag in so few steps that it may mark nothing at all; else None."""
    if run.model.family != "encoder" or not run.strategy.trains or run.unfit:
        return None
    # Each stage has a budget of its own.
    tagging = [replace(run, task=task, earlier=()) for task in run.stages if task.type == "ner"]
    return "; ".join(filter(None, (_few_steps(stage) for stage in tagging))) or None


def _few_steps(run: Run) -> str | None:
    examples = _examples(run)
    if examples is None or (steps := math.ceil(examples / run.batch)) >= TAGGING_STEPS:
        return None
    train = splits.load_training(run.task).train
    mentions = sum(len(entities(example.gold)) for example in train)
    read = round(mentions * examples / len(train))
    return (
        f"{run.model.name} / {run.task.name}: {steps} steps see about {read:,} mentions; an encoder may mark nothing after so "
        f"few, accepted runs had {TAGGING_STEPS} steps or more: raise the budget to {TAGGING_STEPS * run.batch}examples"
    )


def _examples_key(run: Run) -> Hashable:
    """By what the number of examples differs that runs train on, but for one or two."""
    return run.model.name, run.task.name, run.strategy.name, str(run.budget), run.batch, run.max_length


def _examples(run: Run) -> int | None:
    """How many the budget's counted limits let the run train on; None where the clock alone tells."""
    counted = counted_limits(run.budget, run.batch)
    if not counted:
        return None
    if not {"tokens", "flops"} & counted.keys():
        return min(counted.values())
    if not run.model.at_hand:
        return None
    # What a number of tokens comes to is known only with the texts.
    plain = replace(run, budget=replace(run.budget, seconds=None, memory=None))
    operations = count_flops(fit(plain, run.checkpoint.longest(run.max_length)).adapted) if "flops" in counted else None
    try:
        return build_curriculum(plain, Encoding(run.checkpoint, run.max_length), operations=operations).examples
    except BudgetError:
        # Where not one example fits, the run says so itself.
        return None
