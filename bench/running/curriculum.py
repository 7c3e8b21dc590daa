"""What a run trains on: the encoded examples of each step, from the task and from what the strategy mixes in."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from bench.errors import BudgetError, UserError
from bench.modeling.flops import Flops
from bench.running.budget_account import Account, Costs, costs, counted_limits
from bench.runs.run import Run
from bench.specs.source import Source
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.plain_encodings import plain_encoding
from bench.tokens.augmentation import dropper
from bench.tokens.batches import Mixer, mixture, order, order_by_length
from bench.tokens.encoded import Encoded
from bench.training.course import Draw

Stream = Iterator[list[Encoded]]
"""One component's examples without end, each as what the model reads: an encoder may read it in several windows."""


FIRST = 256
"""How many examples are tried first, where it must be found out how many a budget holds."""


@dataclass(frozen=True)
class Curriculum:
    steps: list[list[Encoded]]
    examples: int
    """How many the steps hold, windows of one example counted once."""
    ended_by: str
    """The limit of the budget that one more example would pass."""


class Pool:
    """The examples that a stage, by default of the run's own task, can draw: each is encoded once, when it is first asked for.

    The k-th example of the stage's task is the same for all strategies at one seed. Its batches are of like length; what is
    mixed in comes as it is drawn, as a step holds too few of it to be alike.
    """

    def __init__(self, run: Run, encoding: Encoding, stage: TaskSpec | None = None, operations: Flops | None = None) -> None:
        self._own = stage or run.task
        self._strategy, self._operations = run.strategy, operations
        tasks = (self._own, *(task for task in run.others if task.name != self._own.name))
        streams = {task.name: _task_stream(run, encoding, task, alike=task is self._own) for task in tasks}
        self._sizes = {task.name: len(splits.trained_examples(task, run.tested)) for task in tasks}
        if run.rehearsed:
            streams["rehearsal"] = _rehearsal(run, encoding, run.rehearsed)
        self._names, self._streams = list(streams), list(streams.values())
        # A component counts its own examples: what is mixed in beside it does not move them.
        self._drawn: list[list[tuple[list[Encoded], Costs]]] = [[] for _ in streams]

    def shares(self, progress: float) -> list[float]:
        """Each component's share of the examples at a progress in [0, 1] through the stage."""
        by_name = self._strategy.shares(self._own.name, self._sizes, "rehearsal" in self._names, progress)
        return [by_name[name] for name in self._names]

    def next(self, component: int) -> tuple[list[Encoded], Costs]:
        """A component's next example in its own order, and what it takes of the budget."""
        windows = next(self._streams[component])
        return windows, costs(windows, self._operations)

    def example(self, component: int, position: int) -> tuple[list[Encoded], Costs]:
        """A component's example at a position in its own order. It is kept: a search for a budget's length asks again."""
        drawn = self._drawn[component]
        while len(drawn) <= position:
            drawn.append(self.next(component))
        return drawn[position]


def build_curriculum(
    run: Run, encoding: Encoding, stage: TaskSpec | None = None, operations: Flops | None = None
) -> Curriculum:
    """All that the counted limits of the budget let a stage train on, by default that of the run's own task.

    Whatever the unit, it is the curriculum of so many examples, which is the most that no limit is passed by: one more and the
    curriculum would pass it.

    Args:
        operations: of the adapted model, where the budget counts FLOPs.

    Raises:
        BudgetError: not one example fits into the budget.
    """
    pool, most = Pool(run, encoding, stage, operations), counted_limits(run.budget, run.batch)

    def drawn(length: int) -> Iterator[tuple[list[Encoded], Costs]]:
        taken = [0] * len(pool.shares(0.0))
        for component in mixture(run.seeds.order, pool.shares, length):
            yield pool.example(component, taken[component])
            taken[component] += 1

    def passed(length: int) -> str | None:
        account = Account(most)
        return next((limit for _, cost in drawn(length) if (limit := account.take(cost))), None)

    length, ended_by = _longest(most, passed)
    if not length:
        raise _too_small(run, next(drawn(1))[1], ended_by)
    examples = [windows for windows, _ in drawn(length)]
    parts = [examples[start : start + run.batch] for start in range(0, length, run.batch)]
    return Curriculum([[window for windows in part for window in windows] for part in parts], length, ended_by)


def _too_small(run: Run, cost: Costs, limit: str) -> BudgetError:
    return BudgetError(f"the budget of {run.budget} is less than its first example takes: {cost[limit]:,} {limit}; give more")


class StepDraw(Draw):
    """A stage's examples a step at a time, where the clock says how many there will be. After each step, every component of a
    mixture has had its share of all, rounded; the counted limits end it as they end a curriculum."""

    def __init__(self, run: Run, encoding: Encoding, stage: TaskSpec, operations: Flops | None = None) -> None:
        self._run, self._pool = run, Pool(run, encoding, stage, operations)
        self._mixer, self._account = Mixer(run.seeds.order), Account(counted_limits(run.budget, run.batch))

    @property
    def share(self) -> float:
        return self._account.share

    def draw(self, progress: float) -> list[list[Encoded]]:
        examples: list[list[Encoded]] = []
        if self.ended_by:
            return examples
        for component in self._mixer.draw(self._pool.shares(progress), self._run.batch):
            windows, cost = self._pool.next(component)
            if limit := self._account.take(cost):
                self.ended_by = limit
                if not self.share:
                    raise _too_small(self._run, cost, limit)
                break
            examples.append(windows)
        return examples


def _longest(most: Mapping[str, int], passed: Callable[[int], str | None]) -> tuple[int, str]:
    """The number of examples that pass no limit while one more would, and that limit.

    `passed` tells the limit that so many examples pass. Without monotony, which rounded shares do not promise, a bisection
    still ends between a number that fits and the next one that does not.
    """
    counted = {name: amount for name, amount in most.items() if name in ("examples", "steps")}
    ended_by = min(counted, key=counted.__getitem__, default="")
    low, high = 0, counted[ended_by] + 1 if counted else sys.maxsize
    if len(counted) == len(most):
        return high - 1, ended_by
    while high - low > 1:
        # No further than twice what is known to fit: a limit may be far beyond what another one lets be drawn.
        middle = min((low + high) // 2, max(2 * low, FIRST))
        if limit := passed(middle):
            high, ended_by = middle, limit
        else:
            low = middle
    return low, ended_by


def _rehearsal(run: Run, encoding: Encoding, source: Source) -> Stream:
    texts = splits.general_texts(source, run.tested)
    # The same seed as the task's order; the texts are others.
    for index in order(run.seeds.order, len(texts)):
        yield [encoding.rehearsed(texts[index], run.strategy.rehearsal_weight)]


def _task_stream(run: Run, encoding: Encoding, task: TaskSpec, alike: bool) -> Stream:
    """A task's training examples in their order, `alike` in length within a batch."""
    kind, examples, wording = types.task_type(task), splits.trained_examples(task, run.tested), run.strategy.wording
    head, share = run.heads[task.name], float(getattr(run.strategy.hyperparameters, "augmentation", 0.0))

    @cache
    def length(index: int) -> int:
        # Worded plainly, whatever the strategy's wording, so that the order is the same for all of them.
        try:
            return sum(len(sequence.ids) for sequence in plain_encoding(encoding, kind, examples[index], head))
        except UserError:  # an answer too long for the model is told when it is drawn, which it may never be
            return encoding.max_length

    size = len(examples)
    positions = order_by_length(run.seeds.order, size, length, run.batch) if alike else order(run.seeds.order, size)

    for position, index in enumerate(positions):
        example = examples[index]
        # The position is part of the seed: an example that comes again loses other words.
        if share:
            example = kind.thinned(example, dropper(share, run.seeds.order, head, position))
        as_it_is = wording == Wording() and not share
        sequences = (
            plain_encoding(encoding, kind, example, head)
            if as_it_is
            else encoding.training(kind, example, wording, position, head)
        )
        if not sequences:
            raise UserError(
                f"task '{task.name}', example {example.id}: nothing of it fits into max_length {encoding.max_length}"
            )
        yield sequences
