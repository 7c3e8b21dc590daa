"""Per-item answers as matrices, or None where they cannot be used."""

import numpy as np
import pandas as pd
import pytest

from bench.records.store import as_text
from reports.rows import answers


def test_task_and_probe_answers_have_a_row_per_seed(make):
    frames = [make.record("full", seed)[1] for seed in range(3)]
    task, probe = answers.task_counts(frames, "sst2", "accuracy"), answers.probe_counts(frames, "lambada")
    assert task is not None and task.after.shape == task.before.shape == (3, 200, 2)
    assert probe is not None and probe.after.shape == (3, 64, 2)
    assert np.isclose(task.number(task.after.sum(1)), 0.85).all() and np.isclose(task.number(task.before.sum(1)), 0.55).all()
    lost, number = task.difference(-1.0)
    assert np.isclose(number(lost.sum(1)), -0.3).all()


def test_weights_are_those_of_the_mean(make):
    frame = make.record("full")[1]
    weights = np.arange(len(frame)) % 3 + 1.0
    found = answers.probe_counts([frame.assign(weight=weights)] * 2, "wikipedia")
    rows = (frame["name"] == "wikipedia").to_numpy()
    assert found.number(found.after.sum(1)) == pytest.approx([np.average(frame["value"][rows], weights=weights[rows])] * 2)


def test_labels_of_all_seeds_have_the_same_columns():
    frames = [task_frame(["a", "a"], ["a", "a"], guess) for guess in (["a", "b"], ["c", "a"])]
    found = answers.task_counts(frames, "t", "f1_macro")
    assert found.after.shape == found.before.shape == (2, 2, 9)
    assert found.number(found.after.sum(1)) == pytest.approx([1 / 3, 1 / 3])
    assert found.number(found.before.sum(1)) == pytest.approx([1, 1])


def test_lists_are_read_from_their_text():
    gold, guess = [["B-PER", "I-PER"], ["O"]], [["B-PER", "O"], ["B-PER"]]
    found = answers.task_counts([task_frame(gold, gold, guess)] * 2, "t", "entity_recall")
    assert found.number(found.after.sum(1)).tolist() == [0, 0] and found.number(found.before.sum(1)).tolist() == [1, 1]


def test_metric_without_references_needs_no_gold():
    frame = task_frame(["", ""], [[3.0, 2.0], [3.0, 1.0]], [[2.0, 2.0], [2.0, 1.0]]).drop(columns="gold")
    found = answers.task_counts([frame] * 2, "t", "perplexity")
    assert found.difference(-1.0)[1](found.difference(-1.0)[0].sum(1)) == pytest.approx([np.exp(2) - np.exp(4 / 3)] * 2)


def task_frame(gold: list, before: list, prediction: list) -> pd.DataFrame:
    columns = {"gold": gold, "before": before, "prediction": prediction}
    texts = {name: [as_text(value) for value in column] for name, column in columns.items()}
    return pd.DataFrame({"kind": "task", "name": "t", "item": [str(n) for n in range(len(gold))], **texts})


def test_answers_that_cannot_be_used(make):
    frame = make.record("full")[1]
    assert answers.task_counts([], "sst2", "accuracy") is None
    assert answers.task_counts([frame, pd.DataFrame()], "sst2", "accuracy") is None
    assert answers.task_counts([frame, frame], "another", "accuracy") is None
    assert answers.task_counts([frame, frame.iloc[1:]], "sst2", "accuracy") is None
    assert answers.task_counts([frame, frame], "sst2", "of another program") is None
    assert answers.task_counts([frame, frame.assign(before=None)], "sst2", "accuracy") is None
    assert answers.probe_counts([frame, frame.assign(value=np.nan)], "lambada") is None
    assert answers.probe_counts([frame, frame.assign(weight=2.0)], "lambada") is None
