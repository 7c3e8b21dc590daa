"""A task's examples as a run reads them, and what is in each split: what a reviewer asks for first."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.errors import UserError, unknown
from bench.inference.contexts import contexts
from bench.inference.evalset import EvalSet
from bench.planning.planned_model import planned_model
from bench.specs.library import Library, suites_for
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec
from bench.specs.wording import Wording
from bench.tasks import prompts, splits, types
from bench.tasks.encoding import Encoding, InstructionSplit, instructions_of
from bench.tasks.examples import Example
from bench.tasks.separation import ComparedExamples, shared
from bench.tasks.spans import entities
from bench.tasks.splits import TaskData
from bench.tasks.types import TaskType

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class DataView:
    """One task's data as one model reads it; without a model, in words alone."""

    task: TaskType
    data: TaskData
    encoding: Encoding | None
    wording: Wording

    @classmethod
    def of(cls, task: str, suite: str | None, model: str | None, instructed: bool) -> "DataView":
        """The task by name or YAML file; a suite gives the length, and its first model where none is named.

        Raises:
            UserError: there is no such task, suite or model, or the data is wrong.
        """
        library, length = Library(), SuiteSpec.model_fields["max_length"].default
        if suite is not None:
            parts = suites_for(suite)
            library, spec = next(((lib, spec) for lib, spec in parts if task in (*spec.tasks, *spec.stages)), parts[0])
            model, length = model or spec.models[0], spec.max_length
        task_spec: TaskSpec = library.task(task)
        kind, data = types.task_type(task_spec), splits.load_splits(task_spec)
        if instructed and not task_spec.instructions and kind.asks != "read":
            raise UserError(f"task '{task_spec.name}' has no instructions; leave --instructed out, or add them to its YAML")
        encoding = None
        if model is not None:
            loaded = planned_model(model, library)
            if loaded.checkpoint is None:
                raise UserError(
                    f"'{model}' is asked {loaded.reached}, which takes words; to see them, leave out --model, or the --suite "
                    "that names it"
                )
            encoding = Encoding(loaded.checkpoint, length)
        return cls(kind, data, encoding, Wording(style="instruction") if instructed else Wording())

    @property
    def names(self) -> list[str]:
        """Of all splits."""
        return [*SPLITS, *self.data.out_of_domain]

    def examples(self, split: str) -> list[Example]:
        if split not in self.names:
            raise unknown("split", split, self.names)
        return self.data.split(split)

    def show(self, split: str | None, summary: bool) -> None:
        """Print examples of a split, by default training, one a line; or counts of it, by default of all splits."""
        if summary:
            print(json.dumps(self.summary([split] if split else self.names), indent=1, ensure_ascii=False))
            return
        for row in self.rows(split or "train"):
            print(json.dumps(row, ensure_ascii=False))

    def rows(self, split: str, items: int | None = None) -> Iterator[dict[str, Any]]:
        """Each example, or so many of them: fields, gold, cluster, prompt and answer as the model sees them, tokens, and
        whether it was cut."""
        self.examples(split)  # told if there is none of that name
        evalset = EvalSet(self.task, self.data, self.encoding, self.wording, 0, items=items, split=split)
        decodes = self.encoding and self.encoding.model.family == "decoder"
        # Training examples are shown as they are trained on, answer and all, and others as they are asked.
        if decodes and split != "train" and self.task.asks != "read":
            reads = self._prompts(evalset)
        else:
            reads = (self._read(example, split, evalset.place(index)) for index, example in enumerate(evalset.examples))
        for example, read in zip(evalset.examples, reads, strict=True):
            yield {"id": example.id, "fields": example.fields, "gold": example.gold, "cluster": example.cluster, **read}

    def _prompts(self, evalset: EvalSet) -> Iterator[dict[str, Any]]:
        """What a decoder reads before it answers."""
        encoding, ranks = evalset.model_encoding, self.task.asks == "rank"
        for example, context in zip(evalset.examples, contexts(evalset), strict=True):
            candidates = encoding.candidates(self.task, example, self.wording) if ranks else {}
            answer_ids = candidates.get(str(example.gold)) or encoding.answer(self.task.answer(example), self.wording)
            yield self._decoded(context.ids, answer_ids, context.cut)

    def _decoded(self, context: Sequence[int], answer: Sequence[int], cut: bool) -> dict[str, Any]:
        assert self.encoding is not None
        decode = self.encoding.model.tokenizer.decode
        tokens = len(context) + len(answer)
        return {"prompt": decode(list(context)), "answer": decode(list(answer)), "tokens": tokens, "cut": cut}

    def _read(self, example: Example, split: str, place: int) -> dict[str, Any]:
        instructions = instructions_of(split)
        answer = "" if self.task.asks == "read" else self.task.answer(example)
        if self.encoding is None:
            return {"prompt": self._words(example, instructions, place), "answer": answer, "tokens": None, "cut": None}
        encoding, decode = self.encoding, self.encoding.model.tokenizer.decode
        if encoding.model.family == "encoder":
            windows = encoding.windows(self.task, example, self.wording, instructions, place)
            tokens, cut = sum(len(window.ids) for window in windows), any(window.truncated for window in windows)
            return {"prompt": [decode(w.ids) for w in windows], "answer": answer, "tokens": tokens, "cut": cut}
        if self.task.asks == "read":
            ids = encoding.passage(example.fields["text"])
            # A test is read in windows too, all of it.
            read = encoding.text(example.fields["text"]).ids if split == "train" else ids
            return {"prompt": decode(read), "answer": "", "tokens": len(read), "cut": len(ids) > len(read)}
        (sequence,) = encoding.training(self.task, example, self.wording, place)
        last = sequence.answer - (sequence.silent[-1] + 1 if sequence.silent else 0)  # of a dialogue's answers
        context, answer_ids = sequence.ids[:-last], sequence.ids[-last:]
        room = max(encoding.longest_answer(self.task, example, self.wording), last)
        uncut = encoding.context(self.task, example, self.wording, instructions, place)
        return self._decoded(context, answer_ids, cut=bool(encoding.lost(len(uncut), room)))

    def _words(self, example: Example, instructions: InstructionSplit, place: int) -> str:
        spec = self.task.spec
        plain = self.wording.style == "plain"
        return prompts.plain(spec, example) if plain else prompts.instruction(spec, example, instructions, place)

    def summary(self, names: Sequence[str]) -> dict[str, Any]:
        """Counts of the splits, and what loading removed."""
        # All splits, also where one is to be counted: it is held against the others.
        whole = {name: ComparedExamples.of(self.task, self.data.split(name)) for name in self.names}
        splits = {name: self._counted(name, {other: whole[other] for other in whole if other != name}) for name in names}
        return {"task": self.task.spec.name, "notes": self.data.notes, "splits": splits}

    def _counted(self, split: str, others: dict[str, ComparedExamples]) -> dict[str, Any]:
        examples = self.examples(split)
        compared = ComparedExamples.of(self.task, examples)
        matches = {name: shared(compared, other) for name, other in others.items()}
        rows = list(self.rows(split)) if self.encoding else []
        tokens = [row["tokens"] for row in rows]
        cut = {"tokens": least_median_most(tokens), "cut": sum(row["cut"] for row in rows)} if rows else {}
        clusters = Counter(example.cluster for example in examples if example.cluster is not None)
        return {
            "examples": len(examples),
            "labels": self.labels(split),
            "clusters": {"named": len(clusters), "largest": max(clusters.values(), default=0)},
            "words": least_median_most(self.words(split)),
            **cut,
            "repeats": len(examples) - len(set(compared.normalised)),
            "shared_with": {
                name: {"same": len(each.same), "within": len(each.part), "near": len(each.near)}
                for name, each in matches.items()
            },
        }

    def words(self, split: str) -> list[int]:
        """How many words each example of a split has to read."""
        fields = self.task.spec.fields_named()
        return [sum(len(example.fields[name].split()) for name in fields) for example in self.examples(split)]

    def labels(self, split: str) -> dict[str, int]:
        """Examples of each label; of entities, the mentions of each type and the examples without one."""
        examples = self.examples(split)
        counts = Counter(label for example in examples if (label := self.task.label(example)))
        if self.task.spec.type == "ner":
            counts.update(label for example in examples for label, _, _ in entities(example.gold))
        return dict(sorted(counts.items()))


def least_median_most(values: Sequence[int]) -> dict[str, float]:
    return {"least": min(values), "median": median(values), "most": max(values)}
