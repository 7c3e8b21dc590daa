from audited import scored

from reports.audit.published import published


def test_every_number_has_its_place():
    record, _ = scored()
    found = published(record)
    outcome = record.outcome
    assert found["score", "value"] == outcome.score.value and found["score", "higher_is_better"] == 1.0
    assert found["forgetting", "wikipedia", "others", "bits per byte", "after"] == (
        outcome.forgetting["wikipedia"].others["bits per byte"].after
    )
    assert found["robustness", "scores", "say {text}", "ci_low"] == outcome.robustness.scores["say {text}"].ci_low
    assert found["stages", "scores", "1", "0"] == outcome.stages.scores[1][0] and found["losses", "1"] == 0.5
    assert found["cost", "train_examples"] == 1.0
    assert ("score", "name") not in found and ("cost", "money") not in found


def test_a_run_that_was_not_scored_publishes_none():
    record, _ = scored()
    assert published(record.model_copy(update={"outcome": None})) == {}
