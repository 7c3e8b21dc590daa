"""What a task's data hold, in counts, and what of it will hurt, in sentences."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from bench.drafting.draft import GROUP_REPEATS, GROUPS, Draft
from bench.planning.data_view import DataView, least_median_most
from bench.specs.budget import Budget
from bench.statistics.detectable import POWER
from bench.statistics.power import items_for_share, power_of_share
from bench.tasks.examples import Example
from bench.tasks.separation import read_alike

READ = 2_000
"""Examples of a split whose tokens are counted."""
DIFFERENCE = 0.02
"""Of two strategies' scores, that one wants to find."""
DISCORDANCE = 0.15
"""Share of items that two strategies answer differently, as assumed: between fine-tunings of one model it is .1 to .2."""
TELLS = 0.1
"""By how much more than by chance rows of one group share their label, from which the group is told of."""
FEW_EXAMPLES = 10
"""Test examples of a label below which nothing can be said of it."""
TELLING = 0.8
"""Share of texts that hold their own label's word from which the text gives the answer away."""


@dataclass(frozen=True)
class SplitCounts:
    """One split."""

    name: str
    examples: int
    labels: dict[str, int]
    words: dict[str, float]
    tokens: dict[str, float]
    cut: int
    """Of those whose tokens were counted."""
    read: int


def split_counts(view: DataView, split: str) -> SplitCounts:
    """Counts of a split; tokens are counted of a sample of it."""
    read = list(view.rows(split, READ))
    return SplitCounts(
        split,
        len(view.examples(split)),
        view.labels(split),
        least_median_most(view.words(split)),
        least_median_most([row["tokens"] or 0 for row in read]),
        sum(bool(row["cut"]) for row in read),
        len(read),
    )


def fitting_length(lengths: Sequence[int], most: int) -> int:
    """The smallest usual length that holds 98 of 100 texts; at most what the model can read."""
    enough = quantiles(lengths, n=50)[-1] if len(lengths) > 1 else lengths[0]
    return next((length for length in (64, 128, 256, 384, 512) if enough <= length <= most), min(most, 512))


def faults(draft: Draft, view: DataView, counts: Sequence[SplitCounts], budget: str) -> Iterator[str]:
    """What will hurt, worst first."""
    by_name = {count.name: count for count in counts}
    train, test = by_name["train"], by_name["test"]
    if draft.roles.type == "classification":
        yield from _label_faults(view, test)
        yield from _contradictions(draft)
        yield from _leaks(draft)
    yield from _power_faults(test.examples, draft.group)
    yield from _rows_left_out(view.data.notes)
    for count in counts:
        if count.cut:
            yield (
                f"{count.cut:,} of {count.read:,} texts of {count.name} are longer than max_length and are cut; a larger "
                f"max_length costs memory and time"
            )
    if (examples := Budget.parse(budget).examples) and train.examples < examples / 4:
        yield f"{train.examples:,} training examples are each seen {examples / train.examples:.0f} times within {budget}"


def _label_faults(view: DataView, test: SplitCounts) -> Iterator[str]:
    spec = view.task.spec
    if rare := [label for label in spec.labels if test.labels.get(label, 0) < FEW_EXAMPLES]:
        these = "them" if len(rare) > 1 else "it"
        yield f"fewer than {FEW_EXAMPLES} test examples of {_first_labels(rare)}: nothing can be said of {these}"
    if all(re.fullmatch(r"-?\d+([.,]\d+)?", label) for label in spec.labels):
        yield "the labels are numbers, which tell a decoder nothing: give their names with --labels 0=bad,1=good"
    yield from _told_by_text(view)


def _contradictions(draft: Draft) -> Iterator[str]:
    """Texts that stand in the file with several labels."""
    labels: dict[str, set[str]] = defaultdict(set)
    columns = {field: draft.table.columns[column] for field, column in draft.roles.columns.items()}
    blank = set[int]().union(*(column.gaps for column in columns.values()))
    answered, meant = columns.pop("label"), draft.roles.values
    for place, said in enumerate(answered.values):
        if place not in blank:
            # By the rule by which repeats are left out, so that what is told of is what is done.
            example = Example("", {field: str(column.values[place]) for field, column in columns.items()}, "")
            labels[read_alike(example, columns)].add(meant.get(str(said), str(said).strip()))
    if several := sum(len(said) > 1 for said in labels.values()):
        yield f"{several:,} texts stand in the file with two labels or more; of each the first row is kept"


def _leaks(draft: Draft) -> Iterator[str]:
    """Columns whose equal values mostly have one label: what training has seen of one of them tells of the test's others."""
    label = draft.table.columns[draft.roles.columns["label"]]
    chance = _label_agreement([label.counts])
    for column in draft.table.columns.values():
        if column.renames(label):  # the label in other words
            continue
        many = column.repeats >= GROUP_REPEATS and len(column.counts) >= GROUPS
        if column.name in draft.roles.columns.values() or column.name == draft.group or column.lists or not many:
            continue
        within: dict[str, Counter[str]] = defaultdict(Counter)
        for value, said in zip(column.values, label.values, strict=True):
            within[str(value)][str(said)] += 1
        if (same := _label_agreement(within.values())) > chance + TELLS:
            yield (
                f"rows of one '{column.name}' share their label in {same:.0%} of pairs ({chance:.0%} by chance), and stand on "
                f"both sides of the split: with --group {column.name} they stay together"
            )


def _label_agreement(groups: Iterable[Counter[str]]) -> float:
    """Share of pairs within groups that have one label."""
    pairs = same = 0
    for group in groups:
        pairs += group.total() * (group.total() - 1)
        same += sum(count * (count - 1) for count in group.values())
    return same / pairs if pairs else 0.0


def _told_by_text(view: DataView) -> Iterator[str]:
    """Whether texts hold their own label, and no other."""
    examples = view.examples("train")[:READ]
    words = {label: re.compile(rf"(?<!\w){re.escape(label.lower())}(?!\w)") for label in view.task.spec.labels}
    own = sum(words[str(e.gold)].search(_lowered_text(e.fields)) is not None for e in examples)
    other = sum(any(word.search(_lowered_text(e.fields)) for label, word in words.items() if label != e.gold) for e in examples)
    if own >= TELLING * len(examples) and other < (1 - TELLING) * len(examples):
        yield f"{own / len(examples):.0%} of the texts hold the word of their own label: the answer is given away"


def _lowered_text(fields: dict[str, str]) -> str:
    return " ".join(fields.values()).lower()


def _power_faults(items: int, group: str | None) -> Iterator[str]:
    needed = items_for_share(DIFFERENCE, DISCORDANCE)
    if items < needed:
        smallest = _smallest_difference_shown(items)
        more = f", and more where items of one '{group}' are alike" if group else ""
        said = f"a difference of {100 * smallest:.1f} points" if smallest else "no difference"
        yield (
            f"{items:,} test items show {said} four times out of five (two strategies that differ on "
            f"{DISCORDANCE:.0%} of the items); {100 * DIFFERENCE:.0f} points take about {needed:,}{more}"
        )


def _smallest_difference_shown(items: int) -> float | None:
    """The smallest difference that so many items show; None where they show none at all."""
    # Scores differ by no more than the share of items that are answered differently.
    most = round(1000 * DISCORDANCE)
    return next((loss / 1000 for loss in range(1, most) if power_of_share(loss / 1000, DISCORDANCE, items) >= POWER), None)


def _rows_left_out(notes: dict[str, int]) -> Iterator[str]:
    if repeats := notes.get("repeated_removed", 0):
        yield f"{repeats:,} of {notes['read']:,} rows repeat another one and are left out"
    for split in ("test", "validation"):
        if shared := sum(notes.get(f"{how}_{split}_removed", 0) for how in ("in", "within", "near")):
            yield f"left out of training, because they stand in the {split} set, whole or nearly: {shared:,}"
    if left := sum(notes.get(name, 0) for name in ("left_out", "validation_left_out", "test_left_out")):
        yield f"{left:,} rows are left out by the task's options"


def _first_labels(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} others" if len(labels) > 5 else "")


def shown_prompt(row: dict[str, Any], width: int) -> str:
    """What is read of an example, in one line, which is cut for the eye alone."""
    read = row["prompt"] if isinstance(row["prompt"], str) else " ".join(row["prompt"])
    read = " ".join(read.split())
    return read if len(read) <= width else f"{read[: width - 3]}..."
