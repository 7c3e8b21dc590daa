"""Tokens counted without a model, against what a backend is really asked."""

from dataclasses import replace

import pytest
from caches import linked_cache

from bench import folders
from bench.inference.local import LocalBackend
from bench.measuring.evaluation import Session
from bench.measuring.untouched import Untouched
from bench.planning import asking_cost
from bench.planning.asking_cost import CountingBackend
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.probes import probe_class
from bench.progress import Progress
from bench.tasks.encoding import Encoding


@pytest.mark.parametrize("name", ["wikipedia", "lambada", "arc-easy", "spelling", "jeopardy", "drift"])
def test_every_kind_can_be_counted(library, decoder, monkeypatch, name):
    spec = library.probe(name)
    probe = probe_class(spec)(spec, Encoding(decoder, 128), 3)
    counting, asked = CountingBackend(decoder), []
    probe.measure(counting)
    for way in ("loglikelihoods", "losses", "embeddings"):
        sound = getattr(LocalBackend, way)
        monkeypatch.setattr(LocalBackend, way, lambda s, r, *a, w=sound, **k: asked.extend(r) or w(s, r, *a, **k))
    probe.measure(LocalBackend(decoder.load().eval(), decoder))
    if name == "wikipedia":
        assert counting.read == sum(len(text.ids) for text in asked)
    assert counting.read > 0


@pytest.mark.parametrize(
    ("family", "name", "items"),
    [("decoder", "arc-easy", 200), ("decoder", "arc-easy", 41), ("encoder", "medical-subjects", 100)],
)
def test_tokens_of_all_items_are_told_from_a_few(request, library, family, name, items):
    """What is read once, whatever the number of items, is counted once: the rows that a linear probe is fitted on."""
    model, spec = request.getfixturevalue(family), library.probe(name)
    (run,) = plan(PlanOptions("sentiment", model=str(model.folder), strategies=["full"]), "fp32")
    counting = CountingBackend(model)
    probe_class(spec)(spec, Encoding(model, run.max_length), items).measure(counting)
    estimated = asking_cost.probes(replace(run, probes=((spec, items),)))
    assert estimated.items == items and estimated.read == pytest.approx(counting.read, rel=0.1)


def planned(strategy, suite, model, **options):
    (run,) = plan(PlanOptions(suite, model=str(model), strategies=[strategy], **options), "fp32")
    return run


@pytest.mark.parametrize(
    ("suite", "strategy", "model"),
    [
        ("sentiment", "full", "decoder"),
        ("sentiment", "few-shot", "decoder"),
        ("qa", "instruction", "decoder"),
        ("sentiment-domains", "full", "tiny-bert"),
        ("sentiment-domains", "zero-shot", "tiny-bert"),
        ("qa", "full", "tiny-bert"),
        ("ner", "frozen", "tiny-bert"),
    ],
)
def test_every_way_to_ask_can_be_counted(decoder_folder, suite, strategy, model):
    """Each item has a prompt at least; a decoder that writes may write for each of them."""
    folder = decoder_folder if model == "decoder" else model
    run, *_ = plan(PlanOptions(suite, model=str(folder), strategies=[strategy], test_items=10), "fp32")
    asked, base = asking_cost.tests(run), asking_cost.base_asking([replace(run, probes=())])
    assert asked.items >= 10 and asked.read > 5 * asked.items
    assert (asked.written > 0) == (suite == "qa" and model == "decoder")
    assert (base.items >= 10 and base.read > 0) or suite in ("qa", "ner")  # of an encoder without a head nothing is read there


def test_examples_that_are_shown_are_read(decoder_folder):
    shown, plain = (asking_cost.tests(planned(name, "sentiment", decoder_folder)) for name in ("few-shot", "zero-shot"))
    assert shown.items == plain.items == 872 and shown.read > 3 * plain.read


def test_what_a_chat_reads_is_told_by_its_letters(library, server, tmp_path):
    (tmp_path / "mine.yaml").write_text(f"name: mine\ndescription: d\nendpoint: {{base_url: {server.url}, model: m}}\n")
    run = planned("zero-shot", "sentiment", tmp_path / "mine.yaml", test_items=10)
    asked = asking_cost.tests(run)
    assert asked.items == 10 and 10 * 10 < asked.read < 10 * 200 and asked.written > 0 and asking_cost.probes(run).items == 0


def test_the_base_is_asked_what_it_is_really_asked(decoder_folder, decoder, device, tmp_path, monkeypatch):
    """Of two wordings, validation items choose; of a base in 8 bit, the probes are asked once more."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(linked_cache(tmp_path / "cache", folders.cache())))  # nothing is kept there
    small = {"budget": "16", "test_items": 10, "probe_items": 64}
    runs = [planned(name, "sentiment", decoder_folder, **small) for name in ("full", "instruction", "lora-8bit")]
    counting = CountingBackend(decoder)

    class Told(LocalBackend):
        def loglikelihoods(self, requests):
            counting.loglikelihoods(requests)
            return super().loglikelihoods(requests)

        def losses(self, texts):
            counting.losses(texts)
            return super().losses(texts)

    monkeypatch.setattr(Session, "backend", lambda self, module, cast=True: Told(module, self.run.checkpoint, self.device))
    for run in runs:
        base = Untouched(Session.of(run, device, Progress(False, 1)))
        base.asked.results()
        base.loaded.forget()
    # Besides, four first items of each probe are asked for a check.
    assert asking_cost.base_asking(runs).read == pytest.approx(counting.read, rel=0.1)
    assert asking_cost.base_asking(runs[:2]).read < 0.7 * counting.read
