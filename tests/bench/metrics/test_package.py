"""What holds for every metric: loaded by name, an evaluate.Metric, one shape, and light where reports use it."""

import subprocess
import sys

import evaluate
import numpy as np
import pytest

from bench import metrics
from bench.errors import UserError

ANSWERS = {
    str: ["the cat sat on the mat", "a dog"],
    float: [1.0, 0.0],
    list[str]: [["B-PER", "O"], ["O", "B-LOC"]],
    list[float]: [[6.5, 3.0, 7.0], [4.0, 2.0, 5.0]],
}


def example(name: str) -> dict[str, list]:
    """Two items that the metric can count."""
    metric = metrics.counted(name)
    found = {"predictions": ANSWERS[metric.prediction]}
    if metric.reference is not None:
        several = metric.prediction is str and metric.reference == list[str]
        found["references"] = [["the cat is on the mat"], ["dogs", "a dog"]] if several else ANSWERS[metric.reference]
    return found


@pytest.mark.parametrize("name", metrics.metric_names())
def test_compute_of_evaluate_gives_the_value(name: str):
    metric = metrics.metric(name)
    assert isinstance(metric, evaluate.Metric) and metric.name == name
    answers = example(name)
    expected = metrics.counted(name).value(answers["predictions"], answers.get("references", []))
    assert metric.compute(**answers) == {name: pytest.approx(expected)} and expected > 0


@pytest.mark.parametrize("name", metrics.metric_names())
def test_numbers_of_many_sums_at_once_are_those_of_each(name: str):
    metric, answers = metrics.counted(name), example(name)
    counts = metric.counts(answers["predictions"], answers.get("references", []))
    sums = np.stack([counts[[0, 0]].sum(0), counts[[0, 1]].sum(0), counts[[1, 1]].sum(0)]).reshape(3, 1, -1)
    assert counts.shape[0] == 2 and counts.dtype == np.float64 and metric.number(sums).shape == (3, 1)
    assert metric.number(sums)[:, 0].tolist() == [float(metric.number(row[0])) for row in sums]
    assert not metric.share or ((metric.number(sums) >= 0) & (metric.number(sums) <= 1)).all()


def test_each_metric_has_one_name():
    assert len(set(metrics.metric_names())) == len(metrics.metric_names())


@pytest.mark.parametrize("load", [metrics.metric, metrics.counted])
def test_unknown_metric_names_the_nearest(load):
    with pytest.raises(UserError, match="did you mean accuracy"):
        load("acuracy")


def test_counting_needs_neither_torch_nor_evaluate():
    check = (
        "import sys; from bench import metrics; "
        "[metrics.counted(name).value(['a'], [['a']]) for name in ('squad_f1', 'bleu', 'rougeL')]; "
        "metrics.counted('entity_f1_strict').value([['O']], [['O']]); "
        "print({'torch', 'transformers', 'datasets', 'evaluate'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_the_folder_is_looked_through_once_a_process(monkeypatch):
    """A report asks for a metric at each number of each of thousands of runs."""
    names = metrics.metric_names()
    monkeypatch.setattr(metrics.pkgutil, "iter_modules", lambda path: [])
    assert metrics.metric_names() == names and metrics.counted("accuracy").name == "accuracy"
