"""Which step comes next, where it stands in the schedule, and when the training ends: by a finished list, or by the clock."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from statistics import StatisticsError, fmean, linear_regression

from bench.errors import TooSlowError
from bench.records.record import SECONDS_TOLERANCE
from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import padded_counts
from bench.training.state import TrainingState

Step = Sequence[Encoded]
"""A step's global batch."""


class Course(ABC):
    """The steps of one stage's training. `next` also tells the state how many steps there are, or will be by what is known."""

    examples = 0
    """How many the steps that are known hold, windows of one example counted once."""
    longest = 0
    """Tokens of the longest text of all steps, or of a question's choices padded to their longest; 0 where they are not known
    yet."""

    @property
    @abstractmethod
    def ended_by(self) -> str:
        """The limit of the budget that ends it, once that is known."""

    def examples_after(self, step: int, batch: int) -> int:
        """How many examples the first steps hold, of which the last alone may be short."""
        return min(step * batch, self.examples)

    @abstractmethod
    def next(self, state: TrainingState) -> Step | None:
        """The step after those that the state has done; None at the end."""

    @abstractmethod
    def place(self, state: TrainingState) -> tuple[float, float]:
        """For the schedule: the number of the step that `next` gave, from 0, and of how many."""


class Listed(Course):
    """Steps that are known to the last before training begins."""

    def __init__(self, steps: Sequence[Step], examples: int = 0, ended_by: str = "") -> None:
        self._steps, self.examples, self._ended_by = steps, examples, ended_by
        self.longest = max((padded_counts([text]).tokens for step in steps for text in step), default=0)

    @property
    def ended_by(self) -> str:
        return self._ended_by

    def next(self, state: TrainingState) -> Step | None:
        state.steps = len(self._steps)
        return self._steps[state.step] if state.step < state.steps else None

    def place(self, state: TrainingState) -> tuple[float, float]:
        return state.step, state.steps


class Draw(ABC):
    """Examples as they are needed, each as the windows that the model reads."""

    ended_by = ""
    """What else than time has ended them."""

    @property
    @abstractmethod
    def share(self) -> float:
        """How much is spent of whatever else than time limits them."""

    @abstractmethod
    def draw(self, progress: float) -> list[list[Encoded]]:
        """The next step's examples at a progress in [0, 1] through the stage; fewer or none where something else ends them."""


UNKNOWN = 100
"""Steps that a training is taken to have before its first one has been timed: the first step's rate hangs on it alone."""
WINDOW = 32
"""The last steps, of which the next one's time is estimated."""


class Timed(Course):
    """Steps until their time is over: what would pass the end is cut to the examples that don't. That is the last step, unless
    it took so much less time than was thought that more than the tolerance is left: what was cut off is then tried once more.

    The schedule follows the share of the time that has gone; the first step, of which no time is known, is done whole.

    Args:
        seconds: of training alone, as the loop counts them.
        agreed: the main process's value on all processes, which have clocks of their own and must take the same steps.
        most_steps: the budget's limit of steps, which counts one that is cut as it does a whole one.
    """

    def __init__(
        self,
        source: Draw,
        seconds: float,
        agreed: Callable[[float], float] = lambda value: value,
        most_steps: int | None = None,
    ) -> None:
        self._source, self._limit, self._agreed, self._most_steps = source, seconds, agreed, most_steps
        self._timed: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        self._elapsed, self._tokens, self._total = 0.0, 0, 0.0
        self._left: list[list[Encoded]] = []
        self._cut, self._drawn, self._counts = False, 0, [0]
        self._ended_by = ""

    @property
    def ended_by(self) -> str:
        return self._ended_by or self._source.ended_by

    def examples_after(self, step: int, batch: int) -> int:
        return self._counts[min(step, len(self._counts) - 1)]

    def next(self, state: TrainingState) -> Step | None:
        if len(state.elapsed) == state.step:
            state.elapsed.append(self._agreed(state.seconds - state.earlier_seconds))
        step = None
        while self._drawn <= state.step:  # of a training that goes on, all that it has had is drawn once more
            step = self._draw(self._drawn, state)
            self._drawn += 1
        return step

    def place(self, state: TrainingState) -> tuple[float, float]:
        return state.step, max(self._total, state.step + 1)

    def _draw(self, number: int, state: TrainingState) -> Step | None:
        """The step of a number, as the clock stood when it was drawn first."""
        share = self._clock(number, state)
        # After a cut, the little that may be left would make steps of an example or two; more than that is time not used.
        over = share >= (1 - SECONDS_TOLERANCE if self._cut else 1)
        no_step_left = number == self._most_steps
        examples = [] if over or no_step_left else self._left or self._source.draw(max(share, self._source.share))
        kept = self._fitting(examples)
        self._left = examples[len(kept) :]
        self._cut |= bool(self._left)
        if not kept:
            self._ended_by = "seconds" if over or examples else "steps" if no_step_left else ""
        self.examples += len(kept)
        self._counts.append(self.examples)
        by_time = number / share if share else UNKNOWN
        self._total = min(by_time, (number + 1) / self._source.share) if self._source.share else by_time
        state.steps = max(number + 1, round(self._total)) if kept else number
        step = [window for windows in kept for window in windows]
        self._tokens = sum(window.fed for window in step)
        return step or None

    def _clock(self, number: int, state: TrainingState) -> float:
        """The share of the time that had gone before a step, after the last step's has been taken down."""
        elapsed = state.elapsed[number]
        share = elapsed / self._limit
        if number == 1 and share > 1 + SECONDS_TOLERANCE:
            raise TooSlowError(
                f"one step of {self.examples} examples took {elapsed:.3g} s, and the budget is {self._limit:g} s"
            )
        if number:
            self._timed.append((self._tokens, elapsed - self._elapsed))
        state.timed = [self._elapsed / self._limit, share]
        self._elapsed = elapsed
        return share

    def _fitting(self, examples: list[list[Encoded]]) -> list[list[Encoded]]:
        """As many of the step's first examples as the time that is left has room for."""
        tokens = [sum(window.fed for window in windows) for windows in examples]
        kept = len(examples)
        while kept and self._estimate(sum(tokens[:kept])) > self._limit - self._elapsed:
            kept -= 1
        return examples[:kept]

    def _estimate(self, tokens: int) -> float:
        """Seconds of a step: by a line through the last steps, whose start is what a step costs whatever its size."""
        if not self._timed:
            return 0.0
        sizes, times = zip(*self._timed, strict=True)
        try:
            slope, start = linear_regression(sizes, times)
        except StatisticsError:  # one step, or all of one size
            slope, start = -1.0, 0.0
        # A few steps on a machine that does other things too may give a line that makes no sense.
        return start + slope * tokens if slope >= 0 and start >= 0 else fmean(times) / fmean(sizes) * tokens
