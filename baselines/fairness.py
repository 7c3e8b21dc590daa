"""How a ranking of strategies depends on their chance to be tuned: one learning rate for all, against equal tuning for each.

    python baselines/fairness.py                     # both models; some two hours on two cores; it goes on where it was stopped
    python baselines/fairness.py --models minilm     # half an hour

Both rankings are of the same suite, data, budget, seeds and test items. Writes docs/fairness.md from the records alone.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench import quiet
from bench.folders import write_text
from bench.records import store
from bench.records.record import BestAfter
from reports.page.tuning import expected_best_cell
from reports.rows import numbers
from reports.rows.captions import loud_rows, smallest_found
from reports.rows.row import Row
from reports.rows.rows import aggregate
from reports.rows.standing import Standing, score_standing, shown

PAGE = Path(__file__).parents[1] / "docs" / "fairness.md"
STRATEGIES = "full,frozen,lora-8bit,instruction,multitask"
"""Those that train."""
BEST_PART = 0.2
"""Of a search space: what is said of how easily random draws miss it."""
SHARED = {"minilm": 2e-4, "smollm2": 4e-5}
"""The rate that everybody gets: the default of `full`, since that is the one whose rate people know."""


@dataclass(frozen=True)
class Ranking:
    """The rows of one table by strategy, and how they stand."""

    rows: Mapping[str, Row]
    standing: Standing

    def place(self, strategy: str) -> str:
        return shown(self.standing.of(self.rows[strategy]))

    def loud(self, strategies: Sequence[str]) -> list[str]:
        """Those whose seeds vary by so much more than the other rows' that they are told apart from their equals too often."""
        return [name for name in strategies if self.rows[name].label in self.standing.loud]

    def better(self, one: str, other: str) -> bool | None:
        """Whether a strategy is better than another by more than chance; None where the two cannot be told apart."""
        names = list(self.rows)
        for pair in self.standing.pairs:
            if {names[pair.one], names[pair.other]} == {one, other}:
                return (pair.value > 0) == (names[pair.one] == one) if pair.significant else None
        raise LookupError(f"{one} and {other} are no pair of this table")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=SHARED, default=list(SHARED))
    parser.add_argument("--suite", default="sentiment")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/fairness"))
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    found = {model: rankings(asked, model) for model in asked.models}
    short = " ".join(in_short(model, *both) for model, both in found.items())
    parts = [line for model, both in found.items() for line in section(model, SHARED[model], *both)]
    write_text(asked.page, "\n".join([*head(asked, short), *parts]).rstrip() + "\n")


def rankings(asked: argparse.Namespace, model: str) -> tuple[Ranking, Ranking]:
    """With one rate for all, and tuned; what is not done yet is run first."""
    run(asked, model, "shared", "--set", f"learning_rate={SHARED[model]}")
    run(asked, model, "tuned", "--tune", str(asked.trials))
    shared, tuned = (ranking(asked.out / name, model, trials) for name, trials in (("shared", 0), ("tuned", asked.trials)))
    return shared, tuned


def run(asked: argparse.Namespace, model: str, folder: str, *options: str) -> None:
    from bench.cli import main as tunebench

    words = ["run", "--suite", asked.suite, "--model", model, "--strategies", STRATEGIES, "--seeds", str(asked.seeds)]
    try:
        tunebench([*words, "--out", str(asked.out / folder), *options])
    except SystemExit as left:
        if left.code:
            raise


def ranking(out: Path, model: str, trials: int) -> Ranking:
    """Of all rows of a folder that are of one model, and whose hyper-parameters so many trials chose."""
    records = [each for each in store.read_all(out) if (each.setup.model, each.setup.tuning.trials) == (model, trials)]
    rows = [row for row in aggregate(records, out) if row.score]
    standing = score_standing(rows)
    if standing is None:
        raise SystemExit(f"{out}: fewer than two rows of {model} have a score")
    named = {row.setup.strategy: row for row in rows}
    if len(named) < len(rows):
        raise SystemExit(f"{out}: a strategy has several rows of {model}, of other settings; name another folder with --out")
    return Ranking(named, standing)


def head(asked: argparse.Namespace, short: str) -> Iterator[str]:
    command = f"python baselines/fairness.py --models {' '.join(asked.models)}"
    yield from (
        "# Does tuning change who wins?",
        "",
        "[All pages on method](method.md) · [how tuning works](method/tuning.md)",
        "",
        f"**In short.** {short}",
        "",
        f"Made by `{command}`: the suite `{asked.suite}`, {asked.seeds} seeds, once with one learning rate for every strategy "
        f"and once with {asked.trials} trials for each from its own search space, on validation data. Data, budget, test items "
        "and seeds are the same. A rank is the places that a strategy may have: two strategies that chance could have "
        "exchanged share places ([how](method/scores.md#what-does-a-rank-interval-say)).",
        "",
    )


def section(model: str, rate: float, shared: Ranking, tuned: Ranking) -> Iterator[str]:
    yield f"## {model}"
    yield ""
    yield f"Run on {' and '.join(sorted(machines(shared, tuned)))}. Another processor rounds otherwise, and has other digits."
    yield ""
    yield f"| strategy | score at a rate of {rate:g} for all | rank | tuned: rate | score | rank |"
    yield "|---|---:|---:|---:|---:|---:|"
    order = sorted(tuned.rows, key=lambda name: -score_of(tuned.rows[name]))
    for name in order:
        chosen = tuned.rows[name].setup.hyperparameters["learning_rate"]
        cells = [scored(shared.rows[name]), shared.place(name), f"{chosen:g}", scored(tuned.rows[name]), tuned.place(name)]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    yield " ".join([*verdicts(order, shared, tuned), *smallest(shared, tuned)])
    yield ""
    yield from expected(order, tuned)


def machines(*rankings: Ranking) -> set[str]:
    """Of all runs: `AMD EPYC (2 threads, bf16)`."""
    rows = (row for ranking in rankings for row in ranking.rows.values())
    devices = [run.provenance.device for row in rows for run in row.records]
    return {f"{device.get('name')} ({device.get('threads')} threads, {device.get('precision')})" for device in devices}


def by_both(names: Sequence[str], shared: Ranking, tuned: Ranking) -> dict[tuple[str, str], tuple[bool | None, bool | None]]:
    """Of each pair, whether the first is better than the second by each ranking; None where it does not tell them apart."""
    return {pair: (shared.better(*pair), tuned.better(*pair)) for pair in combinations(names, 2)}


def in_short(model: str, shared: Ranking, tuned: Ranking) -> str:
    """How many pairs each ranking tells apart, and how many change places by more than chance."""
    pairs = by_both([*tuned.rows], shared, tuned)
    by_one, by_other = (sum(side is not None for side in sides) for sides in zip(*pairs.values(), strict=True))
    turned = sum(None not in both and both[0] != both[1] for both in pairs.values())
    told = (
        f"On {model} one rate for all tells {by_one} of {len(pairs)} pairs apart, and equal tuning {by_other}; "
        f"{turned or 'none'} of them change places by more than chance."
    )
    rankings = (shared, tuned)
    for pair, both in pairs.items():
        loud = [each for found, side in zip(rankings, both, strict=True) if side is not None for each in found.loud(pair)]
        if loud:
            told += f" Only more seeds can say that {' and '.join(pair)} differ: {loud[0]} varies by far more than all others."
    return told


def score_of(row: Row) -> float:
    assert row.score is not None  # only such rows are ranked
    return row.score.value


def rates_of(row: Row) -> list[tuple[int, float]]:
    """The learning rate of each seed: the same rates are the same runs, and equal scores need not be."""
    return [(run.setup.seed, run.setup.hyperparameters["learning_rate"]) for run in row.records]


def scored(row: Row) -> str:
    assert row.score is not None
    told = f"{numbers.share(row.score.value)} {numbers.brackets(row.score, row.quantity, signed=False)}"
    told += f", SD {numbers.span(row.score.seed_sd, row.quantity)}" if row.score.seed_sd is not None else ""
    fallen = sum(run.outcome is not None and run.outcome.collapsed is not None for run in row.records)
    return f"{told}, {fallen} of {len(row.records)} collapsed" if fallen else told


def verdicts(names: Sequence[str], shared: Ranking, tuned: Ranking) -> Iterator[str]:
    """What the two rankings say of each pair, counted, and the pairs on which they don't agree by name."""

    def same(one: str, other: str) -> str:
        pairs = [(shared.rows[name], tuned.rows[name]) for name in (one, other)]
        alike = all(rates_of(a) == rates_of(b) and score_of(a) == score_of(b) for a, b in pairs)
        return " (by the same runs: what differs is the seed SD that the table pools over its rows)" if alike else ""

    said = by_both(names, shared, tuned)
    both = sum(first is not None and first == second for first, second in said.values())
    tied = sum(first is None and second is None for first, second in said.values())
    yield f"Of {len(said)} pairs, {both} are told apart by both rankings in the same way, and {tied} by neither."
    for (one, other), (first, second) in said.items():
        if first != second:
            yield f"{one} against {other}: {words(first)} with one rate for all, {words(second)} when tuned{same(one, other)}."


def words(better: bool | None) -> str:
    return {True: "better", False: "worse", None: "not to be told apart"}[better]


def smallest(shared: Ranking, tuned: Ranking) -> Iterator[str]:
    for name, each in (("one rate for all", shared), ("tuning", tuned)):
        for place, sentence in enumerate([*smallest_found(each.standing), *loud_rows(each.standing)]):
            yield sentence if place else f"With {name}: {sentence[0].lower()}{sentence[1:]}"


def expected(names: Sequence[str], tuned: Ranking) -> Iterator[str]:
    """The expected best validation score after k trials of each strategy, and what that says of how many it needs."""
    curves = {name: tuned.rows[name].setup.tuning.expected_best for name in names}
    most = trials_of(curves)
    if not most:
        return
    yield (
        "How many trials were needed? The best validation score that k trials are expected to find, with the interval of the "
        "score that half of all searches of k trials reach ([how](method/tuning.md#were-k-trials-enough)). A dash is an end "
        "that these trials do not bound:"
    )
    yield ""
    yield "| strategy | " + " | ".join(f"k = {count + 1}" for count in range(most)) + " | the last trial adds |"
    yield "|---|" + "---:|" * (most + 1)
    for name, curve in curves.items():
        adds = f"{numbers.points(added(curve, -2))} points" if len(curve) > 1 else numbers.MISSING
        # A search by TPE has no curve, and one that was pruned has none either.
        by_count = {best.trials: best_after(tuned.rows[name], best) for best in curve}
        cells = [by_count.get(count + 1, numbers.MISSING) for count in range(most)]
        yield f"| {name} | {' | '.join(cells)} | {adds} |"
    yield ""
    yield from (f"- {found_by_trials(name, curve, tuned.rows[name])}" for name, curve in curves.items())
    yield ""
    yield were_they_enough(curves)
    yield ""


def were_they_enough(curves: Mapping[str, Sequence[BestAfter]]) -> str:
    """What the searches leave open, by the one with the most trials after its default."""
    drawn = trials_of(curves) - 1
    missed = (1 - BEST_PART) ** drawn
    return (
        f"**Were these trials enough?** They can't say. {drawn} random draws all miss the best fifth of a space in "
        f"{100 * missed:.0f} % of all searches, and the expected best knows nothing of what none of them has found. All "
        "strategies are tried at the same places of their spaces, so that these are not independent searches either."
    )


def trials_of(curves: Mapping[str, Sequence[BestAfter]]) -> int:
    """Of the search with the most."""
    return max((best.trials for curve in curves.values() for best in curve), default=0)


def best_after(row: Row, best: BestAfter) -> str:
    """`.741 [.734, –]`"""
    cell = expected_best_cell(row, best)
    return f"{cell.text} {cell.interval}".rstrip()


def added(curve: Sequence[BestAfter], place: int) -> float:
    """What all trials are expected to find more than those up to a place of the curve."""
    return curve[-1].expected - curve[place].expected


def found_by_trials(name: str, curve: Sequence[BestAfter], row: Row) -> str:
    """What a strategy's search has found beyond its default."""
    if len(curve) < 2 or curve[0].trials > 1:
        return f"{name}: without a curve of several trials nothing is said of how many it needs."
    upward = 1 if row.higher_is_better else -1
    scores = [each.score for each in row.setup.tuning.tried if each.score is not None]
    best = max([curve[0].expected, *scores], key=lambda score: upward * score)
    more = abs(best - curve[0].expected)
    found = f"the best of {len(curve)} trials {numbers.level(best, row.quantity)}" if more else "and no other trial did better"
    return (
        f"{name}: the default has {numbers.level(curve[0].expected, row.quantity)}, {found}. The last trial is expected to add "
        f"{numbers.span(abs(added(curve, -2)), row.quantity)} {row.quantity.unit}."
    )


if __name__ == "__main__":
    quiet.libraries(False)
    main()
