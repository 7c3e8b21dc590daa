"""Which examples are put to a model, and in which words."""

from dataclasses import dataclass
from functools import cached_property

from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding, InstructionSplit, instructions_of
from bench.tasks.examples import Example
from bench.tasks.few_shot import pick_shots
from bench.tasks.sampling import sample, turns_of_labels
from bench.tasks.splits import TrainingData
from bench.tasks.types import TaskType


@dataclass(frozen=True)
class EvalSet:
    """Examples that are put to a model: which ones, and in which words."""

    task: TaskType
    data: TrainingData
    encoding: Encoding | None
    """Into the model's ids; None where the model takes words."""
    wording: Wording
    seed: int
    """Chooses the solved examples of few-shot prompts."""
    items: int | None = None
    """A sample of so many; None: all."""
    head: int | None = None
    """An encoder's head for the task; without one it answers by similarity."""
    split: str = "test"
    """`validation`, `test`, or one of the task's sets from another domain."""
    paraphrase: int | None = None
    """One of the instructions for all examples; without it the examples of each label take turns."""

    @cached_property
    def examples(self) -> list[Example]:
        """The split's, or a sample of them that is the same for whoever asks: with its labels' shares, spread over clusters."""
        everything = self.data.split(self.split)
        labels, clusters = [self.task.label(e) for e in everything], [e.cluster for e in everything]
        return sample(everything, self.items, labels, clusters)

    @cached_property
    def candidates(self) -> list[dict[str, tuple[int, ...]]]:
        """Of each example, the possible predictions and the ids that stand for them, where a decoder ranks."""
        return [self.model_encoding.candidates(self.task, example, self.wording) for example in self.examples]

    @property
    def shots(self) -> list[Example]:
        """The solved examples that stand before each question."""
        return pick_shots(self.task, self.data, self.wording.shots, self.seed)

    @property
    def instructions(self) -> InstructionSplit:
        """Whose instructions are used."""
        return instructions_of(self.split)

    def place(self, index: int) -> int:
        """Which paraphrase the example gets."""
        return self._turns[index] if self.paraphrase is None else self.paraphrase

    @cached_property
    def _turns(self) -> list[int]:
        return turns_of_labels([self.task.label(example) for example in self.examples])

    @property
    def model_encoding(self) -> Encoding:
        """The encoding, for those ways that read ids."""
        assert self.encoding is not None, "a model that takes words was asked in ids"
        return self.encoding
