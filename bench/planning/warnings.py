"""What a plan can tell beforehand of runs that may learn nothing."""

import math

from bench.modeling.models import Model
from bench.running.account import counted_limits
from bench.runs.run import Run
from bench.tasks import splits
from bench.tasks.spans import entities

TAGGING_STEPS = 160
"""After 160 steps MiniLM, fully trained, tagged `medical-spans` better than a list of its training spans does. After 80 steps
on a user's file of six types, three runs of four tagged nothing."""


def doubt(run: Run) -> str | None:
    """A sentence on an encoder that would be trained to tag in so few steps that it may mark nothing at all; else None."""
    tags = run.task.type == "ner" and isinstance(run.model, Model) and run.model.family == "encoder"
    counted = [counted_limits(run.budget, run.batch)[limit] for limit in ("examples", "steps") if getattr(run.budget, limit)]
    # What tokens, FLOPs or seconds come to is known only with the curriculum.
    if not tags or not run.strategy.trains or run.unfit or not counted:
        return None
    steps = math.ceil(min(counted) / run.batch)
    if steps >= TAGGING_STEPS:
        return None
    train = splits.load_training(run.task).train
    mentions = sum(len(entities(example.gold)) for example in train)
    seen = round(mentions * min(counted) / len(train))
    return (
        f"{run.model.name} / {run.task.name}: {steps} steps see about {seen:,} mentions; an encoder may mark nothing after so "
        f"few, accepted runs had {TAGGING_STEPS} steps or more: raise the budget to {TAGGING_STEPS * run.batch}examples"
    )
