"""The rows as tables in a terminal, one for each model and task, followed by plain lines on what the numbers hold."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.statistics.estimates import Estimate
from reports.formats.console import LOG_WIDTH, add_column, console, plain_table, say
from reports.rows import numbers, standing
from reports.rows.across import across
from reports.rows.captions import GAINS_TOLD, across_sentences, forgetting_lines, standing_sentences, stated
from reports.rows.conclusion import conclusion, next_step
from reports.rows.fairness import unfair_on
from reports.rows.losses_shown import losses_shown
from reports.rows.no_model_rows import NO_MODEL, without_model
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names, ranked, staged
from reports.rows.standing import Standing
from reports.rows.summaries import SuiteReport, suite_summaries
from reports.rows.verdicts import MARKED, mark
from reports.terminal import lines
from reports.terminal.across import across_table
from reports.unseen_characters import printable

# Beside names of NAME_WIDTH eight take 91 of LOG_WIDTH's columns, and a ninth would be one too many.
PROBES_ALONE = 8
PROBE_WIDTH = 9
PROBES_A_LINE = 1
NAME_WIDTH = 11
RANK_WIDTH = 4
GAINS = {"gain": ("gain",), "over_best": ("over", "best")}
"""The two gains of a row, with their headers."""
COSTS = {("training", "train", "s"): 5, ("memory", "peak", "GB"): 5, ("trainable", "trained", "%"): 7}
"""What is shown of a row's cost, with its header and unit -> the width of its column."""


def print_results(out: Path, runs: Callable[[str, str], bool], allow_unequal: bool = False) -> bool:
    """Print the rows of the records in `out`, suite by suite, as they were printed the last time where none has changed.

    Args:
        runs: by a run's id and suite, whether it is a row.

    Returns:
        whether there was any.

    Raises:
        UserError: rows of one table answer different questions, and are not allowed to.
    """
    to = console()
    # What was printed is kept as text, which another terminal would fold or colour otherwise.
    look = f"{to.width} {to.encoding} {to.color_system} {to.no_color}"
    report = SuiteReport("terminal", lambda rows: _rows_as_printed(to, rows), look)
    parts = suite_summaries(out, out, report, allow_unequal, runs)
    for text in parts:
        to.file.write(text)
    return bool(parts)


def _rows_as_printed(to: Console, rows: Sequence[Row]) -> str:
    with to.capture() as captured:
        show_rows(to, rows)
    return captured.get()


def show_rows(to: Console, rows: Sequence[Row]) -> None:
    """A table for each model and task, the best row first, and one for several tasks together."""
    for group in grouped(rows).values():
        _show_group(to, ranked(group))
    for ranking in across(rows):
        say(to, f"{ranking.suite}: {ranking.model} across {len(ranking.tasks)} tasks ({', '.join(ranking.tasks)})")
        to.print(across_table(ranking))
        for sentence in (*across_sentences(ranking), *unfair_on(rows, ranking.suite, ranking.model, ranking.tasks)):
            say(to, sentence)


def _show_group(console: Console, rows: Sequence[Row]) -> None:
    scored = [row for row in rows if row.score]
    places = standing.score_standing(scored) if scored else None
    say(console, _heading(rows))
    if scored:
        probes = list(probe_names(scored).items())
        # As many probes as fit stand beside the scores, where gain and loss are read together.
        beside = _probes_beside(scored, places)
        console.print(_scores_table(scored, places, dict(probes[:beside])))
        for start in range(beside, len(probes), PROBES_ALONE):
            console.print(_forgetting_table(scored, dict(probes[start : start + PROBES_ALONE])))
        for group in staged(scored):
            console.print(_stages_table(group))
        # Marks, too, say what whole clusters show.
        lost = [each.lost for row in scored for each in row.forgetting.values()]
        bounds = stated(_estimates_with_intervals(scored), scored, lost)
        told = (*GAINS_TOLD, *lines.gains(scored), *lines.stage_measures(scored), *bounds, *standing_sentences(places))
        for sentence in told:
            say(console, sentence)
        # A mark that no row has needs no explanation.
        if any(forgotten.lost.significant for row in scored for forgotten in row.forgetting.values()):
            say(console, MARKED)
        for sentence in (*forgetting_lines(scored), *_findable_loss_lines(scored)):
            say(console, sentence)
    sentences = [*conclusion(rows, places), *next_step(rows, places)]
    for text in (*lines.below(rows), *(line for sentence in sentences for line in wrap(sentence, LOG_WIDTH))):
        say(console, text)


def _findable_loss_lines(rows: Sequence[Row]) -> Iterator[str]:
    texts = losses_shown(rows)
    for start in range(0, len(texts), PROBES_A_LINE):
        losses = ", ".join(texts[start : start + PROBES_A_LINE])
        yield f"Losses that each probe by itself shows four times out of five: {losses}."


def _estimates_with_intervals(rows: Sequence[Row]) -> list[Estimate]:
    """All that is shown with an interval."""
    own = [each for row in rows for each in (row.score, row.gain, row.over_best) if each]
    elsewhere = [each for row in rows for away in row.elsewhere.values() for each in (away.gain, away.over_best) if each]
    return own + elsewhere + [each.rise for row in rows for each in row.transfers]


def _heading(rows: Sequence[Row]) -> str:
    suite, model, task = rows[0].group
    scores = [record.outcome.score for row in rows for record in row.records if record.outcome]
    metric = f" ({scores[0].name} over {scores[0].n:,} items)" if scores else ""
    return f"{suite}: {model} on {task}{metric}"


def _probes_beside(rows: Sequence[Row], places: Standing | None) -> int:
    """Probes that fit beside the scores in 100 columns; more go to tables of their own."""
    unit, score = rows[0].quantity.unit, max(len(_score_cell(row)) for row in rows)
    gains = sum(max(len(text) for text in (unit, *(_gain_cell(row, gain) for row in rows))) for gain in GAINS)
    rank = max((1 + len(_rank_cell(row, places)) for row in rows), default=0) if places else 0
    # A space after each column but the last.
    taken = NAME_WIDTH + max(rank, RANK_WIDTH + 1 if places else 0) + score + gains + sum(COSTS.values()) + 6
    return max(LOG_WIDTH - taken, 0) // (PROBE_WIDTH + 1)


def _scores_table(rows: Sequence[Row], places: Standing | None, probes: dict[str, numbers.Quantity]) -> Table:
    table = _table_with_names()
    if places:
        add_column(table, "rank", "rank", min_width=RANK_WIDTH, no_wrap=True)
    add_column(table, "score", "score [95 %]", no_wrap=True)
    for gain, words in GAINS.items():
        add_column(table, gain, *words, rows[0].quantity.unit, min_width=6)
    _add_probes(table, probes)
    for (term, header, unit), width in COSTS.items():
        add_column(table, term, header, unit, min_width=width)
    for row in rows:
        gains = (_gain_cell(row, gain) for gain in GAINS)
        rank = [_rank_cell(row, places)] if places else []
        table.add_row(_name_cell(row), *rank, Text(_score_cell(row)), *gains, *_loss_cells(row, probes), *_cost_cells(row))
    for row in without_model(rows):
        blank = [""] * (len(GAINS) + len(probes) + len(COSTS))
        name = Text(f"{printable(row.setup.strategy)}\n({NO_MODEL})")
        table.add_row(name, *([""] if places else []), Text(_score_cell(row)), *blank)
    return table


def _rank_cell(row: Row, places: Standing | None) -> str:
    return standing.shown(places.of(row) if places else None)


def _forgetting_table(rows: Sequence[Row], probes: dict[str, numbers.Quantity]) -> Table:
    table = _table_with_names()
    _add_probes(table, probes)
    for row in rows:
        table.add_row(_name_cell(row), *_loss_cells(row, probes))
    return table


def _table_with_names() -> Table:
    table = plain_table()
    add_column(table, "strategy", "strategy", justify="left", min_width=NAME_WIDTH)
    return table


def _add_probes(table: Table, probes: dict[str, numbers.Quantity]) -> None:
    for name, quantity in probes.items():
        add_column(table, "forgetting", "forgets", name, quantity.unit, min_width=6, max_width=PROBE_WIDTH)


def _name_cell(row: Row) -> Text:
    return Text("\n".join(printable(part) for part in (row.setup.strategy, row.variant) if part))


def _score_cell(row: Row) -> str:
    assert row.score is not None
    interval = numbers.brackets(row.score, row.quantity, signed=False)
    return f"{numbers.level(row.score.value, row.quantity)} {interval}".rstrip()


def _gain_cell(row: Row, gain: str) -> str:
    estimate = row.gain if gain == "gain" else row.over_best
    return numbers.difference(estimate.value, row.quantity) if estimate else numbers.MISSING


def _loss_cells(row: Row, probes: dict[str, numbers.Quantity]) -> Iterator[str]:
    for name, quantity in probes.items():
        lost = row.forgetting.get(name)
        text = numbers.difference(lost.lost.value, quantity) if lost else numbers.MISSING
        # As wide as the mark, so that digits stay below each other.
        sign = mark(lost.lost) if lost else ""
        yield f"{text}{sign or ' '}"


def _stages_table(rows: Sequence[Row]) -> Table:
    """Scores on each task after each stage, and at the last stage the three measures."""
    table = _table_with_names()
    add_column(table, "stage_score", "score", "after", justify="left", min_width=5)
    for task in rows[0].stage_quantities:
        add_column(table, "stage_score", "on", task, min_width=5)
    add_column(table, "backward_transfer", "backward", "transfer", min_width=6)
    add_column(table, "forward_transfer", "forward", "transfer", min_width=6)
    add_column(table, "stage_forgetting", "forgetting", "(Chaudhry)", min_width=6)
    for row in rows:
        assert row.stages is not None
        measures, last = list(row.stage_quantities.values()), len(row.stages.tasks) - 1
        table.add_row(_name_cell(row), "base", *map(numbers.level, row.stages.base, measures))
        for number, (task, scores) in enumerate(zip(row.stages.tasks, row.stages.scores, strict=True)):
            # The measures are of all stages, and known after the last one alone.
            ends = three_measures(row) if number == last else ()
            levels = (numbers.level(score.value, measure) for score, measure in zip(scores, measures, strict=True))
            table.add_row("", Text(printable(task)), *levels, *ends)
    return table


def three_measures(row: Row) -> tuple[str, str, str]:
    """Backward and forward transfer (positive is better), and Chaudhry's forgetting (positive is loss)."""
    assert row.stages is not None
    if row.stage_quantity is None:
        return numbers.MISSING, numbers.MISSING, numbers.MISSING
    measures = (row.stages.backward_transfer, row.stages.forward_transfer, row.stages.forgetting)
    backward, forward, forgetting = (numbers.difference(each.value, row.stage_quantity) for each in measures)
    return backward, forward, forgetting


def _cost_cells(row: Row) -> tuple[str, str, str]:
    cost = row.cost
    if cost is None:
        return numbers.MISSING, numbers.MISSING, numbers.MISSING
    # The unit stands in the heading.
    share = numbers.percent(row.trained_share).removesuffix(" %")
    peak = numbers.MISSING if cost.peak_memory_bytes is None else numbers.gigabytes(cost.peak_memory_bytes)
    seconds = numbers.MISSING if cost.train_seconds is None else numbers.seconds(cost.train_seconds)
    return seconds, peak, share
