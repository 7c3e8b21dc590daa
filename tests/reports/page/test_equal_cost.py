"""The page's tables at equal cost."""

import pytest

from reports.page.equal_cost import ONE_SEED_EACH, equal_cost_section
from reports.rows.one_base import BEST_WORDS
from reports.rows.rows import aggregate


def watched(make, name: str, seconds: float):
    record = make.record(name, curve=make.curve([(0.1, {"lambada": 0.01}), (0.2, {"lambada": 0.02})]))[0]
    cost = record.cost.model_copy(update={"train_seconds": seconds, "train_examples": 32})
    return make.changed(record, cost=cost)


def test_columns_name_the_cost(make):
    ((title, board),) = equal_cost_section(aggregate([watched(make, "full", 20.0), watched(make, "frozen", 10.0)])).tables
    assert title == "smollm2 on sst2"
    cells = [
        dict(zip([(c.group, c.title) for c in board.columns], (cell.text for cell in line.cells), strict=True))
        for line in board.lines
    ]
    at = {each["", "Strategy"]: (each["At 10.0 s", "Gain"], each["At 10.0 s", "lambada"]) for each in cells}
    assert at == {"full": ("+10.0", "+1.0"), "frozen": ("+20.0", "+2.0")}
    # How far seconds and memory move is not known of one seed each.
    assert [title for group, title in cells[0] if group == "Gains most for its cost"] == ["FLOPs", "Saved"]


def test_one_seed_is_told_and_two_have_shares_by_what_is_measured(make):
    runs = {
        name: [make.changed(watched(make, name, seconds), seed=seed, run_id=make.digest([name, seed])) for seed in range(2)]
        for name, seconds in (("full", 20.0), ("frozen", 10.0))
    }
    one, two = (equal_cost_section(aggregate([run for each in runs.values() for run in each[:seeds]])) for seeds in (1, 2))
    assert one.notes == [f"smollm2 on sst2: {ONE_SEED_EACH}"] and two.notes == []
    ((_, board),) = two.tables
    titles = [column.title for column in board.columns if column.group == "Gains most for its cost"]
    assert titles == ["Training", "FLOPs", "Memory", "Saved"]


def test_a_rounded_base_starts_at_what_rounding_lost(make):
    """At half of its training: planted fault, half of what rounding had lost before the first step."""
    pair = make.record("lora-8bit", curve=make.curve([(0.2, {"lambada": 0.05})]), probes={"lambada": ("accuracy", 0.5, 0.45)})
    record = make.rounded(pair, "lambada", (0.05, 0.04, 0.06))[0]
    cost = record.cost.model_copy(update={"train_seconds": 20.0, "train_examples": 16})
    rows = aggregate([make.changed(record, cost=cost), watched(make, "full", 10.0)])
    ((_, board),) = equal_cost_section(rows).tables
    (place,) = [n for n, column in enumerate(board.columns) if (column.group, column.title) == ("At 10.0 s", "lambada")]
    assert {line.row.label: line.cells[place].text for line in board.lines}["lora-8bit"] == "+5.0"


def test_what_was_forgotten_for_what_is_held(make, out):
    """Planted fault: forgetting for as much memory, or bytes to keep, stood nowhere."""
    after = {"full": (134_515_008, 3.7), "frozen": (44_000_000, 3.3)}
    made = [
        make.record(name, seed, trainable=size, probes={"wikipedia": ("loss (nats per token)", 3.2, loss)})
        for name, (size, loss) in after.items()
        for seed in range(2)
    ]
    ((_, board),) = equal_cost_section(aggregate(make.kept(out, made), out)).tables
    places = [n for n, column in enumerate(board.columns) if column.group == "Forgets least of wikipedia for its cost"]
    assert [board.columns[place].title for place in places] == ["Memory", "Saved"]
    assert {line.row.label: [line.cells[place].text for place in places] for line in board.lines} == {
        "full": ["0 %", "0 %"],
        "frozen": ["100 %", "100 %"],
    }


def test_rows_that_were_asked_in_different_words_are_held_against_one_base(make, out):
    """Both spent as much in all: each is read at the end of its curve, which `instruction` reaches from a weaker base."""
    shortened = [
        (make.changed(record, cost=record.cost.model_copy(update={"train_examples": 32})), frame)
        for record, frame in make.two_wordings()
    ]
    section = equal_cost_section(aggregate(make.kept(out, shortened), out))
    ((_, board),) = section.tables
    cells = [dict(zip([(c.group, c.title) for c in board.columns], line.cells, strict=True)) for line in board.lines]
    assert [each["At 81.5 s", "Gain"].text for each in cells] == ["+30.0", "+20.0"]
    shares = [each["Gains most for its cost", "Saved"].value for each in cells]
    assert shares == pytest.approx([1.0, 0.0], abs=0.05)
    assert f"smollm2 on sst2: {BEST_WORDS}" in section.notes


def test_what_unlike_machines_took_is_not_compared(make):
    """Planted fault: a row was called twice as fast for its machine."""
    here, there = watched(make, "full", 20.0), watched(make, "frozen", 10.0)
    rows = aggregate([here, make.changed(there, device={"type": "cuda", "name": "another"})])
    ((_, board),) = equal_cost_section(rows).tables
    groups = {column.group for column in board.columns}
    assert "At 12.3 TFLOPs" in groups and not {"At 10.0 s", "Times the least"} & groups
    assert [column.title for column in board.columns if column.group == "Gains most for its cost"] == ["FLOPs", "Saved"]


def test_several_seeds_have_an_interval_of_other_seeds(make):
    """Gains of .15 and .25 at the end, seed SD .0707; of the other row .2 twice: pooled .0025."""

    def runs(name, seconds, *ends):
        for seed, end in enumerate(ends):
            record = make.record(name, seed, curve=make.curve([(0.1, {}), (end, {})]))[0]
            yield make.changed(record, cost=record.cost.model_copy(update={"train_seconds": seconds, "train_examples": 32}))

    found = [*runs("full", 10.0, 0.15, 0.25), *runs("frozen", 10.0, 0.2, 0.2)]
    ((_, board),) = equal_cost_section(aggregate(found)).tables
    (place,) = [n for n, column in enumerate(board.columns) if (column.group, column.title) == ("At 10.0 s", "Gain")]
    cells = {line.row.label: line.cells[place] for line in board.lines}
    # 4.303 times the square root of .005 / 2, and of .0025 / 2
    assert (cells["full"].text, cells["full"].interval) == ("+20.0", "[-1.5, +41.5]")
    assert (cells["frozen"].text, cells["frozen"].interval) == ("+20.0", "[+4.8, +35.2]")


def test_one_row_has_no_table(make):
    assert equal_cost_section(aggregate([watched(make, "full", 20.0)])).tables == []
