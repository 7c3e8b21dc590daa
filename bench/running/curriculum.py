"""What a run trains on: the encoded examples of each step, from the task and from what the strategy mixes in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bench.data import sources
from bench.errors import UserError
from bench.running.run import Run
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tokens.augmentation import dropper
from bench.tokens.batches import mixture, order, order_by_length
from bench.tokens.encoded import Encoded

Stream = Callable[[int], list[Encoded]]
"""The k-th example of one component, as what the model reads: an encoder may read it in several windows."""


@dataclass(frozen=True)
class Curriculum:
    steps: list[list[Encoded]]
    examples: int
    """How many the steps hold, windows of one example counted once."""


def build_curriculum(run: Run, encoding: Encoding, stage: TaskSpec | None = None) -> Curriculum:
    """The whole budget of a stage, by default of the run's own task, encoded.

    The k-th example of the stage's task is the same for all strategies at one seed. Its batches are of like length; what is
    mixed in comes as it is drawn, as a step holds too few of it to be alike.
    """
    own = stage or run.task
    tasks = (own, *(task for task in run.others if task.name != own.name))
    heads = {task.name: head for head, task in enumerate(run.training_tasks)}
    streams = {task.name: _task_stream(run, encoding, task, heads[task.name], alike=task is own) for task in tasks}
    sizes = {task.name: len(splits.load_training(task).train) for task in tasks}
    if run.strategy.rehearsal and encoding.model.family == "decoder":
        texts = [str(row["text"]) for row in sources.rows(run.strategy.rehearsal)]
        positions = order(run.seed, len(texts))
        # The same seed as the task's order; the texts are others.
        weight = run.strategy.rehearsal_weight
        streams["rehearsal"] = lambda _: [encoding.rehearsed(texts[next(positions)], weight)]
    names = list(streams)

    def shares(progress: float) -> list[float]:
        by_name = run.strategy.shares(own.name, sizes, "rehearsal" in streams, progress)
        return [by_name[name] for name in names]

    # A component counts its own examples: what is mixed in beside it does not move them.
    taken = dict.fromkeys(names, 0)
    drawn = []
    for component in mixture(run.seed, shares, run.budget.examples):
        name = names[component]
        drawn.append(streams[name](taken[name]))
        taken[name] += 1
    parts = [drawn[start : start + run.batch] for start in range(0, len(drawn), run.batch)]
    return Curriculum([[window for windows in part for window in windows] for part in parts], len(drawn))


def _task_stream(run: Run, encoding: Encoding, task: TaskSpec, head: int, alike: bool) -> Stream:
    """A task's training examples in their order, `alike` in length within a batch."""
    kind, examples, wording = types.task_type(task), splits.load_training(task).train, run.strategy.wording

    @cache
    def length(index: int) -> int:
        # Worded plainly, whatever the strategy's wording, so that the order is the same for all of them.
        try:
            return sum(len(sequence.ids) for sequence in encoding.training(kind, examples[index], Wording(), index))
        except UserError:  # an answer too long for the model is told when it is drawn, which it may never be
            return encoding.max_length

    size = len(examples)
    positions = order_by_length(run.seed, size, length, run.batch) if alike else order(run.seed, size)
    share = float(getattr(run.strategy.hyperparameters, "augmentation", 0.0))

    def encoded(position: int) -> list[Encoded]:
        example = examples[next(positions)]
        # The position is part of the seed: an example that comes again loses other words.
        if share:
            example = kind.thinned(example, dropper(share, run.seed, head, position))
        sequences = encoding.training(kind, example, wording, position, head)
        if not sequences:
            raise UserError(
                f"task '{task.name}', example {example.id}: nothing of it fits into max_length {encoding.max_length}"
            )
        return sequences

    return encoded
