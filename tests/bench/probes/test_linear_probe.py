import numpy as np
import pytest
import torch
import transformers
from probing import measured
from sklearn.linear_model import LogisticRegression

from bench.errors import UserError
from bench.probes.linear_probe import LinearProbe
from bench.tasks.encoding import Encoding

WORDS = {"animal": ["dog", "cat", "horse", "cow", "fish"], "money": ["tax", "bank", "price", "loan", "debt"]}
ROWS = [
    {"text": f"{start} {word}", "gold": gold}
    for start in ("about the", "I like a", "there is one", "they saw the")
    for gold, words in WORDS.items()
    for word in words
]


def test_accuracy_is_that_of_a_classifier_on_frozen_features(encoder, own, made):
    model = encoder.load(transformers.AutoModel).eval()
    probe = made(own("linear-probe", ROWS, options={"train": 24}), Encoding(encoder, 64), 12)
    items = measured(probe, model)

    def features(rows):
        with torch.no_grad():
            return np.stack(
                [
                    model(**encoder.tokenizer(r["text"], return_tensors="pt")).last_hidden_state[0].mean(0).double().numpy()
                    for r in rows
                ]
            )

    known, asked = features(probe.train), features(probe.rows)
    mean, spread = known.mean(0), known.std(0)
    classifier = LogisticRegression(C=0.1, max_iter=1000, tol=1e-8).fit(
        (known - mean) / spread, [r["gold"] for r in probe.train]
    )
    assert items["prediction"].tolist() == classifier.predict((asked - mean) / spread).tolist()
    odds = np.log(chances := classifier.predict_proba((asked - mean) / spread)) - np.log(1 - chances)
    places = [list(classifier.classes_).index(row["gold"]) for row in probe.rows]
    assert items["value"].tolist() == pytest.approx([row[place] for row, place in zip(odds, places, strict=True)], rel=1e-5)
    assert items["right"].tolist() == [float(value > 0) for value in items["value"]] and items["right"].mean() > 0.8
    assert not any(row in probe.train for row in probe.rows)


def test_training_rows_do_not_depend_on_the_number_of_items(encoder, own, made):
    spec = own("linear-probe", ROWS, options={"train": 24})
    few, many = (made(spec, Encoding(encoder, 64), limit) for limit in (4, 16))
    assert few.train == many.train
    assert many.rows[:4] == few.rows


def test_no_item_belongs_to_a_cluster_that_the_classifier_was_fitted_on(encoder, own, made):
    """All sentences on one word are a cluster, and a classifier that has seen it knows the word."""
    rows = [{**row, "word": row["text"].split()[-1]} for row in ROWS] + [{"text": "no word", "gold": "animal", "word": ""}] * 4
    spec = own("linear-probe", rows, cluster="word", options={"train": 24})
    probe = made(spec, Encoding(encoder, 64), LinearProbe.available_items(spec))
    words = [{row["word"] for row in part} - {""} for part in (probe.train, probe.rows)]
    # Ten words of four sentences: whole words are learned, so that some are left.
    assert len(probe.train) == 24 and len(words[0]) < 8 and words[1] and not words[0] & words[1]
    assert len(probe.rows) >= 44 - 24 - 4 * 2
    with pytest.raises(UserError, match="rows of the source, without those of the training rows' clusters"):
        made(spec, Encoding(encoder, 64), LinearProbe.available_items(spec) + 1)


def test_features_without_the_task_are_at_chance(encoder, own, made):
    golds = np.random.default_rng(0).permutation([row["gold"] for row in ROWS])
    rows = [{**row, "gold": str(gold)} for row, gold in zip(ROWS, golds, strict=True)]
    probe = made(own("linear-probe", rows, options={"train": 24}), Encoding(encoder, 64), 16)
    assert 0.2 < measured(probe, encoder.load(transformers.AutoModel).eval())["right"].mean() < 0.8


def test_too_few_rows_are_named(encoder, own, made):
    with pytest.raises(UserError, match="20 items and 24 training rows are more than the 40 rows"):
        made(own("linear-probe", ROWS, options={"train": 24}), Encoding(encoder, 64), 20)


def test_rows_of_one_class_train_no_classifier(encoder, own, made):
    rows = [{**row, "gold": "all"} for row in ROWS]
    with pytest.raises(UserError, match="its 24 training rows are all of the class 'all'; raise the option train"):
        made(own("linear-probe", rows, options={"train": 24}), Encoding(encoder, 64), 16)


def test_a_source_that_only_fills_the_training_rows_has_no_items_left(encoder, own, made):
    """A limit by power is then nothing, and no item may be one that the classifier was fitted on."""
    for options in ({}, {"train": 40}):
        spec = own("linear-probe", ROWS, options=options)
        assert LinearProbe.available_items(spec) == 0
        with pytest.raises(UserError, match="2 items and .* training rows are more than the 40 rows"):
            made(spec, Encoding(encoder, 64), LinearProbe.available_items(spec))


@pytest.mark.parametrize(("times", "options"), [(1, {"train": 24}), (8, {})])
def test_it_holds_as_many_items_as_it_takes(encoder, own, made, times, options):
    """Beside a number of training rows that its file names, and beside the usual one."""
    rows = [{**row, "text": f"{number}: {row['text']}"} for number in range(times) for row in ROWS]
    spec = own("linear-probe", rows, options=options)
    most = LinearProbe.available_items(spec)
    assert len(made(spec, Encoding(encoder, 64), most).rows) == most > 2
    with pytest.raises(UserError, match="lower items or the option train"):
        made(spec, Encoding(encoder, 64), most + 1)


def test_a_class_that_no_training_row_had_is_as_unlikely_as_the_unlikeliest(encoder, own, made):
    rows = [*ROWS, {"text": "about the rain", "gold": "weather"}]
    probe = made(own("linear-probe", rows, options={"train": 24}), Encoding(encoder, 64), 12)
    probe.train, probe.rows = [row for row in probe.train if row["gold"] != "weather"], [rows[-1]]
    (item,) = measured(probe, encoder.load(transformers.AutoModel).eval()).to_dict("records")
    assert item["value"] < 0 and item["right"] == 0


@pytest.mark.slow
def test_a_real_encoder_tells_medical_subjects(library, encoder, made):
    probe = made(library.probe("medical-subjects"), Encoding(encoder, 128), 100)
    assert measured(probe, encoder.load(transformers.AutoModel).eval())["right"].mean() > 0.45  # chance .25
