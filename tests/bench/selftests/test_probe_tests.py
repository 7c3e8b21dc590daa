"""Each self-test says yes to a sound probe and no to one that is broken as it expects."""

import pandas as pd
import pytest
import torch
import transformers
from probing import measured

from bench.modeling import models
from bench.probes.lm_loss import LmLoss
from bench.probes.multiple_choice import MultipleChoice
from bench.selftests.probe_tests import SelfTests, losses_ahead, same_numbers
from bench.tasks.encoding import Encoding


@pytest.fixture(scope="module")
def default(library):
    model = models.find_model("smollm2", library)
    return Encoding(model, 128), model.load().eval()


@pytest.fixture
def known(library, default):
    """A built-in probe on the default model; an article of Wikipedia is as long as a hundred questions."""
    return lambda name, kind: kind(library.probe(name), default[0], 5 if kind is LmLoss else 8)


@pytest.mark.slow
def test_a_shift_by_one_is_seen(known, default, monkeypatch):
    wiki, model = known("wikipedia", LmLoss), default[1]
    assert SelfTests(wiki, model).shifted_labels_are_worse()
    # The probe's own loss is the one on the next token, and neither of those that a shift would give.
    next_token, *shifts = losses_ahead(wiki, model, (1, 0, 2))
    assert next_token == pytest.approx(wiki.score({n: c.to_numpy() for n, c in measured(wiki, model).items()}), rel=0.2)
    for loss in shifts:
        monkeypatch.setattr(LmLoss, "measure", lambda *_, loss=loss: pd.DataFrame({"value": [loss], "weight": [1.0]}))
        assert not SelfTests(wiki, model).shifted_labels_are_worse()


@pytest.mark.slow
def test_damage_grows_on_the_default_model_and_is_undone(known, default):
    model = default[1]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    assert SelfTests(known("wikipedia", LmLoss), model).damage_shows()
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_damage_that_does_not_show_is_told(library, decoder, decoding, made, monkeypatch):
    wiki = made(library.probe("wikipedia"), decoding, 8)
    fixed = measured(wiki, decoder.load().eval())
    monkeypatch.setattr(LmLoss, "measure", lambda *_: fixed)
    assert not SelfTests(wiki, decoder.load().eval()).damage_shows()


@pytest.mark.parametrize("family", ["decoder", "encoder"])
def test_damage_moves_representations(library, decoder, encoder, made, family):
    model = {"decoder": decoder, "encoder": encoder}[family]
    net = model.load(transformers.AutoModel).eval()
    assert SelfTests(made(library.probe("drift"), Encoding(model, 64), 8), net).damage_shows()


def test_two_equal_texts_are_no_sign_that_a_probe_ignores_its_model(encoder, own, made):
    """Its cosine is 1 whatever the weights, also where the model knows no capitals; data sets of graded pairs hold some."""
    rows = [{"first": "a dog runs", "second": second, "gold": "1"} for second in ("A dog runs", "a cat sleeps", "it rains")]
    pairs = made(own("similarity", rows), Encoding(encoder, 64))
    tests = SelfTests(pairs, encoder.load(transformers.AutoModel).eval())
    assert len(tests.probe.rows) == 2 < len(pairs.rows) and tests.damage_moves_numbers()


def test_a_choice_that_stands_twice_is_no_fault_of_the_probe(decoder, decoding, own, made):
    rows = [{"question": "What is it ?", "choices": ["a cat", "a cat", "a dog"], "gold": str(gold)} for gold in (0, 1, 2)]
    tests = SelfTests(made(own("multiple-choice", rows), decoding), decoder.load().eval())
    assert tests.plain_reading_agrees()


def test_a_class_may_be_rare_among_the_rows_that_are_fitted(encoder, own, made):
    words = [f"{kind} number {n}" for n in range(70) for kind in ("dog", "cat")]
    rows = [{"text": text, "gold": "pet"} for text in words]
    probe = made(
        own("linear-probe", [{**rows[0], "gold": "other"}, *rows[1:]], options={"train": 128}), Encoding(encoder, 64), 12
    )
    last = next(place for place, row in enumerate(probe.train) if row["gold"] == "other")
    probe.train.append(probe.train.pop(last))  # behind those that a self-test fits
    assert SelfTests(probe, encoder.load(transformers.AutoModel).eval()).plain_reading_agrees()


def test_gold_drawn_at_random_is_chance(library, decoder, decoding, made, monkeypatch):
    arc = made(library.probe("arc-easy"), decoding, 8)
    model = decoder.load().eval()
    assert SelfTests(arc, model).shuffled_gold_is_chance()
    assert SelfTests(two := made(library.probe("piqa"), decoding, 8), model).shuffled_gold_is_chance()
    monkeypatch.setattr(MultipleChoice, "measure", lambda self, _: pd.DataFrame({"right": [1.0] * len(self.rows)}))
    assert not SelfTests(arc, model).shuffled_gold_is_chance()
    assert not SelfTests(two, model).shuffled_gold_is_chance()


@pytest.mark.parametrize(
    "name", ["wikipedia", "lambada", "arc-easy", "hellaswag", "winogrande", "spelling", "triviaqa", "boolq"]
)
def test_batches_equal_one_by_one(library, decoder, decoding, made, name):
    assert SelfTests(made(library.probe(name), decoding, 8), decoder.load().eval()).batches_equal_one_by_one()


@pytest.mark.parametrize("name", ["mrpc", "mrpc-sentences", "medical-subjects", "drift"])
def test_an_encoders_batches_equal_one_by_one(library, encoder, made, name):
    probe = made(library.probe(name), Encoding(encoder, 32), 8)
    assert SelfTests(probe, encoder.load(transformers.AutoModel).eval()).batches_equal_one_by_one()


def test_padding_that_is_read_is_told(library, decoder, decoding, made):
    """A model that ignores the attention mask answers differently beside a longer item."""
    model = decoder.load().eval()
    forward = model.forward

    def careless(attention_mask=None, position_ids=None, **inputs):
        return forward(attention_mask=torch.ones_like(attention_mask), **inputs)

    careless.__signature__ = __import__("inspect").signature(forward)
    model.forward = careless
    assert not SelfTests(made(library.probe("wikipedia"), decoding, 8), model).batches_equal_one_by_one()


@pytest.mark.parametrize("name", ["mrpc", "drift"])
def test_padding_that_an_encoder_reads_is_told(library, encoder, made, name):
    """Also where items have vectors instead of a value."""
    model = encoder.load(transformers.AutoModel).eval()
    forward = model.forward
    model.forward = lambda input_ids=None, attention_mask=None, **inputs: forward(
        input_ids=input_ids, attention_mask=torch.ones_like(attention_mask), **inputs
    )
    probe = made(library.probe(name), Encoding(encoder, 32), 8)
    assert not SelfTests(probe, model).batches_equal_one_by_one()


def test_numbers_are_the_same_within_their_size():
    frame = pd.DataFrame({"value": [float("nan"), float("-inf")], "vector": [[1000.0, 0.1], [0.0, 0.0]], "gold": ["a", "b"]})
    assert same_numbers(frame, frame.assign(vector=[[1000.0, 0.105], [0.0, 0.0]], gold=["c", "d"]), 1e-5)
    assert not same_numbers(frame, frame.assign(vector=[[1000.0, 0.12], [0.0, 0.0]]), 1e-5)
    assert not same_numbers(frame, frame.assign(value=[0.0, float("-inf")]), 1e-5)
    # What items belong to is text, also where the first belongs to nothing, and is no number of a model.
    named = frame.assign(cluster=[None, "article 1"])
    assert same_numbers(named, named, 1e-5)


def test_log_likelihoods_may_be_off_by_so_many_nats_and_nothing_else():
    """Two tokens in 8 bit: -2.49 in one batch and -2.13 in another."""
    frame = pd.DataFrame({"value": [-2.13, -6.0], "best_nats": [-2.0, -3.0], "right": [0.0, 1.0]})
    moved = frame.assign(value=[-2.49, -6.0], best_nats=[-2.6, -3.0])
    assert not same_numbers(frame, moved, 0.1) and same_numbers(frame, moved, 0.1, nats=1.0)
    assert not same_numbers(frame, frame.assign(value=[-3.2, -6.0]), 0.1, nats=1.0)
    assert not same_numbers(frame, frame.assign(right=[1.0, 1.0]), 0.1, nats=1.0)


@pytest.mark.slow
def test_the_default_model_passes_all(known, default):
    for name, kind in (("wikipedia", LmLoss), ("arc-easy", MultipleChoice)):
        assert SelfTests(known(name, kind), default[1]).batches_equal_one_by_one()
    assert SelfTests(known("arc-easy", MultipleChoice), default[1]).shuffled_gold_is_chance()
