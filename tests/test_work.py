"""Work is done once: what a tiny suite computes, reads, pads, loads and asks is held against accepted counts, .ci/work.yaml.

A count that grew fails. Where it was meant, `make accept-work` takes the new ones; where it fell, that keeps it so.
"""

import os
from pathlib import Path

import pytest
import torch
import yaml
from caches import linked_cache
from counted import counting, grown

from bench.measuring import contamination, kept_base
from bench.modeling import forward
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.progress import Progress
from bench.running import curriculum
from bench.running import perform as perform_module
from bench.running.perform import perform
from bench.runs import kept_answers
from bench.tokens import batches

ACCEPTED = Path(__file__).parents[1] / ".ci" / "work.yaml"
MEAN_TO = "run `make accept-work` if it is meant"
DECODER = ("zero-shot", "few-shot", "full", "frozen", "instruction")
ENCODER = ("full", "frozen", "lora-32bit")
ONCE = ("lora-8bit", "multitask")
"""Of one seed: another one does the same, and takes as long again."""
WRITTEN = "squad"
"""A task whose answers are written."""
SUITE = """
name: work
version: 1
description: what tests/test_work.py counts
models: [tiny-bert]
tasks: [sst2]
strategies: [full]
probes: [lambada, mrpc, arc-easy]
probe_items: 8
paraphrase_items: 4
budget: 48examples
batch: 16
max_length: 64
"""


@pytest.fixture
def worked(tmp_path, device, one_thread, own_cache, decoder_folder, monkeypatch):
    """What the runs of a model come to, each after those before it, beginning with an empty cache of the base's answers."""
    (tmp_path / "work.yaml").write_text(SUITE)
    # No model takes part in what texts share, and of `multitask` it is a third of the time.
    monkeypatch.setattr(contamination, "contaminated_items", lambda run, probes: {})
    monkeypatch.setenv("TUNEBENCH_CACHE", str(linked_cache(tmp_path / "cache", own_cache)))

    def work(family, strategies, seeds=2, task="sst2", items=48):
        found = {}
        model = "tiny-bert" if family == "encoder" else str(decoder_folder)
        suite, where = str(tmp_path / "work.yaml"), "" if task == "sst2" else f" on {task}"
        options = PlanOptions(suite, model, tasks=[task], strategies=strategies, seeds=seeds, test_items=items)
        for run in plan(options, "fp32"):
            with counting() as counts:
                perform(run, device, Progress(False, 0))
            found[f"{family}, {run.strategy.name}{where}, seed {run.seed}"] = counts
        return found

    return work


@pytest.mark.slow
def test_no_more_is_done_than_was_accepted(worked):
    found = worked("encoder", ENCODER) | worked("decoder", DECODER) | worked("decoder", ONCE, seeds=1)
    found |= worked("decoder", ["zero-shot"], seeds=1, task=WRITTEN, items=8)
    if os.environ.get("ACCEPT_WORK"):
        ACCEPTED.write_text("# Counted by tests/test_work.py; `make accept-work` writes it.\n" + yaml.safe_dump(found))
    accepted = yaml.safe_load(ACCEPTED.read_text())
    assert set(accepted) == set(found)
    assert grown(found, accepted) == [], MEAN_TO


ADAPTED = perform_module.adapted


def adapted_and_tried(run, device):
    """One pass more than is needed, of two tokens."""
    model = ADAPTED(run, device)
    model(input_ids=torch.tensor([[5, 6]]))
    return model


PLANTED = {
    "one forward pass more": ((perform_module, "adapted", adapted_and_tried), "forward passes grew", 1),
    "batches that are not of like length": (
        (curriculum, "order_by_length", lambda seed, size, length, batch: batches.order(seed, size)),
        "padding grew",
        1,
    ),
    "logits everywhere": (
        (forward, "accepts", lambda model, argument: argument != "logits_to_keep" and ACCEPTS(model, argument)),
        "logits grew",
        1,
    ),
    "the base measured again": ((kept_base, "cached_frame", lambda path, device, measure: measure()), "base answers grew", 2),
}
"""What is put where, the sentence that tells of it, and how many seeds it takes to come out."""
ACCEPTS = forward.accepts


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_planted_waste_is_found_and_named(worked, monkeypatch, name):
    planted, sentence, seeds = PLANTED[name]
    monkeypatch.setattr(*planted)
    told = grown(worked("decoder", ["full"], seeds=seeds), yaml.safe_load(ACCEPTED.read_text()))
    assert any(sentence in each for each in told)


def test_a_sentence_says_what_grew_and_a_fall_is_silent():
    before = {"a": {"FLOPs": 100, "tokens": 10, "padding": 0}}
    now = {"a": {"FLOPs": 150, "tokens": 9, "padding": 2}, "b": {"FLOPs": 1}}
    assert grown(now, before) == [
        "b: nothing was accepted of it",
        "a: FLOPs grew from 100 to 150, by 50.0%; more is computed",
        "a: padding grew from 0 to 2; more of what they read is padding: batches are less alike in length",
    ]
    assert kept_answers.cached_frame is kept_base.cached_frame  # what is counted is where the base's answers are kept
