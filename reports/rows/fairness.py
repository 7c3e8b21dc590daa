"""Whether the rows of a table may be compared: what differs between them beside the strategy.

Where numbers of one column answer different questions (model, data, items, wording, metric, precision, engine) the table is
refused. Where the question is the same and the chance was not (budget, batch, tuning) it is marked, and so is a run that spent
more than its budget. What a record does not know differs from nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.errors import UserError
from bench.records.record import Record
from reports.rows.aspects import all_aspects, tuning_trials
from reports.rows.captions import few_names
from reports.rows.row import Row
from reports.rows.rows import grouped
from reports.rows.transfer import Transfer

UNITS = {"flops": "FLOP", "memory": "bytes of memory"}
"""How a limit is called where its name is not its unit."""


@dataclass(frozen=True)
class Unlike:
    """An aspect in which rows of one table differ."""

    aspect: str
    refuses: bool
    rows: dict[str, list[str]]
    """Value -> labels of the rows that have it."""

    @property
    def sentence(self) -> str:
        """`budget differs: 512examples (full, frozen), 64examples (lora-8bit)`"""
        values = [f"{value} ({few_names(labels)})" for value, labels in self.rows.items()]
        return f"{self.aspect} differs: {', '.join(values)}"


def unlike(rows: Sequence[Row]) -> list[Unlike]:
    """What differs between the rows of one suite, model and task; only rows with a score are compared."""
    scored = [row for row in rows if row.score]
    differences = []
    for aspect in all_aspects(scored):
        values: dict[str, list[str]] = {}
        for row in scored:
            # Seeds of one row can differ too: `auto` is another precision on another machine.
            for value in dict.fromkeys(filter(None, map(aspect.of, row.records))):
                values.setdefault(value, []).append(row.label)
        if len(values) > 1:
            differences.append(Unlike(aspect.name, aspect.refuses, values))
    return differences


def check_comparable(rows: Sequence[Row]) -> None:
    """Refuse tables whose columns hold answers to different questions.

    Raises:
        UserError: rows of one suite, model and task differ in such a thing; the first table is named.
    """
    for (suite, model, task), group in grouped(rows).items():
        if refused := [each.sentence for each in unlike(group) if each.refuses]:
            raise UserError(
                f"{suite}: {model} on {task}: the rows answer different questions: {'; '.join(refused)}; keep them apart with "
                "another --out, or show them all the same with --allow-unequal"
            )


def of_one_question(rows: Sequence[Row]) -> bool:
    """Whether the rows of one suite, model and task answer one question."""
    return not any(each.refuses for each in unlike(rows))


def unfair(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences for the caption of one table: what differs, and who spent more than the budget."""
    for each in unlike(rows):
        unequal = "not the same question" if each.refuses else "not the same chance"
        yield f"{unequal}: {each.sentence}"
    for row in rows:
        for run in row.records:
            yield from (f"{row.label} (seed {run.setup.seed}): {over}" for over in overrun(run))
        for transfer in row.transfers:
            yield from (f"not the same chance: {row.label} {difference}" for difference in _unlike_alone(row, transfer))


def unfair_on(rows: Sequence[Row], suite: str, model: str, tasks: Sequence[str]) -> Iterator[str]:
    """`unfair` of each of these tasks, by its name: for what is said of a model's rows on several of them."""
    for (of_suite, of_model, task), group in grouped(rows).items():
        if (of_suite, of_model) == (suite, model) and task in tasks:
            yield from (f"{task}: {said}" for said in unfair(group))


def _unlike_alone(row: Row, transfer: Transfer) -> Iterator[str]:
    """Of a mixture and the runs on one of its tasks alone, which agree in all else that makes a chance."""
    together, alone = ("; ".join(sorted(set(filter(None, map(tuning_trials, runs))))) for runs in (row.records, transfer.runs))
    # A record without costs does not say whether it trained.
    if together and alone and together != alone:
        yield f"had {together} trials, and {transfer.strategy} on {transfer.task} alone {alone}"


def overrun(record: Record) -> Iterator[str]:
    """What a run and its trials spent beyond their budgets: of a counted unit anything, of seconds more than 2 %."""
    for name, part in record.spending.passed.items() if record.spending else ():
        digits = 1 if name == "seconds" else 0
        yield f"spent {part.spent:,.{digits}f} {UNITS.get(name, name)} of a budget of {part.limit:,.{digits}f}"
    if beyond := sum(trial.overran for trial in record.setup.tuning.tried):
        yield f"{beyond} of its {len(record.setup.tuning.tried)} trials passed their budget"
