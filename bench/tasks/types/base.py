"""What a task type answers for: gold values from rows, answers in words and back, a head's labels and what its logits say.

A type knows no strategy and no model; an encoder's tokenizer is handed to it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Literal

from torch import Tensor

from bench.specs.base import Spec
from bench.specs.task import TaskSpec
from bench.tasks.examples import Example, Gold
from bench.tokens.augmentation import Dropper
from bench.tokens.encoded import Encoded

Prediction = str | list[str] | list[float]
"""Like the gold value it is held against; of a text that was read, nats, tokens and bytes."""


Answerer = Callable[[Example], Prediction]
"""What answers an example without a model."""
Facts = Callable[[Example], dict[str, str]]
"""What stands beside an example's prediction, by column."""


class TaskOptions(Spec):
    """`options` of a task's YAML; each type has its own."""


class TaskType(ABC):
    """One object per task."""

    Options: ClassVar[type[Spec]] = TaskOptions
    version: ClassVar[int] = 1
    """Raised where a change to the type makes other numbers of the same task: its runs are done again, and no others."""
    asks: ClassVar[Literal["rank", "write", "read"]]
    """How a decoder answers: the likeliest of the candidates, text of its own, or not at all: the text itself is scored."""
    gold: ClassVar[frozenset[str]]
    """Columns that a source must give besides those that the templates name."""
    made: ClassVar[frozenset[str]] = frozenset()
    """Fields of an example that the type makes, and that need no column of their name."""
    used: ClassVar[frozenset[str]] = frozenset()
    """Columns besides the gold ones that are no field of an example: the type makes others of them."""
    values: ClassVar[tuple[Any, Any]]
    """Types of a prediction and of a gold value, as metrics name them; None where there is no gold value."""
    auto_class: ClassVar[Any] = None
    """transformers' AutoModel class that carries an encoder's head; None: the type needs a decoder."""
    long: ClassVar[str | None] = None
    """The field that an encoder reads in windows, after all others."""

    def __init__(self, spec: TaskSpec, options: Spec) -> None:
        self.spec, self.options = spec, options

    def fault(self) -> str | None:
        """What is wrong with the task's YAML as this type sees it, or None."""
        return None

    def columns(self) -> frozenset[str]:
        """Columns that each source must give: the gold ones, and those that the templates name."""
        return self.gold | (self.named() - self.made)

    def named(self) -> set[str]:
        """Fields that a model reads: those that the templates name."""
        return self.spec.fields_named()

    def compared(self, example: Example) -> dict[str, str]:
        """The texts that must not stand in two splits, by their fields: what is read in windows, as a question's context, else
        all that a model reads. An id or a group beside them makes no other text."""
        return {name: example.fields[name] for name in self._compared_fields}

    @cached_property
    def _compared_fields(self) -> list[str]:
        # Kept, since to find the fields that templates name they are parsed, and each example is asked for its texts.
        return [self.long] if self.long else sorted(self.named())

    @abstractmethod
    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], Gold] | None:
        """A row as fields and gold value; None for a row that the options say to leave out.

        Raises:
            ValueError: the row is wrong; the message names the field.
        """

    def parts(self, row: Mapping[str, Any]) -> Iterable[tuple[dict[str, str], Gold]]:
        """The row's examples: mostly what `read` makes of it, or nothing."""
        example = self.read(row)
        return [example] if example else []

    def remarks(self, row: Mapping[str, Any]) -> dict[str, int]:
        """What of a row's gold values is left out by the options, by name: summed up for the record."""
        return {}

    def fields(self, row: Mapping[str, Any]) -> dict[str, str]:
        """All columns but the gold ones and those that are used up, as text.

        Raises:
            ValueError: one is empty, or no text.
        """
        # Refused here and not when it is read: an encoder would get special tokens alone, a decoder a prompt with a hole.
        others = self.gold | self.used
        given = {name: value for name, value in row.items() if name not in others}
        if several := next((name for name, value in given.items() if isinstance(value, list | dict)), None):
            raise ValueError(f"field '{several}' must be one text, not a {type(given[several]).__name__}; name an entry of it")
        fields = {name: str(value).strip() for name, value in given.items()}
        if empty := next((name for name, value in fields.items() if not value), None):
            raise ValueError(f"field '{empty}' is empty")
        return fields

    def uniform(self, examples: Sequence[Example]) -> str | None:
        """What all examples have in common, so that there is nothing to learn, in words; None where they differ."""
        return None

    def label(self, example: Example) -> str:
        """What a limited set of examples keeps its shares of; here nothing."""
        return ""

    @property
    def balances(self) -> bool:
        """Whether the options thin out training."""
        return False

    def balanced(self, examples: Sequence[Example]) -> list[Example]:
        """The examples without those that the options thin out of training."""
        return list(examples)

    def facts(self, train: Sequence[Example]) -> Facts:
        """What stands beside each prediction, as the training examples tell it."""
        return lambda example: {}

    def constant(self, train: Sequence[Example]) -> Answerer | None:
        """The simplest answer that is the same for all, chosen on training; None where there is no such thing."""
        return None

    def references(self, train: Sequence[Example]) -> dict[str, Answerer]:
        """Further answers that need no model, by name."""
        return {}

    def thinned(self, example: Example, kept: Dropper) -> Example:
        """The example with words left out of what is read, its gold value still right: here, of every field."""
        fields = {name: " ".join(text.split()[i] for i in kept(text.split())) for name, text in example.fields.items()}
        return replace(example, fields=fields)

    # A decoder's side.

    @property
    def beams(self) -> int:
        """Texts that are written side by side, of which the likeliest stays; 1 is greedy."""
        return 1

    @property
    def weighs(self) -> bool:
        """Whether the likelihood of what is learned of the reference is kept beside what is written."""
        return False

    def candidates(self, example: Example) -> dict[str, str]:
        """Possible predictions and the words that stand for them, for types that rank."""
        return {}

    def length(self, words: str) -> int:
        """What the log-likelihood of a candidate's words is divided by."""
        return 1

    def described(self, example: Example) -> dict[str, str]:
        """The candidates as texts that an encoder without a head holds the example against."""
        return self.candidates(example)

    def before(self, example: Example) -> list[str] | None:
        """Turns of a chat before the question, the user's first and then in turn; None where a question is no turn."""
        return None

    def earlier(self, example: Example) -> list[Example]:
        """Answers before this one that are learned too, each as an example whose prompt begins the next one's; mostly none."""
        return []

    def answer(self, example: Example) -> str:
        """The right answer in words: what is trained on."""
        raise NotImplementedError

    @property
    def answer_tokens(self) -> int:
        """Longest answer that is waited for, for types that write."""
        return 0

    def parse(self, example: Example, text: str) -> Prediction | None:
        """A written answer as a prediction; None if it is malformed."""
        raise NotImplementedError

    def wrong(self, example: Example) -> Prediction:
        """A prediction that no metric takes for right: what a malformed answer counts as."""
        return ""

    def answerable(self, example: Example, prompt: str, lost: range) -> bool | None:
        """Whether the right answer is still in what a decoder reads when these characters of its prompt are cut out; None for
        types, and for examples, whose answer is in no text."""
        return None

    # An encoder's side.

    def outputs(self) -> int:
        """Classes of the head."""
        raise NotImplementedError

    def encode(self, tokenizer: Any, limit: int, example: Example, texts: Sequence[str]) -> list[Encoded]:
        """The example with its labels as one or more windows of at most `limit` tokens.

        `texts` stand before the long field, or are all there is when the type has none.
        """
        raise NotImplementedError

    def judge(self, example: Example, windows: Sequence[Encoded], logits: Sequence[Tensor]) -> tuple[Prediction, float]:
        """Prediction and its probability from the windows' logits, each (predictions, classes) without padding."""
        raise NotImplementedError

    def untrained(self, example: Example) -> Prediction | None:
        """What an encoder without a head answers; None where similarity to the labels' descriptions can answer."""
        return None


def listed(value: Any) -> list[Any]:
    """A column that may hold several values or one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def same_words(said: str, meant: str) -> bool:
    """Whether a text says what is meant: `None.` is no other answer than `none`."""
    return said.strip().rstrip(".").lower() == meant.strip().rstrip(".").lower()
