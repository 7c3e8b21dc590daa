"""A table as the pilot of a larger study: what varies in it, and what its runs cost."""

from collections.abc import Sequence
from itertools import combinations

from bench.statistics.comparison import paired
from bench.statistics.estimates import share_of_rows
from bench.statistics.study_size import Pilot, pilot
from reports.rows.row import Row
from reports.rows.standing import score_standing, that_learned


def pilot_of(rows: Sequence[Row]) -> Pilot | str:
    """Of one suite's, model's and task's rows that train, or why there is none."""
    learned = that_learned(rows)
    seeds = min((len(row.records) for row in learned), default=0)
    scores = [row.score for row in learned if row.score]
    standing = score_standing(rows)
    if len(learned) < 2 or standing is None:
        return "fewer than two rows train, so that there is no difference to find"
    # Of a row that collapsed the seeds hardly vary: with it any study would seem large enough.
    if any(row.collapsed for row in learned):
        return "fewer than two rows have learned with all their seeds; give the pilot a larger --budget or other rates"
    if seeds < 2:
        return "one seed says nothing of how far seeds move a score; run the pilot with --seeds 2 or more"
    # How far a difference varies over items is known of rows that answered the same.
    if not all(paired(one, other) for one, other in combinations(scores, 2)):
        return "its rows left no answers per item to the same items"
    answered = [score.answered for score in scores if score.answered]
    return pilot(answered, len(standing.pairs), share_of_rows(scores))


def study_seconds(rows: Sequence[Row], seeds: int, items: int) -> float | None:
    """What such a study takes: the pilot's mean seconds of each row, its answers to the test set as many times as long.

    A row that depends on no seed is run once. None where some row does not know what it took.
    """
    total = 0.0
    for row in rows:
        cost, outcome = row.cost, row.outcome
        if cost is None or outcome is None or cost.train_seconds is None or cost.eval_seconds is None:
            return None
        probing = cost.probe_seconds or 0.0
        # A study of more test items asks no more of the probes, of other tasks and domains, and of single wordings.
        answering, own = cost.eval_seconds - probing, outcome.score.n
        beside = [away.score for away in outcome.elsewhere.values()]
        beside += outcome.robustness.scores.values() if outcome.robustness else ()
        part = answering * own / (own + sum(score.n for score in beside))
        total += (cost.train_seconds + probing + answering + part * (items / own - 1)) * (1 if row.seeds == "none" else seeds)
    return total


def known_items(rows: Sequence[Row]) -> int | None:
    """How many test items the task has, as far as its records say."""
    return max((record.trust.data.get("test", 0) for row in rows for record in row.records), default=0) or None
