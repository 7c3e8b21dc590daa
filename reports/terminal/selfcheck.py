"""`tunebench selfcheck`: the statistical bars on a user's own tables, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import UserError
from bench.statistics.bars import StatisticalBar, bars
from bench.statistics.gate_bars import gate_bars
from bench.statistics.likeness import Likeness
from reports.formats.console import console, say
from reports.gate.tolerance import Tolerance
from reports.rows.row import Row
from reports.rows.rows import grouped
from reports.rows.simulation_inputs import likeness_of, probe_likenesses
from reports.rows.standing import that_learned

COMPARISONS = 4
"""Of so many tables one comparison is simulated: it holds twice the rows."""


def check(rows: Sequence[Row], out: Path, tables: int, seed: int, seeds: int | None = None, probes: bool = False) -> bool:
    """Print the bars of each model and task, and with `probes` those of what each probe lost; whether all of them hold. Tables
    have as many seeds as the real one, or `seeds`.

    Raises:
        UserError: no table has answers to simulate from; the reasons are in it.
    """
    to, passed, reasons = console(), [], []
    for where, likeness, within in _tables_to_check(rows, out, probes):
        if isinstance(likeness, str):
            reasons.append(f"{where}: {likeness}")
            continue
        of = likeness if seeds in (None, likeness.seeds) else replace(likeness, seeds=seeds, printed=None)
        comparisons = tables // COMPARISONS
        say(to, f"{where}: {_likeness_in_words(of)}, {tables:,} simulated tables, {comparisons:,} comparisons")
        for bar in (*bars(of, tables, seed), *gate_bars(of, within, comparisons, seed)):
            say(to, _bar_line(bar))
            passed.append(bar.holds)
    if not passed:
        raise UserError(f"nothing can be checked; {'; '.join(reasons)}")
    for reason in reasons:
        say(to, f"not checked: {reason}")
    say(to, f"{sum(passed)} of {len(passed)} bars hold")
    return all(passed)


def _tables_to_check(all_rows: Sequence[Row], out: Path, probes: bool) -> Iterator[tuple[str, Likeness | str, float]]:
    """Each table's name, what is drawn in its likeness or why nothing is, and what nobody minds by the margins that `compare`
    has by default."""
    for (suite, model, task), rows in grouped(all_rows).items():
        where, likeness = f"{suite}: {model} on {task}", likeness_of(rows, out)
        yield where, likeness, 0.0 if isinstance(likeness, str) else _within_of_score(rows, likeness)
        for probe, of in probe_likenesses(rows, out) if probes else ():
            (lost, *_) = (row.forgetting[probe] for row in that_learned(rows) if probe in row.forgetting)
            yield f"{where}: forgets {probe}", of, Tolerance().of(lost.quantity, lost.before or 0.0)


def _within_of_score(rows: Sequence[Row], of: Likeness) -> float:
    return Tolerance().of(that_learned(rows)[0].quantity, float(of.truths.mean()))


def _likeness_in_words(of: Likeness) -> str:
    items = f"{of.items:,} items"
    clusters = "" if of.clusters.single else f" in {of.effective_clusters:.0f} effective clusters"
    return f"{of.rows} rows, {of.seeds} seeds (SD {of.in_words(of.sd)} on endless items), {items}{clusters}"


def _bar_line(bar: StatisticalBar) -> str:
    # A share is never below 0, so that of such a bar the upper end alone says something.
    bounds = f"at most {bar.high:.3f}" if not bar.low else f"{bar.low:.3f} to {bar.high:.3f}"
    return f"{'ok  ' if bar.holds else 'FAIL'} {bar.name}: {bar.share:.3f} ({bounds})"
