"""Per-item answers as matrices, or None where they cannot be used."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from bench.records.store import as_text
from reports.rows import answers
from reports.rows.run_items import RunItems


def test_task_and_probe_answers_have_a_row_per_seed(make):
    frames = [make.record("full", seed)[1] for seed in range(3)]
    task, probe = answers.task_answers(of(frames), "sst2", "accuracy"), answers.probe_answers(of(frames), "lambada", "accuracy")
    assert task is not None and task.after.shifts.shape == task.before.shifts.shape == (3, 200)
    assert probe is not None and probe.after.shifts.shape == (3, 64)
    assert np.isclose(task.after.values, 0.85).all() and np.isclose(task.before.values, 0.55).all()
    assert np.isclose(task.difference(-1.0).values, -0.3).all()


def test_weights_are_those_of_the_mean(make):
    frame = make.record("full")[1]
    weights = np.arange(len(frame)) % 3 + 1.0
    found = answers.probe_answers(of([frame.assign(weight=weights)] * 2), "wikipedia", "loss (nats per token)")
    rows = (frame["name"] == "wikipedia").to_numpy()
    assert found.after.values == pytest.approx([np.average(frame["value"][rows], weights=weights[rows])] * 2)


def test_labels_of_all_seeds_have_the_same_columns():
    frames = [task_frame(["a", "a"], ["a", "a"], guess) for guess in (["a", "b"], ["c", "a"])]
    found = answers.task_answers(of(frames), "t", "f1_macro")
    assert found.after.values == pytest.approx([1 / 3, 1 / 3]) and found.before.values == pytest.approx([1, 1])


def test_lists_are_read_from_their_text():
    gold, guess = [["B-PER", "I-PER"], ["O"]], [["B-PER", "O"], ["B-PER"]]
    found = answers.task_answers(of([task_frame(gold, gold, guess)] * 2), "t", "entity_recall")
    assert found.after.values.tolist() == [0, 0] and found.before.values.tolist() == [1, 1]


def test_metric_without_references_needs_no_gold():
    frame = task_frame(["", ""], [[3.0, 2.0], [3.0, 1.0]], [[2.0, 2.0], [2.0, 1.0]]).drop(columns="gold")
    found = answers.task_answers(of([frame] * 2), "t", "perplexity")
    assert found.difference(-1.0).values == pytest.approx([np.exp(2) - np.exp(4 / 3)] * 2)


def test_rows_of_a_task_need_not_stand_together(make):
    frame = make.record("full")[1]
    parted = pd.concat([frame.iloc[:50], frame[frame["kind"] == "probe"], frame.iloc[50:200]])
    whole, found = (answers.task_answers(of([each]), "sst2", "accuracy") for each in (frame, parted))
    assert np.array_equal(whole.after.shifts, found.after.shifts) and len(found.after.shifts[0]) == 200


def of(frames: list[pd.DataFrame]) -> list[RunItems]:
    return [RunItems.of_frame(frame) for frame in frames]


def task_frame(gold: list, before: list, prediction: list) -> pd.DataFrame:
    columns = {"gold": gold, "before": before, "prediction": prediction}
    texts = {name: [as_text(value) for value in column] for name, column in columns.items()}
    return pd.DataFrame({"kind": "task", "name": "t", "item": [str(n) for n in range(len(gold))], **texts})


def test_answers_that_cannot_be_used(make):
    frame = make.record("full")[1]
    assert answers.task_answers(of([]), "sst2", "accuracy") is None
    assert answers.task_answers(of([frame, pd.DataFrame()]), "sst2", "accuracy") is None
    assert answers.task_answers(of([frame, frame]), "another", "accuracy") is None
    assert answers.task_answers(of([frame, frame.iloc[1:]]), "sst2", "accuracy") is None
    assert answers.task_answers(of([frame, frame.iloc[::-1]]), "sst2", "accuracy") is None
    assert answers.task_answers(of([frame, frame]), "sst2", "of another program") is None
    assert answers.task_answers(of([frame, frame.assign(before=None)]), "sst2", "accuracy") is None
    assert answers.probe_answers(of([frame, frame.assign(value=np.nan)]), "lambada", "accuracy") is None
    assert answers.probe_answers(of([frame, frame.assign(weight=2.0)]), "lambada", "accuracy") is None
    assert answers.probe_answers(of([frame, frame]), "lambada", "ROC AUC") is None


def pairs(gold: list[str], seeds: int = 2) -> list[pd.DataFrame]:
    """A probe of sentence pairs."""
    generator = np.random.default_rng(0)
    columns = {"kind": "probe", "name": "mrpc", "item": [str(n) for n in range(len(gold))], "gold": gold, "weight": 1.0}
    ease = generator.normal(size=len(gold))
    return [
        pd.DataFrame({**columns, "before_value": ease, "value": ease + generator.normal(size=len(gold))}) for _ in range(seeds)
    ]


def test_ranking_probes_have_their_own_number():
    gold = [str(n % 3 % 2) for n in range(60)]
    frames = pairs(gold)
    found = answers.probe_answers(of(frames), "mrpc", "ROC AUC")
    assert found.after.values == pytest.approx([roc_auc_score(np.array(gold) == "1", frame["value"]) for frame in frames])
    assert found.before.values[0] == found.before.values[1]
    graded = [str(n / 7) for n in range(60)]
    found = answers.probe_answers(of(pairs(graded)), "mrpc", "Spearman correlation")
    expected = [spearmanr(np.arange(60), frame["value"]).statistic for frame in pairs(graded)]
    assert found.after.values == pytest.approx(expected)


def test_values_of_probes_are_drawn_from():
    gold = [str(n % 3 % 2) for n in range(60)]
    values, number, _ = answers.drawable_probe(of(pairs(gold)), "mrpc", "ROC AUC")
    assert values.shape == (2, 60) and number.positive.sum() == 20 and (number.base == pairs(gold)[0]["before_value"]).all()
    values, number, _ = answers.drawable_probe(of(pairs(gold)), "mrpc", "loss")
    assert values.shape == (2, 60) and number.weights.tolist() == [1.0] * 60
    # Of graded gold nothing is drawn, of one class there is no ranking, and of one pair of a class nothing is known of others.
    assert answers.drawable_probe(of(pairs(gold)), "mrpc", "Spearman correlation") is None
    assert answers.drawable_probe(of(pairs(["1"] * 60)), "mrpc", "ROC AUC") is None
    assert answers.drawable_probe(of(pairs(["1", *["0"] * 59])), "mrpc", "ROC AUC") is None
    assert answers.drawable_probe(of(pairs(gold)), "another", "ROC AUC") is None


def test_likelihoods_are_drawn_as_nats_of_each_unit():
    before, after, other = ([[nats, 2.0, 9.0], [3.0, 4.0, 9.0]] for nats in (6.0, 5.0, 4.0))
    frames = [task_frame(["", ""], before, each) for each in (after, other)]
    values, number, _ = answers.drawable_likelihoods(of(frames), "t", "perplexity")
    assert values.tolist() == [[2.5, 0.75], [2.0, 0.75]] and number.base.tolist() == [3.0, 0.75]
    assert number.number(np.array([8.0, 6.0])) == pytest.approx(np.exp(8 / 6)) and number.weights.tolist() == [2.0, 4.0]
    assert answers.drawable_likelihoods(of(frames), "t", "bits_per_byte")[1].weights.tolist() == [9.0, 9.0]
    unlike = [frames[0], task_frame(["", ""], before, [[5.0, 3.0, 9.0], [3.0, 4.0, 9.0]])]
    assert answers.drawable_likelihoods(of(unlike), "t", "perplexity") is None
    assert (
        answers.drawable_likelihoods(of(frames), "t", "accuracy")
        is answers.drawable_likelihoods(of(frames), "t", "other")
        is None
    )


def test_whole_clusters_are_left_out_where_the_items_have_some():
    frame = task_frame(["a"] * 40, ["a"] * 40, ["a", "b"] * 20).assign(cluster=[f"film {n // 4}" for n in range(40)])
    assert answers.task_answers(of([frame]), "t", "accuracy").after.shifts.shape == (1, 10)
    assert answers.task_answers(of([frame.assign(cluster=None)]), "t", "accuracy").after.shifts.shape == (1, 40)


def test_either_base_is_held_against():
    frame = task_frame(["a"] * 4, ["b"] * 4, ["a", "a", "a", "b"]).assign(best_before=["a", "a", "b", "b"])
    same, best = (answers.task_answers(of([frame]), "t", "accuracy", base=base) for base in ("before", "best_before"))
    assert same.difference(1.0).values.tolist() == [0.75] and best.difference(1.0).values.tolist() == [0.25]


def test_what_answers_count_is_drawn_from(make):
    frames = [make.record("full", seed)[1] for seed in range(2)]
    counts, scoring, clusters = answers.drawable_answers(of(frames), "sst2", "accuracy")
    assert counts.shape == (2, 200, 2) and counts[..., 0].mean() == pytest.approx(0.85) and scoring.of_mean
    assert scoring.untouched == pytest.approx(0.55) and clusters.items_hash is not None
    counts, scoring, _ = answers.drawable_answers(of([task_frame(['["p q r s"]'], ['["x"]'], ['["p q"]'])]), "t", "squad_f1")
    assert counts == pytest.approx(np.array([[[2 / 3, 1]]])) and scoring.of_mean
    assert answers.drawable_answers(of(frames), "sst2", "other") is None
    # No text has the best perplexity that there is.
    assert answers.drawable_answers(of(frames), "sst2", "perplexity") is None
    assert answers.drawable_answers(of([frame.drop(columns="gold") for frame in frames]), "sst2", "f1_macro") is None


def test_entities_are_drawn_between_none_and_those_of_the_gold_answers():
    gold, before = [["B-PER", "O"], ["O", "O"], ["B-ORG", "I-ORG"]], [["O", "O"], ["B-PER", "O"], ["O", "O"]]
    frames = [task_frame(gold, before, guess) for guess in (gold, [["B-PER", "O"], ["O", "O"], ["B-ORG", "O"]])]
    counts, scoring, _ = answers.drawable_answers(of(frames), "t", "entity_f1")
    assert counts.tolist() == [[[1, 1, 1], [0, 0, 0], [1, 1, 1]], [[1, 1, 1], [0, 0, 0], [0, 1, 1]]]
    assert scoring.best.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1]] and scoring.base.tolist() == [
        [0, 0, 1],
        [0, 1, 0],
        [0, 0, 1],
    ]
    # Nobody missed the first, which could be missed; and the second, of which nothing is known after training, stays.
    assert scoring.worst[0].tolist() == [0, 0, 1] and (scoring.scale, scoring.untouched) == ("logit", 0.0)


def test_labels_and_texts_are_drawn_between_no_answer_and_the_gold_one():
    frames = [task_frame(["a", "b"], ["b", "b"], guess) for guess in (["a", "a"], ["a", "b"])]
    counts, scoring, _ = answers.drawable_answers(of(frames), "t", "f1_macro")
    # Nobody who trained errs on the first, and the second was taken for the first.
    assert counts.shape == (2, 2, 6) and scoring.worst.tolist() == [[0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 1]]
    assert scoring.best.tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]] and scoring.untouched == pytest.approx(1 / 3)
    gold = [["a b c d e"], ["f g h i j", "k"]]
    frames = [task_frame(gold, ["a", "b"], guess) for guess in (["a b c d", "f g h i j"], ["a b c d e", "g h"])]
    counts, scoring, _ = answers.drawable_answers(of(frames), "t", "bleu")
    # From 0 to 100 it is drawn as a share.
    expected = [answers.task_answers(of([frame]), "t", "bleu").after.values[0] / 100 for frame in frames]
    assert scoring.number(counts.sum(1)) == pytest.approx(expected) and scoring.scale == "logit"
