"""Which rows of the records a claim may hold against each other: the same question, and the strategies that it speaks of."""

from collections.abc import Iterator, Sequence

from bench.groups import groups_by
from bench.hashing import digest
from reports.rows.aspects import Aspect, aspects
from reports.rows.fairness import overrun
from reports.rows.row import Row
from reports.rows.transfer import Transfer, mixed

FULL, ADAPTER, FROZEN, INSTRUCTION, MIXTURE = "Full", "Adapter", "Frozen", "Instruction", "Mixture"
"""Strategies, as a run's inputs name them."""
PROMPTS = ("ZeroShot", "FewShot")
QUESTION = ("engine", "model", "task", "test_items", "precision", "max_length", "batch", "earlier")
"""Inputs in which rows must agree."""
BUDGET_INPUTS = ("budget", "placement")
"""What training may spend: seconds are worth what they are on one kind of device, and on so many of them."""
TRAINING_INPUTS = (*BUDGET_INPUTS, "batch", "earlier")
"""Those that a row which trains nothing has not."""


def usable(rows: Sequence[Row]) -> list[Row]:
    """Rows with a score of which it is known what was asked, and that learned something: one that collapsed with every seed
    says nothing of what its strategy can do."""
    known = [row for row in rows if row.score and row.outcome and row.first.provenance.inputs]
    return [row for row in known if row.collapsed < len(row.records)]


def kind(row: Row) -> str:
    return str(row.first.provenance.inputs.get("strategy"))


def of_kind(rows: Sequence[Row], *kinds: str) -> list[Row]:
    return [row for row in rows if kind(row) in kinds]


def question(row: Row, *but: str) -> str:
    """Equal for rows that were asked the same in the same precision; the budget is one more input, unless it is left out."""
    inputs = row.first.provenance.inputs
    kept = {name: inputs.get(name) for name in (*QUESTION, *BUDGET_INPUTS) if name not in but}
    # `auto` asks for another precision on another machine.
    return digest({**kept, "used": row.first.provenance.device.get("precision")})


def opposed(rows: Sequence[Row], one: str, other: str) -> Iterator[tuple[Row, Row]]:
    """Each row of a kind with each of another that was asked the same, and that had the same chance."""
    for first in of_kind(rows, one):
        for second in of_kind(rows, other):
            if question(first) == question(second) and comparable(first, second):
                yield first, second


def comparable(*rows: Row) -> bool:
    """Whether a table of these rows alone would be neither refused nor marked, whichever probes they have."""
    # Probes are compared one by one: of one that differs nothing is said, and the others stay.
    return same_chance(*rows) and _alike(rows, [aspect for aspect in aspects(()) if aspect.refuses])


def same_chance(*rows: Row) -> bool:
    """Whether the rows' trials and budgets were alike, and kept; what they were asked may differ."""
    within = not any(over for row in rows for run in row.records for over in overrun(run))
    return within and _alike(rows, [aspect for aspect in aspects(()) if not aspect.refuses])


def _alike(rows: Sequence[Row], compared: Sequence[Aspect]) -> bool:
    runs = [run for row in rows for run in row.records]
    return all(len({aspect.of(run) for run in runs} - {None}) <= 1 for aspect in compared)


def adapters(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Adapters against full training, each at a rate of its own; one at full training's rate only where it was asked what no
    other was."""
    for pairs in groups_by(opposed(rows, ADAPTER, FULL), lambda pair: question(pair[0])).values():
        # At full training's rate an adapter learns less, which claims of their own are about.
        yield from [pair for pair in pairs if not same_rate(*pair)] or pairs


def same_rate(one: Row, other: Row) -> bool:
    return own_rate(one) is not None and own_rate(one) == own_rate(other)


def own_rate(row: Row) -> float | None:
    known = row.setup.hyperparameters.get("learning_rate")
    return float(known) if known is not None else None


def examples(row: Row) -> int:
    return (row.cost.train_examples if row.cost else None) or 0


def with_little_data(pairs: Iterator[tuple[Row, Row]]) -> Iterator[tuple[Row, Row]]:
    """The pairs with the least training data of those asked the same, where others have more."""
    known = list(pairs)
    for one, other in known:
        alike = [each for each, _ in known if question(each, *BUDGET_INPUTS) == question(one, *BUDGET_INPUTS)]
        # Rows of one budget in tokens or seconds see unlike numbers of examples.
        others = [each for each in alike if each.setup.budget != one.setup.budget]
        if others and examples(one) < min(map(examples, others)):
            yield one, other


def mixtures(rows: Sequence[Row]) -> list[Row]:
    """Rows that mix several tasks."""
    return [row for row in of_kind(rows, MIXTURE) if mixed(row.first)]


def fair_transfers(row: Row) -> list[Transfer]:
    """Those whose runs alone had the mixture's chance to be tuned."""
    return [transfer for transfer in row.transfers if same_chance(row, Row(tuple(transfer.runs)))]


def single_task_rows(row: Row) -> list[Row]:
    """Each task of a mixture alone, by the runs that its score there is held against; empty where a task has none."""
    rows = [Row(tuple(transfer.runs)) for transfer in fair_transfers(row)]
    # Without one of its tasks the sum would be too small, and the mixture too dear.
    return rows if len(rows) == len(mixed(row.first)) else []


def prompted(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """The better of zero-shot and few-shot against each row that trains on the same task, with the budget of the most data."""
    for candidate in rows:
        alike = [row for row in rows if question(row, *TRAINING_INPUTS) == question(candidate, *TRAINING_INPUTS)]
        # Prompts and trainings are held against one base, since each may be asked in its own words.
        prompts = [row for row in of_kind(alike, *PROMPTS) if row.over_best]
        # Solved examples that nobody tuned are no match for a rate that trials chose; without them prompting would look worse.
        fair = all(same_chance(row, candidate) for row in prompts)
        if candidate.trains and prompts and fair and candidate.setup.budget == max(alike, key=examples).setup.budget:
            yield max(prompts, key=lambda row: row.over_best.value if row.over_best else 0.0), candidate


def bits(row: Row) -> object:
    return row.setup.hyperparameters.get("bits")


def peft(row: Row) -> object:
    return row.setup.hyperparameters.get("peft")


def task_and_budget(*rows: Row) -> str:
    """`vader-movies, 800examples, 3 seeds`, of two rows that are held against each other."""
    return ", ".join(filter(None, (rows[0].setup.task, budget_and_seeds(*rows))))


def budget_and_seeds(*rows: Row) -> str:
    """`800examples, 3 seeds`; the seeds are those of the row with the fewest, among rows that hang on seeds."""
    counts = [len(row.records) for row in rows if row.seeds != "none"]
    seeds = f"{min(counts)} seed{'s' * (min(counts) > 1)}" if counts else ""
    return ", ".join(filter(None, (rows[0].setup.budget, seeds)))
