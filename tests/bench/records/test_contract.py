"""The flat keys of `results --json` stay, whatever the schema does."""

from bench.records.contract import as_contract
from bench.records.migration import migrated
from bench.records.record import Record

WORDS = """schema_version run_id suite model task strategy seed status reason score metrics base_score gain gain_ci_low
gain_ci_high elsewhere robustness forgetting relative_forgetting curve stages checks cost losses validation hyperparameters
 budget tuning versions device provenance environment_id asked seed_sd rank
 best_base references collapsed source spending overran unequal"""
KEYS = WORDS.split()


def shown(raw: dict, **changes) -> dict:
    return as_contract(Record.model_validate(migrated(raw)).model_copy(update=changes))


def test_every_record_has_the_same_keys(sample):
    for name in ("trained", "zero_shot", "stages", "skipped", "failed"):
        assert set(shown(sample(name))) == set(KEYS)


def test_contamination_is_with_its_probe(sample):
    assert shown(sample("trained"))["forgetting"]["mrpc"]["contaminated"] == 3
    assert shown(sample("zero_shot"))["forgetting"]["mrpc"]["contaminated"] == 0


def test_new_keys_show_what_is_known(sample):
    record = Record.model_validate(migrated(sample("trained")))
    provenance = record.provenance.model_copy(update={"environment": {"torch": "2.13.0"}, "environment_id": "ab12"})
    found = as_contract(record.model_copy(update={"provenance": provenance}))
    assert found["environment_id"] == "ab12" and found["asked"] is None
    asked = record.outcome.model_copy(update={"asked": "the model writes its answer"})
    assert as_contract(record.model_copy(update={"outcome": asked}))["asked"] == "the model writes its answer"


def test_provenance_keeps_its_keys(sample):
    keys = {"model_hash", "data_hash", "data", "engine_version", "trust_remote_code", "started", "inputs"}
    assert set(shown(sample("trained"))["provenance"]) == keys and shown(sample("skipped"))["provenance"] is None


def test_what_was_tried_is_shown_whole_and_of_no_search_the_number_alone(old_of_2, sample):
    tuned = old_of_2("tuned")
    assert as_contract(tuned)["tuning"] == tuned.setup.tuning.model_dump(mode="json")
    assert len(as_contract(tuned)["tuning"]["tried"]) == len(tuned.setup.tuning.tried) > 0
    assert shown(sample("trained"))["tuning"] == {"trials": 0}
