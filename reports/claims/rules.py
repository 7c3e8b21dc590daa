"""The rule of each claim of claims.yaml, a function of the same name: rows of one model in, comparisons out."""

from collections.abc import Iterator, Sequence

from bench.groups import groups_by
from bench.records.record import Cost
from reports.claims import rows as sets
from reports.claims.contrasts import cost_below, count_below, gain_kept, higher, less_lost, less_lost_at_equal_gain, risen
from reports.claims.evidence import Evidence
from reports.claims.rows import ADAPTER, FROZEN, FULL, INSTRUCTION, adapters, opposed, with_little_data
from reports.rows.environments import one_machine
from reports.rows.equal_cost import HELD, SPENT, Take
from reports.rows.row import Row

Rows = Sequence[Row]
Comparisons = Iterator[Evidence]

HALF = 0.5
POINTS = 0.02
"""By how much a score may be lower and still count as good."""


def less_memory(rows: Rows) -> Comparisons:
    yield from _cheaper_on_one_machine(adapters(rows), rows, HELD["memory"])


def faster(rows: Rows) -> Comparisons:
    """A budget of seconds, and early stopping, leave the two with unlike numbers of examples."""
    alike = (pair for pair in adapters(rows) if sets.examples(pair[0]) == sets.examples(pair[1]))
    yield from _cheaper_on_one_machine(alike, rows, SPENT["training"])


def _cheaper_on_one_machine(pairs: Iterator[tuple[Row, Row]], rows: Rows, take: Take) -> Comparisons:
    """Memory is a process's on a CPU and the tensors' on a GPU, and seconds are each machine's own."""
    for one, other in pairs:
        if one_machine(one, other):
            yield from cost_below(one, other, rows, take)


def smaller(rows: Rows) -> Comparisons:
    for pair in adapters(rows):
        yield from count_below(*pair, HELD["saved"])


def keeps_at_same_rate(rows: Rows) -> Comparisons:
    for one, other in opposed(rows, ADAPTER, FULL):
        if sets.same_rate(one, other):
            yield from less_lost(one, other)


def keeps_at_same_gain(rows: Rows) -> Comparisons:
    for pair in adapters(rows):
        yield from less_lost_at_equal_gain(*pair)


def little_data(rows: Rows) -> Comparisons:
    for pair in with_little_data(adapters(rows)):
        yield from higher(*pair)


def out_of_domain(rows: Rows) -> Comparisons:
    for one, other in adapters(rows):
        for domain, away in one.elsewhere.items():
            theirs = other.elsewhere.get(domain)
            # What was mixed in or trained on before is another task, and no other domain of this one.
            if theirs and theirs.items == away.items and one.kind(domain) == "Domains":
                yield from higher(one, other, domain)


def freezing_suffices(rows: Rows) -> Comparisons:
    for pair in opposed(rows, FROZEN, FULL):
        yield from gain_kept(*pair)


def fewer_labels(rows: Rows) -> Comparisons:
    for pair in with_little_data(opposed(rows, INSTRUCTION, FULL)):
        yield from higher(*pair)


def multitask_cheaper(rows: Rows) -> Comparisons:
    for row in sets.mixtures(rows):
        # Without a limit for what counts as good as, that it costs less would be all that is looked at.
        if (single := sets.single_task_rows(row)) and all(transfer.quantity.share for transfer in row.transfers):
            yield from count_below(row, single, SPENT["flops"])
            yield from (risen(row, transfer, POINTS) for transfer in row.transfers)


def multitask_transfers(rows: Rows) -> Comparisons:
    for row in sets.mixtures(rows):
        yield from (risen(row, transfer) for transfer in sets.fair_transfers(row))


def _weight_bytes(cost: Cost) -> float | None:
    return cost.weight_bytes


def half_the_weights(rows: Rows) -> Comparisons:
    # Another rank or other layers would change the weights too.
    alike = (
        (one, other)
        for one, other in opposed(rows, ADAPTER, ADAPTER)
        if (sets.bits(one), sets.bits(other)) == (8, 32) and sets.peft(one) == sets.peft(other)
    )
    for pairs in groups_by(alike, lambda pair: pair[1].first.run_id).values():
        # One adapter at several rates has the same weights, which are counted once: at the other's rate, if it is there.
        one, other = next((pair for pair in pairs if sets.same_rate(*pair)), pairs[0])
        yield from count_below(one, other, _weight_bytes, HALF)


def prompting_suffices(rows: Rows) -> Comparisons:
    for prompted_row, trained_row in sets.prompted(rows):
        yield from gain_kept(prompted_row, trained_row)
