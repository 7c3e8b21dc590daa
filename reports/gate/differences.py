"""The numbers of matched rows, new and old, with what they vary by."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import numpy as np

from bench.records.outcome import Outcome
from bench.statistics.comparison import margin_between, paired
from bench.statistics.estimates import MANY, Estimate
from bench.statistics.intervals import Margin
from bench.statistics.ratios import log_ratio, log_ratio_by_seed
from reports.gate.change import TITLES, MatchDifference
from reports.gate.sides import Match, rows_once
from reports.gate.tolerance import Tolerance
from reports.rows.environments import one_machine
from reports.rows.equal_cost import HELD, SPENT, Take
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.spreads import SeedSpreads, spreads_of

COUNTED_COSTS: dict[str, Take] = {"tokens": lambda cost: cost.train_tokens, "flops": SPENT["flops"], "saved": HELD["saved"]}
"""Term of definitions.yaml -> a cost that any machine takes."""
MEASURED_COSTS = {"memory": HELD["memory"]}
"""What is comparable within one machine alone."""
TIMED_COSTS = {"training": SPENT["training"]}
TIMES = Quantity("times", share=False)
EXACT = Margin(0.0, 0, 0.0, MANY)
"""Of what nothing but the seed moves."""


class Noise:
    """How far seeds move the numbers of matched rows: both sides' seeds, and those of earlier accepted rows."""

    def __init__(self, matches: Sequence[Match], earlier: Sequence[Row]) -> None:
        self.matches = matches
        # The old side's seeds tell as much of the noise as the new one's: nothing is said of their means.
        rows = [*(match.new for match in matches), *(match.old for match in matches), *earlier]
        # Both sides may hold a run, as of a row that nobody touched.
        self.rows = rows_once(row.records for row in rows)
        spreads = spreads_of([row.records for row in rows], [row.records for row in self.rows], by_run=True)
        self._of = {id(row): spread for row, spread in zip(rows, spreads, strict=True)}

    def of(self, row: Row) -> SeedSpreads:
        return self._of[id(row)]

    def known(self, match: Match) -> bool:
        """Whether anything is known of how far a seed moves the rows, where they depend on one."""
        spreads = [self.of(row) for row in (match.new, match.old)]
        return all(not each.rows or each.of(score_of_run).freedom for each in spreads)

    def ratio(self, match: Match, take: Take, counted: bool) -> tuple[float, Margin | None]:
        """The logarithm of the quotient of a cost that both rows know, and what it varies by; None where nothing says so.

        Without a second seed, counted work is compared as it is. What is measured varies with the same seed too, as far as it
        does over the seeds of all rows that are known.
        """
        value, margin = self._seed_by_seed(match, take) if match.same_seeds else self._over_seeds(match, take)
        if margin or counted:
            return value, margin or EXACT
        return self._over_seeds(match, take)

    def _seed_by_seed(self, match: Match, take: Take) -> tuple[float, Margin | None]:
        trained_matches = [each for each in self.matches if each.new.trains and each.new.group == match.new.group]
        # A quotient seed by seed leaves out what the seed does to both sides, and varies less.
        fellows = [each for each in trained_matches if each.same_seeds]
        return log_ratio_by_seed(_logarithms(match, take), [logs for each in fellows if (logs := _logarithms(each, take))])

    def _over_seeds(self, match: Match, take: Take) -> tuple[float, Margin | None]:
        new, old = (row.spent(take) for row in (match.new, match.old))
        rows = [row for row in self.rows if row.trains and row.group == match.new.group]
        return log_ratio(new, old, [spent for row in rows if (spent := row.spent(take))])


@dataclass(frozen=True)
class _Measure:
    """A number that both rows have."""

    term: str
    name: str
    quantity: Quantity
    new: Estimate
    old: Estimate
    of: Callable[[Outcome], float | None]
    """The same number of a single run."""
    higher_is_better: bool = False
    level: float | None = None
    """What a percentage is of, where it is not of the old number itself: of a loss, what there was to lose."""

    @property
    def bounded(self) -> bool:
        """Whether both numbers have an interval. A distance from the base has none, and nothing to be judged by."""
        return self.new.low is not None and self.old.low is not None


def measure_differences(match: Match, noise: Noise, within: Tolerance) -> Iterator[MatchDifference]:
    """Of the scores of the rows, and of what probes lost in rows that train."""
    for measure in filter(attrgetter("bounded"), _measures(match)):
        new, old = (
            # Each side by itself knows the seeds of its own table alone.
            estimate.in_table_of(noise.of(row).of(measure.of))
            for estimate, row in ((measure.new, match.new), (measure.old, match.old))
        )
        margin = margin_between(new, old)
        yield MatchDifference(
            match.new,
            "forgetting" if measure.term == "forgetting" else "quality",
            measure.term,
            measure.name,
            measure.quantity,
            new=new.value,
            old=old.value,
            value=new.value - old.value,
            margin=margin,
            within=within.of(measure.quantity, old.value if measure.level is None else measure.level),
            higher_is_better=measure.higher_is_better,
            paired=paired(new, old),
            # A fall is taken from the old score; of a share that should be low it is a rise.
            accuracy=old.value if old.scale == "wilson" and measure.higher_is_better else None,
            reach=float(not match.same_runs and paired(new, old) and _moves_item_by_item(measure.quantity, margin)),
        )


def _moves_item_by_item(quantity: Quantity, margin: Margin) -> bool:
    """Whether it is a share that each item moves by its part at most, so that little is known where few items did. Of an order
    of pairs little is known where none did. Of other numbers nothing is known."""
    return quantity.share_of_items or (quantity.share and not margin.items)


def measures_not_compared(matches: Sequence[Match]) -> Iterator[str]:
    """Which tasks, domains and probes are not compared though both sides have them, a sentence each."""
    names = (measure.name for match in matches for measure in _measures(match) if not measure.bounded)
    yield from (f"{name} not compared where it has no interval" for name in dict.fromkeys(names))


def _measures(match: Match) -> Iterator[_Measure]:
    yield from _score_measures(match)
    yield from _loss_measures(match)


def _score_measures(match: Match) -> Iterator[_Measure]:
    new, old = match.new, match.old
    assert new.score and old.score and new.outcome  # rows without a score are not matched
    yield _Measure("score", "", new.quantity, new.score, old.score, score_of_run, new.higher_is_better)
    for name, away in new.elsewhere.items():
        before = old.elsewhere.get(name)
        if before:
            higher = new.outcome.elsewhere[name].score.higher_is_better
            of_run = partial(_score_elsewhere_of_run, name)
            yield _Measure("elsewhere", name, away.quantity, away.score, before.score, of_run, higher)


def _loss_measures(match: Match) -> Iterator[_Measure]:
    for name, lost in match.new.forgetting.items() if match.new.trains else ():
        known = match.old.forgetting.get(name)
        if known:
            yield _Measure(
                "forgetting", name, lost.quantity, lost.lost, known.lost, partial(loss_of_run, name), level=known.before
            )


def cost_differences(match: Match, noise: Noise, within: Tolerance, seconds: bool) -> Iterator[MatchDifference]:
    """Of what the rows that train took: counted work, within one machine memory, and where they are asked for seconds."""
    if not match.new.trains:
        return
    kinds = COUNTED_COSTS | (_costs_of_a_machine(seconds) if one_machine(match.new, match.old) else {})
    for term, take in kinds.items():
        new, old = (row.spent(take) for row in (match.new, match.old))
        # Of what one side does not know nothing can be said.
        if not new or not old:
            continue
        value, margin = noise.ratio(match, take, term in COUNTED_COSTS)
        means = float(np.mean(new)), float(np.mean(old))
        # Without a second seed nothing is known of how far what is measured varies.
        if margin:
            yield MatchDifference(match.new, "cost", term, "", TIMES, *means, value, margin, within.of_costs)


def costs_not_compared(matches: Sequence[Match], seconds: bool) -> Iterator[str]:
    """Why a cost that the old side knows is not compared, in sentences: none is left out without a word."""
    trained = [match for match in matches if match.new.trains]
    for match in trained:
        for term, take in (COUNTED_COSTS | _costs_of_a_machine(seconds)).items():
            if match.old.spent(take) and not match.new.spent(take):
                yield f"{match.where}: {TITLES[term]} not compared, as the new side does not know it"
    if any(not one_machine(match.new, match.old) for match in trained):
        held = " and ".join(TITLES[term] for term in _costs_of_a_machine(seconds))
        yield f"{held} not compared where the two sides were made on unlike machines"


def _costs_of_a_machine(seconds: bool) -> dict[str, Take]:
    return MEASURED_COSTS | (TIMED_COSTS if seconds else {})


def score_of_run(outcome: Outcome) -> float | None:
    """Its score."""
    return outcome.score.value


def _score_elsewhere_of_run(name: str, outcome: Outcome) -> float | None:
    return outcome.elsewhere[name].score.value if name in outcome.elsewhere else None


def loss_of_run(name: str, outcome: Outcome) -> float | None:
    """What it lost of a probe; None where it was not asked."""
    return outcome.forgetting[name].delta if name in outcome.forgetting else None


def _logarithms(match: Match, take: Take) -> list[float]:
    """Of each seed's quotient."""
    new, old = (row.spent(take) for row in (match.new, match.old))
    return [float(np.log(mine / theirs)) for mine, theirs in zip(new, old, strict=True)] if new and old else []
