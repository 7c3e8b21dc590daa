"""From suite to record for each type of task, on both families of models and on a model behind an API."""

import json

import pytest
from openai_server import Reply, completion
from tenacity import wait_none

from bench.inference import chat
from bench.measuring.evaluation import eval_sets
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.assignments import Workplace
from bench.tasks import types
from bench.tasks.prompts import instruction
from bench.tasks.types import ner, qa

SMALL = {"budget": "24", "probe_items": 4, "test_items": 12}


def planned(suite, model, **options):
    """Of the suites with several tasks one alone."""
    tasks = {"tasks": ["sec-entities"]} if suite == "ner" else {}
    return plan.plan(PlanOptions(suite, model=str(model), **(SMALL | tasks | options)), "fp32")


def done(suite, model, out, device, **options):
    runs = planned(suite, model, **options)
    return runs, execution.execute(runs, Workplace(out, device, Progress(False, len(runs))))


@pytest.fixture(params=["decoder", "encoder"])
def model(request, own_cache):
    return request.getfixturevalue("decoder_folder") if request.param == "decoder" else "tiny-bert"


@pytest.fixture
def short_answers(monkeypatch):
    """A random model writes up to the limit, and is asked again token by token."""
    for kind in (ner.Ner, qa.Qa):
        monkeypatch.setattr(kind, "answer_tokens", 8)


def check(out, run, record, metrics, kind):
    """A whole record: all metrics with their intervals, its items, and costs where something was trained."""
    assert record.status == "ok", record.reason
    parts = {"entity_f1_seen", "entity_f1_unseen"} if kind == "ner" else set()
    rates = {"malformed", "unfinished", "truncated", "answerable", "reference_loss"}
    assert set(record.outcome.metrics) - rates == {*metrics, *parts}
    assert ("constant answer" in record.outcome.references) == (kind != "causal-lm")
    assert ("answerable" in record.outcome.metrics) == (run.model.family == "decoder" and kind == "qa")
    written = run.model.family == "decoder" and kind in ("ner", "qa", "generation")
    assert ("malformed" in record.outcome.metrics) == ("unfinished" in record.outcome.metrics) == written
    windows = kind == "causal-lm" or (run.model.family == "encoder" and kind in ("ner", "qa"))
    assert ("truncated" in record.outcome.metrics) == (not windows)
    for score in record.outcome.metrics.values():
        assert score.ci_low <= score.value <= score.ci_high and score.n == 12
    assert record.outcome.score == record.outcome.metrics[metrics[0]] and record.outcome.base_score is not None
    sign = 1 if record.outcome.score.higher_is_better else -1
    assert record.outcome.gain.value == pytest.approx(sign * (record.outcome.score.value - record.outcome.base_score), abs=1e-9)
    assert record.outcome.gain.ci_low <= record.outcome.gain.value <= record.outcome.gain.ci_high
    assert record.outcome.forgetting and record.trust.checks and all(record.trust.checks.values())
    assert record.trust.data["test"] >= 12
    trains = run.strategy.trains
    assert record.cost.train_examples == (24 if trains else 0) and len(record.outcome.losses) == (2 if trains else 0)
    assert (record.cost.train_tokens > 0) == (record.cost.train_flops > 0) == (record.cost.saved_bytes > 0) == trains
    items = store.read_items(out, record)
    task = items[items["kind"] == "task"]
    asked = eval_sets(run, None).test.examples
    assert task["item"].tolist() == [example.id for example in asked]
    assert task["gold"].tolist() == [store.as_text(e.gold if isinstance(e.gold, str) else list(e.gold)) for e in asked]
    assert task["confidence"].between(0, 1).all() and task["prediction"].notna().all() and task["before"].notna().all()


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["ner", "qa"])
def test_entities_and_questions(model, short_answers, suite, tmp_path, device):
    names = ["zero-shot", "few-shot", "lora-8bit", "instruction"]
    runs, found = done(suite, model, tmp_path, device, strategies=names)
    for run, record in zip(runs, found, strict=True):
        if record.setup.strategy == "few-shot" and run.model.family == "encoder":
            assert record.status == "skipped" and record.outcome is None
            continue
        check(tmp_path, run, record, run.task.metrics, suite)
    by_name = {record.setup.strategy: record for record in found}
    assert by_name["zero-shot"].outcome.gain.value == 0
    assert set(by_name["instruction"].outcome.robustness.scores) == set(runs[0].task.instructions.test)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["ner", "qa"])
def test_several_tasks_at_once(model, short_answers, suite, tmp_path, device):
    """The suite's own task, sarcasm and entailment: an encoder's heads of different kinds on one backbone.

    Sentences of sec-entities are asked twice: as they occur, and balanced.
    """
    (run,), (record,) = done(suite, model, tmp_path, device, strategies=["multitask"])
    check(tmp_path, run, record, run.task.metrics, suite)
    others = {"sarcasm": "accuracy", "rte": "accuracy"} | ({"balanced": "entity_f1"} if suite == "ner" else {})
    assert {name: other.score.name for name, other in record.outcome.elsewhere.items()} == others
    for other in record.outcome.elsewhere.values():
        assert other.score.n == 12
        assert other.gain.value == pytest.approx(other.score.value - other.base_score)
    items = store.read_items(tmp_path, record)
    assert (items["kind"] == "elsewhere").sum() == 12 * len(others)


@pytest.mark.slow
def test_a_corpus(model, tmp_path, device):
    names = ["zero-shot", "full", "lora-8bit"]
    runs, found = done("corpus", model, tmp_path, device, strategies=names)
    if runs[0].model.family == "encoder":
        reason = "'film-plots' is a causal-lm task, which needs a decoder"
        assert [(record.status, record.reason) for record in found] == [("skipped", reason)] * 3
        return
    for run, record in zip(runs, found, strict=True):
        check(tmp_path, run, record, ["perplexity", "bits_per_byte"], "causal-lm")
        assert 1 < record.outcome.score.value < 2000 and not record.outcome.score.higher_is_better
    full = found[1]
    assert (
        full.outcome.gain.value > 0 and full.outcome.score.value < full.outcome.base_score
    )  # lower is better, and a rise is positive


@pytest.fixture
def headlines(tmp_path):
    """An own suite on an own JSONL file whose rows have one or more references."""
    words = ["dog", "cat", "house", "river", "film", "song"]
    rows = [
        {"body": f"The {a} and the {b} met number {i}.", "titles": [f"A {a} met a {b}", f"{a} and {b}"][: 1 + i % 2]}
        for i, (a, b) in enumerate((a, b) for a in words for b in words for _ in range(4))
    ]
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tasks" / "headlines.yaml").write_text("""name: headlines
version: 1
description: titles of short texts
type: generation
metrics: [rougeL, bleu, chrf]
options: {answer_tokens: 8}
train: {path: rows.jsonl, columns: {text: body, references: titles}}
validation: {share: 0.2}
test: {share: 0.2}
prompt: "{text}\\nTitle:"
instructions:
  train: ["Write a title.\\n{text}", "{text}\\nWhat is a good title?"]
  test: ["{text}\\nGive it a title.", "Name this text.\\n{text}"]
""")
    (tmp_path / "mine.yaml").write_text("""name: mine
version: 1
description: titles
models: [smollm2]
tasks: [headlines]
strategies: [zero-shot, few-shot, full, instruction]
probes: [lambada, mrpc]
budget: 24examples
""")
    return tmp_path / "mine.yaml"


@pytest.mark.slow
def test_text_from_an_own_file(model, headlines, tmp_path, device):
    runs, found = done(str(headlines), model, tmp_path / "out", device)
    if runs[0].model.family == "encoder":
        assert {record.reason for record in found} == {"'headlines' is a generation task, which needs a decoder"}
        assert {record.status for record in found} == {"skipped"}
        return
    for run, record in zip(runs, found, strict=True):
        check(tmp_path / "out", run, record, ["rougeL", "bleu", "chrf"], "generation")
        assert set(record.outcome.signatures) == {"bleu", "chrf"} and record.outcome.metrics["reference_loss"].value > 0
        assert record.outcome.signatures["bleu"].startswith("nrefs:var|")
    instructed = {record.setup.strategy: record for record in found}["instruction"]
    assert set(instructed.outcome.robustness.scores) == set(runs[0].task.instructions.test)
    (better,) = done(
        str(headlines),
        model,
        tmp_path / "more",
        device,
        strategies=["full"],
        budget="640",
        settings=["full.learning_rate=3e-3"],
    )[1]
    assert (
        better.outcome.gain.ci_low > 0.2 and better.outcome.metrics["malformed"].value == 0
    )  # what it is to write can be learned


def test_what_is_unfit_is_skipped_once(own_cache, tmp_path, device, monkeypatch):
    for _ in range(2):
        _, found = done("ner", "tiny-bert", tmp_path, device, strategies=["few-shot"])
        (record,) = found
        reason = "an encoder has no way to learn a ner task from examples without training"
        assert (record.status, record.reason) == ("skipped", reason)
        assert record.outcome is None and record.cost is None
        assert store.read_items(tmp_path, record).empty and store.read_all(tmp_path) == found
        monkeypatch.setattr(execution, "unscored", lambda *_: pytest.fail("a skipped run was looked at again"))


@pytest.mark.slow
def test_small_data_helps_are_in_the_record(own_cache, tmp_path, device):
    """Early stopping, dropout, smoothing and augmentation together, on spans."""
    settings = ["early_stopping=1", "validate_every=0.5", "dropout=0.2", "label_smoothing=0.1", "augmentation=0.2"]
    (record,) = done("qa", "tiny-bert", tmp_path, device, strategies=["full"], settings=settings, budget="64")[1]
    assert record.status == "ok", record.reason
    assert 1 <= len(record.outcome.validation) <= 2 and record.cost.train_examples in (32, 64)
    assert record.cost.train_examples == 16 * len(record.outcome.losses)
    assert record.setup.hyperparameters["label_smoothing"] == 0.1


# A model behind an API.


@pytest.fixture
def api(server, own_cache, monkeypatch, tmp_path):
    """Writes the YAML of a model behind the server, and gives its path."""
    monkeypatch.setenv("BENCH_TEST_KEY", "sk-secret-0123")
    monkeypatch.setattr(chat, "BACKOFF", wait_none())

    def written(**more):
        said = {"base_url": server.url, "model": "m", "key_env": "BENCH_TEST_KEY"} | more
        path = tmp_path / "api.yaml"
        path.write_text(json.dumps({"name": "api", "description": "d", "endpoint": said}))
        return path

    return written


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["sentiment", "ner", "qa"])
def test_an_endpoint_that_knows_the_answers(server, api, suite, tmp_path, device):
    model = api(input_price=1000, output_price=2000)
    (run,) = planned(suite, model, strategies=["zero-shot"])
    kind, asked = types.task_type(run.task), eval_sets(run, None).test
    known = {instruction(run.task, e, "test", asked.place(i)): kind.answer(e) for i, e in enumerate(asked.examples)}

    def answer(asked):
        return Reply(body=completion(known[asked["messages"][0]["content"]]))

    server.reply = answer
    (run,), (record,) = done(suite, model, tmp_path, device, strategies=["zero-shot"])
    assert record.status == "ok", record.reason
    assert record.outcome.score.value == record.outcome.base_score == 1.0 and record.outcome.gain.value == 0.0
    assert (record.outcome.forgetting, record.outcome.losses, record.outcome.elsewhere) == ({}, [], {})
    # 7 tokens read and 3 written for each answer
    assert record.cost.money == pytest.approx(12 * (7 * 1000 + 3 * 2000) / 1e6)
    assert record.cost.train_tokens == 0 and record.cost.total_parameters is None and record.cost.eval_seconds > 0
    assert sorted(server.prompts) == sorted(known) and len(known) == 12
    assert {request.headers["Authorization"] for request in server.requests} == {"Bearer sk-secret-0123"}
    assert {request.body["max_tokens"] for request in server.requests} == {128}
    kept = "".join(path.read_text() for path in store.folder(tmp_path).glob("*.json"))
    assert "sk-secret" not in kept and server.url in kept
    # Answers outlive the record: another folder asks nothing again, and costs the same in use.
    (again,) = done(suite, model, tmp_path / "again", device, strategies=["zero-shot"])[1]
    assert len(server.requests) == 12
    assert (again.outcome.metrics, again.cost.money) == (record.outcome.metrics, record.cost.money)


@pytest.mark.slow
def test_an_endpoint_is_shown_solved_examples_like_any_model(server, api, tmp_path, device):
    """It is right where it was shown solved examples, and says the first label where it was not."""
    solved = {}

    def answer(asked):
        turns = [message["content"] for message in asked["messages"]]
        solved.setdefault(len(turns), []).append(turns)
        return Reply(body=completion("positive" if len(turns) > 1 else "negative"))

    server.reply = answer
    (run, _), (record, skipped) = done("sentiment", api(), tmp_path, device, strategies=["few-shot", "full"], seeds=1)
    golds = [example.gold for example in eval_sets(run, None).test.examples]
    assert record.outcome.score.value == golds.count("positive") / 12
    assert record.outcome.base_score == golds.count("negative") / 12
    assert len(solved[1]) == 12 and len(solved[9]) == 12  # four shots are eight turns before the question
    assert {turn for turns in solved[9] for turn in turns[1::2]} == {"negative", "positive"}
    assert (skipped.status, skipped.reason) == ("skipped", "a model behind an API cannot be trained here")


@pytest.mark.slow
def test_an_endpoint_that_says_other_things(server, api, tmp_path, device):
    said = iter(["Positive.", "I cannot say", ""] * 4)
    server.reply = lambda asked: Reply(body=completion(next(said)))
    (run,), (record,) = done("sentiment", api(concurrency=1), tmp_path, device, strategies=["zero-shot"])
    assert record.outcome.metrics["malformed"].value == pytest.approx(8 / 12)
    items = store.read_items(tmp_path, record)
    items = items[items["kind"] == "task"]
    assert items["prediction"].tolist() == ["positive", "", ""] * 4 and items["malformed"].tolist() == [False, True, True] * 4
    right = sum(e.gold == "positive" for e in eval_sets(run, None).test.examples[::3])
    assert record.outcome.score.value == pytest.approx(right / 12)


@pytest.mark.slow
def test_an_endpoint_that_fails_is_a_failed_run_and_can_be_done_again(server, api, tmp_path, device):
    server.reply = lambda asked: Reply(503, {"error": {"message": "no GPU"}}, {"Retry-After": "0"})
    (record,) = done("sentiment", api(), tmp_path, device, strategies=["zero-shot"])[1]
    assert record.status == "failed" and "answered 503 for model 'm': no GPU" in record.reason
    server.reply = lambda asked: Reply(body=completion("negative"))
    (again,) = done("sentiment", api(), tmp_path, device, strategies=["zero-shot"])[1]
    assert again.status == "ok" and again.run_id == record.run_id
