"""What the intervals of a table hold and what they assume, in sentences."""

from collections.abc import Iterable, Iterator, Sequence

from bench.statistics.estimates import Estimate
from bench.statistics.intervals import FEW_SEEDS
from bench.statistics.jackknife import ENOUGH_CLUSTERS
from reports.rows import numbers
from reports.rows.across import Across
from reports.rows.row import Row
from reports.rows.standing import Standing, forgetting_standings, shown

GAINS_TOLD = (
    "gain: what training changed, over the base asked in the row's own words.",
    "over best: what the row adds to what there is without it, over the base asked in its best words.",
)
NAMED_IN_TOP = 8
"""Rows; a larger top group is told by its size."""
FORGETTING_RANKS = "forgetting ranks: places by what a row lost, 1 the least; the top group are those that begin at 1."
ONE_SEED = "One seed: the interval is for this trained model on new items. Another seed may differ by more."
RANKS_OF_MODELS = "One seed: ranks are about these trained models, not strategies; another seed may rank otherwise."
NO_SEED = "These rows depend on no seed: intervals hold new items."
ALIKE = [
    "Intervals hold new items and other seeds.",
    "The rows' SDs between seeds are taken as alike and pooled over the table; a row whose own is larger keeps it.",
]


def statement(estimates: Sequence[Estimate], rows: Sequence[Row]) -> str:
    """`stated` as one text."""
    return " ".join(stated(estimates, rows))


def stated(estimates: Sequence[Estimate], rows: Sequence[Row], judged: Sequence[Estimate] = ()) -> list[str]:
    """What the 95 % intervals of these estimates, which are of these rows, hold and what they don't.

    `judged` are those whose interval is not shown, but decides on a mark.
    """
    with_bounds = [each for each in estimates if each.low is not None]
    bases = {each.basis for each in with_bounds}
    if not bases:
        return ["No intervals: there are no scores with bounds."]
    of_one_seed = any(row.of_one_seed for row in rows)
    if bases == {"items"}:
        parts = [ONE_SEED if of_one_seed else NO_SEED]
    else:
        parts = list(ALIKE)
        if "items" in bases:
            parts.append("Rows that depend on no seed hold items alone.")
        if of_one_seed:
            parts.append("So do rows of one seed beside no others of their kind: another seed may differ by more.")
        if "bounds" in bases:
            parts.append("†: the items' part is that of the runs' own bounds, because there are no answers per item to go by.")
    return [*parts, *_cluster_sentences([*with_bounds, *judged])]


def _cluster_sentences(estimates: Sequence[Estimate]) -> list[str]:
    clustered = [each for each in estimates if each.clusters is not None]
    # None of these is None any more: `or` says so to the type checker.
    many, few = ([each.clusters or 0.0 for each in clustered if each.few_clusters is few] for few in (False, True))
    sentences = []
    if many:
        sentences.append(
            "Items that belong together (a film's, a document's, a title's) are left out together: "
            f"{numbers.counts_between(many)} effective clusters."
        )
    if few:
        sentences.append(
            f"Where there are fewer than {ENOUGH_CLUSTERS} effective clusters ({numbers.counts_between(few)}), intervals hold "
            "new items of the same clusters, and nothing is claimed of new clusters."
        )
    return sentences


def few_names(labels: Sequence[str]) -> str:
    """All of up to three rows; of more, the first and how many others."""
    names = list(dict.fromkeys(labels))
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1:,} others"


def standing_sentences(standing: Standing | None) -> Iterator[str]:
    """What the places by score say, whom they put first, and how small a difference they would have shown."""
    if standing is None:
        return
    yield f"rank: the places that a row may have, after {_family_in_words(standing)} of scores."
    yield f"Top group, than which none is better by more than chance: {_top_in_words(standing)}."
    yield from ranks_of_models([standing])
    yield from loud_rows(standing)
    yield from smallest_found(standing)
    yield from _unpaired_sentence(standing)


def ranks_of_models(standings: Iterable[Standing]) -> Iterator[str]:
    """That some of these places are those of trained models alone, where they are."""
    if not all(standing.seeded for standing in standings):
        yield RANKS_OF_MODELS


def forgetting_sentences(standing: Standing) -> Iterator[str]:
    """What the places by a probe's loss say beside the places themselves: whom they put first, and how small a difference they
    would have shown."""
    yield f"Top group, than which none forgets less by more than chance: {_top_in_words(standing)}."
    yield from loud_rows(standing)
    yield from smallest_found(standing)
    yield from _unpaired_sentence(standing)


def forgetting_ranks(rows: Sequence[Row], standing: Standing) -> str:
    """`Forgetting ranks: 1 frozen; 2-3 full, lora-8bit.`"""
    labels: dict[tuple[int, int], list[str]] = {}
    for row in rows:
        if place := standing.of(row):
            labels.setdefault(place, []).append(row.label)
    parts = (
        f"{shown(place)} {', '.join(names) if len(names) <= NAMED_IN_TOP else f'{len(names):,} rows'}"
        for place, names in sorted(labels.items())
    )
    return f"Forgetting ranks: {'; '.join(parts)}."


def forgetting_lines(rows: Sequence[Row]) -> list[str]:
    """For tables without a column for it: the places by what each probe lost, and how small a difference would have shown."""
    lines = [
        f"{probe}: {sentence}"
        for probe, standing in forgetting_standings(rows).items()
        for sentence in (forgetting_ranks(rows, standing), *loud_rows(standing), *smallest_found(standing))
    ]
    return [FORGETTING_RANKS, *lines] if lines else []


def _top_in_words(standing: Standing) -> str:
    count = len(standing.top)
    return ", ".join(standing.top) if count <= NAMED_IN_TOP else f"the {count} rows whose rank begins at 1"


def _unpaired_sentence(standing: Standing) -> Iterator[str]:
    if standing.unpaired:
        yield f"{standing.unpaired} of {len(standing.pairs)} pairs share no answers per item: compared unpaired, by intervals."


def loud_rows(standing: Standing) -> Iterator[str]:
    """Which rows break what pairs assume, that seeds move all rows alike."""
    for label, times in standing.loud.items():
        yield (
            f"{label}: seeds move it {times:.1f} times as far as the other rows, by more than chance. Its rank is less sure "
            f"than it looks. With {FEW_SEEDS + 1} seeds or more it is held by how far its own seeds move it."
        )


def smallest_with_family(standing: Standing) -> str | None:
    """As part of a sentence: `6.3 points (80 % range 5.1 to 8.0; after Holm over all 10 pairs)`; None if it is not known."""
    detectable, quantity = standing.detectable, standing.quantity
    if detectable is None:
        return None
    value, low, high = (numbers.found_from(each, quantity) for each in (detectable.value, detectable.low, detectable.high))
    interval = f"80 % range {low} to {high}; " if detectable.low < detectable.high else ""
    return f"{value} {quantity.unit} ({interval}after {_family_in_words(standing)})"


def smallest_found(standing: Standing) -> Iterator[str]:
    """The smallest detectable difference of a column, and the floor that seeds set."""
    detectable, quantity = standing.detectable, standing.quantity
    if detectable is None:
        return
    value, low, high, floor = (
        numbers.found_from(each, quantity) for each in (detectable.value, detectable.low, detectable.high, detectable.floor)
    )
    # Of one seed there is no variance to know badly, and no range.
    interval = f" (80 % range {low} to {high})" if detectable.low < detectable.high else ""
    yield f"Smallest detectable difference: {value} {quantity.unit}{interval}, after {_family_in_words(standing)}."
    if standing.between:
        yield f"That is told of {standing.between}; another pair may take a larger one."
    if detectable.floor:
        yield f"With these seeds, no number of items detects less than {floor} {quantity.unit} so often."


def _family_in_words(standing: Standing) -> str:
    count = len(standing.pairs)
    return f"Holm over all {count} pairs" if count > 1 else "a look at the one pair"


def across_sentences(ranking: Across) -> Iterator[str]:
    """How scores of several tasks are made comparable, and what their two numbers hold."""
    yield "of the way: from the base in its best words, by validation items, (0) to no fault (1), on every task."
    bounded = [row.bounds is not None for row in ranking.rows]
    if any(bounded):
        yield "Its interval holds other seeds on these tasks and items alone, and is too narrow with few seeds."
    if not all(bounded):
        yield "Where a task has one seed there is no interval: another seed may differ by any amount."
    table = f"{len(ranking.rows)} rows, {len(ranking.tasks)} tasks"
    if ranking.can_differ:
        yield f"Average ranks more than {ranking.critical:.2f} apart differ ({ranking.test}, {table})."
    else:
        yield f"No two rows can differ by their average ranks on so few tasks ({ranking.test}, {table})."
    if ranking.left_out:
        yield f"Not in this table, as they lack a score on some task: {', '.join(ranking.left_out)}."
