"""The table of a run's items: its columns, and answers that are no text."""

import json

import pandas as pd

from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.measuring.item_table import COLUMNS, item_table


def answers(gold, predictions, **more):
    items = [f"i{number}" for number in range(len(gold))]
    return pd.DataFrame({"item": items, "gold": gold, "prediction": predictions, "confidence": 0.5, **more})


def of_probe(*values, **more):
    return pd.DataFrame({"value": values, "weight": 2.0, **more})


def asked(same, best=None):
    return BaseAnswers(same, same if best is None else best, "plain")


def made(rounded=None, **more):
    before = BaseResults(
        asked(answers(["a", "b"], ["b", "b"]), best=answers(["a", "b"], ["a", "a"])),
        elsewhere={"rte": asked(answers(["yes"], ["no"])), "left out": asked(answers(["x"], ["x"]))},
        probes={"mrpc": of_probe(0.1, 0.2, gold=["1", "0"]), "wikipedia": of_probe(3.0)},
        rounded=rounded or {},
    )
    after = Evaluation(
        answers(["a", "b"], ["a", "b"], **more),
        elsewhere={"rte": answers(["yes"], ["yes"])},
        probes={"mrpc": of_probe(0.3, 0.4, gold=["1", "0"]), "wikipedia": of_probe(4.0)},
    )
    return item_table("sst2", before, after)


def test_a_row_per_item_of_all_kinds_in_order():
    table = made()
    assert tuple(table) == COLUMNS and table.index.tolist() == list(range(6))
    assert list(zip(table["kind"], table["name"], table["item"], strict=True)) == [
        ("task", "sst2", "i0"),
        ("task", "sst2", "i1"),
        ("elsewhere", "rte", "i0"),
        ("probe", "mrpc", "0"),
        ("probe", "mrpc", "1"),
        ("probe", "wikipedia", "0"),
    ]


def test_before_and_after_stand_side_by_side():
    table = made()
    assert table["before"].tolist()[:3] == ["b", "b", "no"] and table["prediction"].tolist()[:3] == ["a", "b", "yes"]
    assert table["best_before"].tolist()[:3] == ["a", "a", "no"]
    probes = table[table["kind"] == "probe"]
    assert probes["before_value"].tolist() == [0.1, 0.2, 3.0] and probes["value"].tolist() == [0.3, 0.4, 4.0]
    assert probes["rounded_value"].isna().all()
    rounded = made(rounded={"mrpc": of_probe(0.15, 0.25), "wikipedia": of_probe(3.5)})
    assert rounded["rounded_value"].tolist()[3:] == [0.15, 0.25, 3.5]
    assert probes["weight"].tolist() == [2.0] * 3 and probes["gold"].tolist()[:2] == ["1", "0"]
    # What a kind does not have is missing, not zero.
    assert probes["before"].isna().all() and table["before_value"].isna().tolist() == [True] * 3 + [False] * 3


def test_what_only_a_run_needs_is_left_out_and_what_only_some_have_is_kept():
    table = made(malformed=[False, True], read=[7, 7])
    assert tuple(table) == COLUMNS  # tokens that an API counted go into the cost
    assert table["malformed"].tolist()[:2] == [False, True] and table["malformed"].isna().tolist() == [False] * 2 + [True] * 4


def test_clusters_of_task_items_stand_beside_them():
    table = made(cluster=["film", None])
    assert table["cluster"].tolist()[0] == "film" and table["cluster"].isna().tolist() == [False] + [True] * 5


def test_answers_that_are_no_text_are_json(tmp_path):
    spans = [["0:2 Ort"], []]
    said = [["0:2 Ort"], [0.25, 1.0]]
    table = item_table("t", BaseResults(asked(answers(spans, [[], ["né"]]))), Evaluation(answers(spans, said)))
    assert table["gold"].tolist() == ['["0:2 Ort"]', "[]"] and table["before"].tolist() == ["[]", '["né"]']
    assert [json.loads(text) for text in table["prediction"]] == said
    table.to_parquet(tmp_path / "items.parquet")
    assert pd.read_parquet(tmp_path / "items.parquet")["prediction"].tolist() == table["prediction"].tolist()


def test_text_stays_as_it_is():
    table = item_table("t", BaseResults(asked(answers(["[1]"], ['"x"']))), Evaluation(answers(["[1]"], ["a b"])))
    assert table.loc[0, ["gold", "before", "prediction"]].tolist() == ["[1]", '"x"', "a b"]


def test_answers_under_each_wording_and_after_each_stage():
    before = BaseResults(asked(answers(["a"], ["b"])), stages=[answers(["x"], ["y"]), answers(["a"], ["b"])])
    after = Evaluation(answers(["a"], ["a"]), paraphrases=(answers(["a"], ["b"]), answers(["a"], ["a"])))
    stages = [
        [[{"item": "i0", "gold": "x", "prediction": said}], [{"item": "i0", "gold": "a", "prediction": said}]] for said in "xz"
    ]
    table = item_table("t", before, after, ["say {text}", "{text}?"], ["first", "t"], stages)
    worded = table[table["kind"] == "wording"]
    assert list(zip(worded["name"], worded["prediction"], strict=True)) == [("say {text}", "b"), ("{text}?", "a")]
    staged = table[table["kind"] == "stage"]
    assert list(zip(staged["stage"], staged["name"], staged["gold"], staged["prediction"], strict=True)) == [
        (0, "first", "x", "y"),  # the base's
        (0, "t", "a", "b"),
        (1, "first", "x", "x"),
        (1, "t", "a", "x"),
        (2, "first", "x", "z"),
        (2, "t", "a", "z"),
    ]
    assert table[table["kind"] == "task"]["stage"].isna().all()
