"""The page's tables on tuning: what was chosen among how many trials, whether they were enough, and each of them."""

from collections.abc import Sequence

from bench.records.record import BestAfter, TrialSummary
from bench.records.trial import as_words
from reports.boards.cells import EMPTY, STRATEGY, Board, Cell, Column, Direction, Section, sortable, tabled
from reports.rows import numbers
from reports.rows.row import Row
from reports.rows.rows import grouped


def tuning_section(rows: Sequence[Row]) -> Section:
    """Two tables per model and task, with a line for each row whose hyper-parameters were searched: what came of its search,
    and all trials of it."""
    tables = []
    for (_, model, task), group in grouped(rows).items():
        # Somebody else's search is a number at most, without its trials.
        if searched_rows := [row for row in group if row.outcome and row.setup.tuning.tried]:
            title = f"{model} on {task}"
            tables += [(title, _tuning_board(searched_rows)), (f"{title}: all trials", _trials_board(searched_rows))]
    note = "Trials are trained on training data and scored on validation items; the test is read by none of them."
    return Section("Tuning", tables, [note], ("chosen", "trial_score", "expected_best", "tried"))


def _tuning_board(rows: Sequence[Row]) -> Board:
    columns = [
        STRATEGY,
        Column("trials", "", "", "descending", True, _trials_cell),
        Column("tuning_cost", "", "s", "ascending", True, _tuning_seconds_cell),
        Column("chosen", "", "", "ascending", False, _choice_cell),
        Column("trial_score", "", "of the choice", _first_click(rows), True, _trial_score_cell),
    ]
    most = max(len(row.setup.tuning.tried) for row in rows)
    return tabled([*columns, *(_expected_best_column(count, _first_click(rows)) for count in counts(most))], rows)


def _trials_board(rows: Sequence[Row]) -> Board:
    # Trials of one number stand below each other: strategies are tried at the same places of their spaces.
    most = max(len(row.setup.tuning.tried) for row in rows)
    return tabled([STRATEGY, *(_trial_column(place, _first_click(rows)) for place in range(most))], rows)


def _trial_column(place: int, first: Direction) -> Column:
    def cell(row: Row) -> Cell:
        tuning = row.setup.tuning
        # Two searches of one table may have made unlike numbers of trials.
        return _trial_cell(row, tuning.tried[place], place == tuning.chosen) if place < len(tuning.tried) else EMPTY

    return Column("tried", "Validation score of each trial", "", first, True, cell, f"Trial {place + 1}")


def _trial_cell(row: Row, trial: TrialSummary, chosen: bool) -> Cell:
    """A trial's score with what it tried; of one that was pruned what it spent until then, of one that failed the reason."""
    spent = f", {trial.spent.examples:,} examples spent" if trial.spent else ""
    ended = {"ok": "", "pruned": f"pruned{spent}", "failed": trial.reason or ""}[trial.status]
    detail = "; ".join(filter(None, [as_words(trial.hyperparameters), ended, "the choice" if chosen else ""]))
    if trial.score is None:
        return Cell(trial.status, None, detail=detail)
    return Cell(numbers.level(trial.score, row.quantity), sortable(trial.score), detail=detail)


def counts(most: int) -> list[int]:
    """1, 2, 4, 8 and so on, and the last."""
    # More trials help ever less, so that columns may be ever farther apart.
    return sorted({most, *(2**power for power in range(most.bit_length()))})


def _trials_cell(row: Row) -> Cell:
    tuning = row.setup.tuning
    others = [f"{sum(each.status == state for each in tuning.tried)} {state}" for state in ("failed", "pruned")]
    detail = ", ".join([f"{tuning.sampler}", *(each for each in others if not each.startswith("0 "))])
    return Cell(str(len(tuning.tried)), len(tuning.tried), detail=detail)


def _tuning_seconds_cell(row: Row) -> Cell:
    """Seconds of training; below them what it took to ask, which is all that a trial of `few-shot` takes."""
    spent = [trial.spent for trial in row.setup.tuning.tried if trial.spent]
    if not spent:
        return EMPTY
    seconds = sum(each.seconds for each in spent)
    asked = [each.asking_seconds for each in spent if each.asking_seconds is not None]
    paid = [each.money for each in spent if each.money is not None]
    # The sum over some of the trials would look like what all of them took.
    asking = f"asking {sum(asked):,.0f} s" if len(asked) == len(spent) else ""
    bill = f"{numbers.money(sum(paid))} paid" if len(paid) == len(spent) else ""
    return Cell(f"{seconds:,.0f}", seconds, detail=", ".join(filter(None, (asking, bill))))


def _choice_cell(row: Row) -> Cell:
    tuning = row.setup.tuning
    if tuning.chosen is None:
        return EMPTY
    choice = as_words(tuning.tried[tuning.chosen].hyperparameters)
    # The first trial of each search is the strategy's default.
    return Cell(choice, choice, detail="the default" if tuning.chosen == 0 else f"trial {tuning.chosen + 1}")


def _trial_score_cell(row: Row) -> Cell:
    tuning = row.setup.tuning
    score = None if tuning.chosen is None else tuning.tried[tuning.chosen].score
    return EMPTY if score is None else Cell(numbers.level(score, row.quantity), sortable(score))


def _first_click(rows: Sequence[Row]) -> Direction:
    return "descending" if rows[0].higher_is_better else "ascending"


def _expected_best_column(trials: int, first: Direction) -> Column:
    def cell(row: Row) -> Cell:
        best_after = {each.trials: each for each in row.setup.tuning.expected_best}
        return expected_best_cell(row, best_after[trials]) if trials in best_after else EMPTY

    name = f"{trials} trial{'s' if trials > 1 else ''}"
    return Column("expected_best", "Expected best validation score after", "", first, True, cell, name)


def expected_best_cell(row: Row, best: BestAfter) -> Cell:
    """The best score that a search with so many trials is expected to find, with its interval; a dash: an end without bound."""
    low, high = (numbers.MISSING if end is None else numbers.level(end, row.quantity) for end in (best.low, best.high))
    # After one trial there is the default's score alone, which is bounded by itself.
    interval = "" if best.low == best.high else f"[{low}, {high}]"
    return Cell(numbers.level(best.expected, row.quantity), sortable(best.expected), interval)
