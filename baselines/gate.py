"""Whether `tunebench compare` can be believed: false alarms, falls that are caught, and false sameness, on real answers.

    tunebench run --suite .ci/gate.yaml --strategies zero-shot,full,lora-8bit --set lora-8bit.learning_rate=1e-3 --seeds 10 \
      --precision fp32 --out out/gate
    python baselines/gate.py out/gate             # prints, and writes docs/method/gate.md; some minutes on one core

Two ways. First, the real runs against each other: some seeds of every row are the new side and as many others the old one, and
the whole of `tunebench compare` says what became worse. Nothing did. Second, comparisons in the likeness of these runs, with
seeds and items drawn anew, in which a row is lowered by a known amount (bench/statistics/gate_bars.py).
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.records import store
from bench.records.record import Record
from bench.statistics.bars import StatisticalBar
from bench.statistics.gate_bars import gate_bars
from reports.gate.compared import Compared, compared
from reports.gate.sides import Side
from reports.gate.tolerance import Tolerance
from reports.rows.numbers import share
from reports.rows.rows import aggregate, grouped
from reports.rows.simulation_inputs import likeness_of

PAGE = Path(__file__).parents[1] / "docs" / "method" / "gate.md"
SPLITS = 500
DRAWN = 2_000
SEEDS = (2, 3, 5)
REAL_SEEDS = (3,)
MOST_ALARMS = 0.05


HOW = """## How is one verdict made?

A row's change d has the variance v over seeds, known with ν degrees of freedom, and c over items, known with g. At the level α
its interval reaches h(α) to either side, [as any interval does](scores.md#how-is-an-interval-made); t is Student's quantile for
both sides together:

    h(α)² = t(ν, α)² v + t(g, α)² c

- `same within X`: |d| + h(.08) ≤ X.
- `worse`: that fails, d is for the worse, and p ≤ .05. p is the α at which h(α) = |d|, corrected by Holm for all changes.

**Worked number.** Two rows have 3 seeds on either side, a seed SD of .02, and an accuracy of .85 on 872 items. So
v = 2 · .02² / 3 = .000267 with ν = 2 · 2 · (3 - 1) = 8; let c be .00016 with g = 871. Then t(8, .08) = 2.004 and
t(871, .08) = 1.753, so that h(.08) = √(2.004² · .000267 + 1.753² · .00016) = .0395. One row falls by 6 points. That has a p of
.0138, for two changes twice as much, .028: it is worse. The other falls by .1 points. Since .001 + .0395 > .02, it is
not shown to be the same within 2 points; within 5 points it is. The smallest fall that is found four times out of five is
7.3 points. Printed by

```python
from bench.statistics.change import change_verdicts
from bench.statistics.detectable import detectable
from bench.statistics.intervals import Margin

margin = Margin(2 * 0.02**2 / 3, 8, 0.00016, 871)
for within in (0.02, 0.05):
    said = change_verdicts([-0.06, -0.001], margin, within)
    print(within, *(f"p {p:.3f} {verdict}," for p, verdict in zip(said.p, said.verdicts)))
found = detectable(margin, tests=2, share=0.85, within=0.02, falls=True)
print(f"h(.08) {margin.half_width(0.08):.4f}, finds {found.value:.3f}")
```

```text
0.02 p 0.028 worse, p 0.962 can't tell,
0.05 p 0.028 worse, p 0.962 same,
h(.08) 0.0395, finds 0.073
```

Sources: [baselines/gate.py](../../baselines/gate.py), and in bench/statistics [change.py](../../bench/statistics/change.py),
[detectable.py](../../bench/statistics/detectable.py) and [gate_bars.py](../../bench/statistics/gate_bars.py)."""
"""A section of the page that hangs on no run."""


def splits(records: Sequence[Record], seeds: int, count: int, seed: int = 0) -> Iterator[tuple[list[Record], list[Record]]]:
    """So many times two disjoint draws of seeds, the same for all rows; what depends on no seed is on both sides."""
    generator = np.random.default_rng(seed)
    seeded = [record for record in records if "seed" in record.provenance.inputs]
    fixed = [record for record in records if "seed" not in record.provenance.inputs]
    known = sorted({record.setup.seed for record in seeded})
    for _ in range(count):
        drawn = generator.permutation(known)
        sides = (set(drawn[:seeds].tolist()), set(drawn[seeds : 2 * seeds].tolist()))
        new, old = ([*fixed, *(record for record in seeded if record.setup.seed in side)] for side in sides)
        yield new, old


def compare_splits(records: Sequence[Record], out: Path, seeds: int, count: int) -> list[Compared]:
    """The whole of a comparison for each of them; what a comparison does not read is left out, which halves the time."""
    bare: dict[str, object] = {"metrics": {}, "gain": None, "best_base": None, "base_score": None}
    records = [
        record.model_copy(update={"outcome": record.outcome.model_copy(update=bare)}) for record in records if record.outcome
    ]
    return [
        compared(Side("new", out, new), Side("old", out, old), [], Tolerance()) for new, old in splits(records, seeds, count)
    ]


def alarm_share(found: Sequence[Compared]) -> float:
    return sum(each.status == 1 for each in found) / len(found)


def real_table(by_seeds: dict[int, list[Compared]]) -> str:
    """How many comparisons of real runs raised an alarm, by what, and what was said of scores."""
    lines = ["| seeds on either side | alarms | by scores | by forgetting | by costs | scores called the same | can't tell |"]
    lines.append("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for seeds, found in by_seeds.items():
        kinds = Counter(kind for each in found for kind in {change.difference.question for change in each.worse})
        # A row that depends on no seed stands on both sides: it is the same by itself.
        moved = [change for each in found for change in each.changes if change.difference.row.seeds != "none"]
        scores = [change.verdict for change in moved if change.difference.question == "quality"]
        said = [share(scores.count(verdict) / len(scores)) for verdict in ("same", "can't tell")]
        shares = [share(kinds[kind] / len(found)) for kind in ("quality", "forgetting", "cost")]
        lines.append(f"| {seeds} | {' | '.join([share(alarm_share(found)), *shares, *said])} |")
    return "\n".join(lines)


def drawn_table(bars: dict[int, list[StatisticalBar]]) -> str:
    """The bars of simulated comparisons, a line for each number of seeds."""
    lines = ["| seeds | what happened | share | bar |", "| ---: | --- | ---: | ---: |"]
    for seeds, found in bars.items():
        for bar in found:
            ends = f"at most {share(bar.high)}" if not bar.low else f"{share(bar.low)} to {share(bar.high)}"
            lines.append(f"| {seeds} | {bar.name.removeprefix('compare: ')} | {share(bar.share)} | {ends} |")
    return "\n".join(lines)


def page(head: str, real: str, drawn: str, held: bool) -> str:
    verdict = "**All bars hold.**" if held else "**A bar is missed.**"
    return f"""# Can `tunebench compare` be believed?

[All pages on method](../method.md) · [what the verdicts mean](../ci.md#what-does-each-verdict-mean)

Made by `python baselines/gate.py out/gate`, whose first lines name the runs. {head} {verdict}

## How often does it raise an alarm where nothing changed?

{SPLITS} times for each line, some seeds of every row were called the new side and as many others the old one, and the whole
of `tunebench compare` said what became worse. An alarm is an exit status of 1; the bar is at most {share(MOST_ALARMS)}, and the
standard error of a share near it is {share((MOST_ALARMS * (1 - MOST_ALARMS) / SPLITS) ** 0.5)}.
What was said of scores is of rows that a seed moves.
The draws are of the same few seeds, so that they are not independent, and items are the same on both sides, as in a CI.

{real}

Real seeds are not normal: one that collapses to a single answer for everything brings alarms nearer to the bar than the
simulation below says.

## How often is a fall caught, and how often is a sameness false?

{DRAWN:,} comparisons for each line, in the likeness of these runs: items are redrawn, and seeds are drawn anew from a normal
distribution of the fitted width. The fall is the smallest change that the comparison says it finds, given to one row after
the other; caught is that it is called worse. For sameness a row changes by exactly what nobody minds, up or down: by 2
points, and once more by as much as the smallest fall that is found, where sameness is often shown. The share must be at most
.05; the bar of a single simulation leaves .01 to chance.

{drawn}

{HOW}

Limits: rows whose answers are right or wrong, seeds that are normal and independent from side to side, and rows whose seeds
vary alike. Sides that share their seed numbers, as a CI with `--seeds 3` does, make the same draws wherever nothing changed:
then the comparison is more cautious than these figures, since its noise is that of independent seeds.
"""


def main() -> int:
    """Exit status 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="results of one suite, model and task with at least 10 seeds")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    started, records = time.perf_counter(), store.read_all(arguments.out)
    (rows,) = grouped(aggregate(records, arguments.out)).values()
    of = likeness_of(rows, arguments.out)
    if isinstance(of, str):
        sys.exit(f"error: {arguments.out}: {of}")
    real = {seeds: compare_splits(records, arguments.out, seeds, SPLITS) for seeds in REAL_SEEDS}
    drawn = {n: list(gate_bars(replace(of, seeds=n), Tolerance().points / 100, DRAWN, 0)) for n in SEEDS}
    held = all(bar.holds for bars in drawn.values() for bar in bars)
    held &= all(alarm_share(found) <= MOST_ALARMS for found in real.values())
    head = (
        f"On {of.rows} strategies of {rows[0].setup.model} on {rows[0].setup.task} with {of.seeds} seeds each "
        f"(SD {of.in_words(of.sd)} on endless items), {of.items:,} test items; "
        f"{(time.perf_counter() - started) / 60:.0f} minutes on one core."
    )
    text = page(head, real_table(real), drawn_table(drawn), held)
    print(text)
    arguments.page.write_text(text, encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
