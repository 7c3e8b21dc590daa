"""The page's tables on forgetting: what the wide table's numbers amount to, and stages, one after another."""

from collections.abc import Callable, Sequence

from reports.page.cells import EMPTY, STRATEGY, Board, Cell, Column, Section, difference, sortable, tabled
from reports.rows import frontier, numbers
from reports.rows.means import Forgotten
from reports.rows.numbers import Measure
from reports.rows.rows import Row, grouped, probe_names, staged

Part = Callable[[Row, Forgotten], Cell]
OTHERS = 3
"""Further numbers of a probe that are shown one by one; of more, such as a model's layers, the one that moved most."""


def forgetting(rows: Sequence[Row]) -> Section:
    """A table per model and task; a column that has nothing to show is not there."""
    groups = grouped(rows).items()
    tables = [(f"{model} on {task}", _forgotten(group)) for (_, model, task), group in groups if any(map(_shown, group))]
    note = (
        "Verdict: loss or gain only where the interval of the forgetting excludes zero. "
        "Per gain: forgetting over gain, both at the end; a dash where the gain's interval does not lie above zero. "
        "At equal gain: forgetting where the curve first reaches the largest gain that all rows with a gain reach. "
        "Frontier: no other row, the untouched base included, gains as much and forgets as little. "
        "Rows that train nothing forget nothing and have no line."
    )
    return Section("Forgetting", note, tables)


def _forgotten(rows: Sequence[Row]) -> Board:
    relative = Column("All probes", "FG", "relative, %", "ascending", True, _relative)
    columns = [column for probe, measure in probe_names(rows).items() for column in _probe(rows, probe, measure)]
    return _filled([STRATEGY, relative, *columns], [row for row in rows if _shown(row)])


def _shown(row: Row) -> bool:
    return row.trains and bool(row.forgetting)


def _filled(columns: list[Column], rows: Sequence[Row]) -> Board:
    return tabled([column for column in columns if any(column.cell(row) != EMPTY for row in rows)], rows)


def _probe(rows: Sequence[Row], probe: str, measure: Measure) -> list[Column]:
    gain = next((row.measure for row in rows if row.gain), Measure("", share=False))
    reached, best = frontier.equal_gain(rows), {id(row) for row in frontier.of_rows(rows, probe)}
    at = f"at {numbers.difference(reached, gain)} {gain.unit}" if reached else ""

    def column(title: str, note: str, part: Part, numeric: bool = True) -> Column:
        def cell(row: Row) -> Cell:
            found = row.forgetting.get(probe)
            return part(row, found) if found else EMPTY

        return Column(probe, title, note, "ascending", numeric, cell)

    return [
        column("Verdict", "", lambda row, found: _word(found.lost.verdict), numeric=False),
        column("Frontier", "", lambda row, found: _word("yes" if id(row) in best else "no"), numeric=False),
        column("Per gain", _price(measure, gain), lambda row, found: _per_gained(row, probe)),
        column("At equal gain", f"{measure.unit}, {at}", lambda row, found: _at(row, probe, measure, reached)),
        column("Rounding", measure.unit, lambda row, found: difference(found.rounding, measure) if found.rounding else EMPTY),
        column("Contaminated", "items", lambda row, found: _contaminated(found)),
        column("Besides", "before → after", lambda row, found: _others(found), numeric=False),
    ]


def _price(measure: Measure, gain: Measure) -> str:
    """`nats per token for each point`"""
    return f"{measure.unit} for each {'point' if gain.share else gain.unit} gained"


def _word(text: str | None) -> Cell:
    return Cell(text, text) if text else EMPTY


def _relative(row: Row) -> Cell:
    found = row.relative_forgetting
    return EMPTY if found is None else Cell(numbers.points(found / 100), sortable(found))


def _per_gained(row: Row, probe: str) -> Cell:
    found = frontier.per_gained(row, probe)
    return EMPTY if found is None else Cell(numbers.ratio(found), sortable(found))


def _at(row: Row, probe: str, measure: Measure, gain: float | None) -> Cell:
    found = frontier.at_gain(frontier.path(row, probe), gain) if gain else None
    return EMPTY if found is None else Cell(numbers.difference(found, measure), sortable(found))


def _contaminated(found: Forgotten) -> Cell:
    return Cell(f"{found.contaminated:,} of {found.items:,}", found.contaminated) if found.contaminated else EMPTY


def _others(found: Forgotten) -> Cell:
    moved = sorted(found.others.items(), key=lambda part: -abs(part[1].after - part[1].before))
    if not moved:
        return EMPTY
    shown = list(found.others.items()) if len(moved) <= OTHERS else moved[:1]
    text = "; ".join(f"{name} {pair.before:.3f} → {pair.after:.3f}" for name, pair in shown)
    return Cell(text, text, detail="" if len(moved) <= OTHERS else f"moved most of {len(moved)}")


def stages(rows: Sequence[Row]) -> Section:
    """The measures, and the scores that they are made of."""
    tables = []
    for group in staged(rows):
        tables += [(f"{group[0].first.model}: the three measures", _measures(group)), ("Scores", _scores(group))]
    note = (
        "One model was trained on the tasks one after another. Backward transfer: what later stages did to the scores of "
        "earlier tasks. Forward transfer: what earlier stages did to a task before its own, against the base model. Forgetting:"
        " from a task's best score before the last stage to its last (Chaudhry et al. 2018). Means over tasks."
    )
    return Section("Stages", note, tables)


def _measures(rows: Sequence[Row]) -> Board:
    unit = rows[0].stage_measure.unit

    def column(title: str, name: str, positive: str) -> Column:
        def cell(row: Row) -> Cell:
            value = getattr(row.stages, name)
            return Cell(numbers.difference(value, row.stage_measure), sortable(value))

        first = "ascending" if positive == "loss" else "descending"
        return Column("", title, f"{unit}, positive is {positive}", first, True, cell)  # type: ignore[arg-type]

    return tabled(
        [
            STRATEGY,
            column("Backward transfer", "backward_transfer", "better"),
            column("Forward transfer", "forward_transfer", "better"),
            column("Forgetting", "forgetting", "loss"),
        ],
        rows,
    )


def _scores(rows: Sequence[Row]) -> Board:
    tasks = list(rows[0].stage_measures)
    columns = [
        _score(f"After {tasks[stage]}" if stage >= 0 else "Base", name, stage, task)
        for stage in range(-1, len(tasks))
        for task, name in enumerate(tasks)
    ]
    return tabled([STRATEGY, *columns], rows)


def _score(group: str, name: str, stage: int, task: int) -> Column:
    def cell(row: Row) -> Cell:
        assert row.stages is not None
        value = row.stages.scores[stage][task] if stage >= 0 else row.stages.base[task]
        return Cell(numbers.level(value, list(row.stage_measures.values())[task]), sortable(value))

    return Column(group, name, "", "descending", True, cell)
