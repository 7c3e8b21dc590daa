import pandas as pd

from reports.audit.item_columns import column_texts, complete, part, parts

ITEMS = pd.DataFrame(
    {"kind": ["task", "probe", "probe"], "name": ["t", "p", "q"], "value": [None, 1.0, 2.0], "prediction": ["a", None, "b"]}
)


def test_parts_by_kind_and_name():
    assert part(ITEMS, "probe")["name"].tolist() == ["p", "q"] and part(ITEMS, "probe", "q")["value"].tolist() == [2.0]
    assert [(name, len(found)) for name, found in parts(ITEMS, "probe")] == [("p", 1), ("q", 1)]
    assert part(pd.DataFrame(), "probe").empty and list(parts(pd.DataFrame(), "probe")) == []


def test_a_column_with_a_hole_is_none():
    assert complete(part(ITEMS, "probe"), "value") == [1.0, 2.0]
    assert complete(ITEMS, "value") is complete(ITEMS, "weight") is column_texts(ITEMS, "prediction") is None
    assert complete(part(ITEMS, "other"), "value") is None
    assert column_texts(part(ITEMS, "task"), "prediction") == ["a"]
