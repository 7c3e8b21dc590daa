"""Tables of records as what simulated tables are drawn from: the answers of the rows that train."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bench.records import store
from bench.statistics.simulated import Likeness, likeness_of_counts
from reports.rows.answers import drawable_answers
from reports.rows.row import Row
from reports.rows.standing import score_standing, that_learned


def likeness_of(rows: Sequence[Row], out: Path) -> Likeness | str:
    """Of one suite's, model's and task's rows that train, with as many seeds as each of them has; or why there is none."""
    learned = that_learned(rows)
    seeds = min((len(row.records) for row in learned), default=0)
    if seeds < 2:
        return "nothing is known of seeds: run it with --seeds 2 or more" if seeds else "no row trains"
    name, task = learned[0].quantity.name, learned[0].setup.task
    # Drawn tables have as many seeds in each row: of those that have more the first are taken.
    runs = [[store.read_items(out, run) for run in row.records[:seeds]] for row in learned]
    answers = drawable_answers([frame for frames in runs for frame in frames], task, name)
    if answers is None:
        return _why_not_drawn(learned, runs, name)
    counts, scoring, clusters = answers
    by_row = counts.reshape(len(learned), seeds, *counts.shape[1:])
    of_share = learned[0].quantity.share
    drawn_from = replace(likeness_of_counts(by_row, scoring, clusters), share_of_items=of_share)
    standing = score_standing(rows)
    if standing is None:
        return drawn_from
    alike = standing.alike == {row.first.run_id for row in learned} and all(len(row.records) == seeds for row in learned)
    # Where seeds vary less than their own answers alone would make them, the printed one is too small by chance, and no tables
    # can be drawn whose seeds vary so little.
    printed = standing.detectable.value if standing.detectable and alike and drawn_from.sd else None
    share = printed if printed is None or of_share else printed / 100
    return replace(drawn_from, family=len(standing.pairs), printed=share)


def _why_not_drawn(rows: Sequence[Row], runs: Sequence[Sequence[pd.DataFrame]], name: str) -> str:
    for row, frames in zip(rows, runs, strict=True):
        if drawable_answers(frames, row.setup.task, name) is None:
            return f"{row.label} has no answers from which other values of {name} could be drawn"
    # How alike rows answer an item is drawn too, and nobody knows it of other items.
    return "its rows were asked different items"
