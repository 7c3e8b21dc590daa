"""Metrics as sums over items: the same as other people's code for all items, and with any item left out."""

import pandas as pd
import pytest
from audited import METRICS as NAMES
from audited import answered

from bench import metrics
from bench.records.store import as_text
from bench.statistics.jackknife import clusters_of, of_counts
from reports.audit.counting import COUNTED
from reports.audit.leaving_out import of_metric
from reports.audit.others_metrics import METRICS

ALSO = {"people": ["entity_recall", "entity_precision_strict", "entity_recall_strict", "entity_f1_seen", "entity_f1_unseen"]}
CASES = [(task, name) for task, names in NAMES.items() for name in [*names, *ALSO.get(task, [])]]


@pytest.mark.parametrize(("task", "name"), CASES)
def test_all_items_and_all_but_one_are_as_others_count_them(task, name):
    frame = answered(task, 3, count=25)
    said, gold = ([as_text(value) for value in frame[side]] for side in ("prediction", "gold"))
    left = of_metric(frame, name, said, gold)
    assert left.value == pytest.approx(METRICS[name].of(said, gold), rel=1e-12)
    for place, without in enumerate(left.without):
        fewer = [[*texts[:place], *texts[place + 1 :]] for texts in (said, gold)]
        assert without == pytest.approx(METRICS[name].of(*fewer), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("clusters", [None, 9, 3])
@pytest.mark.parametrize(("task", "name"), CASES)
def test_degrees_of_freedom_are_the_engines(task, name, clusters):
    """By other code: of items that stand alone, of clusters of unlike sizes, and of too few of them."""
    frame = answered(task, 3, count=60)
    if clusters:
        frame["cluster"] = [f"film {int((n % clusters) ** 1.3)}" for n in range(60)]
    texts = ([as_text(value) for value in frame[side]] for side in ("prediction", "gold"))
    metric = metrics.counted(name)
    counts = metric.counts(frame["prediction"].tolist(), frame["gold"].tolist())[None]
    engine = of_counts(counts, metric.number, clusters_of(frame.get("cluster"), 60), metric.weights(counts))
    left = of_metric(frame, name, *texts)
    assert left.freedom == pytest.approx(float(engine.freedom), rel=1e-12) and len(left.without) == engine.shifts.shape[-1]


def test_strict_entities_begin_with_b_alone():
    said, gold = '["I-A", "B-A", "I-B", "I-A", "B-A", "I-A"]', '["O", "B-A", "O", "O", "B-A", "I-A"]'
    terms = COUNTED["entity_f1_strict"].terms(said, gold)
    assert terms == {("hits", "all"): 2, ("said", "all"): 2, ("right", "all"): 2}
    assert COUNTED["entity_f1"].terms(said, gold)["said", "all"] == 5  # an I- that continues nothing begins one, too


def test_a_malformed_answer_is_no_label():
    assert COUNTED["f1_macro"].terms("", "a") == {("right", "a"): 1}


def test_a_malformed_answer_is_an_entity_of_no_type_to_average_over():
    said, gold = '["B-malformed", "O"]', '["O", "B-A"]'
    assert COUNTED["entity_f1_macro"].terms(said, gold) == {("right", "A"): 1}
    assert COUNTED["entity_f1"].terms(said, gold) == {("said", "all"): 1, ("right", "all"): 1}


def test_intervals_are_kept_inside_as_the_engine_keeps_them():
    kinds = {"mean of shares": "wilson", "share": "logit", "percent": "percent", "number": "plain"}
    for name, metric in COUNTED.items():
        scale = metrics.counted(name).scale
        assert kinds[metric.bounded] == ("wilson" if scale == "graded" else scale), name


SAID = ["Der kleine Hund", "ein Haus, ein Baum!", "", "a b", "Das ist gut. Das ist es.", "xyz", "Öl & 3,5 %"]
RIGHT = [["Der große Hund"], ["ein Haus", "das Haus, ein Baum!"], ["nichts"], ["a b"], ["Das ist es."], ["q"], ["Öl: 3,5 %"]]


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge1", "rougeL"])
def test_written_texts_are_as_sacrebleu_and_rouge_score_have_them(name):
    """All of them, with each left out, and each alone, of which some have no word in common with a reference."""
    gold, everything = [as_text(each) for each in RIGHT], range(len(SAID))
    left = of_metric(pd.DataFrame({"item": everything}), name, SAID, gold)
    assert left.value == pytest.approx(METRICS[name].of(SAID, gold), rel=1e-12) and left.value > 0.2
    for out, without in enumerate(left.without):
        kept = [place for place in everything if place != out]
        assert without == pytest.approx(METRICS[name].of([SAID[n] for n in kept], [gold[n] for n in kept]), rel=1e-12)
    counts = metrics.counted(name).counts(SAID, RIGHT)[None]
    engine = of_counts(
        counts, metrics.counted(name).number, clusters_of(None, len(SAID)), metrics.counted(name).weights(counts)
    )
    assert left.freedom == pytest.approx(float(engine.freedom), rel=1e-12)
    for said, right in zip(SAID, gold, strict=True):
        metric = COUNTED[name]
        assert metric.number(metric.terms(said, right)) == pytest.approx(METRICS[name].of([said], [right]), rel=1e-12)


def test_of_a_metric_that_is_not_known_nothing_is_counted():
    assert of_metric(answered("questions", 0), "taste", ["a"], ['["a"]']) is None
