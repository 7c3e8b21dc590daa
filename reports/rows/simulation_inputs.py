"""Tables of records as what simulated tables are drawn from: the answers of the rows that train."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.records import store
from bench.statistics.simulated import Likeness, likeness
from reports.rows.answers import item_values
from reports.rows.row import Row
from reports.rows.standing import score_standing, that_learned


def likeness_of(rows: Sequence[Row], out: Path) -> Likeness | str:
    """Of one suite's, model's and task's rows that train, with as many seeds as each of them has; or why there is none."""
    learned = that_learned(rows)
    seeds = min((len(row.records) for row in learned), default=0)
    if seeds < 2:
        return "nothing is known of seeds: run it with --seeds 2 or more" if seeds else "no row trains"
    name = learned[0].quantity.name
    answers = []
    for row in learned:
        # Drawn tables have as many seeds in each row: of those that have more the first are taken.
        frames = [store.read_items(out, run) for run in row.records[:seeds]]
        answered = item_values(frames, row.setup.task, name)
        if answered is None:
            return f"{row.label} has no value per item of which {name} is the mean; coverage.md simulates F1 and ROC AUC"
        answers.append(answered)
    first = answers[0]
    # How alike rows answer an item is drawn too, and nobody knows it of other items.
    if any(other[-1].items_hash != first[-1].items_hash for other in answers):
        return "its rows were asked different items"
    drawn_from = likeness(np.stack([values for values, _, _ in answers]), first[1], first[2])
    standing = score_standing(rows)
    if standing is None:
        return drawn_from
    alike = standing.alike == {row.first.run_id for row in learned} and all(len(row.records) == seeds for row in learned)
    # Where seeds vary less than their own answers alone would make them, the printed one is too small by chance, and no tables
    # can be drawn whose seeds vary so little.
    printed = standing.detectable.value if standing.detectable and alike and drawn_from.sd else None
    return replace(drawn_from, family=len(standing.pairs), printed=printed)
