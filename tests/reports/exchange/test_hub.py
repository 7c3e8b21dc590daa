"""What the hub's own classes read of our exports."""

import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from bench.records.record import Import
from reports.exchange.hub import HubDataset, eval_results, measured_by, model_card, notes_of
from reports.rows.rows import aggregate

TASK = {"task": {"name": "sst2", "type": "classification"}}


def rows(make, out, **changes):
    return aggregate(make.kept(out, [make.record("full", seed, inputs=TASK, **changes) for seed in range(2)]), out)


def test_eval_results_are_read_back(make, out):
    (row,) = rows(make, out)
    known = HubDataset("nyu-mll/glue", "sst2", "ab" * 20, "https://example.org/run")
    (entry,) = parse_eval_result_entries(yaml.safe_load(eval_results(row, known)))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("nyu-mll/glue", "sst2", row.score.value)
    assert (entry.dataset_revision, entry.source_url, entry.source_name) == ("ab" * 20, "https://example.org/run", "tunebench")
    assert entry.notes == notes_of(row) and "seeds 0, 1" in entry.notes and entry.date.startswith("20")


def test_eval_results_need_no_source(make, out):
    (entry,) = yaml.safe_load(eval_results(rows(make, out)[0], HubDataset("a/b", "c")))
    assert set(entry) == {"dataset", "value", "date", "notes"} and entry["dataset"] == {"id": "a/b", "task_id": "c"}


def test_a_card_s_model_index_is_read_back(make, out):
    found = rows(make, out, hyperparameters={"learning_rate": 2e-4, "peft": {"r": 8}})
    card = ModelCard(model_card(found, "our model", "us/base"))
    (result,) = card.data.eval_results
    assert (result.task_type, result.metric_type, result.metric_value) == (
        "text-classification",
        "accuracy",
        found[0].score.value,
    )
    assert (card.data.base_model, card.data.library_name, card.data.model_name) == ("us/base", "peft", "our model")
    assert "# our model" in card.text and "| full |" in card.text and "- learning_rate: 0.0002" in card.text


def test_a_card_tells_which_task_has_which_settings(make, out):
    """A search chooses for each task alone."""
    classes, texts = ({"task": {"name": name, "type": kind}} for name, kind in (("rte", "classification"), ("news", "ner")))
    rte = make.record("full", 1, inputs=classes, task="rte", budget="64examples", hyperparameters={"rate": 5e-4, "decay": 0})
    news = make.record("full", inputs=texts, task="news", hyperparameters={"rate": 2e-5, "decay": 0})
    card = ModelCard(model_card(aggregate(make.kept(out, [rte, news]), out), "ours"))
    assert "with a budget of 64examples (rte), 512examples (news)." in card.text
    assert "- decay: 0\n- rate: 0.0005 (rte), 2e-05 (news)\n" in card.text and "; seeds 1 (rte), 0 (news)." in card.text
    assert "torch 2.13.0, transformers 5.23.0;" in card.text and card.data.pipeline_tag is None


def test_names_from_outside_change_nothing_of_a_card(make, out):
    bad = 'a"\n---\nlicense: mit <script>alert(1)</script>'
    card = ModelCard(model_card(rows(make, out, model=bad), bad))
    assert card.data.license is None and "<script" not in card.text.replace("\\<", "")
    assert card.data.base_model is None and card.data.library_name == "transformers"


def imported(make, whose="lm-eval", **changes):
    source = Import(whose=whose, file="x.json", sha256="0" * 64, interval="none")
    versions = {"transformers": "5.1.0", "lm-eval": "0.4.13", "peft": "0.19.0"}
    return aggregate([make.changed(make.record("lm-eval 5-shot", probes={}, **changes)[0], source=source, versions=versions)])


def test_an_import_is_not_said_to_be_ours_or_trained(make):
    """Planted fault: `trained by the strategy lm-eval 5-shot with a budget of nothing. Measured by tunebench`."""
    (row,) = rows = imported(make, budget=None)
    assert measured_by(row) == ("lm-eval", "0.4.13") and notes_of(row).endswith("; lm-eval 0.4.13")
    card = ModelCard(model_card(rows, "ours")).text
    assert "smollm2, by the strategy lm-eval 5-shot.\nMeasured by lm-eval 0.4.13; the table was made by tunebench.\n" in card
    assert "trained by" not in card and "budget" not in card and "forgetting is" not in card
    (entry,) = yaml.safe_load(eval_results(row, HubDataset("a/b", "c", source_url="https://example.org/run")))
    assert entry["source"]["name"] == "lm-eval"


def test_an_import_that_says_its_budget_has_it(make):
    rows = imported(make, whose="peft-method-comparison", budget="5000steps")
    assert measured_by(rows[0]) == ("peft-method-comparison", "0.19.0")
    card = ModelCard(model_card(rows, "ours")).text
    assert "trained by the strategy lm-eval 5-shot with a budget of 5000steps." in card and "Measured by peft" in card


def test_what_trains_nothing_has_no_budget(make):
    rows = aggregate([make.record("zero-shot", trainable=0, probes={}, budget="512examples")[0]])
    card = ModelCard(model_card(rows, "ours")).text
    assert "by the strategy zero-shot, which trains nothing.\nMeasured by tunebench.\n" in card and "512" not in card
