"""Plain lines below a group's table in the terminal: what its columns have no place for, one fact a line."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bench.statistics.estimates import Estimate
from reports.rows import numbers
from reports.rows.doubts import doubts
from reports.rows.early_stopping import stopping
from reports.rows.environments import other_environments
from reports.rows.fairness import unfair
from reports.rows.imported import stated_sources
from reports.rows.numbers import Quantity
from reports.rows.row import Row

STAGE_MEASURES = {
    "backward transfer": "backward_transfer",
    "forward transfer": "forward_transfer",
    "forgetting (Chaudhry)": "forgetting",
}


def below(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of one group's rows, by what they are about and then in the order of the rows."""
    facts: list[Callable[[Row], Iterator[str]]] = [
        _way_asked_line,
        _seeds_line,
        _trained_share_line,
        *(partial(_faulty_answers_line, name, words) for name, words in FAULTY.items()),
        _answerable_line,
        _early_stopping_lines,
        _elsewhere_lines,
        _transfer_lines,
        _wordings_line,
        _money_line,
        _rounding_line,
    ]
    for fact in facts:
        # Facts of a kind stand together, so that rows are held against each other and not read one by one.
        for row in rows:
            yield from fact(row)
    yield from _contamination_lines(rows)
    yield from unfair(rows)
    yield from stated_sources(rows)
    yield from (other.sentence for other in other_environments(rows))
    for row in rows:
        yield from doubts(row)


def gains(rows: Sequence[Row]) -> Iterator[str]:
    """Both gains of each row with their intervals, for which the table has no room."""
    for row in rows:
        if both := _gains_in_words(row.gain, row.over_best, row.quantity):
            yield f"{row.label}: {', '.join(both)}"


def stage_measures(rows: Sequence[Row]) -> Iterator[str]:
    """The three measures of rows that were trained in stages, with their intervals, for which the table has no room."""
    told = False
    for row in rows:
        if row.stages is None or row.stage_quantity is None or row.stages.forgetting.low is None:
            continue
        measures = {name: getattr(row.stages, field) for name, field in STAGE_MEASURES.items()}
        words = (f"{name} {numbers.signed(estimate, row.stage_quantity)}" for name, estimate in measures.items())
        yield f"{row.label}: {', '.join(words)} {row.stage_quantity.unit}"
        told = True
    if told:
        yield "Intervals of transfer and forgetting between stages hold other seeds on these test items alone."


def _gains_in_words(gain: Estimate | None, over_best: Estimate | None, quantity: Quantity) -> list[str]:
    gains_with_names = [
        f"{words} {numbers.signed(estimate, quantity)} {quantity.unit}"
        for words, estimate in (("gain", gain), ("over best", over_best))
        # A row that answers as the base does gains nothing, within no width, and has nothing to tell.
        if estimate and not estimate.low == estimate.high == 0
    ]
    # Where the base was asked in its best words, both are one and the same.
    return [gains_with_names[0], "over best the same"] if len(gains_with_names) == 2 and gain == over_best else gains_with_names


def _way_asked_line(row: Row) -> Iterator[str]:
    if row.asked:
        yield f"{row.label}: {row.asked}"


def _seeds_line(row: Row) -> Iterator[str]:
    if row.score and row.score.seed_sd is not None:
        fallen = f"; {row.collapsed} of them collapsed" if row.collapsed else ""
        yield f"{row.label}: {numbers.seed_sd(row.score, row.quantity)} over {len(row.records)} seeds{fallen}"


def _trained_share_line(row: Row) -> Iterator[str]:
    part, cost = row.trained_share, row.cost
    # The table's column says already that all or none of the weights train.
    if cost and part is not None and 0 < part < 1:
        sizes = f"{numbers.integer(cost.trainable_parameters or 0)} of {numbers.integer(cost.total_parameters or 0)}"
        yield f"{row.label}: trainable parameters {sizes} ({100 * part:.2f} %)"


FAULTY = {
    "malformed": "malformed answers",
    "unfinished": "answers cut at the limit of tokens",
    "truncated": "items of which a part alone was read",
}
"""Rates of answers and items that a reader should know of before the score -> what they are called."""


def _faulty_answers_line(name: str, words: str, row: Row) -> Iterator[str]:
    rate = row.metrics.get(name)
    # Nearly all rows have no such answer, which is nothing to tell.
    if rate and rate.value.value > 0:
        yield f"{row.label}: {words} {numbers.rate(rate.value.value)}"


def _answerable_line(row: Row) -> Iterator[str]:
    if rate := row.metrics.get("answerable"):
        yield f"{row.label}: the answer was in what the model read of {numbers.rate(rate.value.value)} of the questions"


def _early_stopping_lines(row: Row) -> Iterator[str]:
    for run in row.records:
        if stopped := stopping(run):
            place = f"validation {stopped.kept + 1} of {len(stopped.scores)} ({stopped.scores[stopped.kept]})"
            yield f"{row.label} (seed {run.setup.seed}): early stopping kept {place}"


def _elsewhere_lines(row: Row) -> Iterator[str]:
    for name, away in row.elsewhere.items():
        score = f"{name} {numbers.level(away.score.value, away.quantity)} over {numbers.item_counts([away.items])}"
        yield f"{row.label}: {', '.join([score, *_gains_in_words(away.gain, away.over_best, away.quantity)])}"


def _transfer_lines(row: Row) -> Iterator[str]:
    for transfer in row.transfers:
        rise = f"{numbers.difference(transfer.rise.value, transfer.quantity)} {transfer.quantity.unit}"
        interval = numbers.brackets(transfer.rise, transfer.quantity, signed=True)
        against = f"{transfer.alone_as(row.setup.suite, len(row.records))} alone over {numbers.item_counts([transfer.items])}"
        yield f"{row.label}: transfer to {transfer.task} {' '.join(filter(None, [rise, interval]))} against {against}"


def _wordings_line(row: Row) -> Iterator[str]:
    if wordings := row.wordings:
        low, high = (numbers.level(end, wordings.quantity) for end in (wordings.low, wordings.high))
        spread = f"{numbers.span(wordings.spread, wordings.quantity)} {wordings.quantity.unit}"
        yield f"{row.label}: unseen wordings {low} to {high}, spread {spread} over {numbers.item_counts([wordings.items])}"


def _money_line(row: Row) -> Iterator[str]:
    if row.cost and row.cost.money is not None:
        yield f"{row.label}: the API asks {numbers.money(row.cost.money)}, in the currency of its prices"


def _rounding_line(row: Row) -> Iterator[str]:
    """Where the interval says that rounding the base lost or gained something before training."""
    bits = row.setup.hyperparameters.get("bits")
    lost = [(name, forgotten.rounding, forgotten.quantity) for name, forgotten in row.forgetting.items()]
    losses = [
        f"{numbers.difference(rounding.value, quantity)} {quantity.unit} of {name}"
        for name, rounding, quantity in lost
        if rounding and rounding.significant
    ]
    if losses:
        yield f"{row.label}: rounding{f' to {bits} bit' if bits else ''} lost {', '.join(losses)} before training"


def _contamination_lines(rows: Sequence[Row]) -> Iterator[str]:
    alike: dict[tuple[str, int, int], list[str]] = {}
    for row in rows:
        for name, forgotten in row.forgetting.items():
            if forgotten.contaminated and forgotten.items:
                # Rows that train on the same data give the same items away.
                alike.setdefault((name, forgotten.contaminated, forgotten.items), []).append(row.label)
    for (name, count, items), labels in alike.items():
        yield f"{name}: {count:,} of {numbers.item_counts([items])} contaminated by what was trained on ({', '.join(labels)})"
