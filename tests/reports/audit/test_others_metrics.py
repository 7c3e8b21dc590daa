"""The metrics by other people's code: by hand, and against the engine's own on the same answers."""

import json

import pandas as pd
import pytest
from audited import METRICS as NAMES
from audited import answered

from bench import metrics
from bench.metrics.mentions import restricted
from bench.records.store import as_text
from reports.audit.others_metrics import METRICS, OF_TRAINING, RATE_COLUMNS, part_of, squad_words

BY_HAND = [
    ("rougeL", ["a b c"], [["x", "a c"]], 0.8),
    ("accuracy", ["a", "b"], ["a", "a"], 0.5),
    ("f1_macro", ["a", "b"], ["a", "a"], (2 / 3 + 0) / 2),
    ("f1_macro", ["a", "", "b"], ["a", "a", "b"], (2 / 3 + 1) / 2),
    ("entity_f1", [["B-A", "I-A", "O"]], [["B-A", "I-A", "B-B"]], 2 / 3),
    ("entity_precision", [["I-A", "O"]], [["B-A", "O"]], 1.0),  # as conlleval reads it, an I- may begin an entity
    ("entity_precision_strict", [["I-A", "O"]], [["B-A", "O"]], 0.0),
    ("entity_recall", [["O"]], [["O"]], 0.0),
    ("entity_f1_macro", [["B-A", "B-B"]], [["B-A", "B-C"]], 1 / 3),
    ("entity_f1_macro", [["B-A", "B-B"], ["B-malformed", "O"]], [["B-A", "B-B"], ["B-A", "B-B"]], 2 / 3),
    ("entity_word_f1", [["B-A", "I-A", "O"]], [["B-A", "O", "B-A"]], 0.5),
    ("squad_em", ["The cat!", "x"], [["cat", "dog"], []], 0.5),
    ("squad_f1", ["a big cat", ""], [["cat"], []], (2 / 3 + 1) / 2),
    ("perplexity", [[0.0, 2.0, 9.0]], [""], 1.0),
    ("bits_per_byte", [[3 * 0.6931471805599453, 1.0, 6.0]], [""], 0.5),
    ("bleu", ["the cat sat on the mat"], [["the cat sat on the mat"]], 100.0),
    ("rouge1", ["the cat"], [["a dog", "the cat"]], 1.0),
]


@pytest.mark.parametrize(("name", "said", "gold", "number"), BY_HAND)
def test_by_hand(name, said, gold, number):
    assert METRICS[name].of([as_text(each) for each in said], [as_text(each) for each in gold]) == pytest.approx(number)


def test_every_metric_of_the_engine_has_one_and_both_say_which_way_is_better():
    assert set(METRICS) == set(metrics.metric_names()) - set(RATE_COLUMNS)
    for name, metric in METRICS.items():
        assert (metric.higher_is_better, metric.share) == (metrics.counted(name).higher_is_better, metrics.counted(name).share)


@pytest.mark.parametrize("task", NAMES)
def test_the_engines_numbers_are_the_same(task):
    for seed in range(5):
        frame = answered(task, seed)
        texts = [[as_text(value) for value in frame[side]] for side in ("prediction", "gold")]
        for name in NAMES[task]:
            engine = metrics.counted(name).value(frame["prediction"].tolist(), frame["gold"].tolist())
            assert METRICS[name].of(*texts) == pytest.approx(engine, rel=1e-12)


def test_texts_with_other_numbers_of_references(monkeypatch):
    said, gold = ["the cat sat down", "a dog"], [["the cat sat", "a cat sat down"], ["the dog"]]
    for name in ("bleu", "chrf", "rouge1", "rougeL"):
        engine = metrics.counted(name).value(said, gold)
        assert METRICS[name].of(said, [json.dumps(each) for each in gold]) == pytest.approx(engine, rel=1e-12)


def test_a_part_of_the_entities():
    """As the engine cuts it: the words 0 to 2 are a mention in training, whatever type they get."""
    tags = ["B-A", "I-A", "O", "I-B", "B-B"]
    frame = pd.DataFrame({"seen": ["[[0, 2]]"], "tags": [tags]})
    for name, kept in {"entity_f1_seen": [*tags[:2], "O", "O", "O"], "entity_f1_unseen": ["O", "O", *tags[2:]]}.items():
        assert json.loads(part_of(json.dumps(tags), "[[0, 2]]", OF_TRAINING[name])) == kept
        assert restricted(frame, name, ["tags"])["tags"].tolist() == [kept]


def test_words_of_an_answer():
    assert squad_words("The U.S.A., an  Émile's a-b") == ["usa", "émiles", "ab"]
