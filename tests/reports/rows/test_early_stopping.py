"""What early stopping saw and kept, as the metric gives it."""

from bench.measuring import measures
from reports.rows.early_stopping import Stopping, stopping


def test_early_stopping_kept_the_first_of_the_best(make):
    run = make.record("full", validation=[0.7, 0.812, 0.812, 0.8])[0]
    assert stopping(run) == Stopping([".700", ".812", ".812", ".800"], 1)


def test_validation_of_a_loss_is_shown_as_the_loss(make):
    run = make.record("full", validation=[-21.5, -20.25, -20.75])[0]
    score = run.outcome.score.model_copy(update={"name": "perplexity", "share": False, "higher_is_better": False})
    assert stopping(make.changed(run, score=score)) == Stopping(["21.500", "20.250", "20.750"], 1)


def test_of_several_stages_none_is_called_the_best(make):
    """Their scores are of different tasks, in one row."""
    run = make.record("full", validation=[0.9, 0.7, 0.8])[0]
    done = measures.stages(["a", "b"], [0.0, 0.0], [[0.5, 0.0], [0.4, 0.6]])
    assert stopping(make.changed(run, stages=done)) is None


def test_what_was_not_validated_or_failed_has_none(make):
    assert stopping(make.record("full")[0]) is None and stopping(make.failed()) is None
