"""What a table found, in three sentences: which rows are ahead and tied, what they forgot, and what would say more."""

from collections.abc import Sequence

from bench.statistics.study_size import Pilot
from reports.rows import numbers
from reports.rows.captions import NAMED_IN_TOP
from reports.rows.losses_shown import losses_shown
from reports.rows.no_model_rows import NO_MODEL
from reports.rows.pilots import known_items, pilot_of
from reports.rows.row import Row
from reports.rows.standing import Standing

MOST_SEEDS = 10
"""More seeds are not advised: so many know their own spread to about a quarter."""


def conclusion(rows: Sequence[Row], standing: Standing | None) -> list[str]:
    """Of one suite's, model's and task's rows and how their scores stand; nothing where there are not two with a score."""
    scored = _scored_rows(rows)
    if standing is None:
        return []
    top = _top_rows(scored, standing)
    return [_ahead_sentence(top, scored, standing), _forgotten_sentence(top, scored)]


def next_step(rows: Sequence[Row], standing: Standing | None) -> list[str]:
    """What would say more, in one sentence; nothing of rows that were not made here.

    It asks a study of many seeds and items, so that a page of a hundred tables does without.
    """
    scored = _scored_rows(rows)
    if all(row.first.provenance.source for row in scored):
        return []
    return [f"Next: {_next_advice(_top_rows(scored, standing), scored)}"] if standing else []


def _scored_rows(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.score and row.setup.model != NO_MODEL]


def _top_rows(scored: Sequence[Row], standing: Standing) -> list[Row]:
    return [row for row in scored if (places := standing.of(row)) and places[0] == 1]


def _ahead_sentence(top: Sequence[Row], scored: Sequence[Row], standing: Standing) -> str:
    # Without an interval nothing is known of a row beside others, and no pair of the standing has it.
    placed = [row for row in scored if standing.of(row)]
    bare = [row for row in scored if row not in placed]
    have = "has" if len({row.label for row in bare}) == 1 else "have"
    beside = f" {_labels_in_words(bare)} {have} no interval and no place." if bare else ""
    if len(top) == len(placed):
        return f"No row is ahead of another by more than chance.{beside}"
    names = _labels_in_words(top)
    if len(top) > 1:
        return (
            f"Ahead are {names}, which can't be told apart; each other row is worse than some row by more than chance.{beside}"
        )
    index = placed.index(top[0])
    beaten = sum(pair.significant and index in (pair.one, pair.other) for pair in standing.pairs)
    whom = "all others" if beaten == len(placed) - 1 else f"{beaten} of {len(placed) - 1} others"
    return f"Ahead is {names}: by more than chance it is better than {whom}, and none is better than it.{beside}"


def _forgotten_sentence(top: Sequence[Row], scored: Sequence[Row]) -> str:
    """Of the rows that are ahead and train; where others train too, the sentence says that it leaves them out."""
    trained_rows = [row for row in top if row.trains]
    others = any(row.trains for row in scored if row not in top)
    forgotten = f"Forgotten by the row{'s' * (len(top) > 1)} ahead" if others else "Forgotten"
    if not trained_rows and (unknown := [row for row in top if _training_unknown(row)]):
        return f"{forgotten}: not known, since it is not known whether {_labels_in_words(unknown)} trained."
    if not trained_rows:
        return f"{forgotten}: nothing, since {_labels_in_words(top)} {'trains' if len(top) == 1 else 'train'} nothing."
    if not any(row.forgetting for row in trained_rows):
        return "Forgotten: not known, since no probe was asked; list some in the suite."
    judged = [row for row in trained_rows if any(part.lost.low is not None for part in row.forgetting.values())]
    if not judged:
        return f"Forgotten: not known, since the losses of {_labels_in_words(trained_rows)} have no intervals."
    unjudged = [row for row in trained_rows if row not in judged]
    beside = f" What {_labels_in_words(unjudged)} lost has no intervals." if unjudged else ""
    lost = {row.label: _losses_beyond_chance(row) for row in judged}
    if losses := [f"{label} lost {', '.join(parts)}" for label, parts in lost.items() if parts]:
        spared = [row for row in judged if not lost[row.label]]
        also = f"; of {_labels_in_words(spared)} no loss was more than chance" if spared else ""
        return f"{forgotten}: {'; '.join(losses)}, by more than chance{also}.{beside}"
    smallest_losses = losses_shown(judged)
    least = f"; a probe finds a loss of so much four times out of five: {', '.join(smallest_losses)}" if smallest_losses else ""
    return f"{forgotten}: no loss of {_labels_in_words(judged)} was more than chance{least}.{beside}"


def _training_unknown(row: Row) -> bool:
    """Whether it is somebody else's, who did not say whether it trains."""
    return row.cost is None or row.cost.train_examples is None


def _losses_beyond_chance(row: Row) -> list[str]:
    """Those that are more than chance."""
    return [
        f"{numbers.span(part.lost.value, part.quantity)} {part.quantity.unit} of {name}"
        for name, part in row.forgetting.items()
        if part.lost.significant and part.lost.value > 0
    ]


def _next_advice(top: Sequence[Row], scored: Sequence[Row]) -> str:
    """The first of what is missing: learning at all, seeds, items, trials."""
    suite, trained_rows = scored[0].setup.suite, [row for row in scored if row.trains]
    # What has learned nothing needs no more seeds or items to be told so.
    if fallen := [row for row in trained_rows if row.collapsed]:
        are = "is" if len({row.label for row in fallen}) == 1 else "are"
        whole = all(row.collapsed == len(row.records) for row in fallen)
        what = f"{are} no better than a constant answer" if whole else "collapsed to a constant answer with some seeds"
        return f"{_labels_in_words(fallen)} {what}; a larger --budget or another rate may mend that."
    if not trained_rows:
        return f"train something; no row {'is known to have done so' if any(map(_training_unknown, scored)) else 'did'}."
    pilot = pilot_of(scored)
    # Seeds come before items: their noise sets a floor that no number of items lowers.
    if any(len(row.records) < 2 for row in trained_rows):
        return "--seeds 3; one seed says nothing of how far another would move these scores."
    # More seeds say nothing new of a row that trains nothing.
    close = sorted((row for row in top if row.trains), key=lambda row: -_score_upward(row))[:2]
    if len(close) == 2 and isinstance(pilot, Pilot):
        return _advice_to_tell_apart(close, scored, pilot, suite)
    if not any(row.setup.tuning.trials for row in trained_rows):
        return "--tune 4; each strategy ran with its default learning rate, and another may change who is ahead."
    if len(top) > 1:
        return f"more seeds or test items; {_labels_in_words(top)} can't be told apart by these."
    return "another task or model; on these items more runs would not change who is ahead."


def _advice_to_tell_apart(close: Sequence[Row], scored: Sequence[Row], pilot: Pilot, suite: str) -> str:
    """How many seeds, the fewest that can, and items would tell the two best apart, were they as far apart as they look."""
    difference = abs(_score_upward(close[0]) - _score_upward(close[1]))
    names, apart, exist = _labels_in_words(close), _span_with_unit(difference, close[0]), known_items(scored) or pilot.items
    now = min(len(row.records) for row in scored if row.trains)
    # A table of ten seeds or more may still be advised to take one more.
    most = max(now + 1, MOST_SEEDS)
    for seeds in range(now, most + 1) if difference else ():
        items = pilot.items_for(difference, seeds)
        # What this table should have told as it is, and has not, takes a seed more.
        if items and items <= exist and (seeds > now or items > pilot.items):
            # The next run asks as many items as this one, unless it is told to ask more.
            options = [f"--seeds {seeds}"] * (seeds > now) + [f"--test-items {items}"] * (items > pilot.items)
            return f"{' '.join(options)}; if {names} are {apart} apart, that tells it four times out of five."
    if difference and (items := pilot.items_for(difference, most)):
        return (
            f"more test items; if {names} are {apart} apart, about {items:,} with {most} seeds tell it four times out of "
            f"five (`tunebench power --suite {suite}`), and the task has {exist:,}. Until then the cheaper one will do."
        )
    return (
        f"take the cheapest row that is ahead; {names} are {apart} apart, which {most} seeds can't tell on any number of items."
    )


def _score_upward(row: Row) -> float:
    """Larger is better."""
    assert row.score
    return row.score.value if row.higher_is_better else -row.score.value


def _span_with_unit(value: float, row: Row) -> str:
    return f"{numbers.span(value, row.quantity)} {row.quantity.unit}"


def _labels_in_words(rows: Sequence[Row]) -> str:
    labels = list(dict.fromkeys(row.label for row in rows))
    if len(labels) > NAMED_IN_TOP:
        # A sentence that names a hundred rows says less than their number.
        return f"{len(labels)} rows"
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
