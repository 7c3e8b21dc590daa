"""The page's tables at equal cost."""

from reports.page.equal_cost import equal_cost_section
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
    assert ("Gains most for its cost", "Memory") in cells[0]


def test_one_row_has_no_table(make):
    assert equal_cost_section(aggregate([watched(make, "full", 20.0)])).tables == []
