"""The page's ranking: the wide table's lines with what they are filtered by, and of each table of rows who is ahead and how
sure that is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.records.contract import Json
from bench.records.outcome import Point
from bench.records.record import Cost
from reports.boards.page_json import board_json, rounded, shown_ends
from reports.boards.wide_table import budget_of, fallen, wide_table
from reports.rows.captions import smallest_with_family
from reports.rows.conclusion import conclusion
from reports.rows.environments import one_machine
from reports.rows.no_model_rows import NO_MODEL, without_model
from reports.rows.numbers import in_unit
from reports.rows.one_base import one_base
from reports.rows.row import Row
from reports.rows.rows import MIXED, grouped, probe_names
from reports.rows.standing import Standing, score_standing

TableKey = tuple[str, str, str]
COSTS_SHOWN = ("train_seconds", "eval_seconds", "peak_memory_bytes", "saved_bytes", "train_flops", "train_examples", "money")


def standings_of(rows: Sequence[Row]) -> dict[TableKey, Standing]:
    """Of each suite, model and task with at least two scores."""
    return {key: standing for key, group in grouped(rows).items() if (standing := score_standing(group))}


def ranking(rows: Sequence[Row], standings: Mapping[TableKey, Standing]) -> Json:
    """The table of a suite's rows and of the answers that need no model, and its groups: rows that may be compared."""
    all_rows = [*rows, *without_model(rows)]
    groups = list(grouped(all_rows).items())
    places = {key: number for number, (key, _) in enumerate(groups)}
    table = board_json(wide_table(all_rows, list(standings.values())))
    # An answer without a model bears the id of the run that it stands beside, and takes no place.
    numbered = {row.first.run_id: number for number, row in enumerate(rows)}
    better = _better_lines(numbered, standings)
    table["lines"] = [
        # Lines are sorted and filtered on the page, and known by this number all the same.
        line | _line_facts(row, places[row.group]) | {"number": number, "better": better.get(number, [])}
        for number, (line, row) in enumerate(zip(table["lines"], all_rows, strict=True))
    ]
    return {"table": table, "groups": [_encoded_group(key, group, standings.get(key), numbered) for key, group in groups]}


def _better_lines(numbered: Mapping[str, int], standings: Mapping[TableKey, Standing]) -> dict[int, list[tuple[int, float]]]:
    """Number of each line -> the lines of its group that are better by more than chance, each with its p among all pairs."""
    better_lines: dict[int, list[tuple[int, float]]] = {}
    for standing in standings.values():
        placed = [numbered[run] for run in standing.places]
        for pair in standing.pairs:
            for row, other in ((pair.one, pair.other), (pair.other, pair.one)):
                # `better[i, j]` says that i is better than j.
                if standing.better[row, other]:
                    better_lines.setdefault(placed[other], []).append((placed[row], pair.p))
    return better_lines


def _line_facts(row: Row, group: int) -> Json:
    """What a line is filtered by and drawn of. Costs are in seconds, bytes and counts."""
    cost = row.cost
    return {
        "group": group,
        "strategy": row.setup.strategy,
        "label": row.label,
        "budget": budget_of(row),
        "seeds": len(row.records),
        "runs": [record.run_id for record in row.records] if row.setup.model != NO_MODEL else [],
        "trains": row.trains,
        "score": shown_ends(row.score, row.quantity),
        "gain": shown_ends(row.gain, row.quantity),
        "over_best": shown_ends(row.over_best, row.quantity),
        "lost": {name: shown_ends(probe.lost, probe.quantity) for name, probe in row.forgetting.items()},
        "curve": [_encoded_point(point, row) for point in row.curve],
        "best": _encoded_expected_best(row),
        "cost": _shown_costs(cost),
        # Most rows have none, and a page holds thousands.
        **({"fallen": fallen(row)} if row.collapsed else {}),
    }


def _shown_costs(cost: Cost | None) -> dict[str, Any]:
    """Those that are known. A model behind an API holds nothing here, and what it holds elsewhere nobody says."""
    costs = {name: getattr(cost, name) for name in COSTS_SHOWN if cost}
    return {name: rounded(value) for name, value in costs.items() if value is not None}


def _encoded_point(point: Point, row: Row) -> list[Any]:
    """Examples trained on, score and gain on validation items, and what each probe had lost."""
    lost = {
        name: rounded(in_unit(value, row.forgetting[name].quantity))
        for name, value in point.forgetting.items()
        if name in row.forgetting
    }
    score, gain = (rounded(in_unit(value, row.quantity)) for value in (point.score, point.gain))
    return [point.examples, score, gain, lost]


def _encoded_expected_best(row: Row) -> list[list[float | None]]:
    """Trials, and the best score that they are expected to find with its bounds."""
    points = row.setup.tuning.expected_best

    def shown(value: float | None) -> float | None:
        return None if value is None else rounded(in_unit(value, row.quantity))

    return [[each.trials, shown(each.expected), shown(each.low), shown(each.high)] for each in points]


def _encoded_pairs(standing: Standing | None, numbered: Mapping[str, int]) -> list[list[float | None]]:
    """Two lines' numbers, the first's score minus the second's with its interval as it is shown, p among all pairs, and 1 where
    both answered the same items."""
    if standing is None:
        return []
    placed = [numbered[run] for run in standing.places]
    quantity = standing.quantity
    return [
        [
            placed[pair.one],
            placed[pair.other],
            *(rounded(in_unit(end, quantity)) for end in (pair.value, pair.low, pair.high)),
            # A p is read for its size, and not for its digits.
            rounded(pair.p, 3),
            int(pair.paired),
        ]
        for pair in standing.told_pairs
    ]


def _encoded_group(key: TableKey, rows: Sequence[Row], standing: Standing | None, numbered: Mapping[str, int]) -> Json:
    _, model, task = key
    score = next((row.outcome.score for row in rows if row.outcome), None)
    quantity = next((row.quantity for row in rows if row.score), None)
    return {
        "model": model,
        "task": task,
        "measure": quantity.name if quantity else "",
        "share": bool(quantity and quantity.share),
        "unit": quantity.unit if quantity else "",
        # A table of failed rows alone does not know what its score would have been.
        "higher": score is None or score.higher_is_better,
        "compared": "gain" if one_base(rows) else "over_best",
        "one_machine": one_machine(*(row for row in rows if row.cost)),
        "items": score.n if score else None,
        # A probe that rows measured in two ways is neither a share nor none.
        "probes": {
            name: {"unit": probe.unit, "share": None if probe == MIXED else probe.share}
            for name, probe in probe_names(rows).items()
        },
        "said": list(_ranking_sentences(rows, standing)),
        "smallest": smallest_with_family(standing) if standing else None,
        "smallest_between": standing.between if standing else None,
        "pairs": _encoded_pairs(standing, numbered),
    }


def _ranking_sentences(rows: Sequence[Row], standing: Standing | None) -> Iterator[str]:
    """What was found, as below the table in a terminal, and how sure that is."""
    yield from conclusion(rows, standing)
    if standing and (smallest := smallest_with_family(standing)):
        yield f"Between {standing.between or 'two rows'}, a difference below {smallest} would mostly not have been found."
    if standing and not standing.seeded:
        yield "One seed: this is about these trained models. Another seed may rank otherwise."
