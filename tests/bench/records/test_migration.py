"""Records of schema 1 and of the first day of schema 2 are read as those of today, and nothing of them is lost."""

import json
import shutil

import pytest

from bench.errors import UserError
from bench.records import store
from bench.records.contract import as_contract
from bench.records.migration import NewerSchema, migrated
from bench.records.outcome import Delta, Gain
from bench.records.record import Record

LATER = {"schema_version": 2, "environment_id": None, "asked": None, "seed_sd": None, "rank": None}
LATER |= {
    "best_base": None,
    "references": {},
    "collapsed": None,
    "source": None,
    "spending": None,
    "overran": False,
    "unequal": [],
}


# Old endpoints say 0 of these, which nobody knows of a model behind an API.
UNKNOWN_OF_ENDPOINTS = ("peak_memory_bytes", "total_parameters")


def read(raw: dict) -> Record:
    return Record.model_validate(migrated(raw))


def read_cost(cost: dict) -> dict:
    return cost | {name: cost[name] or None for name in UNKNOWN_OF_ENDPOINTS}


def test_all_information_is_kept(of_schema_1):
    raw = json.loads(of_schema_1.read_text(encoding="utf-8"))
    assert len(raw) == 31
    later = LATER | {"elsewhere": {name: part | {"metrics": {}, "best_base": None} for name, part in raw["elsewhere"].items()}}
    later |= {"forgetting": {name: part | {"accuracy_lost": None} for name, part in raw["forgetting"].items()}}
    new = {"useful_flops": None, "weight_bytes": None, "device_seconds": None, "peak_memory_per_process": []}
    new |= {"spared_flops": None, "others_seconds": None}
    cost = raw["cost"] and read_cost(raw["cost"]) | new
    assert as_contract(store.read_record(of_schema_1)) == raw | later | {"cost": cost}


def test_what_was_migrated_is_written_and_read_as_the_same(of_schema_1, tmp_path):
    record = store.read_record(of_schema_1)
    path = store.write_record(tmp_path, record)
    assert json.loads(path.read_text(encoding="utf-8"))["schema_version"] == 2
    assert store.read_record(path) == record


def test_migration_leaves_its_input_as_it_was(of_schema_1):
    raw = json.loads(of_schema_1.read_text(encoding="utf-8"))
    before = json.dumps(raw)
    migrated(raw)
    assert json.dumps(raw) == before


def test_old_fields_are_in_their_groups(sample):
    trained, rounded = read(sample("trained")), read(sample("lora_rounded"))
    old = sample("trained")
    assert (trained.setup.suite, trained.setup.model, trained.setup.strategy) == ("sentiment", "minilm", "full")
    assert trained.outcome.gain == Gain(value=old["gain"], ci_low=old["gain_ci_low"], ci_high=old["gain_ci_high"])
    assert trained.trust.contamination == {"mrpc": 3} and trained.trust.checks == old["checks"]
    assert trained.trust.data == old["provenance"]["data"] and trained.provenance.inputs == old["provenance"]["inputs"]
    assert len(trained.outcome.curve) == 2 and trained.cost.train_seconds == old["cost"]["train_seconds"]
    decoder = read(sample("decoder_lora_rounded")).outcome.forgetting
    assert list(decoder) == ["wikipedia", "lambada", "arc-easy"] and list(decoder["wikipedia"].others) == ["bits per byte"]
    assert isinstance(rounded.outcome.forgetting["mrpc"].quantisation, Delta)
    assert set(read(sample("multitask")).outcome.elsewhere) == {"sarcasm", "rte"}


@pytest.mark.parametrize("name", ["skipped", "failed"])
def test_run_that_was_not_scored_has_no_outcome_and_no_cost(sample, name):
    record = read(sample(name))
    assert (record.status, record.outcome, record.cost) == (name, None, None) and record.reason
    assert record.trust.checks == record.trust.data == record.trust.contamination == record.provenance.inputs == {}
    assert record.provenance.model_hash is record.provenance.started is None and record.provenance.versions


def test_what_schema_1_did_not_know_is_none(of_schema_1):
    record = store.read_record(of_schema_1)
    assert record.provenance.environment == {} and record.provenance.environment_id is None
    assert record.outcome is None or record.outcome.asked is None


@pytest.mark.parametrize("name", ["extra", "asked", "environment"])
def test_field_that_schema_1_never_had_is_refused(sample, tmp_path, name):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(sample("trained") | {name: "x"}), encoding="utf-8")
    with pytest.raises(UserError, match=name):
        store.read_record(path)


def test_present_schema_is_left_alone_and_a_newer_one_is_not_guessed():
    present = {"schema_version": 2, "run_id": "a"}
    assert migrated(present) is present
    with pytest.raises(NewerSchema, match="schema 3"):
        migrated({"schema_version": 3})


def test_first_day_of_schema_2_is_read_without_loss(of_schema_2, lost):
    raw = json.loads(of_schema_2.read_text(encoding="utf-8"))
    assert raw["schema_version"] == 2 and not raw["cost"].keys() & {"weight_bytes", "device_seconds", "spared_flops"}
    raw["cost"] = read_cost(raw["cost"])
    assert lost(raw, store.read_record(of_schema_2).model_dump(mode="json")) == []


def test_first_day_of_schema_2_knows_nothing_that_came_later(of_schema_2):
    record = store.read_record(of_schema_2)
    assert record.spending is record.provenance.source is record.setup.seeds is record.trust.micro_batch_tokens is None
    assert record.cost.weight_bytes is record.cost.device_seconds is record.cost.spared_flops is None
    assert record.provenance.resumed == record.cost.peak_memory_per_process == [] and not record.overran


def test_samples_of_schema_2_hold_what_runs_differ_in(old_of_2):
    trained, rounded, endpoint, tuned = map(old_of_2, ("trained", "lora_rounded", "endpoint", "tuned"))
    assert [record.provenance.engine_version for record in (trained, rounded, endpoint, tuned)] == [4, 4, 4, 5]
    assert len(trained.outcome.curve) == 2 and len(trained.outcome.losses) == 4 and trained.setup.tuning.tried == []
    assert isinstance(rounded.outcome.forgetting["mrpc"].quantisation, Delta)
    assert endpoint.outcome.metrics["malformed"].value == 0.25 and endpoint.cost.money == 0.00058
    assert [trial.hyperparameters for trial in tuned.setup.tuning.tried] == [{"learning_rate": 2e-4}, {"learning_rate": 2.5e-4}]


def test_endpoint_of_schema_1_keeps_its_price_and_its_server(sample):
    old, record = sample("endpoint"), read(sample("endpoint"))
    assert record.setup.strategy == "endpoint" and record.setup.hyperparameters == old["hyperparameters"]
    assert record.cost.money == old["cost"]["money"] > 0 and record.cost.peak_memory_bytes is None
    assert record.outcome.metrics["malformed"].value == old["metrics"]["malformed"]["value"] > 0


@pytest.mark.parametrize("name", ["v1/endpoint", "v2/trained"])
def test_old_answers_make_the_old_scores(laid_out, name):
    out = laid_out(name)
    (record,) = store.read_all(out)
    answers = store.read_items(out, record).query("kind == 'task'")
    assert len(answers) == record.outcome.score.n == 20
    assert (answers.prediction == answers.gold).mean() == record.outcome.score.value
    assert (answers.before == answers.gold).mean() == record.outcome.base_score


def test_folder_of_both_schemas_is_read_as_one(of_schema_1, tmp_path):
    store.folder(tmp_path).mkdir(parents=True)
    old = store.read_record(of_schema_1)
    shutil.copy(of_schema_1, store.folder(tmp_path) / f"{old.run_id}.json")
    store.write_record(tmp_path, old.model_copy(update={"run_id": "new"}))
    assert {record.run_id for record in store.read_all(tmp_path)} == {"new", old.run_id}
